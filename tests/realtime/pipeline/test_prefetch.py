import itertools
import threading
import time

import pytest

from realtime.pipeline.prefetch import Prefetch


def waited_for(condition, seconds=5.0):
    until = time.monotonic() + seconds
    while not condition() and time.monotonic() < until:
        time.sleep(0.005)
    return condition()


def ended(ahead):
    ahead._thread.join(5.0)
    return not ahead._thread.is_alive()


def test_items_come_in_order_and_all_of_them():
    assert list(Prefetch(iter(range(500)), 3)) == list(range(500))
    assert list(Prefetch(iter([]), 3)) == []


def test_items_are_made_in_another_thread():
    makers = list(Prefetch((threading.get_ident() for _ in range(3)), 2))
    assert len(set(makers)) == 1
    assert threading.get_ident() not in makers


def test_none_is_an_item_like_any_other():
    assert list(Prefetch(iter([None, 1, None]), 1)) == [None, 1, None]


def test_an_error_is_raised_where_the_items_are_used_after_those_before_it():
    def items():
        yield 1
        yield 2
        raise LookupError("the third")

    ahead = iter(Prefetch(items(), 2))
    assert [next(ahead), next(ahead)] == [1, 2]
    with pytest.raises(LookupError, match="the third"):
        next(ahead)


def test_no_more_than_size_items_lie_ready():
    made = []

    def items():
        for number in itertools.count():
            made.append(number)
            yield number

    ahead = Prefetch(items(), 3)
    assert waited_for(lambda: len(made) == 4)  # three ready, and one in the hand
    time.sleep(0.15)
    assert len(made) == 4
    assert next(iter(ahead)) == 0
    assert waited_for(lambda: len(made) == 5)
    ahead.close()


def test_close_ends_a_thread_that_waits_for_room():
    ahead = Prefetch(itertools.count(), 1)
    assert next(iter(ahead)) == 0
    ahead.close()
    assert ended(ahead)


def test_close_ends_a_thread_as_soon_as_its_source_wakes():
    awake = threading.Event()

    def items():
        awake.wait(10.0)
        yield 1

    ahead = Prefetch(items(), 1)
    ahead.stop()
    awake.set()
    ahead.close()
    assert ended(ahead)


def test_stop_ends_an_iteration_for_which_nothing_comes():
    awake = threading.Event()

    def items():
        awake.wait(10.0)
        yield 1

    ahead = Prefetch(items(), 1)
    threading.Timer(0.05, ahead.stop).start()
    began = time.monotonic()
    assert list(ahead) == []
    assert time.monotonic() - began < 5.0
    awake.set()
    ahead.close()


def test_an_error_after_the_stop_is_nobodys():
    awake = threading.Event()

    def items():
        awake.wait(10.0)
        raise LookupError
        yield

    ahead = Prefetch(items(), 1)
    ahead.stop()
    awake.set()
    ahead.close()
    assert ended(ahead)
    assert list(ahead) == []


def test_a_generator_that_is_not_read_to_its_end_is_closed_when_its_thread_ends():
    closed = threading.Event()

    def numbers():
        try:
            yield from itertools.count()
        finally:
            closed.set()

    ahead = Prefetch(numbers(), 2)
    assert next(iter(ahead)) == 0
    ahead.close()
    assert closed.is_set()  # and not whenever the collector comes
