"""Whether the shop is well and how much it has to do, for whoever watches it."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from fastapi import APIRouter, Request, Response
from sqlmodel import Session

from store import metrics, web
from store.db import Db
from store.errors import not_found


@dataclass(frozen=True)
class Probes:
    """What main.py lets this page ask: how far the demo house is, and which model serves."""

    demo: Callable[[Session], str]
    model: Callable[[], str | None]


router = APIRouter(tags=["operating"])


@router.get("/healthz")
def health(request: Request, session: Db) -> dict[str, str | None]:
    """The database answers; how far the demo house has grown, and which recommender serves."""
    probes = cast(Probes, request.app.state.probes)
    return {"status": "ok", "demo": probes.demo(session), "model": probes.model()}


@router.get("/metrics", include_in_schema=False)
def figures(request: Request, session: Db) -> Response:
    """Figures in Prometheus' text form, for the bearer of METRICS_TOKEN; for anyone else there is no such page."""
    token = web.settings_of(request).metrics_token
    given = request.headers.get("authorization", "").removeprefix("Bearer ")
    if token is None or not secrets.compare_digest(given.encode(), token.encode()):
        raise not_found("page")
    return Response(metrics.exposition(session), media_type=metrics.MEDIA_TYPE)
