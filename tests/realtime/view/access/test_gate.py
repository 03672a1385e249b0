import re
import socket

import httpx
import pytest
from websockets.exceptions import ConnectionClosed


@pytest.mark.parametrize("bad", ["[bad", "[::1", "localhost:99999999", "localhost:x"])
@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
def test_a_host_or_origin_that_is_no_address_is_turned_away(serve, browse, bad, host):
    page = serve(f"view.host={host}")
    assert httpx.get(page.url, headers={"host": bad}).status_code == 403
    assert httpx.post(page.url + "login", headers={"origin": f"http://{bad}"}).status_code == 403
    browser = browse(page, origin=f"http://{bad}")
    with pytest.raises(ConnectionClosed, match="no address"):
        browser.quiet(5.0)


def test_words_that_are_too_long_or_foreign_for_a_reason_are_cut(serve, browse):
    browser = browse(serve(), origin="http://" + "\u00e9" * 100)
    with pytest.raises(ConnectionClosed, match="a request from"):
        browser.quiet(5.0)


def routes_of(gradio):
    """Method and path of everything that Gradio would answer, with x for each parameter."""
    for route in gradio.routes:
        within = getattr(route, "original_router", None)
        prefix = route.include_context.prefix if within else ""
        for each in within.routes if within else [route]:
            for method in getattr(each, "methods", None) or ("GET",):
                yield method, prefix + re.sub(r"{[^}]*}", "x", each.path)


@pytest.mark.promise(
    "what Gradio offers beside the page: upload, file, proxy, queue, call, heartbeat, monitoring",
    "closed, and so is whatever a later Gradio adds",
    "every route of 6.31 but the page and what it loads",
)
def test_what_gradio_offers_beside_the_page_is_closed(serve):
    page = serve(front=True)
    offered = set(routes_of(page.app.routes[-1].app))
    offered |= {("GET", f"/gradio_api/{path}") for path in ("file=/etc/passwd", "proxy=https://example.org/")}
    assert len(offered) > 40
    assert {path.split("/")[2].partition("=")[0] for _, path in offered if path.startswith("/gradio_api/")} > {
        "upload", "file", "proxy", "queue", "call", "heartbeat",
    }  # fmt: skip
    served = {"/", "/config", "/theme.css", "/favicon.ico", "/login", "/logout", "/manifest.json"}
    with httpx.Client(base_url=page.url, timeout=5.0) as client:
        for method, path in offered:
            if path not in served and not path.startswith(("/assets/", "/static/")):
                with client.stream(method, path) as answer:
                    assert answer.status_code == 404, (method, path)
        assert {client.post(path).status_code for path in served - {"/login"}} == {404}
        assert client.get("/").status_code == 200


@pytest.mark.promise(
    "paths out of the folders that are served, spelled in 14 ways", "nothing is found there", "0 of 14 let out"
)
def test_no_path_leads_out_of_what_is_served(serve):
    page = serve(front=True)
    ways = ("/../", "/%2e%2e/", "/..%2f", "/%2e%2e%2f", "/..\\", "/..%5c", "/.%2e/%2e%2e/")
    for folder, wanted in (("/glimpse", "blocks.py"), ("/static", "templates/frontend/index.html")):
        for way in ways:
            with socket.create_connection(("127.0.0.1", page.port), 5.0) as line:
                line.sendall(f"GET {folder}{way}{wanted} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())
                assert b" 404 " in line.recv(200).splitlines()[0] + b" ", folder + way


@pytest.mark.promise(
    "a WebSocket or a form of another site, through a browser that is logged in",
    "turned away and told; the page's own addresses alone may",
    "1 of 1 each; in the log",
)
def test_the_page_is_for_its_own_addresses(serve, browse, caplog):
    page = serve("view.origins=['https://glimpse.example']")
    assert browse(page, origin=page.url.rstrip("/")).enter()
    assert browse(page, origin="https://glimpse.example").enter()
    with pytest.raises(ConnectionClosed) as closed:
        browse(page, origin="https://evil.example").next()
    assert closed.value.rcvd.code == 1008
    assert "evil.example" in caplog.text
    rebound = {"host": f"evil.example:{page.port}"}
    assert httpx.get(page.url, headers=rebound).status_code == 403
    assert httpx.get(page.url + "health", headers={"host": "glimpse.example"}).status_code == 200


@pytest.mark.promise(
    "a foreign name that somebody points at the page (DNS rebinding)",
    "turned away wherever the page listens",
    "let in at 0.0.0.0 before; now 2 hosts of 2, 2 names each",
)
@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
def test_the_page_answers_to_no_name_but_its_own(serve, host):
    page = serve(f"view.host={host}", "view.origins=['https://glimpse.example']")

    def code(name):
        return httpx.get(page.url + "health", headers={"host": name}).status_code

    assert [code(name) for name in ("evil.example", "evil.example:7860")] == [403, 403]
    assert code("10.9.8.7") == (403 if host == "127.0.0.1" else 200)
    own = ["localhost", "glimpse.example", *([] if host == "127.0.0.1" else [socket.gethostname()])]
    assert {code(name) for name in own} == {200}


@pytest.mark.promise(
    "another site frames the page, or has it load from elsewhere",
    "a browser is told not to: frame-ancestors of view.origins alone, scripts and pictures from here alone",
    "at every answer",
)
def test_browsers_are_told_to_load_from_here_alone(serve):
    page = serve("view.origins=['https://glimpse.example']")
    answers = [httpx.get(page.url + path) for path in ("health", "login", "nowhere", "metrics")]
    answers.append(httpx.get(page.url, headers={"host": "evil.example"}))
    for headers in (answer.headers for answer in answers):
        policy = headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "frame-ancestors 'self' https://glimpse.example;" in policy + ";"
        assert headers["x-content-type-options"] == "nosniff"
        assert "server" not in headers
