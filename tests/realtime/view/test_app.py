import re
import socket
import subprocess
import time

import httpx
import msgspec
import pytest
from prometheus_client.parser import text_string_to_metric_families
from websockets.exceptions import ConnectionClosed

from realtime.errors import ViewError
from realtime.view.serve import address, advice, check_certificate, listen

JPEG = b"\xff\xd8 a picture"


def metrics(page):
    families = text_string_to_metric_families(httpx.get(page.url + "metrics").text)
    return {(s.name, *sorted(s.labels.items())): s.value for family in families for s in family.samples}


def test_health_says_whether_the_recogniser_is_heard(serve, recogniser, eventually):
    page = serve()
    answer = httpx.get(page.url + "health")
    assert (answer.status_code, answer.json()["ok"]) == (200, True)
    recogniser.close()
    eventually(lambda: httpx.get(page.url + "health").status_code == 503)
    assert "silent" in httpx.get(page.url + "health").json()["recogniser"]


def test_metrics_add_up_by_kind_of_camera(serve, browse, recogniser, make, eventually):
    page = serve("view.most_hz=100000")
    ada, bob = browse(page), browse(page)
    names = [ada.enter()["camera"], bob.enter()["camera"]]
    for number in range(5):
        ada.send(number, JPEG)
        ada.until("state", frame=number)
    ada.send(9, b"none")
    ada.until("problem")
    for t, faces in ((1.0, 1), (2.0, 2)):
        for camera in (*names, "sample"):
            recogniser.publisher.meta(make.meta(t, camera=camera, faces=faces, gaps=int(10 * t)))
            time.sleep(0.02)
    recogniser.publisher.event(make.event(1, 0.5, camera=names[0]))
    ada.until("event")
    found = eventually(lambda: (m := metrics(page)).get(("glimpse_frames_total", ("camera", "server"))) == 100 and m)
    assert found["glimpse_frames_total", ("camera", "browser")] == 200
    assert found["glimpse_gaps_total", ("camera", "browser")] == 40
    assert found["glimpse_faces", ("camera", "browser")] == 4
    assert found["glimpse_cameras", ("camera", "server")] == 1
    assert found["glimpse_latency_ms", ("camera", "browser"), ("percentile", "p95"), ("stage", "total")] == 16.0
    assert found["glimpse_events_total", ("camera", "browser"), ("kind", "micro"), ("stage", "final")] == 1
    assert found["glimpse_pictures_in_total", ("fate", "passed")] >= 5
    assert found["glimpse_pictures_in_total", ("fate", "malformed")] == 1
    assert found["glimpse_bytes_in_total",] >= 5 * (12 + len(JPEG))
    assert found["glimpse_visitors",] == 2
    assert found["glimpse_up",] == 1
    assert any(key[0] == "glimpse_engine_info" and ("name", "encoder") in key for key in found)
    assert not any(name in str(found) for name in names), "a visitor's name made a label"


def test_metrics_tell_of_each_kind_of_camera_the_slowest_encoder_and_whether_something_is_left_out(
    serve, recogniser, make, eventually
):
    page = serve()
    told = {"visitor-a": (5.0, "too slow"), "visitor-b": (30.0, ""), "sample": (15.0, "")}
    for camera, (rate_hz, left_out) in told.items():
        recogniser.publisher.meta(make.meta(1.0, camera=camera, encoder_hz=rate_hz, left_out=left_out))
    server, browser = ("camera", "server"), ("camera", "browser")
    found = eventually(
        lambda: (m := metrics(page))["glimpse_cameras", browser] + m["glimpse_cameras", server] == 3 and m
    )
    assert (found["glimpse_encoder_hz", server], found["glimpse_encoder_hz", browser]) == (15.0, 5.0)
    assert (found["glimpse_left_out", server], found["glimpse_left_out", browser]) == (0.0, 1.0)


