import numpy as np
import pytest

from realtime.representation.contract.event import EventFrames

TIMES = np.array([0.0, 0.1, 0.2])


def test_an_event_gives_what_it_was_given():
    pictures, fields = np.zeros((3, 8, 8, 3), np.uint8), np.zeros((3, 2, 4, 4), np.float32)
    embeddings = [np.zeros(5, np.float32)] * 3
    event = EventFrames(TIMES, images=pictures, fields=fields, embeddings=embeddings)
    assert event.times is TIMES
    assert event.images is pictures
    assert event.fields is fields
    assert event.embedded.embeddings is embeddings
    assert event.embedded.fields is fields


@pytest.mark.parametrize(("part", "name"), [("images", "pictures"), ("fields", "fields"), ("embeddings", "embeddings")])
def test_what_it_was_not_given_is_named(part, name):
    with pytest.raises(ValueError, match=f"made of {name}, which this event was not given"):
        getattr(EventFrames(TIMES), part)


@pytest.mark.parametrize(("part", "name"), [("images", "pictures"), ("fields", "fields"), ("embeddings", "embeddings")])
def test_there_is_one_of_each_for_every_frame(part, name):
    with pytest.raises(ValueError, match=f"2 {name} at 3 times"):
        EventFrames(TIMES, **{part: np.zeros((2, 4))})
