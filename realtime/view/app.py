"""The page's routes."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI, Request, WebSocket
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.staticfiles import StaticFiles

from realtime.config import Config
from realtime.view.access import login
from realtime.view.access.gate import Gate
from realtime.view.access.login import Logins
from realtime.view.access.passwords import Password
from realtime.view.page import Page
from realtime.view.websocket import converse

# Read when gradio is imported, or a page made of it: nothing is told to anybody.
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"

#: Gradio looks for work a thousand times a second, which takes a twentieth of a core; this page never has any for it.
IDLE_S = 1.0
SILENT = "the recogniser is silent"


def create(
    config: Config,
    users: dict[str, Password],
    *,
    front: bool = True,
    recorded: bool = False,
    scratch: Path | None = None,
) -> FastAPI:
    """The whole page, for `users` alone where there are any; without its `front`, what other programs see of it.

    It says that a recording is shown where that is `recorded`.

    Gradio, which makes folders that nobody uses, makes them in `scratch`; that is removed when the page ends.
    """
    if scratch is not None:
        os.environ["GRADIO_TEMP_DIR"] = str(scratch)
    page = Page(config, recorded=recorded)
    logins = Logins(users)

    @asynccontextmanager
    async def opened(_: FastAPI) -> AsyncIterator[None]:
        async with page:
            yield
        if scratch is not None:
            shutil.rmtree(scratch, ignore_errors=True)

    app = FastAPI(lifespan=opened, docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(Gate, logins=logins, host=config.view.host, origins=config.view.origins)
    _add_routes(app, page, logins)
    if front:
        _add_front(app, config)
    return app


def _add_routes(app: FastAPI, page: Page, logins: Logins) -> None:
    @app.websocket("/live")
    async def _(browser: WebSocket) -> None:
        await converse(browser, page)

    @app.get("/health")
    async def _() -> Response:
        there = page.services.link.there
        return JSONResponse({"ok": there, "page": "ok", "recogniser": "ok" if there else SILENT}, 200 if there else 503)

    @app.get("/metrics")
    async def _() -> Response:
        return Response(page.metrics.text(), media_type=CONTENT_TYPE_LATEST)

    @app.get("/session/{token}.zip")
    async def _(token: str) -> Response:
        path = page.services.recordings.offered(token)
        if path is None:
            return PlainTextResponse("There is no such session any more. A recording is kept for ten minutes.", 404)
        return FileResponse(path, filename="glimpse-session.zip", headers={"cache-control": "no-store"})

    @app.get("/manifest.json")
    async def _() -> Response:
        return JSONResponse({"name": "Glimpse", "start_url": "."}, media_type="application/manifest+json")

    @app.get(login.PATH)
    async def _() -> Response:
        return login.form()

    @app.post(login.PATH)
    async def _(request: Request) -> Response:
        return await logins.enter(request)

    @app.get("/logout")
    async def _(request: Request) -> Response:
        return logins.leave(request)


def _add_front(app: FastAPI, config: Config) -> None:
    import gradio

    from realtime.view import blocks

    app.mount(blocks.STATIC_URL, StaticFiles(directory=blocks.STATIC))
    closed = {"docs_url": None, "redoc_url": None, "openapi_url": None}
    page = blocks.blocks(config)
    page._queue.sleep_when_free = IDLE_S
    gradio.mount_gradio_app(app, page, "", app_kwargs=closed, **blocks.APPEARANCE)
