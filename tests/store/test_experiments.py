"""Arms: stable, stored, in the shares asked for."""

from sqlalchemy import Engine
from sqlmodel import Session, select

from store import db, experiments
from store.experiments import CHECKOUT_SUGGESTIONS, Assignment, Experiment


def test_an_arm_stays_what_it_was_drawn_even_when_the_shares_change(session: Session) -> None:
    before = {unit: experiments.arm(session, CHECKOUT_SUGGESTIONS, unit) for unit in ("cus_a", "cus_b", "cus_c")}
    turned = Experiment(CHECKOUT_SUGGESTIONS.name, (("control", 9_999), ("shown", 1)))
    assert {unit: experiments.arm(session, turned, unit) for unit in before} == before


def test_a_hundred_thousand_units_fall_into_the_arms_by_their_shares() -> None:
    control = sum(experiments.draw(CHECKOUT_SUGGESTIONS, f"cus_{number}") == "control" for number in range(100_000))
    assert 9_700 <= control <= 10_300


def test_drawing_twice_stores_one_row(engine: Engine) -> None:
    for _ in range(2):
        with db.transaction() as session:
            experiments.arm(session, CHECKOUT_SUGGESTIONS, "cus_a")
    with db.transaction(read_only=True) as session:
        assert len(session.exec(select(Assignment)).all()) == 1
