"""Brings the shop up and down: port, database, products, demo house, payment sandbox, worker, web server."""

import ctypes.util
import gc
import logging.config
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any

import uvicorn

from configurator import ModelError
from store import db, demo, events, links, logs, metrics, privacy, schema
from store.auth import Signer
from store.errors import SettingsError
from store.reactions import REACTIONS
from store.settings import ROOT, Settings, house, read_settings
from store.shop import catalog, reconciliation, stripe_sandbox, taste
from store.tasks import TaskFunction, Worker

MODELS = "models"  # under the data directory
PRODUCTS = ROOT / "configurator" / "products"


def introduce(settings: Settings) -> None:
    """Tell this process where the shop is reached and what follows from what; before anything happens in it."""
    links.use_links(settings.public_url, Signer(settings.secret))
    events.use_reactions(REACTIONS)
    taste.use_models(settings.data_dir / MODELS)


def settle_memory() -> None:
    """What was loaded stays: garbage is not looked for in it any more, and elsewhere less often than rows come and go.

    Requests make many objects and few circles; looking for circles was a fifteenth of their time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


def prepare(settings: Settings) -> None:
    """Bring database and catalogue up to date, ready for this process to work with.

    Raises:
        SettingsError: with the sentence for whoever started the shop.
    """
    logging.config.dictConfig(logs.config(settings.production))
    introduce(settings)
    engine = db.make_engine(settings.database_url)
    db.use_engine(engine)
    schema.upgrade(engine)
    try:
        with db.transaction() as session:
            catalog.import_products(session, PRODUCTS)
            privacy.plan_retention(session)
            reconciliation.plan(session)
    except ModelError as error:
        raise SettingsError(f"A product file is wrong: {error}") from error


@contextmanager
def payments_at_hand(settings: Settings) -> Iterator[Settings]:
    """The settings of a command that speaks to the payment provider; a sandbox is started for it if none runs."""
    url = settings.stripe_sandbox_url or stripe_sandbox.running(settings.data_dir)
    if settings.stripe_api_key or url:
        yield replace(settings, stripe_sandbox_url=url)
        return
    sandbox = stripe_sandbox.start(settings.data_dir, f"{settings.public_url}/webhooks/stripe", merchant=house().name)
    try:
        yield replace(settings, stripe_sandbox_url=sandbox.url)
    finally:
        sandbox.stop()


def serve(host: str, port: int, workers: int, make_workers: Callable[[Settings], Sequence[Worker]]) -> None:
    """Serve the shop until it is told to stop."""
    os.environ["PORT"] = str(port)
    settings = read_settings()
    _refuse_taken_port(host, port)
    prepare(settings)
    demo.ask_for_house(settings)
    with ExitStack() as ends:
        if settings.stripe_api_key is None:
            sandbox = stripe_sandbox.start(
                settings.data_dir, f"http://127.0.0.1:{port}/webhooks/stripe", merchant=house().name
            )
            ends.callback(sandbox.stop)
            os.environ["STRIPE_SANDBOX_URL"] = sandbox.url
            settings = read_settings()
        workers_of_tasks = make_workers(settings)
        for worker in workers_of_tasks:
            worker.start()
            ends.callback(worker.stop)
        ends.callback(_end_children)
        for worker in workers_of_tasks:
            ends.callback(worker.ask_to_stop)
        if workers > 1 and settings.metrics_token:
            metrics.share_files(settings.data_dir)
        _greet(settings, host, port)
        uvicorn.run(
            "main:app_from_environment",
            factory=True,
            host=host,
            port=port,
            workers=workers,
            log_config=logs.config(settings.production),
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=15,
            timeout_worker_healthcheck=60,  # seconds; a worker killed while it imports never comes up
        )


def _refuse_taken_port(host: str, port: int) -> None:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            reason = error.strerror or "error"
            raise SettingsError(
                f"Port {port} on {host} cannot be used ({reason}). Choose another: PORT=8001."
            ) from error


def _greet(settings: Settings, host: str, port: int) -> None:
    shown = "127.0.0.1" if host in ("0.0.0.0", "::") else host  # noqa: S104 - only shown
    lines = [f"{house().name} is open at http://{shown}:{port}"]
    if settings.demo:
        lines += [f"TEST sign-in, {who}: {email} / {password}" for who, email, password in demo.SIGN_INS]
    if settings.test_mode:
        lines.append("TEST payments: no money moves; pay with card 4242 4242 4242 4242.")
    if settings.mail_url is None:
        lines.append(f"Mails can be read at http://{shown}:{port}/dev/mailbox")
    if ctypes.util.find_library("gomp") is None:
        lines.append(
            "Reduced: suggestions are trained about 7 times slower, as libgomp is missing (apt-get install libgomp1)."
        )
    lines.append("Stop with Ctrl-C.")
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


def in_own_process(*arguments: str) -> TaskFunction:
    """A task that runs one of the shop's commands in a process of its own, so that it neither slows nor fills ours.

    Raises (when run):
        CalledProcessError: the command failed; the task is tried again.
    """

    def run(_payload: dict[str, Any]) -> None:
        command = [sys.executable, str(ROOT / "main.py"), *arguments]
        # A session of its own: Ctrl-C is ours to pass on, in `_end_children`.
        with subprocess.Popen(command, start_new_session=True) as child:  # noqa: S603 - our own command
            _children.add(child)
            try:
                code = child.wait()
            finally:
                _children.discard(child)
        if code:
            raise subprocess.CalledProcessError(code, command)

    return run


_children: set[subprocess.Popen[bytes]] = set()


def _end_children() -> None:
    for child in tuple(_children):
        child.terminate()
