"""Every reason is counterfactual: take the fact that it cites away, and the suggestion or its reason changes."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session, select

import configurator
import recommender
from recommender import Interaction
from store import db
from store.errors import ShopError
from store.events import Visitor
from store.shop import carts as bags
from store.shop import catalog, choosing, forgetting, reasons, stock, suggestions, taste
from store.shop.bags import Cart
from store.shop.curation import Policy
from store.shop.forgetting import Forgotten
from tests.store.shop.test_suggestions import GOLD, bag, buy, offered, teach
from tests.store.shop.test_suggestions import house as _house
from tests.store.shop.test_suggestions import iris as _iris

house, iris = _house, _iris
OTHERS = [("voyageur",)] * 6


@dataclass
class Scene:
    """A house, a customer, and where models may be written."""

    session: Session
    visitor: Visitor
    folder: Path

    def why(self, *pins: str, **asked: Any) -> dict[str, tuple[str, dict[str, Any]]]:
        """By slug: kind and facts of the reason of everything that would be shown first, second or third."""
        asked.setdefault("slug", "meridien")
        view = bags.view(self.session, bag(self.session, self.visitor, **asked), self.visitor)
        found = choosing.choose(self.session, self.visitor, view, frozenset(), Policy(pins=pins, explored=0))
        return {one.item.slug: (one.why.kind, dict(one.why.facts)) for one in found}


@pytest.fixture
def scene(house: Session, iris: Visitor, tmp_path: Path) -> Scene:
    """The house before anything happened."""
    return Scene(house, iris, tmp_path)


def match(scene: Scene) -> tuple[Any, Any]:
    """She chose cognac in the watch; then she did not."""
    return scene.why(choices=GOLD), scene.why(choices={"case": "rose-gold"})


def bought_together(scene: Scene) -> tuple[Any, Any]:
    """Three orders held both; then only one did."""
    teach(scene.folder / "often", [*[("meridien", "winder-walnut")] * 3, *OTHERS])
    with_it = scene.why()
    teach(scene.folder / "once", [("meridien", "winder-walnut"), *OTHERS])
    return with_it, scene.why()


def like_customers(scene: Scene) -> tuple[Any, Any]:
    """She bought a watch, and others with that watch a winder; then she had her purchase forgotten."""
    mine = scene.visitor.customer_id
    assert mine
    start = db.now() - timedelta(days=400)
    baskets = [*((f"c{n}", ("meridien", "winder-walnut")) for n in range(4)), (mine, ("meridien",))]
    baskets += [(f"d{n}", ("voyageur",)) for n in range(6)]
    seen = [
        Interaction(who, f"b{n}", start + timedelta(days=n), slug, 1, 1_000)
        for n, (who, slugs) in enumerate(baskets)
        for slug in slugs
    ]
    recommender.publish(recommender.fit(recommender.History.of(seen), None, 1), scene.folder)
    taste.use_models(scene.folder)
    buy(scene.session, scene.visitor, "meridien")
    with_it = scene.why(slug="gift-box-ivory")
    forgetting.forget(scene.session, scene.visitor, "meridien")
    return with_it, scene.why(slug="gift-box-ivory")


def fits(scene: Scene) -> tuple[Any, Any]:
    """A strap is made for the lugs of the watch in the bag; a trunk has none."""
    return scene.why(choices={}), scene.why(slug="voyageur")


def made_for(scene: Scene) -> tuple[Any, Any]:
    """A loupe is made for the watch, however it is configured; without one in the bag it is not."""
    return scene.why("loupe-brass", choices={}), scene.why("loupe-brass", slug="voyageur")


def popular(scene: Scene) -> tuple[Any, Any]:
    """Three orders held the gift box; then only one did."""
    teach(scene.folder / "often", [*[("gift-box-ivory",)] * 3, *OTHERS])
    with_it = scene.why()
    teach(scene.folder / "once", [("gift-box-ivory",), *OTHERS])
    return with_it, scene.why()


def listed(scene: Scene) -> tuple[Any, Any]:
    """It is in stock; then it is not."""
    with_it = scene.why()
    for slug, (kind, _) in with_it.items():
        if kind == "listed":
            stock.set_on_hand(scene.session, slug, 0)
    return with_it, scene.why()


CASES: dict[str, Callable[[Scene], tuple[Any, Any]]] = {
    "match": match,
    "bought_together": bought_together,
    "like_customers": like_customers,
    "fits": fits,
    "made_for": made_for,
    "popular": popular,
    "listed": listed,
}


def test_there_is_a_case_for_every_kind_of_reason() -> None:
    assert set(CASES) == set(reasons.KINDS)


@pytest.mark.parametrize("kind", CASES)
def test_without_the_fact_the_suggestion_or_its_reason_changes(scene: Scene, kind: str) -> None:
    with_it, without = CASES[kind](scene)
    cited = {slug: why for slug, why in with_it.items() if why[0] == kind}
    assert cited, with_it
    for slug, why in cited.items():
        assert without.get(slug) != why


def test_a_figure_that_is_cited_is_the_history_s(scene: Scene) -> None:
    teach(scene.folder / "counted", [*[("meridien", "winder-walnut")] * 4, *OTHERS])
    kind, facts = scene.why()["winder-walnut"]
    assert (kind, facts) == ("bought_together", {"slug": "meridien", "name": "Méridien", "count": 4})
    assert reasons.grounds(kind, facts).endswith("(4 orders)")


def test_a_match_is_true_of_both_pieces(scene: Scene) -> None:
    for slug, (kind, facts) in scene.why(choices=GOLD).items():
        if kind == "match":
            item = catalog.published(scene.session, "meridien")
            option = item.model.group(facts["group"]).option(facts["option"])  # type: ignore[union-attr]
            assert option is not None
            assert GOLD[facts["group"]] == facts["option"]
            assert option.attributes[facts["attribute"]] == facts["value"]
            found = next(one for one in offered(scene.session, scene.visitor, bag_of_gold(scene)) if one.slug == slug)
            own = configurator.attributes(catalog.published(scene.session, slug).compiled, found.choices)
            assert own[facts["attribute"]] == facts["value"]


def bag_of_gold(scene: Scene) -> Cart:
    return bag(scene.session, scene.visitor, choices=GOLD)


# -- forget this -------------------------------------------------------------------------------------------------------


def test_forget_this_takes_the_reason_away_at_once(house: Session, iris: Visitor) -> None:
    cart = bag_of_gold(Scene(house, iris, Path("/nowhere")))
    strap = next(one for one in offered(house, iris, cart) if one.reason == "Cognac, like your Méridien")
    assert strap.forgettable == "that you chose Cognac for the Méridien"
    suggestions.forget(house, iris, cart, strap.id)
    assert forgetting.of_customer(house, iris.customer_id).choices == {("meridien", "leather", "cognac")}
    assert "Cognac, like your Méridien" not in {one.reason for one in offered(house, iris, cart)}
    (line,) = forgetting.in_words(house, iris.customer_id or "")
    assert line.words == "that you chose Cognac for the Méridien"
    forgetting.remember(house, iris, line.id)
    assert "Cognac, like your Méridien" in {one.reason for one in offered(house, iris, cart)}


def test_a_forgotten_purchase_is_cited_no_more(house: Session, iris: Visitor) -> None:
    buy(house, iris, "voyageur", {"trim": "cognac"})
    cart = bag(house, iris)
    owned = next(one for one in offered(house, iris, cart) if "you own" in one.reason)
    suggestions.forget(house, iris, cart, owned.id)
    assert owned.reason not in {one.reason for one in offered(house, iris, cart)}
    forgetting.forget(house, iris, "voyageur")
    assert not [one for one in offered(house, iris, cart) if "own" in one.reason]
    assert "voyageur" not in {one.slug for one in offered(house, iris, cart)}  # owned all the same


def test_nothing_personal_nobodys_and_somebody_elses_cannot_be_forgotten(house: Session, iris: Visitor) -> None:
    cart = bag(house, iris)
    plain = next(one for one in offered(house, iris, cart) if not one.forgettable)
    with pytest.raises(ShopError) as refusal:
        suggestions.forget(house, iris, cart, plain.id)
    assert refusal.value.status == 422
    stranger = Visitor(session_id="ses_stranger")
    with pytest.raises(ShopError) as refusal:
        forgetting.forget(house, stranger, "meridien", "case", "steel")
    assert refusal.value.status == 422
    forgetting.forget(house, iris, "meridien", "case", "steel")
    (line,) = forgetting.in_words(house, iris.customer_id or "")
    with pytest.raises(ShopError) as refusal:
        forgetting.remember(house, stranger, line.id)
    assert refusal.value.status == 404
    assert len(house.exec(select(Forgotten)).all()) == 1
