"""What the house sells: published versions of product models, and this process's memory of them."""

import logging
import threading
import time
import unicodedata
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import Any

from sqlalchemy import Index, Text, text, update
from sqlmodel import Field, Session, SQLModel, col, select

from configurator import (
    Compiled,
    Finding,
    ModelError,
    ProductModel,
    Repricing,
    compile_model,
    from_price,
    lint,
    load,
    priced_paths,
)
from store import db, events
from store.errors import SettingsError, ShopError, not_found
from store.events import NOBODY, Visitor
from store.settings import house
from store.shop import stock

log = logging.getLogger(__name__)

LIKE = 0.75  # how alike two words must be written for one to stand for the other (2 × shared letters / all letters)
LISTS_KEPT = 12  # price lists of a version in memory
CHECK_SECONDS = 1.0  # how long the set of current versions is believed without asking the database


class PublishedModel(SQLModel, table=True):
    """One version of a product, immutable; orders and designs point to it for ever."""

    __tablename__ = "published_model"
    __table_args__ = (
        Index(
            "uq_published_model_current",
            "slug",
            unique=True,
            sqlite_where=text("current"),
            postgresql_where=text("current"),
        ),
    )

    version: str = Field(primary_key=True)
    slug: str = Field(index=True)
    name: str
    document: str = Field(sa_type=Text)  # model.to_json()
    source_text: str = Field(sa_type=Text)  # as the owner wrote it
    findings: list[dict[str, Any]] = Field(default_factory=list, sa_type=db.Document)
    position: int = 0  # order of the catalogue
    current: bool = False
    published_at: datetime
    published_by: str | None = None  # staff; None when it came with the product files


@dataclass(frozen=True)
class Published:
    """A version ready for use; what is costly is computed once and kept."""

    slug: str
    model: ProductModel
    position: int = 0

    @property
    def version(self) -> str:
        """The version's content hash."""
        return self.model.version

    @property
    def name(self) -> str:
        """The product's name."""
        return self.model.name

    @property
    def counted(self) -> bool:
        """Whether it lies in stock (else it is made for her, or a service)."""
        return self.model.supply.stock is not None

    @cached_property
    def compiled(self) -> Compiled:
        """The model compiled for the configurator."""
        return compile_model(self.model)

    @cached_property
    def from_price(self) -> int:
        """The lowest price of a valid design, in minor units."""
        return from_price(self.compiled)

    @cached_property
    def _lists(self) -> OrderedDict[Repricing, "Published"]:
        return OrderedDict()

    def at_prices(self, prices: Repricing) -> "Published":
        """The same version at the prices of a list; the last few lists are kept."""
        found = self._lists.get(prices)
        if found is None:
            compiled = self.compiled.at_prices(prices)
            found = replace(self, model=compiled.model)
            found.__dict__["compiled"] = compiled
            self._lists[prices] = found
            while len(self._lists) > LISTS_KEPT:
                self._lists.popitem(last=False)
        return found

    @cached_property
    def folded(self) -> str:
        """Its words, folded for search."""
        model = self.model
        return fold(f"{model.name} {model.sentence} {model.category} {' '.join(map(str, model.attributes.values()))}")


def fold(words: str) -> str:
    """Words without case and accents, so that "meridien" finds "Méridien"."""
    decomposed = unicodedata.normalize("NFKD", words.casefold())
    return "".join(char for char in decomposed if not unicodedata.combining(char))


# -- this process's memory -------------------------------------------------------------------------------------------


@dataclass
class _Shelf:
    """The current versions of one database."""

    place: Any = None
    checked: float = 0.0
    signature: tuple[tuple[str, int], ...] = ()
    by_slug: dict[str, Published] = field(default_factory=dict)
    by_version: dict[str, Published] = field(default_factory=dict)


_shelf = _Shelf()
_lock = threading.RLock()


_ON_SALE = (
    select(PublishedModel.version, PublishedModel.position)
    .where(col(PublishedModel.current))
    .order_by(col(PublishedModel.position), col(PublishedModel.slug))
)


