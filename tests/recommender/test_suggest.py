"""Suggestions: what is never suggested, the ladder of fallbacks, and reasons that are true of the history."""

from collections.abc import Callable

import pytest

from recommender.artifact import Fitted, fit
from recommender.history import History
from recommender.suggest import Reason, suggest

PAIRED = [
    *[(f"c{n}", f"b{n}", n, item) for n in range(6) for item in ("watch", "strap")],
    *[(f"d{n}", f"e{n}", n, "trunk") for n in range(4)],
    ("c0", "b9", 30, "trunk"),
    ("once", "b10", 31, "watch"),
    ("once", "b10", 31, "lamp"),
]


@pytest.fixture
def paired(history_of: Callable[..., History]) -> Fitted:
    """Six baskets of watch and strap, five of a trunk alone, one of watch and lamp."""
    return fit(history_of(PAIRED), None, seed=1)


@pytest.fixture
def fitted(any_history: History) -> Fitted:
    return fit(any_history, None, seed=1)


def test_never_answers_what_is_excluded_in_the_basket_or_not_a_candidate(fitted: Fitted) -> None:
    names = [fitted.items.name(n) for n in range(len(fitted.items))]
    for customer in (None, "c0", "stranger"):
        for basket in ([], names[:1], names[:1] * 500, ["never seen"]):
            found = suggest(
                fitted,
                customer=customer,
                basket=basket,
                candidates=[*names[:8], "new"],
                exclude=names[1:3],
                k=3,
                popular=["new", *names],
            )
            items = [s.item for s in found]
            assert len(items) == len(set(items)) <= 3
            assert set(items) <= {"new", *names[:8]} - {*basket, *names[1:3]}
            assert [s.score for s in found] == sorted((s.score for s in found), reverse=True)


def test_fills_k_from_the_callers_list_when_the_model_has_too_little(fitted: Fitted) -> None:
    listed = [f"list{n}" for n in range(60)]
    found = suggest(fitted, customer=None, basket=[], candidates=None, exclude=(), k=50, popular=listed)
    assert len(found) == 50
    assert all(s.reason == Reason("listed", None, 0) for s in found if s.item in listed)


def test_answers_from_the_list_without_a_model() -> None:
    found = suggest(
        None, customer="c", basket=["a"], candidates=["b", "c"], exclude={"c"}, k=3, popular=["a", "b", "b", "c", "d"]
    )
    assert [(s.item, s.reason.kind) for s in found] == [("b", "listed")]


@pytest.mark.parametrize("k", [0, -1])
def test_asked_for_none_it_answers_none(paired: Fitted, k: int) -> None:
    assert suggest(paired, customer=None, basket=[], candidates=None, exclude=(), k=k, popular=["watch"]) == []


def test_no_candidate_allowed_means_no_answer(paired: Fitted) -> None:
    assert suggest(paired, customer="c0", basket=["watch"], candidates=[], exclude=(), k=3, popular=["strap"]) == []


def test_cites_the_basket_item_and_the_exact_number_of_baskets(paired: Fitted) -> None:
    found = suggest(paired, customer=None, basket=["watch"], candidates=["strap", "lamp"], exclude=(), k=3)
    assert found[0].item == "strap"
    assert found[0].reason == Reason("bought_together", "watch", 6)


def test_one_basket_is_never_cited(paired: Fitted) -> None:
    found = suggest(paired, customer=None, basket=["watch"], candidates=["lamp"], exclude=(), k=1, popular=["lamp"])
    assert [(s.item, s.reason) for s in found] == [("lamp", Reason("listed", None, 0))]


def test_taking_the_cited_item_away_changes_the_reason(paired: Fitted) -> None:
    found = suggest(paired, customer=None, basket=["trunk"], candidates=["strap"], exclude=(), k=1, popular=["strap"])
    assert found[0].reason == Reason("popular", None, 6)


def test_taking_the_cited_baskets_away_changes_the_reason(history_of: Callable[..., History]) -> None:
    apart = [(c, f"{b}-{item}", day, item) for c, b, day, item in PAIRED]
    found = suggest(
        fit(history_of(apart), None, seed=1), customer=None, basket=["watch"], candidates=["strap"], exclude=(), k=1
    )
    assert found[0].reason == Reason("popular", None, 6)


def test_cites_the_customers_own_baskets(history_of: Callable[..., History]) -> None:
    fitted = fit(history_of([("a", f"b{n}", n, "tea") for n in range(3)] + [("b", "x", 1, "pot")]), None, seed=1)
    found = suggest(fitted, customer="a", basket=[], candidates=None, exclude=(), k=1)
    assert [(s.item, s.reason) for s in found] == [("tea", Reason("bought_before", None, 3))]


def test_cites_what_the_customer_owns_when_it_goes_with_the_suggestion(paired: Fitted) -> None:
    found = suggest(paired, customer="once", basket=[], candidates=["strap"], exclude=["watch", "lamp"], k=1)
    assert [(s.item, s.reason) for s in found] == [("strap", Reason("like_customers", "watch", 6))]
