import asyncio
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from websockets.exceptions import ConnectionClosed

from realtime.view.access import login, passwords
from realtime.view.access.passwords import Password


@pytest.fixture
def ada(cheap):
    return {"ada": Password.made("correct horse")}


@pytest.fixture
def locked(serve, ada, monkeypatch):
    monkeypatch.setattr(login, "PAUSE_FIRST_S", 0.05)
    return serve(users=ada)


def try_in(page, user="ada", password="correct horse", **options):
    return httpx.post(page.url + "login", data={"user": user, "password": password}, **options)


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


def test_figures_are_read_with_a_password_and_nothing_else_is(locked):
    assert "glimpse_" in httpx.get(locked.url + "metrics", auth=("ada", "correct horse")).text
    assert "glimpse_" in httpx.get(locked.url + "metrics", auth=("ada", "correct horse")).text  # known by then
    assert httpx.get(locked.url, auth=("ada", "correct horse")).status_code == 401
    for wrong in (("ada", "wrong"), ("bob", "correct horse"), ("", "")):
        assert httpx.get(locked.url + "metrics", auth=wrong).status_code == 401
    for header in ("Basic", "Basic !", "Basic Zm9v", "Bearer x"):
        assert httpx.get(locked.url + "metrics", headers={"authorization": header}).status_code == 401


def test_the_websocket_is_closed_to_those_who_are_not_logged_in(locked, browse):
    with pytest.raises(ConnectionClosed) as closed:
        browse(locked).next()
    assert closed.value.rcvd.code == 1008


def test_one_who_logs_in_sees_everything_until_logging_out(locked, browse):
    answer = try_in(locked)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert "Secure" not in cookie
    value = answer.cookies["glimpse"]
    assert httpx.get(locked.url + "metrics", cookies={"glimpse": value}).status_code == 200
    assert browse(locked, additional_headers={"Cookie": f"glimpse={value}"}).enter()["camera"]
    out = httpx.get(locked.url + "logout", cookies={"glimpse": value})
    assert 'glimpse=""' in out.headers["set-cookie"]


def test_a_cookie_of_somebody_elses_making_opens_nothing(locked, serve, ada):
    other = serve(users=ada)
    for value in ("", "ada", try_in(other).cookies["glimpse"], try_in(locked).cookies["glimpse"][:-2] + "xx"):
        assert httpx.get(locked.url + "metrics", cookies={"glimpse": value}).status_code == 401


def test_who_fails_is_not_told_why_and_waits_longer_each_time(locked, monkeypatch, caplog):
    monkeypatch.setattr(login, "PAUSE_FIRST_S", 0.2)
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


def test_an_unknown_name_costs_the_same_work(ada, monkeypatch):
    tried = []
    monkeypatch.setattr(passwords, "_scrypt", lambda password, salt: tried.append(salt) or b"0" * 32)
    kept = login.Logins(ada)
    tried.clear()
    assert not asyncio.run(kept._fits("ada", "x"))
    assert not asyncio.run(kept._fits("nobody", "x"))
    assert len(tried) == 2


def test_many_tries_at_once_are_refused(locked, monkeypatch):
    monkeypatch.setattr(login, "PAUSE_MOST_S", 1.5)
    monkeypatch.setattr(login, "PAUSE_FIRST_S", 1.5)
    with ThreadPoolExecutor(8) as pool:
        codes = [
            answer.status_code for answer in pool.map(lambda _: try_in(locked, password="x", timeout=30), range(8))
        ]
    assert codes.count(429) >= 3
    assert 303 not in codes


def test_a_form_from_another_site_or_without_end_is_refused(locked):
    assert try_in(locked, headers={"origin": "https://evil.example"}).status_code == 403
    assert try_in(locked, password="x" * 10_000).status_code == 401
