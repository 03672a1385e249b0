"""What is given up is decided by what frames took, so a slow machine is one whose frames are said to take long."""

from itertools import pairwise

import msgspec
import pytest

from realtime import config
from realtime.errors import ConfigError
from realtime.pipeline.budget import RATES_HZ, SKIPS, Budget, Cost, WatchPlan

SETTINGS = config.load().budget
FULL = WatchPlan(30.0, landmarks=True, every=1)


class Machine:
    """Three threads, each `slower` than on a machine where a frame takes 10, 2, and 3 and 4 ms; and a camera."""

    def __init__(self, budget, rate_hz, slower=1.0):
        self.budget, self.rate_hz, self.slower = budget, rate_hz, slower
        self.t, self.number, self.encoded = 0.0, 0, -1.0
        self.plans = []

    def cost(self, plan):
        due = self.t - self.encoded >= 1.0 / plan.encoder_hz - 1e-6
        self.encoded = self.t if due else self.encoded
        return Cost(0.0, self.slower * 0.010, self.slower * 0.002, self.slower * 0.003, 0.0, self.slower * 0.004 * due)

    def watch(self, seconds):
        """Play so long; the plan at the end."""
        for _ in range(round(seconds * self.rate_hz)):
            self.number, self.t = self.number + 1, self.t + 1.0 / self.rate_hz
            plan = self.budget.plan
            if self.number % plan.every == 0:
                self.budget.push(self.t, 1.0 / self.rate_hz, self.cost(plan))
            self.plans.append(plan)
        return self.budget.plan


@pytest.fixture
def budget():
    return Budget(SETTINGS, 30.0)


def test_a_machine_that_keeps_up_gives_nothing_up(budget):
    assert Machine(budget, 60.0).watch(60.0) == FULL
    assert budget.describe() == ""


def test_nothing_is_given_up_before_it_was_measured_for_a_while(budget):
    machine = Machine(budget, 60.0, slower=5.0)
    machine.watch(0.9 * SETTINGS.settle_s)
    assert set(machine.plans) == {FULL}


@pytest.mark.parametrize(("slower", "rate_hz"), [(0.5, 60), (1, 60), (1.5, 60), (2, 30), (3, 30), (5, 60), (9, 60)])
def test_what_is_left_is_done_in_time_and_no_more_is_given_up_than_that_takes(slower, rate_hz):
    budget = Budget(SETTINGS, 30.0)
    plan = Machine(budget, rate_hz, slower).watch(30.0)

    def load(plan):
        encode = 0.004 * min(plan.encoder_hz * plan.every / rate_hz, 1.0)
        return slower * max(0.010, 0.003 + encode) * rate_hz / plan.every

    assert load(plan) <= SETTINGS.most + 1e-9
    less = budget.plans[: budget.plans.index(plan)]
    assert all(load(each) > SETTINGS.most for each in less)


def test_the_encoder_is_slowed_first_then_landmarks_then_frames_go(budget):
    order = budget.plans
    assert [plan.encoder_hz for plan in order[: 1 + len(RATES_HZ)]] == [30.0, *RATES_HZ]
    assert all(plan.landmarks and plan.every == 1 for plan in order[: 1 + len(RATES_HZ)])
    assert [(plan.landmarks, plan.every) for plan in order[1 + len(RATES_HZ) :]] == [
        (False, every) for every in (1, *SKIPS)
    ]
    assert all(b.encoder_hz <= a.encoder_hz and b.every >= a.every for a, b in pairwise(order))


def test_a_slow_encoder_alone_is_looked_at_less_often_and_no_frame_is_lost(budget):
    machine = Machine(budget, 30.0)
    machine.cost = lambda plan: Cost(0.0, 0.010, 0.002, 0.003, 0.0, 0.060)
    assert machine.watch(10.0) == WatchPlan(10.0, landmarks=True, every=1)
    assert "expressions are judged 10 times a second instead of 30" in budget.describe()
    assert "frames" not in budget.describe()


def test_what_was_given_up_comes_back_once_there_is_time_and_not_before(budget):
    machine = Machine(budget, 60.0, slower=3.0)
    assert machine.watch(3.0) != FULL
    machine.slower = 1.0
    assert machine.watch(0.5 * SETTINGS.return_s) != FULL
    assert machine.watch(3.0 * SETTINGS.return_s) == FULL


