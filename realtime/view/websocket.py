"""The WebSocket between a browser and the page."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from realtime.view.door.household import household
from realtime.view.page import Page
from realtime.view.visit.visitor import Visitor

log = logging.getLogger(__name__)

#: RFC 6455, and its registry: try again later.
TRY_LATER = 1013
#: How long one who reads nothing is given to hear why.
GOODBYE_S = 1.0
#: After something that came too fast no more is read for so long, which holds the sender up and nobody else.
HOLD_S = 0.005


async def converse(browser: WebSocket, page: Page) -> None:
    """Speak with one browser until either hangs up."""
    await browser.accept()
    address = household(browser.client.host) if browser.client else ""
    if why := page.full(address):
        await browser.close(TRY_LATER, why)
        return
    with page.visit(address) as visitor:
        await _first_of(_hear(browser, visitor), _tell(browser, visitor), visitor.queue.over.wait())
    if why := visitor.queue.why:
        log.info("hung up on a browser: %s", why)
        with suppress(asyncio.TimeoutError, WebSocketDisconnect):
            await asyncio.wait_for(browser.close(TRY_LATER, why), GOODBYE_S)


async def _first_of(*ways: Coroutine[Any, Any, object]) -> None:
    tasks = [asyncio.create_task(way) for way in ways]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _hear(browser: WebSocket, visitor: Visitor) -> None:
    while (message := await browser.receive())["type"] == "websocket.receive":
        data = message.get("bytes")
        taken = visitor.take_text(message["text"]) if data is None else visitor.take_picture(data)
        if not taken:
            await asyncio.sleep(HOLD_S)


async def _tell(browser: WebSocket, visitor: Visitor) -> None:
    with suppress(WebSocketDisconnect):  # it went while something was on its way to it
        while True:
            message = await visitor.queue.next()
            await (browser.send_text(message) if isinstance(message, str) else browser.send_bytes(message))
