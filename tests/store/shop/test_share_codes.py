"""Share codes: their shape, and that guessing them is slowed down for everybody together."""

import random
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from sqlmodel import Session

from configurator import codes
from store import auth
from store.errors import ShopError
from store.shop import designs, share_codes
from store.shop.designs import Design
from tests.store import selling


@pytest.fixture(autouse=True)
def no_limits_yet() -> Iterator[None]:
    auth.forget_limits()
    yield
    auth.forget_limits()


@pytest.fixture
def design(house: Session) -> Design:
    return designs.save(house, selling.guest(), "watch", {"case": "gold"}, {"engraving": "Mine"})


def status(session: Session, code: str, address: str, session_id: str = "ses_other") -> int:
    try:
        share_codes.opened(session, code, selling.guest(session_id), address)
    except ShopError as refusal:
        return refusal.status
    return 200


def guesses(count: int) -> list[str]:
    chance = random.Random(3)
    return [codes.new_code(chance) for _ in range(count)]


def test_codes_have_eight_characters_that_nobody_confuses_and_a_check() -> None:
    made = guesses(2000)
    assert {len(code) for code in made} == {8}
    assert not set("".join(made)) & set("01IOL")
    assert len(set(made)) == 2000
    assert sum(a < b for a, b in pairwise(made)) in range(900, 1100)  # no order to follow
    for code in made[:50]:
        for place in range(8):
            for other in codes.ALPHABET:
                if other != code[place]:
                    assert codes.normalise(code[:place] + other + code[place + 1 :]) is None
        for place in range(7):
            swapped = code[:place] + code[place + 1] + code[place] + code[place + 2 :]
            assert swapped == code or codes.normalise(swapped) is None


def test_one_address_that_guesses_is_stopped_and_learns_nothing_more(house: Session, design: Design) -> None:
    tried = [status(house, code, "192.0.2.1") for code in guesses(62)]
    assert tried == [404] * 60 + [429] * 2
    assert status(house, design.code, "192.0.2.1") == 429
    assert status(house, design.code, "192.0.2.2") == 200


def test_addresses_that_guess_together_are_stopped_together(house: Session, design: Design) -> None:
    made = guesses(700)
    tried = [status(house, code, f"198.51.100.{number % 100}") for number, code in enumerate(made)]
    assert tried.count(404) == 600
    assert set(tried[600:]) == {429}
    assert status(house, design.code, "198.51.100.5") == 429


def test_right_codes_open_while_others_guess(house: Session, design: Design) -> None:
    for number, code in enumerate(guesses(700)):
        status(house, code, f"198.51.100.{number % 100}")
    assert [status(house, design.code, "203.0.113.9") for _ in range(200)] == [200] * 200
    assert status(house, design.code, "198.51.100.5", "ses_guest") == 200  # the owner's, wherever she is
    assert status(house, guesses(701)[-1], "203.0.113.10") == 404  # one slip is told as such
    assert status(house, design.code, "203.0.113.10") == 429


def test_what_is_shaped_like_no_code_does_not_count_for_the_house(house: Session, design: Design) -> None:
    for number in range(700):
        status(house, "not a code", f"198.51.100.{number % 100}")
    status(house, guesses(1)[0], "192.0.2.7")
    assert status(house, design.code, "192.0.2.7") == 200


def test_neighbours_in_one_network_of_ipv6_count_together() -> None:
    assert share_codes.network("2001:db8:1:2::9") == share_codes.network("2001:db8:1:2:ffff::1")
    assert share_codes.network("2001:db8:1:3::9") != share_codes.network("2001:db8:1:2::9")
    assert share_codes.network("192.0.2.1") == "192.0.2.1"


def test_words_are_only_for_the_owner(house: Session, design: Design, tmp_path: Path) -> None:
    found = share_codes.opened(house, design.code, selling.guest("ses_other"), "192.0.2.1")
    assert designs.texts_for(found, selling.guest("ses_other")) == {}
    assert designs.texts_for(found, selling.guest()) == {"engraving": "Mine"}
