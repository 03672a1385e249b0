"""The WebSocket between a browser and the page."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress

from starlette.websockets import WebSocket, WebSocketDisconnect

from realtime.view.guest import Guest
from realtime.view.page import Page

log = logging.getLogger(__name__)

#: RFC 6455, and its registry: try again later.
TRY_LATER = 1013
#: How long one who reads nothing is given to hear why.
GOODBYE_S = 1.0
#: After something that came too fast no more is read for so long, which holds the sender up and nobody else.
HOLD_S = 0.005


async def live(browser: WebSocket, page: Page) -> None:
    """Speak with one browser until either hangs up."""
    await browser.accept()
    address = browser.client.host if browser.client else ""
    if why := page.full(address):
        await browser.close(TRY_LATER, why)
        return
    guest = Guest(page, address)
    page.guests.add(guest)
    ways = [asyncio.create_task(way) for way in (_hear(browser, guest), _tell(browser, guest), _end(guest))]
    try:
        done, _ = await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in done:
            way.result()
    finally:
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
        page.guests.discard(guest)
        guest.gone()
    if why := guest.outgoing.why:
        log.info("hung up on a browser: %s", why)
        with suppress(asyncio.TimeoutError, WebSocketDisconnect):
            await asyncio.wait_for(browser.close(TRY_LATER, why), GOODBYE_S)


async def _hear(browser: WebSocket, guest: Guest) -> None:
    while (message := await browser.receive())["type"] == "websocket.receive":
        data = message.get("bytes")
        taken = guest.said(message["text"]) if data is None else guest.seen(data)
        if not taken:
            await asyncio.sleep(HOLD_S)


async def _tell(browser: WebSocket, guest: Guest) -> None:
    with suppress(WebSocketDisconnect):  # it went while something was on its way to it
        while True:
            message = await guest.outgoing.next()
            await (browser.send_text(message) if isinstance(message, str) else browser.send_bytes(message))


async def _end(guest: Guest) -> None:
    await guest.outgoing.over.wait()