def _current(session: Session, at_once: bool = False) -> _Shelf:
    """The shelf, looked over again when a second has passed (or at once)."""
    global _shelf
    place = session.get_bind().engine.url
    shelf = _shelf
    if not at_once and shelf.place == place and time.monotonic() - shelf.checked < CHECK_SECONDS:
        return shelf
    with _lock:
        rows = session.execute(_ON_SALE).all()
        signature = tuple((version, position) for version, position in rows)
        known = dict(_shelf.by_version) if _shelf.place == place else {}
        if _shelf.place != place or _shelf.signature != signature:
            _load(session, [version for version, _ in signature if version not in known], known)
            current = [known[version] for version, _ in signature]
            _shelf = _Shelf(place, time.monotonic(), signature, {item.slug: item for item in current}, known)
        else:
            _shelf.checked = time.monotonic()
        return _shelf


def _load(session: Session, versions: list[str], known: dict[str, Published]) -> None:
    if not versions:
        return
    statement = select(PublishedModel.version, PublishedModel.document, PublishedModel.position)
    for version, document, position in session.exec(statement.where(col(PublishedModel.version).in_(versions))).all():
        model = ProductModel.from_json(document)
        known[version] = Published(model.slug, model, position)


def refresh(session: Session) -> None:
    """Look at the database now: what is ordered is priced by the newest version, not by a second-old memory."""
    _current(session, at_once=True)


def forget() -> None:
    """Forget what this process remembers, so that the next question reads the database."""
    global _shelf
    with _lock:
        _shelf = _Shelf()


# -- reading ---------------------------------------------------------------------------------------------------------


def published(session: Session, slug: str) -> Published:
    """The current version of a product.

    Raises:
        ShopError: 404, there is none.
    """
    found = find(session, slug)
    if found is None:
        raise not_found("piece")
    return found


def find(session: Session, slug: str) -> Published | None:
    """The current version of a product, or None when it is not sold (any more)."""
    return _current(session).by_slug.get(slug)


def version(session: Session, version: str) -> Published:
    """A version by its content hash, current or not.

    Raises:
        ShopError: 404, it was never published.
    """
    shelf = _current(session)
    if version not in shelf.by_version:
        with _lock:
            _load(session, [version], shelf.by_version)
    if version not in shelf.by_version:
        raise not_found("version")
    return shelf.by_version[version]


def listing(session: Session, category: str | None = None, query: str | None = None) -> list[Published]:
    """What is sold, in the order of the catalogue; only a category, only what holds all words of the query.

    A word that nothing holds stands for those that are written much like it.
    """
    order = {slug: number for number, (slug, _) in enumerate(house().categories)}
    items = list(_current(session).by_slug.values())
    asked = [_meant(word, items) for word in fold(query or "").split()]
    found = [
        item
        for item in items
        if category in (None, "", item.model.category)
        and all(any(word in item.folded for word in one) for one in asked)
    ]
    return sorted(found, key=lambda item: (order.get(item.model.category, len(order)), item.position))


def _meant(word: str, items: Sequence[Published]) -> Sequence[str]:
    if any(word in item.folded for item in items):
        return [word]
    return get_close_matches(word, {known for item in items for known in item.folded.split()}, n=4, cutoff=LIKE)


def categories(session: Session) -> list[tuple[str, str]]:
    """The categories that hold something: the house's order, then those only a product file names."""
    held = {item.model.category for item in _current(session).by_slug.values()}
    named = [(slug, label) for slug, label in house().categories if slug in held]
    others = sorted(held - {slug for slug, _ in named})
    return named + [(slug, slug.replace("-", " ").capitalize()) for slug in others]


def versions_of(session: Session, slug: str) -> list[PublishedModel]:
    """All versions of a product, the newest first."""
    statement = select(PublishedModel).where(PublishedModel.slug == slug)
    return list(session.exec(statement.order_by(col(PublishedModel.published_at).desc())).all())


def source_of(session: Session, version: str) -> str:
    """A version as its owner wrote it."""
    return session.get_one(PublishedModel, version).source_text


def audiences(session: Session) -> dict[str, list[str]]:
    """The audiences that products on sale name, each with the options that are for it alone."""
    found: dict[str, list[str]] = {}
    for item in _current(session).by_slug.values():
        for group in item.model.groups:
            for option in group.options:
                if option.audience and not option.retired:
                    found.setdefault(option.audience, []).append(f"{item.name}: {option.label}")
    return dict(sorted(found.items()))


