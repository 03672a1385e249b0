from types import SimpleNamespace

import pytest

from realtime.view.access.waiting_room import WaitingRoom


class Entrant:
    def __init__(self, clock):
        self.heard, self.told = clock.now, []

    def admit(self):
        self.told.append("in")

    def wait(self, ahead, why):
        assert why.endswith("."), "another sentence follows"
        self.told.append(ahead)


@pytest.fixture
def clock():
    return SimpleNamespace(now=0.0)


@pytest.fixture
def room(clock):
    return WaitingRoom(2, 10.0, lambda: clock.now)


def test_the_line_keeps_its_order(room, clock):
    ada, bob, eve, kim, joe = entrants = [Entrant(clock) for _ in range(5)]
    for entrant in entrants:
        room.come(entrant)
    assert [entrant.told for entrant in entrants] == [["in"], ["in"], [0], [1], [2]]
    room.go(kim)
    assert joe.told[-1] == 1
    room.go(bob)
    assert (eve.told[-1], joe.told[-1]) == ("in", 0)
    room.go(ada)
    assert joe.told[-1] == "in"
    assert room.inside == [eve, joe]


def test_only_as_many_idle_ones_go_as_others_wait_and_they_come_last(room, clock):
    ada, bob, eve = entrants = [Entrant(clock) for _ in range(3)]
    for entrant in entrants[:2]:
        room.come(entrant)
    clock.now = 11.0
    room.check()
    assert room.inside == [ada, bob]
    room.come(eve)
    room.check()
    assert (room.inside, room.waiting) == ([bob, eve], [ada])
    assert ada.told == ["in", 0]
    clock.now = 20.0
    bob.heard = 20.0
    room.check()
    assert room.inside == [bob, eve], "eve's time began when she came in"
    clock.now = 22.0
    room.check()
    assert (room.inside, room.waiting) == ([bob, ada], [eve])
