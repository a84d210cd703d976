"""Parts of an order's sums: each takes its share of every rate, and together they are the whole to the cent."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.shop.invoice_sums import BEYOND, Share, for_payment, for_refund, less, total

ORDER = [Share("domestic", 2000, 816667, 163333), Share("domestic", 1000, 909, 91)]


def orders() -> st.SearchStrategy[list[Share]]:
    """The sums of an order by rate; each rate once."""
    rates = st.lists(st.sampled_from([0, 210, 550, 1000, 2000, 2700]), min_size=1, max_size=4, unique=True)
    amounts = st.tuples(st.integers(0, 10**9), st.integers(0, 10**8))
    return rates.flatmap(
        lambda chosen: st.lists(amounts, min_size=len(chosen), max_size=len(chosen)).map(
            lambda sums: [Share("domestic", rate, *pair) for rate, pair in zip(chosen, sums, strict=True)]
        )
    )


def test_a_deposit_takes_its_share_of_every_rate() -> None:
    assert for_payment(ORDER, 294300) == [Share("domestic", 2000, 245000, 49000), Share("domestic", 1000, 273, 27)]


def test_the_balance_takes_exactly_what_is_left() -> None:
    deposit = for_payment(ORDER, 294300)
    left = less(ORDER, deposit)
    assert for_payment(left, total(left)) == [
        Share("domestic", 2000, 571667, 114333),
        Share("domestic", 1000, 636, 64),
    ]


def test_what_is_beyond_the_total_bears_no_tax() -> None:
    assert for_payment([Share("domestic", 2000, 100, 20)], 150) == [
        Share("domestic", 2000, 100, 20),
        Share(BEYOND, 0, 30, 0),
    ]
    assert for_payment([Share("domestic", 2000, 0, 0)], 7) == [Share(BEYOND, 0, 7, 0)]


def test_a_refund_gives_back_first_what_was_beyond_the_total() -> None:
    paid = [Share("domestic", 2000, 100, 20), Share(BEYOND, 0, 30, 0)]
    assert for_refund(paid, 20) == [Share(BEYOND, 0, 20, 0)]
    assert for_refund(paid, 90) == [Share("domestic", 2000, 50, 10), Share(BEYOND, 0, 30, 0)]
    with pytest.raises(ValueError, match="more than is left"):
        for_refund(paid, 151)


@given(order=orders(), cuts=st.lists(st.integers(0, 10_000), max_size=6))
def test_payments_in_any_parts_make_up_the_order_exactly(order: list[Share], cuts: list[int]) -> None:
    left, taken = order, []
    for cut in cuts:
        part = for_payment(left, total(left) * cut // 10_000)
        assert total(part) == total(left) * cut // 10_000
        assert all(share.net >= 0 and share.tax >= 0 for share in part)
        left = less(left, part)
        assert all(share.net >= 0 and share.tax >= 0 for share in left)
        taken.append(part)
    taken.append(for_payment(left, total(left)))
    assert all(share.net == 0 and share.tax == 0 for share in less(order, *taken))


@given(order=orders(), beyond=st.integers(0, 1000), cuts=st.lists(st.integers(0, 10_000), max_size=6))
def test_refunds_in_any_parts_give_back_exactly_what_was_paid(order: list[Share], beyond: int, cuts: list[int]) -> None:
    left = for_payment(order, total(order) + beyond)
    for cut in cuts:
        part = for_refund(left, total(left) * cut // 10_000)
        left = less(left, part)
        assert all(share.net >= 0 and share.tax >= 0 for share in left)
    assert total(less(left, for_refund(left, total(left)))) == 0


@given(order=orders(), cut=st.integers(1, 9_999))
def test_no_tax_is_more_than_a_cent_from_its_exact_share(order: list[Share], cut: int) -> None:
    whole = total(order)
    amount = whole * cut // 10_000
    taken = {share.key: share for share in for_payment(order, amount)}
    for share in order:
        part = taken.get(share.key)
        exact = share.tax * amount
        assert abs((part.tax if part else 0) * whole - exact) < max(whole, 1)
