import re
import socket
import subprocess
import time
from types import SimpleNamespace

import httpx
import msgspec
import pytest
from typer.testing import CliRunner

from realtime.__main__ import app
from realtime.errors import ViewError
from realtime.view import serve as serve_module
from realtime.view.access.passwords import Password
from realtime.view.serve import address, advice, check_certificate, check_users, listen


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
        assert advice(here) == []
        open_to_all = msgspec.structs.replace(here, host="0.0.0.0")
        assert address(open_to_all, listening) == f"http://{socket.gethostname()}:{port}/"
        [plain] = advice(open_to_all)
        assert "https" in plain
        assert "view.certificate" in plain
        with_both = msgspec.structs.replace(open_to_all, certificate="x.pem", private_key="x.key")
        assert address(with_both, listening).startswith("https://")
        assert advice(with_both) == []


@pytest.mark.promise(
    "a page that others can reach, without --auth", "refused at start, in one line", "only warned before; 4 hosts of 4"
)
@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "192.168.1.5"])
def test_a_page_that_others_reach_has_users(settings, host):
    view = settings(f"view.host='{host}'").view
    with pytest.raises(ViewError, match="--auth USER:FILE"):
        check_users(view, with_users=False)
    check_users(view, with_users=True)
    for here in ("127.0.0.1", "localhost", "::1", "127.0.0.9"):
        alone = msgspec.structs.replace(view, host=here)
        check_users(alone, with_users=False)
        with pytest.raises(ViewError, match=r"10\.0\.0\.2"):  # others come by it
            check_users(msgspec.structs.replace(alone, proxies=("10.0.0.2",)), with_users=False)


def test_the_command_says_so(settings):
    done = CliRunner().invoke(app, ["page", "--set", "view.host=0.0.0.0", "--set", "view.port=0"])
    assert done.exit_code == 2
    assert "--auth USER:FILE" in done.output


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


@pytest.mark.promise(
    "a cookie that goes another way",
    "Secure with https",
    "1 of 1",
)
def test_https_and_a_cookie_that_stays_with_it(serve, pair):
    certificate, key = pair
    page = serve(
        f"view.certificate={certificate}", f"view.private_key={key}", users={"ada": Password.made("correct horse")}
    )
    assert page.url.startswith("https://")
    answer = httpx.post(page.url + "login", data={"user": "ada", "password": "correct horse"}, verify=False)
    assert "Secure" in answer.headers["set-cookie"]


def test_the_address_is_the_last_line_of_the_start(settings, monkeypatch, tmp_path):
    said = []
    monkeypatch.setattr(serve_module, "make_folder", lambda: tmp_path)
    monkeypatch.setattr(serve_module, "create", lambda *_, **__: None)
    monkeypatch.setattr(serve_module, "server", lambda *_: SimpleNamespace(run=lambda sockets: sockets[0].close()))
    monkeypatch.setattr(serve_module, "advice", lambda _: ["what it means"])
    serve_module.serve(settings(), {}, said.append)
    assert said[0] == "what it means"
    assert re.fullmatch(r"Open this: http://localhost:\d+/", said[-1])
