import numpy as np
import pytest

from realtime.representation.contract.event import EventFrames
from realtime.representation.flow_fields import FlowFields, scaled
from realtime.representation.movement.fields import moments, normalised, sampled

MADE = FlowFields(48, 28, 4, "each", 5e-4, 8.0)
TIMES = 2.0 + np.arange(12) / 30


@pytest.fixture
def fields():
    return np.random.default_rng(3).normal(0.0, 0.01, (12, 2, 28, 28)).astype(np.float32)


def test_an_event_is_sampled_from_its_first_frame_to_its_apex_and_freed_of_its_strength(fields):
    found = MADE.of_event(EventFrames(TIMES, fields=fields), 2.2)["fields"]
    wanted = normalised(sampled(TIMES, fields, moments(2.0, 2.2, 4)), "each", 5e-4, 8.0)
    assert np.array_equal(found, wanted[None])
    stronger = MADE.of_event(EventFrames(TIMES, fields=3.0 * fields), 2.2)["fields"]
    assert stronger == pytest.approx(found, abs=1e-4)


def test_fields_may_lie_in_a_list_or_in_one_array(fields):
    one, many = (MADE.of_event(EventFrames(TIMES, fields=each), 2.2)["fields"] for each in (fields, list(fields)))
    assert np.array_equal(one, many)


def test_what_follows_the_apex_changes_nothing(fields):
    """Weights end with the frame behind the last moment."""
    other = fields.copy()
    other[9:] = 1.0
    one, two = (MADE.of_event(EventFrames(TIMES, fields=each), 2.2)["fields"] for each in (fields, other))
    assert np.array_equal(one, two)


def test_events_are_scaled_one_by_one_as_all_at_once(fields):
    events = np.stack([fields[:4], 2.0 * fields[4:8]])
    assert np.array_equal(scaled(events, MADE), np.concatenate([scaled(each[None], MADE) for each in events]))


def test_its_input_has_u_v_and_strain_of_each_moment():
    [spec] = MADE.inputs()
    assert (spec.name, spec.shape, spec.layout) == ("fields", (-1, 4, 3, 28, 28), "NTCHW")


def test_fields_of_another_side_are_not_made():
    assert list(FlowFields(48, 14, 4, "each", 5e-4, 8.0).misfits(None, 48)) == [
        "sees fields of side 14, 28 are made: train it again"
    ]


def test_a_card_says_how_many_moments_on_which_grid():
    assert MADE.describe() == "u, v and strain at 4 moments from onset to apex, on a grid of 28 by 28"
