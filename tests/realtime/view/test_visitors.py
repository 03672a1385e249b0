from types import SimpleNamespace

import pytest

from realtime.view.visitors import Visitors, unguessable


class Guest:
    def __init__(self, clock):
        self.heard, self.told = clock.now, []

    def admit(self):
        self.told.append("in")

    def wait(self, ahead, why):
        self.told.append(ahead)


@pytest.fixture
def clock():
    return SimpleNamespace(now=0.0)


@pytest.fixture
def visitors(clock):
    return Visitors(2, 10.0, lambda: clock.now)


def test_the_line_keeps_its_order(visitors, clock):
    ada, bob, eve, kim, joe = guests = [Guest(clock) for _ in range(5)]
    for guest in guests:
        visitors.come(guest)
    assert [guest.told for guest in guests] == [["in"], ["in"], [0], [1], [2]]
    visitors.go(kim)
    assert joe.told[-1] == 1
    visitors.go(bob)
    assert (eve.told[-1], joe.told[-1]) == ("in", 0)
    visitors.go(ada)
    assert joe.told[-1] == "in"
    assert visitors.inside == [eve, joe]


def test_only_as_many_idle_ones_go_as_others_wait_and_they_come_last(visitors, clock):
    ada, bob, eve = guests = [Guest(clock) for _ in range(3)]
    for guest in guests[:2]:
        visitors.come(guest)
    clock.now = 11.0
    visitors.check()
    assert visitors.inside == [ada, bob]
    visitors.come(eve)
    visitors.check()
    assert (visitors.inside, visitors.waiting) == ([bob, eve], [ada])
    assert ada.told == ["in", 0]
    clock.now = 20.0
    bob.heard = 20.0
    visitors.check()
    assert visitors.inside == [bob, eve], "eve's time began when she came in"
    clock.now = 22.0
    visitors.check()
    assert (visitors.inside, visitors.waiting) == ([bob, ada], [eve])


def test_names_do_not_repeat():
    assert len({unguessable() for _ in range(1000)}) == 1000
