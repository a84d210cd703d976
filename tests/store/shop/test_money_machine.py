"""Orders, payments, refunds, disputes and time in any order: the books are right after every step."""

import itertools
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlmodel import Session, col, select

from store import auth, checkout, db
from store.errors import ShopError
from store.events import Visitor
from store.shop import (
    books,
    disputes,
    invoices,
    notices,
    orders,
    payment_pages,
    payment_tasks,
    payments,
    reconciliation,
    refunds,
    schedule,
    stock,
    transfers,
)
from store.shop.invoices import Invoice, InvoiceTax
from store.shop.orders import Order
from store.shop.payment_provider import DisputeState, PaymentError, PaymentRefused, RefundState
from store.shop.payments import Payment
from store.shop.refunds import Refund
from store.tasks import Worker
from tests.conftest import Clock
from tests.databases import PostgresTemplates, SqliteTemplates
from tests.store import selling
from tests.store.selling import HandProvider

STAFF = Visitor(staff_id="stf_1", role="owner")
GUEST = selling.guest()
# From where an order may come to a state; everything else would be a step back.
FROM = {
    "placed": {"placed", "released"},
    "paid": {"placed", "released", "paid"},
    "in-production": {"placed", "released", "paid", "in-production"},
    "ready": {"placed", "released", "paid", "in-production", "ready"},
    "released": {"placed", "released"},
    "cancelled": {"placed", "released", "paid", "cancelled"},
}


class StrictProvider(HandProvider):
    """Pays back no more than it took, and nothing that a bank holds."""

    def refund(
        self, payment_reference: str, amount: int, currency: str, reason: str, idempotency_key: str
    ) -> RefundState:
        self._answer()
        if idempotency_key not in self.refunds:
            held = any(one.payment_reference == payment_reference and one.status != "won" for one in self.disputes)
            if held or amount > self.left(payment_reference):
                raise PaymentRefused("more than is left")
        return super().refund(payment_reference, amount, currency, reason, idempotency_key)

    def taken(self) -> dict[str, int]:
        """What was taken, by the provider's reference of the payment."""
        pages = {str(one.payment_reference): one.amount for one in self.states.values() if one.status == "paid"}
        return pages | {str(one.payment_reference): one.amount for one in self.charges.values() if one.status == "paid"}

    def back(self, payment_reference: str) -> int:
        """What went back of a payment."""
        return sum(one.amount for one in self.refunds.values() if one.payment_reference == payment_reference)

    def left(self, payment_reference: str) -> int:
        """What could still go back of it."""
        return self.taken()[payment_reference] - self.back(payment_reference)


