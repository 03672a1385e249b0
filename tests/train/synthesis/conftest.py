import pytest

from realtime.labels import MEGC3
from train.synthesis.script.prototypes import NONE, PROTOTYPES


@pytest.fixture(scope="session")
def class_of():
    """The class that a coding shows by the table of combinations; none for what stands in none."""

    def shown(units):
        numbers = tuple(sorted({unit.number for unit in units}))
        return next((label for label in MEGC3 if numbers in PROTOTYPES[label]), NONE)

    return shown
