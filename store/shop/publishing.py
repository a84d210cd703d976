"""Drafts of products: an owner's next version in the making, and its way onto the shelf."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Text, UniqueConstraint
from sqlmodel import Field, Session, SQLModel, col, select

from configurator import ModelError, ProductModel, compile_model, lint, parse
from store import db, events
from store.errors import ShopError, invalid
from store.events import Visitor
from store.shop import catalog
from store.shop.catalog import Published, PublishedModel
from store.shop.draft_text import line_of

LONGEST = 600_000  # characters of a draft


class ProductDraft(SQLModel, table=True):
    """The next version of a product as one member of staff writes it; gone when it is published or thrown away."""

    __tablename__ = "product_draft"
    __table_args__ = (UniqueConstraint("slug", "staff_id"),)

    id: str = Field(primary_key=True)
    slug: str
    staff_id: str = Field(foreign_key="staff.id")
    begun_on: str = Field(foreign_key="published_model.version")  # the version it was begun from
    source_text: str = Field(sa_type=Text)
    begun_at: datetime
    changed_at: datetime


@dataclass(frozen=True)
class Found:
    """Something the look over a draft found, with the line where it stands, if it is known."""

    severity: str  # error, warning
    rule: str | None
    message: str
    line: int | None


@dataclass(frozen=True)
class LookedOver:
    """A draft read, compiled and linted; `published` is None when it cannot be read."""

    published: Published | None
    findings: tuple[Found, ...]

    @property
    def errors(self) -> int:
        """How many findings stand in the way."""
        return sum(finding.severity == "error" for finding in self.findings)


# -- writing ---------------------------------------------------------------------------------------------------------


def draft_of(session: Session, staff: Visitor, slug: str) -> ProductDraft | None:
    """The draft that this member of staff has of a product."""
    mine = select(ProductDraft).where(ProductDraft.slug == slug, ProductDraft.staff_id == (staff.staff_id or ""))
    return session.exec(mine.execution_options(populate_existing=True)).first()


def drafts_of(session: Session, slug: str) -> list[ProductDraft]:
    """Everybody's drafts of a product, the latest first."""
    statement = select(ProductDraft).where(ProductDraft.slug == slug).order_by(col(ProductDraft.changed_at).desc())
    return list(session.exec(statement).all())


def begin(session: Session, staff: Visitor, slug: str) -> ProductDraft:
    """This member of staff's draft of a product, begun from the version on sale if there is none yet."""
    item = catalog.published(session, slug)
    moment = db.now()
    row = {
        "id": db.new_id("pdr"),
        "slug": slug,
        "staff_id": staff.staff_id,
        "begun_on": item.version,
        "source_text": catalog.source_of(session, item.version),
        "begun_at": moment,
        "changed_at": moment,
    }
    db.insert_once(session, ProductDraft, row, unique=("slug", "staff_id"))
    made = draft_of(session, staff, slug)
    assert made is not None
    return made


def write(session: Session, draft: ProductDraft, text: str) -> None:
    """Keep the text of a draft, right or wrong.

    Raises:
        ShopError: 422, it is too long.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if len(text) > LONGEST:
        raise invalid(f"A product file has at most {LONGEST:,} characters.", field="text")
    draft.source_text = text if text.endswith("\n") else text + "\n"
    draft.changed_at = db.now()
    session.add(draft)
    session.flush()


def discard(session: Session, draft: ProductDraft) -> None:
    """Throw a draft away; the version on sale stays."""
    session.delete(draft)
    session.flush()


def rebase(session: Session, draft: ProductDraft) -> None:
    """Go on from the version on sale now: its author has seen that somebody else published, and keeps the own text."""
    draft.begun_on = catalog.published(session, draft.slug).version
    session.add(draft)
    session.flush()


def is_behind(session: Session, draft: ProductDraft) -> bool:
    """Whether another version went on sale since the draft was begun."""
    catalog.refresh(session)
    return catalog.published(session, draft.slug).version != draft.begun_on


# -- looking it over -------------------------------------------------------------------------------------------------


def look_over(draft: ProductDraft, position: int = 0) -> LookedOver:
    """Everything that reading, compiling and linting the draft says, errors first."""
    source = f"{draft.slug}.yaml"
    try:
        model = _only(parse(draft.source_text, source), draft.slug, source)
        compiled = compile_model(model)
    except ModelError as error:
        return LookedOver(None, (Found("error", None, error.message, error.line),))
    lines = line_of(draft.source_text)
    found = tuple(Found(item.severity, item.rule, item.message, _line(lines, item.rule)) for item in lint(compiled))
    return LookedOver(Published(model.slug, model, position), found)


def _only(models: list[ProductModel], slug: str, source: str) -> ProductModel:
    if len(models) != 1:
        raise ModelError(source, 1, f"a draft holds one product, this one holds {len(models)}")
    if models[0].slug != slug:
        raise ModelError(source, 1, f"this is the draft of {slug!r}; `product:` must stay {slug!r}")
    return models[0]


def _line(lines: Mapping[str, int], rule: str | None) -> int | None:
    return lines.get(rule or "") or lines.get((rule or "").partition(".")[0])


# -- publishing ------------------------------------------------------------------------------------------------------


def publish(session: Session, staff: Visitor, draft: ProductDraft) -> PublishedModel:
    """Put a draft on sale, if nothing stands in the way; the draft is gone then.

    Raises:
        ShopError: 422 it has errors (the first is named), 409 another version went on sale since it was begun, or
            nothing changed. Nothing is written.
    """
    looked = look_over(draft)
    if looked.published is None or looked.errors:
        first = looked.findings[0]
        where = f"Line {first.line}: " if first.line else ""
        raise invalid(f"This draft cannot be published yet. {where}{first.message}", field="text")
    if looked.published.version == draft.begun_on and not is_behind(session, draft):
        raise ShopError(409, "Nothing to publish", "This draft is the same as the version on sale.")
    row = catalog.publish(session, looked.published.model, staff, instead_of=draft.begun_on)
    facts = {"action": "product published", "version": row.version, "before": draft.begun_on}
    events.record(session, staff, "staff-action", subject=row.version, product=draft.slug, facts=facts)
    discard(session, draft)
    return row
