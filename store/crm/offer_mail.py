"""How an offer looks to its one reader: the mail, the notice on the site and the line at checkout."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session

from store import links, mail
from store.crm import drafts, offers, sending
from store.crm.drafts import Reckoning
from store.crm.offers import Offer
from store.events import Event
from store.people import Customer
from store.rendering import render
from store.settings import house
from store.shop import catalog
from store.shop.appraisal import appraise, picture_of

OFFERS_PAGE = "/account/offers"
PURPOSE = "messages"


@dataclass(frozen=True)
class Preview:
    """Exactly what she will meet: the same functions make the mail, the notice and the line when it is sent."""

    subject: str
    text: str
    html: str
    notice: str
    line: str
    reckoning: Reckoning | None
    described: str
    picture: list[str]
    mail_refusal: str | None


def preview(session: Session, offer: Offer) -> Preview:
    """The offer as its customer will see it."""
    context = _context(session, offer)
    unsubscribe = mail.unsubscribe_address(offer.customer_id, PURPOSE)
    words = {**context, "link": links.absolute, "unsubscribe": unsubscribe}
    subject, _, text = render("mail/offer.txt", **words).strip().partition("\n")
    return Preview(
        subject=" ".join(subject.split()),
        text=text.strip() + "\n",
        html=render("mail/offer.html", **words),
        notice=offers.notice_of(offer),
        line=offer.label,
        reckoning=context["reckoning"],
        described=context["described"],
        picture=_picture(session, offer),
        mail_refusal=sending.mail_refusal(session, offer.customer_id),
    )


def write_mail(session: Session, event: Event) -> None:
    """The reaction to "offer-sent": queue its mail, once, at the house's cost of a mail, if it goes by mail."""
    offer = offers.by_id(session, event.subject or "")
    if offer.channel != "mail":
        return
    customer = session.get_one(Customer, offer.customer_id)
    mail.queue(
        session,
        "offer",
        customer.email,
        _context(session, offer),
        dedupe_key=f"offer:{offer.id}",
        customer_id=customer.id,
        purpose=PURPOSE,
        cost=mail.COST_PER_MAIL,
    )


def _context(session: Session, offer: Offer) -> dict[str, Any]:
    customer = session.get_one(Customer, offer.customer_id)
    return {
        "offer": offer,
        "subject": f"{offer.piece_name or 'An offer'}, for you — {house().name}",
        "greeting": f"Dear {customer.name}," if customer.name else "Good day,",
        "described": _described(session, offer),
        "reckoning": drafts.reckon(session, offer),
        "offers_page": OFFERS_PAGE,
    }


def _described(session: Session, offer: Offer) -> str:
    """The ready design in one sentence."""
    design = next(iter(drafts.ready_designs(session, offer)), None)
    if design is None or offer.slug is None:
        return ""
    item = catalog.version(session, design.model_version)
    return appraise(item, design.choices, design.texts).sentence


def _picture(session: Session, offer: Offer) -> list[str]:
    design = next(iter(drafts.ready_designs(session, offer)), None)
    if design is None:
        return []
    item = catalog.version(session, design.model_version)
    completion: Mapping[str, Any] = appraise(item, design.choices, design.texts).completion
    return picture_of(item, completion)
