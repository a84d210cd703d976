"""Composes the shop: settings → engine → providers → routers → app; and mounts the command line."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from configurator.commands import app as configurator_commands

if __name__ == "__main__" and sys.argv[1:2] in (["model"], ["clicks"]):
    configurator_commands()  # the engine alone, without the shop's memory and start; it ends here

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from starlette.middleware.gzip import GZipMiddleware

from recommender.commands import app as recommender_commands
from store import checkout, commands, db, demo, events, mail, people, privacy, serving, web
from store.auth import Signer
from store.crm import insight, sending
from store.errors import SettingsError
from store.middleware import Shell
from store.office import books, composer, customers, drafts, invitations, invoices, offers, orders, performance, today
from store.office import catalog as products
from store.office import payments as order_money
from store.pages import (
    account,
    api,
    configure,
    consent,
    currency,
    design_pages,
    details,
    health,
    machines,
    mailbox,
    order_pages,
    papers,
    paying,
    pictures,
    register,
    selling_api,
    shop,
    sign_in,
    suggesting,
    webhooks,
    work_api,
)
from store.pages import checkout as checkout_pages
from store.settings import ROOT, Settings, read_settings
from store.shop import payment_tasks, payments_stripe, reconciliation, taste, vat_checks, vat_register
from store.shop.payment_provider import PaymentError, PaymentProvider
from store.shop.payments import Till
from store.shop.reconciliation import Seen
from store.tasks import Worker

PAGES = (
    *(
        configure,
        shop,
        selling_api,
        api,
        work_api,
        health,
        checkout_pages,
        order_pages,
        paying,
        suggesting,
        papers,  # before the designs, whose codes have no dot
        design_pages,
        pictures,
        machines,
    ),
    *(account, sign_in, register, details, consent, currency, mailbox, webhooks),
)
OFFICE = (
    *(today, customers, invitations, offers, composer, orders, order_money, books, invoices),
    *(products, drafts, performance),
)


def create_app(settings: Settings, provider: PaymentProvider | None = None) -> FastAPI:
    """The shop as an ASGI app over the engine that `db.use_engine` made current.

    Args:
        provider: who takes the money; the one that the settings name when none is given.
    """

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        events.views.start()
        serving.settle_memory()
        yield
        events.views.stop()

    serving.introduce(settings)
    app = FastAPI(title="Atelier", lifespan=lifespan, docs_url=None, redoc_url=None)
    app.state.settings = settings
    app.state.signer = Signer(settings.secret)
    app.state.till = make_till(settings, provider)
    app.state.probes = health.Probes(demo.state, taste.serving_version)
    web.install_error_pages(app)
    app.mount("/static", StaticFiles(directory=ROOT / "static"), name="static")
    for room in (*PAGES, *OFFICE):
        # Routes side by side: each request looks through them, and routers within routers cost it a millisecond.
        app.router.routes.extend(room.router.routes)
    app.add_middleware(GZipMiddleware, minimum_size=1000, compresslevel=4)
    app.add_middleware(Shell, settings=settings)
    return app


def make_till(settings: Settings, provider: PaymentProvider | None = None) -> Till | None:
    """Where this shop takes money; nowhere while neither a key nor a sandbox is there."""
    if provider is None and not (settings.stripe_api_key or settings.stripe_sandbox_url):
        return None
    return Till(provider or payments_stripe.connect(settings), checkout.revive)


def make_workers(settings: Settings) -> tuple[Worker, Worker]:
    """Who runs the tasks: one for those that a person waits for, one for those that take long."""
    till = make_till(settings)
    prompt = {
        "send-mail": mail.Outbox(settings, people.may_write).send,
        **sending.TASKS,
        **privacy.TASKS,
        **(payment_tasks.tasks_of(till) if till else {}),
        **vat_checks.tasks_of(vat_register.register_of(settings)),
    }
    long = {demo.TASK: serving.in_own_process("seed"), insight.TRAIN: serving.in_own_process("train")}
    return Worker(prompt), Worker(long)


def reconcile(settings: Settings) -> list[Seen]:
    """Compare the books with the provider; its sandbox runs beside a serving shop only, or is started for this.

    Raises:
        SettingsError: the provider does not answer.
    """
    with serving.payments_at_hand(settings) as ready:
        till = make_till(ready)
        if till is None:
            raise SettingsError("There is no payment provider to compare with.")
        try:
            return reconciliation.reconcile(till)
        except PaymentError as error:
            raise SettingsError(f"The payment provider does not answer: {error}") from error


def app_from_environment() -> FastAPI:
    """What each uvicorn worker runs."""
    settings = read_settings()
    db.use_engine(db.make_engine(settings.database_url))
    return create_app(settings)


if __name__ == "__main__":
    commands.run(commands.make_app(make_workers, reconcile, configurator_commands, recommender_commands))
