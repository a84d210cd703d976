"""Composes the shop: settings → engine → providers → routers → app; and mounts the command line."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from starlette.middleware.body_limit import RequestBodyLimitMiddleware
from starlette.middleware.gzip import GZipMiddleware

from store import db, events, web
from store.auth import Signer
from store.middleware import Shell
from store.settings import ROOT, Settings, read_settings

LONGEST_BODY = 1_000_000  # bytes


def create_app(settings: Settings) -> FastAPI:
    """The shop as an ASGI app over the engine that `db.use_engine` made current."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        events.views.start()
        yield
        events.views.stop()

    app = FastAPI(title="Atelier", lifespan=lifespan, docs_url=None, redoc_url=None)
    app.state.settings = settings
    app.state.signer = Signer(settings.secret)
    web.install_error_pages(app)
    app.mount("/static", StaticFiles(directory=ROOT / "static"), name="static")
    app.add_middleware(RequestBodyLimitMiddleware, max_body_size=LONGEST_BODY)
    app.add_middleware(GZipMiddleware, minimum_size=1000, compresslevel=4)
    app.add_middleware(Shell, settings=settings)
    return app


def app_from_environment() -> FastAPI:
    """What each uvicorn worker runs."""
    settings = read_settings()
    db.use_engine(db.make_engine(settings.database_url))
    return create_app(settings)
