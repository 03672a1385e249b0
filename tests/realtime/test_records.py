import dataclasses

import numpy as np
import pytest

from realtime import records
from realtime.records import Frame

RECORDS = [kind for kind in vars(records).values() if dataclasses.is_dataclass(kind)]
IMAGE = np.zeros((2, 2, 3), np.uint8)


@pytest.mark.parametrize("kind", RECORDS, ids=lambda kind: kind.__name__)
def test_no_stage_can_fill_in_or_extend_a_record(kind):
    assert kind.__dataclass_params__.frozen
    assert hasattr(kind, "__slots__")
    assert not [field.name for field in dataclasses.fields(kind) if field.default is not dataclasses.MISSING]


@pytest.mark.parametrize("kind", RECORDS, ids=lambda kind: kind.__name__)
def test_a_record_that_holds_an_array_is_equal_to_itself_alone(kind):
    """Or == would answer with an array."""
    holds_array = any(str(field.type) in ("Image", "Floats") for field in dataclasses.fields(kind))
    assert kind.__dataclass_params__.eq != holds_array


def test_a_frame_is_itself_and_no_other():
    frame = Frame(IMAGE, 0.0, 0, gap=0, grabbed=0.0)
    assert frame == frame
    assert frame != dataclasses.replace(frame)
