"""Which words are addresses, and what of one may be read by others."""

import pytest

from realtime.capture.url import is_address, masked

SECRET = "hunter2"


@pytest.mark.parametrize("spec", ["rtsp://host/live", "http://host:8080/video?x=1", "ftp://host", "udp://@:5000"])
def test_what_has_a_scheme_is_an_address(spec):
    assert is_address(spec)


@pytest.mark.parametrize("spec", ["0", "/dev/video0", "clip.mp4", "C:/clips/a.mp4", "C920", "rtsp:host", ""])
def test_cameras_and_files_are_none(spec):
    assert not is_address(spec)
    assert masked(spec) == spec


@pytest.mark.promise(
    "a camera's password in logs, tables or errors",
    "hidden",
    "12 forms of 12",
)
@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("rtsp://host:554/live/1", "rtsp://host:554/live/1"),
        ("rtsp://admin:hunter2@host:554/live/1", "rtsp://***@host:554/live/1"),
        ("rtsp://hunter2@host/live", "rtsp://***@host/live"),  # a token in the place of a user
        ("rtsp://admin:hunt@er2@host/live", "rtsp://***@host/live"),  # as people write it who escape nothing
        ("rtsp://admin:hun/ter2@host/live", "rtsp://***@host/live"),
        ("rtsp://admin:hun?ter2@host/live", "rtsp://***@host/live"),
        ("http://host/video.cgi?user=admin&pwd=hunter2", "http://host/video.cgi?***"),
        ("http://host/video.cgi?pwd=hunter2@x", "http://***@x"),
        ("rtsp://host/user=admin_password=hunter2_channel=1/live", "rtsp://host/user=***/live"),
        ("rtsp://host/hidden?hunter2", "rtsp://host/hidden?***"),
        ("udp://@:5000", "udp://@:5000"),
        ("ftp://admin:hunter2@host/a", "ftp://***@host/a"),
    ],
)
def test_users_passwords_and_what_is_asked_are_hidden(address, shown):
    assert masked(address) == shown
    assert not any(part in shown for part in (SECRET, "hun", "er2"))
