import time

import httpx
from prometheus_client.parser import text_string_to_metric_families

JPEG = b"\xff\xd8 a picture"


def metrics(page):
    families = text_string_to_metric_families(httpx.get(page.url + "metrics").text)
    return {(s.name, *sorted(s.labels.items())): s.value for family in families for s in family.samples}


def test_metrics_add_up_by_kind_of_camera(serve, browse, recogniser, make, eventually):
    page = serve("view.most_hz=100000")
    ada, bob = browse(page), browse(page)
    names = [ada.enter()["camera"], bob.enter()["camera"]]
    for number in range(5):
        ada.send(number)
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
