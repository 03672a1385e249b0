import pytest

from realtime.faces.reach import Reach


@pytest.fixture
def look():
    """Looks that find so many faces with each detector, and note who was asked."""

    def finds(reach, full, short):
        asked = []

        def one(range):
            asked.append(range)
            return {"full": full, "short": short}[range]

        return reach.count(one), asked

    return finds


def test_the_second_detector_is_asked_only_where_the_first_finds_nobody(look):
    reach = Reach(still=False)
    assert look(reach, 2, 5) == (2, ["full"])
    assert reach.now == "full"
    assert look(reach, 0, 1) == (1, ["full", "short"])
    assert reach.now == "short"
    assert look(reach, 0, 0) == (0, ["full", "short"])
    assert reach.now == "full"


def test_who_is_followed_near_stays_near_until_more_are_found_far(look):
    reach = Reach(still=False)
    look(reach, 0, 1)
    reach.follow(1)
    assert look(reach, 0, 1) == (0, ["full"])
    assert look(reach, 1, 1) == (1, ["full"])
    assert reach.now == "short"
    assert look(reach, 2, 1) == (2, ["full"])
    assert reach.now == "full"


def test_a_restart_forgets_who_was_near(look):
    reach = Reach(still=False)
    look(reach, 0, 1)
    reach.follow(1)
    reach.restart()
    assert reach.now == "full"
    assert look(reach, 0, 1) == (1, ["full", "short"])


def test_in_stills_faces_are_near():
    assert Reach(still=True).now == "short"
