import pytest

from realtime.view.access import passwords


@pytest.fixture(autouse=True)
def cheap(monkeypatch):
    """A hash that takes no time: what is tested here is what stands around it."""
    monkeypatch.setattr(passwords, "COST", 16)
