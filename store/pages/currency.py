"""In which currency prices are shown: chosen once in the foot of every page, kept by the session, and the bag's too."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import Response

from store.currencies import PriceList
from store.db import Db
from store.shop import carts, price_lists
from store.web import OurForm, Who, redirect, writable_session

router = APIRouter(include_in_schema=False)


def asked(
    currency: Annotated[str | None, Query(max_length=3, description="such as CHF; the house's own when absent")] = None,
) -> PriceList:
    """The price list that a call asks for.

    Raises:
        ShopError: 422, the house has no prices in that currency.
    """
    return price_lists.of(currency.upper() if currency else None)


Prices = Annotated[PriceList, Depends(asked)]


@router.post("/currency", dependencies=[OurForm])
def choose(
    request: Request,
    session: Db,
    who: Who,
    currency: Annotated[str, Form(max_length=3)] = "",
    next: Annotated[str, Form(max_length=2000)] = "/",
) -> Response:
    """Show prices in a currency from now on; the bag is reckoned in it as well."""
    prices = price_lists.of(currency)
    row = writable_session(session, request)
    row.state = {**row.state, "currency": prices.currency}
    session.add(row)
    bag = carts.current(session, who)
    if bag is not None and bag.currency != prices.currency:
        carts.change_currency(session, who, bag, prices.currency)
    return redirect(request, next)
