"""Where requests wait for the database, first come, first served, without holding a thread or a connection."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from fastapi import Request

SEATS = 16


@dataclass(frozen=True)
class _Doors:
    """Where requests wait for the database, first come, first served, without holding a thread meanwhile.

    If they waited inside the pool or inside SQLite, they would hold all threads and connections that those who are at
    work need to come to an end.
    """

    seats: asyncio.Semaphore  # requests at work at once: fewer than threads, and half the connections at most
    pen: asyncio.Lock  # SQLite has one writer


_doors: WeakKeyDictionary[asyncio.AbstractEventLoop, _Doors] = WeakKeyDictionary()


@asynccontextmanager
async def turn(request: Request, *, writes_alone: bool) -> AsyncIterator[None]:
    """Wait for this request's turn; a second session of the same request does not wait for a seat again.

    Nobody who holds the pen waits for a seat, so that the two cannot wait for each other.
    """
    loop = asyncio.get_running_loop()
    doors = _doors.setdefault(loop, _Doors(asyncio.Semaphore(SEATS), asyncio.Lock()))
    async with AsyncExitStack() as held:
        if not writes_alone and not getattr(request.state, "has_turn", False):
            await held.enter_async_context(doors.seats)
        if writes_alone:
            await held.enter_async_context(doors.pen)
        request.state.has_turn = True
        yield