def test_the_page_loads_nothing_from_elsewhere_and_takes_no_files(serve):
    page = serve(front=True)
    with httpx.Client(base_url=page.url, follow_redirects=True) as client:
        text = client.get("/").text
        assert "<gradio-app" in text
        loaded = re.findall(r'(?:src|href)="(https?://[^"]+)"', text) + re.findall(r"url\((https?://[^)]+)\)", text)
        loaded += re.findall(r"url\(['\"]?(https?://[^)]+)\)", client.get("/theme.css").text)
        assert [url for url in loaded if not url.startswith(page.url)] == []
        assert client.post("/gradio_api/upload", files={"files": b"x"}).status_code == 404
        assert client.get("/gradio_api/file=/etc/passwd").status_code == 404
        assert client.get("/gradio_api/proxy=https://example.org").status_code == 404
        config = client.get("/config").json()
        assert config["analytics_enabled"] is False
        assert client.get("/manifest.json").status_code == 200


def test_what_gradio_offers_beside_the_page_is_closed(serve):
    page = serve(front=True)
    for path in ("heartbeat/x", "dev/reload", "info", "queue/data", "queue/status", "startup-events", "app_id"):
        with httpx.stream("GET", f"{page.url}gradio_api/{path}", timeout=5.0) as answer:
            assert answer.status_code == 404, path
    for path in ("monitoring", "monitoring/summary", "monitoring/x"):
        assert httpx.get(page.url + path).status_code == 404, path


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


def test_a_port_in_use_is_one_clear_error(settings):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        view = settings(f"view.port={taken.getsockname()[1]}").view
        with pytest.raises(ViewError, match=r"view\.port.*another"):
            listen(view)
    with pytest.raises(ViewError, match=r"view\.host"):
        listen(settings("view.host=nowhere.invalid").view)


def test_the_address_and_what_it_means_that_others_reach_it(settings):
    here = settings().view
    with listen(here) as listening:
        port = listening.getsockname()[1]
        assert address(here, listening) == f"http://localhost:{port}/"
        assert advice(here, with_users=False) == []
        open_to_all = msgspec.structs.replace(here, host="0.0.0.0")
        assert address(open_to_all, listening) == f"http://{socket.gethostname()}:{port}/"
        plain, anybody = advice(open_to_all, with_users=False)
        assert "https" in plain
        assert "view.certificate" in plain
        assert "--auth" in anybody
        with_both = msgspec.structs.replace(open_to_all, certificate="x.pem", private_key="x.key")
        assert address(with_both, listening).startswith("https://")
        assert advice(with_both, with_users=True) == []


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """A certificate and its key."""
    folder = tmp_path_factory.mktemp("tls")
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    try:
        subprocess.run(
            [*made, "-keyout", "key.pem", "-out", "cert.pem"], cwd=folder, check=True, capture_output=True, timeout=60
        )
    except FileNotFoundError:
        pytest.skip("no openssl to make a certificate with")
    return folder / "cert.pem", folder / "key.pem"


def test_https_and_a_cookie_that_stays_with_it(serve, pair):
    from realtime.view.passwords import Password

    certificate, key = pair
    page = serve(
        f"view.certificate={certificate}", f"view.private_key={key}", users={"ada": Password.made("correct horse")}
    )
    assert page.url.startswith("https://")
    answer = httpx.post(page.url + "login", data={"user": "ada", "password": "correct horse"}, verify=False)
    assert "Secure" in answer.headers["set-cookie"]


def test_a_certificate_that_cannot_be_used_is_one_clear_error(settings, pair, tmp_path):
    certificate, key = pair
    odd = tmp_path / "odd.pem"
    odd.write_text("no key")
    for given, told in (
        ((certificate, ""), "view.private_key is not"),
        (("", key), "view.certificate is not"),
        ((certificate, tmp_path / "nowhere.pem"), "there is no file"),
        ((certificate, odd), "no pair"),
    ):
        view = settings(f"view.certificate={given[0]}", f"view.private_key={given[1]}").view
        with pytest.raises(ViewError, match=told):
            check_certificate(view)
    locked = tmp_path / "locked.pem"
    subprocess.run(["openssl", "rsa", "-aes128", "-passout", "pass:x", "-in", key, "-out", locked], check=True)
    began = time.monotonic()
    with pytest.raises(ViewError, match="without a password"):
        check_certificate(settings(f"view.certificate={certificate}", f"view.private_key={locked}").view)
    assert time.monotonic() - began < 5.0, "somebody was asked for the password"