# -- publishing ------------------------------------------------------------------------------------------------------


def import_products(session: Session, directory: Path) -> None:
    """Publish each version of the product files that was never here before, and count its stock the first time.

    Raises:
        ModelError: a file is wrong; names file, line and reason.
        SettingsError: a price list names a price that a product does not have.
    """
    models = load(directory)
    _check_overrides(models)
    known = set(session.exec(select(PublishedModel.version)).all())
    # The words count too: read by a newer reader they may make another version, and are still the same file.
    texts = {(slug, text) for slug, text in session.exec(select(PublishedModel.slug, PublishedModel.source_text))}
    for position, model in enumerate(models):
        if model.version not in known and (model.slug, model.source_text) not in texts:
            publish(session, model, NOBODY, position=position)


def _check_overrides(models: Iterable[ProductModel]) -> None:
    for model in models:
        known = set(priced_paths(model))
        for prices in house().currencies.values():
            for path in sorted(set(prices.overrides.get(model.slug, {})) - known):
                where = f"house.yaml: currencies.{prices.currency}.overrides.{model.slug}"
                raise SettingsError(f"{where}: the product has no price {path!r}.")


def publish(
    session: Session,
    model: ProductModel,
    visitor: Visitor,
    *,
    position: int | None = None,
    instead_of: str | None = None,
) -> PublishedModel:
    """Make a version the current one; what was ordered or saved on older ones stays on them.

    Args:
        instead_of: the version that must be on sale now, for an editor who began from it.

    Raises:
        ModelError: its rules leave nothing to sell, or the house has no such tax category.
        ShopError: 409, another version than `instead_of` is on sale.
    """
    if model.tax is not None and model.tax not in house().vat.home_rates:
        known = ", ".join(sorted(house().vat.home_rates))
        reason = f"{model.slug}: {model.tax!r} is no tax category of this house; {known} are"
        raise ModelError(model.source or model.slug, 1, reason)
    findings = _findings(lint(compile_model(model)))
    for finding in findings:
        if finding["severity"] == "error":
            raise ModelError(model.source or model.slug, 1, f"{model.slug}: {finding['message']}")
    before = session.exec(
        select(PublishedModel).where(PublishedModel.slug == model.slug, col(PublishedModel.current))
    ).first()
    if position is None:
        position = before.position if before else 0
    _take_off(session, model.slug, instead_of)
    row = {
        "version": model.version,
        "slug": model.slug,
        "name": model.name,
        "document": model.to_json(),
        "source_text": model.source_text,
        "findings": findings,
        "position": position,
        "current": True,
        "published_at": db.now(),
        "published_by": visitor.staff_id,
    }
    db.insert_or_update(session, PublishedModel, row, ("version",), ("current", "published_at"), returning="version")
    if model.supply.stock is not None:
        stock.begin(session, model.slug, model.supply.stock, numbered=model.supply.numbered)
    facts = {"version": model.version, "before": before.version if before else None}
    events.record(session, visitor, "model-published", subject=model.version, product=model.slug, facts=facts)
    if before is None:
        events.record(session, visitor, "product-published", subject=model.slug, product=model.slug)
    return session.get_one(PublishedModel, model.version, populate_existing=True)


def _take_off(session: Session, slug: str, instead_of: str | None) -> None:
    """Take the version on sale off; of two editors at once, one finds it gone."""
    mine = col(PublishedModel.version) == instead_of if instead_of else col(PublishedModel.slug) == slug
    statement = update(PublishedModel).where(col(PublishedModel.slug) == slug, col(PublishedModel.current), mine)
    taken = session.execute(statement.values(current=False).returning(col(PublishedModel.version))).first()
    if instead_of and taken is None:
        raise ShopError(
            409,
            "Published by someone else",
            "Another version went on sale since you began. Your text is kept; please compare it with what is sold now.",
        )


def _findings(found: Iterable[Finding]) -> list[dict[str, Any]]:
    return [{"severity": item.severity, "rule": item.rule, "message": item.message} for item in found]
