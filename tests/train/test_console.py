import pytest

from realtime.errors import ConfigError
from train.console import numbers


def test_numbers_of_an_option_are_between_its_bounds():
    assert numbers("--rates", "30, 60", 1.0, 1000.0) == [30.0, 60.0]
    assert numbers("--strengths", "1,0", 0.0, 1.0) == [1.0, 0.0]


@pytest.mark.parametrize("wrong", ["", "fast", "0", "4,-1", "1e9", "1;2", "nan"])
def test_what_is_no_number_or_beyond_the_bounds_is_named_with_its_option(wrong):
    with pytest.raises(ConfigError, match=rf"--speeds '{wrong}': wanted numbers between 0\.25 and 16"):
        numbers("--speeds", wrong, 0.25, 16.0)