def test_a_machine_between_two_plans_changes_ever_more_seldom(budget):
    """It looks fast enough while it does less, and is not when it does more: landmarks, say, that cost much."""
    machine = Machine(budget, 60.0)
    machine.cost = lambda plan: Cost(0.0, 0.010 if plan.every > 1 else 0.020, 0.002, 0.003, 0.0, 0.0)
    machine.watch(300.0)
    changes = [i / 60.0 for i, (a, b) in enumerate(pairwise(machine.plans)) if a.every > 1 and b.every == 1]
    apart = [later - earlier for earlier, later in pairwise(changes)]
    assert apart[-1] > 4 * SETTINGS.return_s
    assert len(changes) < 15


def test_each_change_is_logged_once(budget, caplog):
    machine = Machine(budget, 60.0, slower=3.0)
    machine.watch(4.0)
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert caplog.messages == [budget.describe()]


def test_the_sentence_says_all_that_is_left_out(budget):
    budget.landmarks = True
    Machine(budget, 60.0, slower=3.0).watch(4.0)
    assert budget.plan.every == 3
    assert budget.describe() == (
        "The computer that runs Glimpse is too slow for the camera, so 20 of the camera's 60 frames a second are "
        "looked at, the face's points are not sent, expressions are judged 5 times a second instead of 20."
    )
    budget.landmarks = False
    assert "points" not in budget.describe()


def test_one_that_is_switched_off_gives_nothing_up():
    off = Budget(msgspec.structs.replace(SETTINGS, enabled=False), 30.0)
    assert Machine(off, 60.0, slower=9.0).watch(20.0) == FULL


def test_an_encoder_that_was_asked_for_at_a_low_rate_has_fewer_rates_to_give_up():
    assert [plan.encoder_hz for plan in Budget(SETTINGS, 12.0).plans[:3]] == [12.0, 10.0, 5.0]


def test_landmarks_alone_are_given_up_where_that_is_enough(budget):
    budget.landmarks = True
    machine = Machine(budget, 60.0)
    machine.cost = lambda plan: Cost(0.0, 0.005, 0.002, 0.012, 0.004 * plan.landmarks, 0.001)
    assert machine.watch(20.0) == WatchPlan(5.0, landmarks=False, every=1)
    assert budget.describe().endswith(
        "so the face's points are not sent, expressions are judged 5 times a second instead of 30."
    )


def test_landmarks_that_nobody_wants_cost_nothing(budget):
    machine = Machine(budget, 60.0)
    machine.cost = lambda plan: Cost(0.0, 0.005, 0.002, 0.012, 0.004, 0.001)
    assert machine.watch(20.0) == FULL


def test_what_getting_a_frame_takes_is_not_saved_by_leaving_it_out(budget):
    machine = Machine(budget, 60.0)
    machine.cost = lambda plan: Cost(0.008, 0.020, 0.002, 0.003, 0.0, 0.001)
    plan = machine.watch(20.0)
    assert plan.every == 4  # (4 * 8 + 20) / (4 * 16.7) = 0.78; a third would be 0.88
    machine.cost = lambda plan: Cost(0.0, 0.020, 0.002, 0.003, 0.0, 0.001)
    assert machine.watch(60.0).every == 2


def test_a_thread_that_measures_too_slowly_is_given_fewer_frames(budget):
    machine = Machine(budget, 60.0)
    machine.cost = lambda plan: Cost(0.0, 0.002, 0.020, 0.002, 0.0, 0.001)
    assert machine.watch(20.0).every == 2


def test_one_hiccup_gives_nothing_up(budget):
    machine = Machine(budget, 60.0)
    machine.watch(5.0)
    usual, machine.cost = machine.cost, lambda plan: Cost(0.0, 0.3, 0.002, 0.3, 0.0, 0.004)
    machine.watch(1 / 60)
    machine.cost = usual
    machine.watch(5.0)
    assert set(machine.plans) == {FULL}


def test_few_frames_decide_nothing(budget):
    machine = Machine(budget, 60.0, slower=3.0)
    slow = machine.watch(5.0)
    machine.t += 60.0  # nobody was there
    machine.slower = 0.1
    assert machine.watch(0.1) == slow


def test_a_slow_camera_is_measured_over_more_time(budget):
    assert Machine(budget, 2.0, slower=90.0).watch(30.0).every > 1


def test_giving_up_twice_is_no_haste(budget):
    machine = Machine(budget, 60.0, slower=2.0)
    machine.watch(3.0)
    machine.slower = 4.0
    machine.watch(10.0)
    machine.slower = 1.0
    machine.watch(SETTINGS.return_s + 2 * SETTINGS.settle_s)
    assert budget.plan == FULL


def test_what_is_taken_back_must_fit():
    with pytest.raises(ConfigError, match=r"least is 0\.9, most 0\.5"):
        config.load(overrides=["budget.least=0.9", "budget.most=0.5"])