class Money(RuleBasedStateMachine):
    """One shop with its provider; every rule is something that somebody may do at any moment."""

    placed = Bundle("placed")

    def __init__(self, open_shop: Callable[[ExitStack], None]) -> None:
        super().__init__()
        self.ends = ExitStack()
        open_shop(self.ends)
        self.clock = Clock()
        self.ends.enter_context(db.world(self.clock, seed=7))
        self.provider = StrictProvider()
        self.till = selling.till_of(self.provider)
        self.worker = Worker({**payment_tasks.tasks_of(self.till), "send-mail": lambda payload: None})
        self.states: dict[str, str] = {}
        self.told: list[str] = []
        self.numbers = itertools.count()

    def teardown(self) -> None:
        """In the end everything comes out: our books are the provider's, to the cent."""
        try:
            self._end_well()
        finally:
            self.ends.close()

    def _end_well(self) -> None:
        self.provider.down = False
        for _ in range(3):
            self.clock.forward(hours=2)
            self.worker.run_due()
        reconciliation.reconcile(self.till)
        self.worker.run_due()
        self.check_books()
        with db.transaction(read_only=True) as session:
            ours = {
                payment.payment_reference: payment
                for payment in session.exec(select(Payment).where(Payment.method != payments.TRANSFER)).all()
                if payment.state in payments.TAKEN
            }
            assert {reference: payment.amount for reference, payment in ours.items()} == self.provider.taken()
            for reference, payment in ours.items():
                made = session.exec(
                    select(Refund.amount).where(Refund.payment_id == payment.id, Refund.state == "made")
                ).all()
                assert sum(made) == self.provider.back(str(reference))
                assert (
                    session.exec(select(Refund).where(Refund.payment_id == payment.id, Refund.state == "asked")).all()
                    == []
                )

    # -- what customers do

    @rule(
        target=placed, slug=st.sampled_from(["print-one", "print-one", "watch"]), plan=st.sampled_from(["", "deposit"])
    )
    def place(self, slug: str, plan: str) -> str:
        """Order something; more than there is is refused."""
        key = f"key-{next(self.numbers)}"
        try:
            with db.transaction() as session:
                cart = selling.fill(session, GUEST, slug)
                form = selling.form(plan=plan if slug == "watch" else "")
                order = checkout.place(session, GUEST, cart, form, key).order
        except ShopError as refusal:
            self.expect(refusal, 409)
            return ""
        return order.id

    @rule(order_id=placed)
    def open_page(self, order_id: str) -> None:
        """Go to the payment page."""
        if order_id:
            try:
                payment_pages.open_checkout(self.till, order_id)
            except ShopError as refusal:
                self.expect(refusal, 503, 409)

    @precondition(lambda self: any(one.status == "open" for one in self.provider.states.values()))
    @rule(data=st.data())
    def pay(self, data: st.DataObject) -> None:
        """Pay on any page that is open, whatever has become of its order."""
        waiting = sorted(reference for reference, one in self.provider.states.items() if one.status == "open")
        reference = data.draw(st.sampled_from(waiting))
        self.provider.pay(reference)
        self.told += [f"checkout_completed {reference}", f"refunded pi_{reference}"]

    @rule(order_id=placed)
    def cancel(self, order_id: str) -> None:
        """Think better of it."""
        self.try_with(order_id, lambda session, order: orders.cancel(session, GUEST, order, "no"))

    # -- what staff do

    @rule(order_id=placed, stage=st.sampled_from(["in-production", "ready"]))
    def advance(self, order_id: str, stage: str) -> None:
        """Work on it; when it is ready its balance is asked for."""
        self.try_with(order_id, lambda session, order: orders.advance(session, STAFF, order, stage))

    @rule(order_id=placed, share=st.integers(1, 4), key=st.sampled_from(["a", "b", "c"]))
    def refund(self, order_id: str, share: int, key: str) -> None:
        """Send a quarter to all of it back, perhaps with the same form again."""
        self.try_with(
            order_id,
            lambda session, order: refunds.ask(session, STAFF, order, order.total * share // 4, "goodwill", key),
        )

    @rule(order_id=placed)
    def call_off(self, order_id: str) -> None:
        """Call it off, with its money."""

        def act(session: Session, order: Order) -> None:
            orders.call_off(session, STAFF, order, "no")
            left = refunds.refundable(payments.of_order(session, order))
            if left:
                refunds.ask(session, STAFF, order, left, "called off", "off")

        self.try_with(order_id, act)

    @rule(order_id=placed, share=st.integers(1, 5))
    def transfer(self, order_id: str, share: int) -> None:
        """A transfer comes in: less than is due, as much, or more."""
        said = f"BANK-{next(self.numbers)}"
        self.try_with(
            order_id,
            lambda session, order: transfers.record(
                session, self.till, order, order.total * share // 4, db.now().date(), said
            ),
        )

    # -- what the provider and time do

    @precondition(lambda self: self.told)
    @rule(data=st.data(), times=st.integers(1, 3))
    def notice(self, data: st.DataObject, times: int) -> None:
        """Any notice of before, once or three times over."""
        said = data.draw(st.sampled_from(self.told))
        for number in range(times):
            event = f"evt_{self.told.index(said)}_{data.draw(st.integers(0, number))}"
            notices.receive(self.till, f"{event} {said}".encode(), "right")
            try:
                notices.settle_notice(self.till, event)
            except PaymentError:
                assert self.provider.down or "refunded" in said

    @rule(fate=st.sampled_from(["pays", "declined", "needs_customer"]))
    def cards(self, fate: str) -> None:
        """What becomes of charges on kept cards."""
        self.provider.kept_cards = fate

    @rule(down=st.booleans())
    def line(self, down: bool) -> None:
        """The line to the provider goes dead, or is there again."""
        self.provider.down = down

    @precondition(lambda self: self.provider.taken())
    @rule(data=st.data(), outcome=st.sampled_from(["open", "won", "lost"]))
    def dispute(self, data: st.DataObject, outcome: Any) -> None:
        """A payer goes to the bank; later it is decided."""
        reference = data.draw(st.sampled_from(sorted(self.provider.taken())))
        known = {one.payment_reference: one for one in self.provider.disputes}
        amount = self.provider.left(reference)
        if reference not in known and amount:
            amount = self.provider.taken()[reference] if amount == self.provider.taken()[reference] else 0
        if reference in known and known[reference].status != "open":
            return
        amount = known[reference].amount if reference in known else amount
        if not amount:
            return
        state = DisputeState(f"dp_{reference}", reference, amount, "EUR", "fraudulent", outcome, db.now())
        self.provider.disputes = [*(one for one in self.provider.disputes if one is not known.get(reference)), state]
        self.told.append(f"disputed {reference}")

    @rule(minutes=st.sampled_from([1, 31, 36, 600]))
    def wait(self, minutes: int) -> None:
        """Time passes, and tasks run."""
        self.clock.forward(minutes=minutes)
        self.worker.run_due()

    @rule()
    def reconcile(self) -> None:
        """Look at everything again."""
        try:
            reconciliation.reconcile(self.till)
        except PaymentError:
            assert self.provider.down

    def try_with(self, order_id: str, act: Callable[[Session, Order], Any]) -> None:
        """Do something with an order; a refusal leaves everything as it was."""
        if not order_id:
            return
        try:
            with db.transaction() as session:
                act(session, session.get_one(Order, order_id))
        except ShopError as refusal:
            self.expect(refusal, 409, 422)

    def expect(self, refusal: ShopError, *statuses: int) -> None:
        """A refusal is one of those that the shop means."""
        assert refusal.status in statuses, refusal

    # -- what always holds

    @invariant()
    def check_books(self) -> None:
        """Sums, stock and states are right."""
        with db.transaction(read_only=True) as session:
            found = list(session.exec(select(Order).order_by(col(Order.id))).all())
            parts = schedule.of_orders(session, found)
            for order in found:
                self.check_order(order, books.account(session, order))
                assert sum(part.amount for part in parts[order.id]) == order.total
                self.check_invoices(session, order, books.account(session, order))
            self.check_numbers(session)
            self.check_stock(session, found)

    def check_order(self, order: Order, account: books.Account) -> None:
        """One order's states and sums."""
        assert self.states.get(order.id, "placed") in FROM[order.state], (self.states.get(order.id), order.state)
        self.states[order.id] = order.state
        assert order.received == sum(payment.amount for payment in account.payments if payment.kept)
        assert order.is_settled == (order.received >= order.total)
        assert len([payment for payment in account.payments if payment.open_key]) <= 1
        for payment in account.payments:
            back = sum(
                refund.amount
                for refund in account.refunds
                if refund.payment_id == payment.id and refund.state != "failed"
            )
            held = sum(
                one.amount for one in account.disputes if one.payment_id == payment.id and one.state in ("open", "lost")
            )
            assert (payment.refunded, payment.disputed) == (back, held)
            assert 0 <= back <= payment.amount
        total = sum(entry.amount for entry in books.entries(order, account))
        assert total == account.in_hand
        assert all(one.state in disputes.STATES for one in account.disputes)

    def check_invoices(self, session: Session, order: Order, account: books.Account) -> None:
        """Invoices less credit notes are what came in and was kept less what of it went back, rate by rate."""
        issued = invoices.of_order(session, order.id)
        kept = {payment.id: payment for payment in account.payments if payment.kept}
        back = sum(one.amount for one in account.refunds if one.state == "made" and one.payment_id in kept)
        assert sum(one.amount for one in issued) == order.received - back
        assert invoices.differences(session, issued) == []
        ids = [one.id for one in issued]
        rows = session.exec(select(InvoiceTax).where(col(InvoiceTax.invoice_id).in_(ids))).all()
        of_order = [row for row in rows if row.treatment != "beyond"]
        assert sum(row.net + row.tax for row in rows) == sum(one.amount for one in issued)
        assert 0 <= sum(row.tax for row in of_order) <= order.tax
        if order.is_settled and not back:
            assert (sum(row.net for row in of_order), sum(row.tax for row in of_order)) == (
                order.total - order.tax,
                order.tax,
            )

    def check_numbers(self, session: Session) -> None:
        """Every series counts from 1 without a gap."""
        for series in ("invoice", "credit-note"):
            found = session.exec(
                select(Invoice.position).where(Invoice.series == series).order_by(col(Invoice.position))
            )
            positions = list(found.all())
            assert positions == list(range(1, len(positions) + 1))

    def check_stock(self, session: Session, found: list[Order]) -> None:
        """Five pieces: promised, sold or free, each number once."""
        lines = orders.lines_of(session, found)
        editions = [order for order in found if lines[order.id][0].slug == "print-one"]
        promised = sum(order.state == "placed" for order in editions)
        sold = sum(order.is_paid for order in editions)
        row = session.get_one(stock.Stock, "print-one", populate_existing=True)
        assert (row.reserved, row.on_hand) == (promised, 5 - sold)
        pieces = session.exec(select(stock.Piece).where(col(stock.Piece.order_line_id).is_not(None))).all()
        assert len(pieces) == promised + sold


def explore(templates: SqliteTemplates | PostgresTemplates, folder: Path, examples: int, steps: int) -> None:
    """Let the machine run over fresh databases."""
    house = itertools.count()

    def open_shop(ends: ExitStack) -> None:
        url = ends.enter_context(templates.fresh())
        auth.forget_limits()
        engine = db.make_engine(url)
        ends.callback(engine.dispose)
        db.use_engine(engine)
        selling.use_reactions()
        with db.transaction() as session:
            selling.open_house(session, folder / str(next(house)))

    chosen = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        print_blob=True,
    )
    run_state_machine_as_test(lambda: Money(open_shop), settings=chosen)  # type: ignore[arg-type] # a factory does


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_the_books_are_right_whatever_happens(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    explore(request.getfixturevalue(f"{kind}_templates"), tmp_path, examples=12, steps=25)
