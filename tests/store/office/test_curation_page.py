"""The office's page of rules for suggestions: the owner decides, others look on; and what suggestions bring."""

from collections.abc import Callable

import pytest

from store import db
from store.crm import insight
from store.events import Visitor
from store.settings import Settings
from store.shop import curation, taste
from tests.browsers import PageBrowser
from tests.store.crm.cast import House
from tests.store.office.conftest import Known

pytestmark = pytest.mark.usefixtures("own_models")
PAGE = "/office/performance/suggestions"


def policy() -> curation.Policy:
    with db.transaction(read_only=True) as session:
        return curation.policy(session)


def test_the_owner_pins_bans_and_takes_back(as_role: Callable[[str], PageBrowser]) -> None:
    owner = as_role("owner")
    assert "Every piece is left to the ranking." in owner.get(PAGE).text
    owner.submit(f"{PAGE}/pieces", {"slug": "loupe-brass", "rule": "pin"})
    owner.submit(f"{PAGE}/pieces", {"slug": "winder-walnut", "rule": "ban"})
    assert (policy().pins, policy().bans) == (("loupe-brass",), frozenset({"winder-walnut"}))
    assert owner.page.count("Take back") == 2
    owner.submit(f"{PAGE}/pieces", {"slug": "loupe-brass", "rule": "none"})
    assert policy().pins == ()
    assert "suggestion pinned" in owner.get("/office/books/audit").text


def test_floor_trials_and_the_switch(as_role: Callable[[str], PageBrowser]) -> None:
    owner = as_role("owner")
    owner.get(PAGE)
    owner.submit(f"{PAGE}/shares", {"floor": "32.5 %", "explored": "5"})
    assert (policy().floor, policy().explored) == (3_250, 500)
    assert 'value="32.5"' in owner.get(PAGE).text
    owner.submit(f"{PAGE}/shares", {"floor": "", "explored": "5"})
    assert policy().floor is None
    assert owner.submit(f"{PAGE}/shares", {"floor": "much", "explored": "5"}).status_code == 422
    owner.get(PAGE)
    owner.submit(f"{PAGE}/switch", {"suggestions": "off"})
    assert policy().off
    assert "Nobody is suggested anything" in owner.get(PAGE).text
    owner.submit(f"{PAGE}/switch", {"suggestions": "on"})
    assert not policy().off


@pytest.mark.parametrize("path", ["pieces", "shares", "switch", "models"])
def test_only_the_owner_decides(as_role: Callable[[str], PageBrowser], path: str) -> None:
    fields = {"slug": "loupe-brass", "rule": "pin", "suggestions": "off", "act": "back"}
    accountant = as_role("accountant")
    page = accountant.get(PAGE).text
    assert "Turn off for everybody" not in page
    assert accountant.submit(f"{PAGE}/{path}", fields).status_code == 403
    advisor = as_role("advisor")
    assert advisor.get(PAGE).status_code == 403
    assert policy() == curation.Policy()


def test_one_button_goes_back_to_the_model_before(
    as_role: Callable[[str], PageBrowser], known: Known, settings: Settings
) -> None:
    owner = as_role("owner")
    owner.get(PAGE)
    assert owner.submit(f"{PAGE}/models", {"act": "back"}).status_code == 409
    insight.train(settings)
    first = taste.serving_version()
    _another_order(known)
    insight.train(settings)
    assert taste.serving_version() != first
    page = owner.get(PAGE).text
    assert "Go back to the one before" in page
    assert "Published" in page
    back = owner.submit(f"{PAGE}/models", {"act": "back"}).text
    assert f"Recommender {first} serves again" in back
    assert taste.serving_version() == first
    assert policy().held
    owner.submit(f"{PAGE}/models", {"act": "go-on"})
    assert not policy().held


def test_the_performance_page_says_what_is_missing(as_role: Callable[[str], PageBrowser], known: Known) -> None:
    page = as_role("accountant").get("/office/performance").text
    assert "What suggestions bring" in page
    assert "Cannot tell yet: have 0 in the control group" in page


def test_the_desk_writes_about_a_piece(as_role: Callable[[str], PageBrowser], known: Known) -> None:
    advisor = as_role("advisor")
    page = advisor.get(f"/office/customers/{known.iris}").text
    assert "Write about it" in page
    slug = "winder-walnut"
    sent = advisor.submit(f"/office/customers/{known.iris}/letters", {"slug": slug})
    assert "The letter is on its way." in sent.text
    assert "Write about it" not in sent.text
    assert "at most" in sent.text
    assert as_role("accountant").submit(f"/office/customers/{known.iris}/letters", {"slug": slug}).status_code == 403


def _another_order(known: Known) -> None:
    with db.transaction() as session:
        buyer = Visitor(customer_id=known.iris)
        House(session, buyer, buyer, buyer).orders(buyer, ("voyageur", {}))
