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


def test_what_gradio_offers_beside_the_page_is_closed(serve):
    page = serve(front=True)
    for path in ("heartbeat/x", "dev/reload", "info", "queue/data", "queue/status", "startup-events", "app_id"):
        with httpx.stream("GET", f"{page.url}gradio_api/{path}", timeout=5.0) as answer:
            assert answer.status_code == 404, path
    for path in ("monitoring", "monitoring/summary", "monitoring/x"):
        assert httpx.get(page.url + path).status_code == 404, path


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


def test_browsers_are_told_to_load_from_here_alone(serve):
    page = serve("view.origins=['https://glimpse.example']")
    headers = httpx.get(page.url + "health").headers
    policy = headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'self' https://glimpse.example" in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert "server" not in headers
