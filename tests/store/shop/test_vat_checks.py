"""The check of a VAT ID at the register: after the order, never in its way, whatever the register does."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session, select

from store import checkout, db
from store.errors import SettingsError
from store.settings import VAT_REGISTER, read_settings
from store.shop import vat_checks
from store.shop.orders import Order
from store.shop.vat_checks import VatIdCheck
from store.shop.vat_register import Answer, RegisterUnavailableError, UnionRegister, register_of
from store.tasks import Task, Worker
from tests.conftest import Clock
from tests.store import selling

GERMAN = "DE136695976"


@dataclass
class Register:
    """A register on loopback that says what the test wishes, over real HTTP."""

    url: str = ""
    status: int = 200
    says: Any = field(default_factory=lambda: {"valid": True, "requestIdentifier": "WAPIAAAAY1"})
    asked: list[Any] = field(default_factory=list)


@pytest.fixture
def register() -> Iterator[Register]:
    told = Register()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told.asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            body = told.says if isinstance(told.says, bytes) else json.dumps(told.says).encode()
            self.send_response(told.status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing is written."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    told.url = f"http://127.0.0.1:{server.server_port}/check-vat-number"
    yield told
    server.shutdown()
    server.server_close()
    thread.join()


def business(**changed: Any) -> str:
    """The id of a business's order, committed."""
    with db.transaction() as session:
        visitor = selling.guest()
        cart = selling.fill(session, visitor, "strap")
        to: dict[str, Any] = {"country": "DE", "postal_code": "10115", "company": "Acme GmbH", "vat_id": GERMAN}
        return checkout.place(session, visitor, cart, selling.form(**{**to, **changed}), db.new_id("key")).order.id


def check() -> VatIdCheck:
    with db.transaction(read_only=True) as session:
        return session.exec(select(VatIdCheck)).one()


def test_the_register_is_asked_after_the_order_and_its_answer_kept(open_house: None, register: Register) -> None:
    order_id = business()
    assert (check().state, check().order_id, register.asked) == ("asked", order_id, [])
    assert Worker(vat_checks.tasks_of(UnionRegister(register.url))).run_due() == 1
    assert register.asked == [{"countryCode": "DE", "vatNumber": "136695976"}]
    kept = check()
    assert (kept.state, kept.reference, kept.tries) == ("valid", "WAPIAAAAY1", 1)
    assert kept.answered_at is not None
    vat_checks.carry_out(UnionRegister(register.url), order_id)  # a second run asks nothing more
    assert len(register.asked) == 1


@pytest.mark.parametrize(
    "changed",
    [
        {"country": "FR", "postal_code": "75001", "vat_id": "FR40303265045"},
        {"vat_id": "", "company": "Acme GmbH"},
        {"country": "CH", "postal_code": "8001", "vat_id": "", "company": ""},
    ],
)
def test_nobody_is_looked_up_who_pays_vat_or_is_abroad(open_house: None, changed: dict[str, str]) -> None:
    business(**changed)
    with db.transaction(read_only=True) as session:
        assert session.exec(select(VatIdCheck)).first() is None
        assert session.exec(select(Task).where(Task.kind == vat_checks.CHECK)).first() is None


@pytest.mark.parametrize(
    ("status", "says", "reason"),
    [
        (500, {"actionSucceed": False, "errorWrappers": [{"error": "MS_UNAVAILABLE"}]}, "MS_UNAVAILABLE"),
        (200, {"actionSucceed": False, "errorWrappers": [{"error": "TIMEOUT"}]}, "TIMEOUT"),
        (200, {"valid": False, "userError": "MS_MAX_CONCURRENT_REQ"}, "MS_MAX_CONCURRENT_REQ"),
        (200, {"valid": "no"}, "no clear answer"),
        (200, b"<html>", "JSONDecodeError"),
        (503, [], "HTTP 503"),
    ],
)
def test_a_register_that_does_not_answer_is_asked_again_and_never_taken_for_a_no(
    open_house: None, register: Register, clock: Clock, status: int, says: Any, reason: str
) -> None:
    order_id = business()
    register.status, told = status, register.says
    register.says = says
    worker = Worker(vat_checks.tasks_of(UnionRegister(register.url)))
    worker.run_due()
    assert (check().state, check().reason, check().tries) == ("unreached", reason, 1)
    with db.transaction(read_only=True) as session:
        assert session.get_one(Order, order_id).state == "placed"
    register.status, register.says = 200, told
    clock.forward(seconds=6)
    worker.run_due()
    assert (check().state, check().reason, check().tries) == ("valid", "", 2)


def test_nothing_listening_is_not_reached(open_house: None) -> None:
    with pytest.raises(RegisterUnavailableError, match="ConnectError"):
        UnionRegister("http://127.0.0.1:9/nobody").check(GERMAN)


def test_test_mode_asks_nobody_and_says_so(open_house: None, tmp_path: Path) -> None:
    business()
    quiet = register_of(read_settings({"DATA_DIR": str(tmp_path)}))
    assert quiet is None
    assert Worker(vat_checks.tasks_of(quiet)).run_due() == 1
    assert (check().state, check().reason) == ("unreached", "no register is asked in test mode")


def test_only_production_knows_the_real_register(tmp_path: Path) -> None:
    data = {"DATA_DIR": str(tmp_path)}
    with pytest.raises(SettingsError, match="VAT_REGISTER_URL must be on this machine outside production"):
        read_settings({**data, "VAT_REGISTER_URL": VAT_REGISTER})
    assert (
        read_settings({**data, "VAT_REGISTER_URL": "http://127.0.0.1:1/x"}).vat_register_url == "http://127.0.0.1:1/x"
    )
    production = {
        "APP_ENV": "production",
        "STRIPE_API_KEY": "sk_live_x",
        "STRIPE_WEBHOOK_SECRET": "w",
        "SECRET_KEY": "x",
    }
    production |= {"MAIL_URL": "smtp://localhost", "PUBLIC_URL": "https://aurele.example", **data}
    assert read_settings(production).vat_register_url == VAT_REGISTER


class Saying:
    """A register with one answer."""

    def __init__(self, valid: bool) -> None:
        self.valid = valid

    def check(self, vat_id: str) -> Answer:
        return Answer(self.valid, f"R-{vat_id}")


def test_asked_again_after_a_no_it_may_say_yes(open_house: None) -> None:
    order_id = business()
    Worker(vat_checks.tasks_of(Saying(False))).run_due()
    assert check().needs_staff
    for _ in range(2):  # two clicks
        with db.transaction() as session:
            vat_checks.ask_again(session, session.get_one(Order, order_id))
    assert (check().state, check().needs_staff) == ("asked", False)
    assert Worker(vat_checks.tasks_of(Saying(True))).run_due() == 1
    assert (check().state, check().tries, check().reference) == ("valid", 2, f"R-{GERMAN}")


def test_a_no_waits_until_staff_have_noted_what_was_done(open_house: None) -> None:
    order_id = business()
    Worker(vat_checks.tasks_of(Saying(False))).run_due()

    def settled(session: Session) -> bool:
        order = session.get_one(Order, order_id)
        return vat_checks.settle(session, selling.guest(), order, "Charged the VAT by transfer")

    with db.transaction() as session:
        assert [check.vat_id for check, _ in vat_checks.open_ones(session)] == [GERMAN]
        assert (settled(session), settled(session)) == (True, False)
        assert vat_checks.open_ones(session) == []
