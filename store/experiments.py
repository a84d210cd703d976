"""Arms of experiments: drawn once per unit by a stable hash, stored, never shown to anyone but staff."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, Session, SQLModel, select

from store import db

WHOLE = 10_000


@dataclass(frozen=True)
class Experiment:
    """Arms with their shares in ten-thousandths; the shares add up to the whole."""

    name: str
    arms: Sequence[tuple[str, int]]


CHECKOUT_SUGGESTIONS = Experiment("checkout-suggestions", (("control", 1_000), ("shown", 9_000)))


class Assignment(SQLModel, table=True):
    """The arm of a unit (a customer; a cart while nobody is known) in an experiment."""

    __tablename__ = "assignment"
    __table_args__ = (UniqueConstraint("experiment", "unit"),)

    id: str = Field(primary_key=True)
    experiment: str
    unit: str
    arm: str
    drawn_at: datetime


def draw(experiment: Experiment, unit: str) -> str:
    """The arm by hash: first 8 bytes of sha256("name:unit") mod 10,000 against the shares."""
    digest = hashlib.sha256(f"{experiment.name}:{unit}".encode()).digest()
    point = int.from_bytes(digest[:8], "big") % WHOLE
    for arm, share in experiment.arms:
        if point < share:
            return arm
        point -= share
    raise ValueError(f"the shares of {experiment.name} do not add up to {WHOLE}")


def arm(session: Session, experiment: Experiment, unit: str) -> str:
    """The unit's arm, drawn and stored at the first call; later changes of shares do not move anybody."""
    stored = _stored(session, experiment, unit)
    if stored:
        return stored
    drawn = draw(experiment, unit)
    row = {"id": db.new_id("arm"), "experiment": experiment.name, "unit": unit, "arm": drawn, "drawn_at": db.now()}
    db.insert_once(session, Assignment, row, unique=("experiment", "unit"))
    return drawn


def known_arm(session: Session, experiment: Experiment, unit: str) -> str:
    """The unit's arm, stored or as it would be drawn; writes nothing."""
    return _stored(session, experiment, unit) or draw(experiment, unit)


def _stored(session: Session, experiment: Experiment, unit: str) -> str | None:
    return session.exec(
        select(Assignment.arm).where(Assignment.experiment == experiment.name, Assignment.unit == unit)
    ).first()
