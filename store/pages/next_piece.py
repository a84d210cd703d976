"""What a customer does with the pieces proposed on the front page: puts one into the bag, has its reason forgotten."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from store.crm import next_piece
from store.db import Db
from store.web import OurForm, Who, redirect, writable_session

router = APIRouter(prefix="/next", include_in_schema=False)


@router.post("/{slug}/addition", dependencies=[OurForm])
def add(request: Request, slug: str, session: Db, who: Who) -> Response:
    """Put exactly the proposed design into the bag."""
    writable_session(session, request)
    taken = next_piece.take(session, who, slug)
    return redirect(request, "/cart", f"The {taken.name} is in your bag, as it was made ready for you.", "success")


@router.post("/{slug}/oblivion", dependencies=[OurForm])
def forget(request: Request, slug: str, session: Db, who: Who) -> Response:
    """ "Forget this": what the reason says of the customer counts no more."""
    next_piece.forget(session, who, slug)
    return redirect(request, "/#next", "Forgotten. Nothing is proposed for that reason any more.", "success")
