"""The WebSocket between a browser and the page."""

from __future__ import annotations

import asyncio
import logging

from starlette.websockets import WebSocket, WebSocketDisconnect

from realtime.view.guest import Guest
from realtime.view.outgoing import Ended
from realtime.view.page import Page

log = logging.getLogger(__name__)

#: RFC 6455, and its registry: try again later.
TRY_LATER = 1013


async def live(browser: WebSocket, page: Page) -> None:
    """Speak with one browser until either hangs up."""
    await browser.accept()
    if page.full:
        await browser.close(TRY_LATER, "too many wait for a place; come again later")
        return
    guest = Guest(page)
    page.guests.add(guest)
    ways = [asyncio.create_task(way(browser, guest)) for way in (_hear, _tell)]
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


async def _hear(browser: WebSocket, guest: Guest) -> None:
    while (message := await browser.receive())["type"] == "websocket.receive":
        if message.get("bytes") is not None:
            guest.seen(message["bytes"])
        else:
            guest.said(message["text"])


async def _tell(browser: WebSocket, guest: Guest) -> None:
    try:
        while True:
            message = await guest.outgoing.next()
            await (browser.send_text(message) if isinstance(message, str) else browser.send_bytes(message))
    except WebSocketDisconnect:
        pass  # it went while something was on its way to it
    except Ended as why:
        log.info("hung up on a browser: %s", why)
        await browser.close(TRY_LATER, str(why))
