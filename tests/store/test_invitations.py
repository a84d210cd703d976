"""Invitations as a person's data, and the migrations that brought them into filled databases."""

from alembic import command
from sqlalchemy import Engine, text
from sqlmodel import Session, select

from store import db, invitations, people, privacy, schema
from store.events import NOBODY
from store.invitations import Invitation
from tests.store import selling


def invited(session: Session) -> str:
    customer = people.new_customer(session, "camille@example.com", "Camille")
    people.verify_email(session, customer, "camille@example.com")
    invitations.invite(session, NOBODY, customer.id, "friends")
    return customer.id


def test_an_export_shows_invitations_and_not_who_wrote_them(session: Session) -> None:
    customer_id = invited(session)
    held = privacy.export(session, customer_id)["tables"]["invitation"]
    assert [row["audience"] for row in held["rows"]] == ["friends"]
    assert "invited_by" not in held["rows"][0]


def test_closing_the_account_ends_and_forgets_them(session: Session) -> None:
    selling.use_reactions()
    customer_id = invited(session)
    privacy.erase(session, customer_id)
    assert session.exec(select(Invitation)).all() == []
    assert invitations.audiences_of(session, customer_id) == frozenset()


def test_a_filled_database_of_the_first_version_is_brought_to_the_newest(engine: Engine) -> None:
    with db.transaction() as session:
        customer_id = people.new_customer(session, "old@example.com", "Old").id
    with engine.begin() as connection:
        command.downgrade(schema._config(connection), "aa8d45c32c42")
        assert connection.execute(text("SELECT count(*) FROM published_model")).scalar_one() > 0
    schema.upgrade(engine)
    assert schema.drift(engine) == []
    with db.transaction() as session:
        assert session.get_one(people.Customer, customer_id).name == "Old"
        invitations.invite(session, NOBODY, customer_id, "friends")
