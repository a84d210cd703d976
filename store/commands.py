"""The command line of the shop; what needs both engines or the whole app is composed here or in main.py."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from configurator import ModelError
from store import auth, db, demo, people, schema, serving
from store import backup as backups
from store import preferences as sold_together
from store.accounts import credentials
from store.crm import insight
from store.errors import SettingsError, ShopError
from store.settings import ROOT, Settings, read_settings
from store.shop import invoices, orders, snapshots
from store.shop.reconciliation import Seen
from store.tasks import Worker

CHECKS = (
    ("lint", "ruff", ("check", ".")),
    ("format", "ruff", ("format", "--check", ".")),
    ("types", "mypy", ("main.py", "store", "configurator", "recommender", "tests")),
    ("contracts", "lint-imports", ("--no-cache",)),
    # Where the advisories cannot be reached it says so for every package, and finds nothing.
    ("vulnerabilities", "pip-audit", ("-r", "constraints.txt", "--no-deps", "--disable-pip", "--progress-spinner=off")),
    ("tests", "pytest", ("-n", "auto")),
)


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def make_app(
    make_workers: Callable[[Settings], Sequence[Worker]],
    look_again: Callable[[Settings], Sequence[Seen]],
    *engines: typer.Typer,
) -> typer.Typer:
    """The command line, given what main.py composes (workers, reconciliation) and the commands of the two engines."""
    app = typer.Typer(add_completion=False, help="Atelier: the storefront that knows what you would choose.")

    @app.callback(invoke_without_command=True)
    def default(context: typer.Context) -> None:
        if context.invoked_subcommand is None:
            serving.serve("127.0.0.1", int(os.environ.get("PORT") or 8000), 1, make_workers)

    @app.command()
    def serve(
        host: str = "127.0.0.1",
        port: Annotated[int, typer.Option(envvar="PORT")] = 8000,
        workers: Annotated[int, typer.Option(min=1, max=64)] = 1,
    ) -> None:
        """Prepare the database, fill an empty one with the demo house, and serve."""
        serving.serve(host, port, workers, make_workers)

    @app.command()
    def work() -> None:
        """Run tasks (mail, training, reconciliation) as a process of its own."""
        settings = read_settings()
        serving.prepare(settings)
        workers = make_workers(settings)

        def stop(*_: object) -> None:
            for worker in workers:
                worker.stop(0)

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, stop)
        for worker in workers[1:]:
            worker.start()
        workers[0].run_forever()

    @app.command()
    def reconcile() -> None:
        """Look again at what is pending, compare with the payment provider, and print what differs."""
        settings = read_settings()
        serving.prepare(settings)
        found = look_again(settings)
        for seen in found:
            _say(seen.text)
        _say(f"{len(found)} to be looked at" if found else "the books are equal")
        raise typer.Exit(1 if found else 0)

    for command in (seed, train, preferences, staff, check, bench, backup, restore, replay_order, migration):
        app.command(command.__name__.replace("_", "-"))(command)
    for engine in engines:
        app.registered_commands += engine.registered_commands
    return app


def run(app: typer.Typer) -> None:
    """Run the command line; what the settings or the shop refuse is one sentence, not a trace."""
    try:
        app()
    except (SettingsError, ShopError) as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(1)


def seed(customers: int = demo.CUSTOMERS, seed: int = demo.SEED) -> None:
    """Grow the demo house: its customers live two years through the shop's own functions."""
    settings = read_settings()
    serving.prepare(settings)
    demo.grow(settings, customers, seed, _say)


def train() -> None:
    """Fit the recommender on the shop's history and publish it."""
    settings = read_settings()
    serving.prepare(settings)
    _say(insight.train(settings))


def check() -> None:
    """Lint, types, contracts, known vulnerabilities and tests; the exit code is the number of failed checks."""
    failed = [name for name, tool, arguments in CHECKS if not _passes(name, tool, arguments)]
    _say(f"failed: {', '.join(failed)}" if failed else "all checks passed")
    raise typer.Exit(len(failed))


def _passes(name: str, tool: str, arguments: tuple[str, ...]) -> bool:
    _say(f"== {name}")
    program = Path(sys.executable).with_name(tool)
    return subprocess.run([program, *arguments], cwd=ROOT, check=False).returncode == 0  # noqa: S603 - our own tools


def bench(
    area: Annotated[str, typer.Argument(help="web or start; all when not given")] = "all",
    json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Measure the shop beside a constant page of the same size, in one run."""
    command = [sys.executable, "-m", "tests.benchmarks", area, *(["--json"] if json else [])]
    raise typer.Exit(subprocess.run(command, cwd=ROOT, check=False).returncode)  # noqa: S603 - our own module


def preferences(
    model: Annotated[Path, typer.Option(help="a product model of any format")],
    sales: Annotated[Path, typer.Option(help="sold configurations, a column a group (.csv)")],
    queries: Annotated[Path, typer.Option(help='a line each: {"id","choices","ask"}')],
    out: Annotated[Path, typer.Option(help='a line each: {"id","value","probability"}')],
) -> None:
    """Learn which choices go together and answer with the most likely valid value."""
    try:
        _say(f"{sold_together.answer(model, sales, queries, out)} questions answered")
    except (OSError, ValueError, ModelError) as error:
        sys.stderr.write(f"{error}\n")
        raise typer.Exit(2) from error


def staff(name: str, email: str, role: str = "owner") -> None:
    """Let somebody work for the house: asks for a password; the role is owner, advisor, workshop or accountant."""
    settings = read_settings()
    serving.prepare(settings)
    password = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    if problem := credentials.password_problem(password, name, email):
        raise SettingsError(problem)
    hashed = auth.hash_password(password)
    with db.transaction() as session:
        member = people.new_staff(session, name, email, role)
        credentials.set_password(session, member.email, hashed, staff_id=member.id)
    _say(f"{name} can sign in at {settings.public_url}/sign-in as {role}.")


def backup(file: Path) -> None:
    """Write a consistent copy of database and uploads."""
    settings = read_settings()
    try:
        counts = backups.back_up(db.make_engine(settings.database_url), settings, file)
    except OSError as error:
        raise SettingsError(f"{file} cannot be written ({error.strerror or 'error'}).") from error
    _say(f"{file}: {sum(counts.values())} rows of {len(counts)} tables")


def restore(file: Path) -> None:
    """Fill an empty database from a backup."""
    settings = read_settings()
    counts = backups.restore(db.make_engine(settings.database_url), settings, file)
    _say(f"restored {sum(counts.values())} rows of {len(counts)} tables")


def migration(message: str) -> None:
    """Write a migration for what changed in the tables, against a fresh SQLite database (development)."""
    with tempfile.TemporaryDirectory() as scratch:
        engine = db.make_engine(f"sqlite:///{scratch}/fresh.db")
        schema.new_migration(engine, message)
        engine.dispose()


def replay_order(number: str) -> None:
    """Recompute an order from its snapshot, and its invoices: exit 0 when equal, 2 when altered."""
    settings = read_settings()
    db.use_engine(db.make_engine(settings.database_url))
    schema.upgrade(db.current_engine())
    with db.transaction(read_only=True) as session:
        order = orders.by_number(session, number)
        differences = snapshots.replay(session, order)
        differences += invoices.differences(session, invoices.of_order(session, order.id))
    _say(f"order {number}: {'altered: ' + '; '.join(differences) if differences else 'equal'}")
    raise typer.Exit(2 if differences else 0)
