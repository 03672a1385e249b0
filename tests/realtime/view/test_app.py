import re

import httpx
import pytest


def test_health_says_whether_the_recogniser_is_heard(serve, recogniser, eventually):
    page = serve()
    answer = httpx.get(page.url + "health")
    assert (answer.status_code, answer.json()["ok"]) == (200, True)
    recogniser.close()
    eventually(lambda: httpx.get(page.url + "health").status_code == 503)
    assert "silent" in httpx.get(page.url + "health").json()["recogniser"]


@pytest.mark.promise(
    "the page loads from another host, or reports to one",
    "nothing is loaded from elsewhere",
    "all links of page and theme",
)
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
