import socket
import time

import httpx
import pytest
from websockets.exceptions import ConnectionClosed

from realtime.errors import ViewError
from realtime.view.access import login, passwords, tries
from realtime.view.access.passwords import Password
from realtime.view.serve import listen


@pytest.fixture
def ada(cheap):
    return {"ada": Password.made("correct horse")}


@pytest.fixture
def locked(serve, ada, monkeypatch):
    monkeypatch.setattr(tries, "PAUSE_FIRST_S", 0.05)
    return serve(users=ada)


def try_in(page, user="ada", password="correct horse", **options):
    return httpx.post(page.url + "login", data={"user": user, "password": password}, **options)


@pytest.mark.promise(
    "every path without logging in",
    "nothing but /health and the form",
    "7 of 7 closed",
)
def test_nothing_but_health_and_the_form_is_seen_without_logging_in(locked):
    for path in ("", "metrics", "session/x.zip", "static/x", "gradio_api/info", "config", "nowhere"):
        answer = httpx.get(locked.url + path)
        assert answer.status_code == 401, path
        assert "glimpse_" not in answer.text
    assert httpx.get(locked.url + "health").status_code in (200, 503)
    asked = httpx.get(locked.url, headers={"accept": "text/html"})
    assert (asked.status_code, asked.headers["location"]) == (303, "login")
    form = httpx.get(locked.url + "login").text
    for needed in (
        '<html lang="en">',
        '<label for="user">',
        '<label for="password">',
        'autocomplete="current-password"',
    ):
        assert needed in form


def test_figures_are_read_with_a_password_and_nothing_else_is(locked, monkeypatch):
    monkeypatch.setattr(tries, "PAUSE_MOST_S", 0.05)
    assert "glimpse_" in httpx.get(locked.url + "metrics", auth=("ada", "correct horse")).text
    assert "glimpse_" in httpx.get(locked.url + "metrics", auth=("ada", "correct horse")).text  # known by then
    assert httpx.get(locked.url, auth=("ada", "correct horse")).status_code == 401
    for wrong in (("ada", "wrong"), ("bob", "correct horse"), ("", "")):
        assert httpx.get(locked.url + "metrics", auth=wrong).status_code == 401
    for header in ("Basic", "Basic !", "Basic Zm9v", "Bearer x"):
        assert httpx.get(locked.url + "metrics", headers={"authorization": header}).status_code == 401


@pytest.mark.promise(
    "a WebSocket without logging in",
    "closed",
    "1 of 1",
)
def test_the_websocket_is_closed_to_those_who_are_not_logged_in(locked, browse):
    with pytest.raises(ConnectionClosed) as closed:
        browse(locked).next()
    assert closed.value.rcvd.code == 1008


@pytest.mark.promise(
    "a cookie that somebody copied, after its user has logged out",
    "opens nothing, and its pages are hung up on",
    "worked for twelve hours before; now 0 of 2",
)
def test_one_who_logs_in_sees_everything_until_logging_out(locked, browse):
    answer = try_in(locked)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert "Secure" not in cookie
    value = answer.cookies["glimpse"]
    assert httpx.get(locked.url + "metrics", cookies={"glimpse": value}).status_code == 200
    browser = browse(locked, additional_headers={"Cookie": f"glimpse={value}"})
    assert browser.enter()["camera"]
    out = httpx.get(locked.url + "logout", cookies={"glimpse": value})
    assert 'glimpse=""' in out.headers["set-cookie"]
    assert httpx.get(locked.url + "metrics", cookies={"glimpse": value}).status_code == 401
    browser.say("hello", camera="another")
    with pytest.raises(ConnectionClosed, match="logged out"):
        browser.quiet(5.0)


def test_a_cookie_of_somebody_elses_making_opens_nothing(locked, serve, ada):
    other = serve(users=ada)
    for value in ("", "ada", try_in(other).cookies["glimpse"], try_in(locked).cookies["glimpse"][:-2] + "xx"):
        assert httpx.get(locked.url + "metrics", cookies={"glimpse": value}).status_code == 401


@pytest.mark.promise(
    "passwords that are guessed, one after another",
    "the answer says not what was wrong, and comes later each time",
    "0.2, 0.4, 0.8 s after 3 tries; a name that nobody has costs the same work",
)
def test_who_fails_is_not_told_why_and_waits_longer_each_time(locked, monkeypatch, caplog):
    monkeypatch.setattr(tries, "PAUSE_FIRST_S", 0.2)
    began = time.monotonic()
    wrong = try_in(locked, password="wrong")
    nobody = try_in(locked, user="nobody")
    assert (wrong.status_code, wrong.text) == (nobody.status_code, nobody.text) == (401, wrong.text)
    third = time.monotonic()
    assert try_in(locked, password="wrong").status_code == 401
    assert time.monotonic() - third > 0.8
    assert third - began > 0.6
    assert try_in(locked).status_code == 303
    assert caplog.text.count("failed") == 3
    assert "wrong" not in caplog.text


