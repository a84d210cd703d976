"""Where the payment provider sends its notices: verified on the raw body, stored first, then read again."""

import logging
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Request

from store.errors import ShopError
from store.pages.shapes import Problem
from store.shop import notices, payments
from store.shop.payment_provider import BadSignature, PaymentError

log = logging.getLogger(__name__)
router = APIRouter(tags=["webhooks"])


async def raw_body(request: Request) -> bytes:
    """The body as it was signed."""
    return await request.body()


@router.post("/webhooks/stripe", responses={400: {"model": Problem, "description": "Not signed by the provider"}})
def stripe(
    request: Request,
    body: Annotated[bytes, Depends(raw_body)],
    stripe_signature: Annotated[str, Header()] = "",
) -> dict[str, bool]:
    """Take a notice; a repeated one is answered alike and does nothing."""
    till = payments.till_in(request.app.state)
    try:
        event_id = notices.receive(till, body, stripe_signature)
    except BadSignature as error:
        raise ShopError(400, "Not signed", "This notice was not signed by the payment provider.") from error
    if event_id is not None:
        try:
            notices.settle_notice(till, event_id)
        except PaymentError:
            log.warning("notice %s is stored; a task reads the payment again", event_id)
    return {"received": True}
