"""Whether the shop is well, for whoever watches it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from fastapi import APIRouter, Request
from sqlmodel import Session

from store.db import Db


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
