import asyncio

import pytest

from realtime.view.recording import store
from realtime.view.recording.store import RecordingStore

pytestmark = pytest.mark.usefixtures("disk")


def test_a_zip_is_removed_after_its_time(settings, disk):
    now = [0.0]
    recordings = RecordingStore(settings(), lambda: now[0])
    token = asyncio.run(recordings.finish(recordings.begin("browser", ["encoder", "nowhere"], video=False)))
    path = recordings.offered(token)
    assert path.stat().st_mode & 0o077 == 0
    now[0] = store.KEPT_S - 1
    recordings.check()
    assert recordings.offered(token) == path
    now[0] = store.KEPT_S + 1
    assert recordings.offered(token) is None
    recordings.check()
    assert not path.exists()


@pytest.mark.promise(
    "visitors who record again and again",
    "the disk holds a few sessions, the oldest goes",
    "2 for each place",
)
def test_visitors_who_come_again_and_again_cannot_fill_the_disk(settings):
    async def finish_three():
        return [await recordings.finish(recordings.begin("browser", [], video=False)) for _ in range(3)]

    recordings = RecordingStore(settings("view.visitors=1"))
    oldest, *newer = asyncio.run(finish_three())
    assert recordings.offered(oldest) is None
    assert all(recordings.offered(token).exists() for token in newer)
    recordings.close()