@pytest.mark.promise(
    "names guessed by how long the answer takes",
    "a name that nobody has costs the same work",
    "1 hash each",
)
def test_an_unknown_name_costs_the_same_work(ada, monkeypatch):
    tried = []
    monkeypatch.setattr(passwords, "_scrypt", lambda password, salt: tried.append(salt) or b"0" * 32)
    kept = login.Logins(ada)
    tried.clear()
    assert not kept._fits("ada", "x")
    assert not kept._fits("nobody", "x")
    assert len(tried) == 2


@pytest.fixture
def checked(monkeypatch):
    """The passwords that were looked at, each for a twentieth of a second; who fails waits for long."""
    passwords, fits = [], Password.fits

    def slowly(self, password):
        passwords.append(password)
        time.sleep(0.05)
        return fits(self, password)

    monkeypatch.setattr(Password, "fits", slowly)
    monkeypatch.setattr(tries, "PAUSE_FIRST_S", 0.6)
    monkeypatch.setattr(tries, "PAUSE_MOST_S", 0.6)
    return passwords


@pytest.fixture
def at_once():
    """Send requests over a connection each, and say what the answers' codes are."""

    def ask(page, requests):
        lines = []
        for request in requests:
            lines.append(socket.create_connection(("127.0.0.1", page.port), 20.0))
            lines[-1].sendall(request.replace(b"\n", b"\r\n"))

        def codes():
            for line in lines:
                with line:
                    yield int(line.recv(100).split()[1])

        return codes()

    return ask


@pytest.mark.promise(
    "90 wrong passwords at once for /metrics",
    "all but four are refused at once, and who comes from elsewhere waits for those four at most",
    "78 s before; now 86 of 90 are not looked at",
)
def test_wrong_passwords_of_one_hold_up_nobody_else(locked, checked, at_once):
    wrong = b"GET /metrics HTTP/1.1\nHost: localhost\nAuthorization: Basic YWRhOndyb25n\n\n"
    codes = at_once(locked, [wrong] * 90)
    with httpx.Client(transport=httpx.HTTPTransport(local_address="127.0.0.2")) as client:
        assert client.get(locked.url + "metrics", auth=("ada", "correct horse"), timeout=20).status_code == 200
    assert checked.index("correct horse") <= 4
    assert sorted(codes) == [401] * 4 + [429] * 86


@pytest.mark.promise(
    "login forms that come slowly", "hold up nobody of their address", "4 shut out all before; now 0 of 8"
)
def test_forms_that_never_end_shut_out_nobody(locked):
    begun = b"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 60\r\n\r\nuser=ada"
    lines = [socket.create_connection(("127.0.0.1", locked.port)) for _ in range(8)]
    for line in lines:
        line.sendall(begun)
    time.sleep(0.05)
    assert try_in(locked).status_code == 303
    for line in lines:
        line.close()


@pytest.mark.promise(
    "X-Forwarded-For from who is no proxy that was named",
    "not believed: whoever guesses is one, whatever it says",
    "34 tries in 10 s before where 9 are allowed; now 4 of 8 at once are refused",
)
@pytest.mark.parametrize(("proxies", "refused"), [("[]", 4), ("['127.0.0.1']", 0)])
def test_only_proxies_that_were_named_say_who_comes(serve, ada, checked, at_once, proxies, refused):
    page = serve(f"view.proxies={proxies}", users=ada)
    form = "POST /login HTTP/1.1\nHost: localhost\nX-Forwarded-For: 10.0.0.{}\nContent-Length: 9\n\npassword="
    codes = list(at_once(page, [form.format(number).encode() for number in range(8)]))
    assert (codes.count(401), codes.count(429)) == (8 - refused, refused)


def test_a_wrong_proxy_is_one_clear_error(settings):
    with pytest.raises(ViewError, match=r"view\.proxies: 'localhost'"):
        listen(settings("view.proxies=['localhost']").view)


@pytest.mark.promise(
    "a login form without end",
    "read up to 4 kB",
    "10 kB: refused",
)
def test_a_form_from_another_site_or_without_end_is_refused(locked):
    assert try_in(locked, headers={"origin": "https://evil.example"}).status_code == 403
    assert try_in(locked, password="x" * 10_000).status_code == 401
