import msgspec
import pytest
from messages import event

from realtime.capture.source import open_source
from realtime.demo import truth
from realtime.demo.truth import Agreement, Scripted, Truth, score
from realtime.labels import MEGC3, VOCABULARIES

SCRIPT = Truth(
    rate_hz=60.0,
    seconds=10.0,
    events=[
        Scripted("blink", "", 0.5, 0.58, 0.72),
        Scripted("micro", "surprise", 2.0, 2.2, 2.4),
        Scripted("macro", "positive", 4.0, 4.5, 6.0),
        Scripted("micro", "negative", 8.0, 8.1, 8.3),
    ],
)
EVENT = event(1, 2.2, onset_s=2.0, offset_s=2.4)


def moved(onset, apex, offset, **changes):
    return msgspec.structs.replace(EVENT, onset_s=onset, apex_s=apex, offset_s=offset, **changes)


def counted(events, until=None):
    found = score(SCRIPT, events, MEGC3, until)
    return found.micro, found.found, found.false, found.labelled


def test_nothing_heard_is_nothing_found():
    assert score(SCRIPT, [], MEGC3) == Agreement(micro=2, found=0, false=0, labelled=0, apex_error_ms_median=None)


def test_what_is_as_scripted_is_found_without_error():
    events = [EVENT, moved(8.0, 8.1, 8.3, label="negative")]
    assert score(SCRIPT, events, MEGC3) == Agreement(micro=2, found=2, false=0, labelled=2, apex_error_ms_median=0.0)


def test_another_class_is_found_but_not_labelled():
    assert counted([moved(2.0, 2.2, 2.4, label="positive")]) == (2, 1, 0, 0)


def test_classes_are_compared_only_with_an_engine_that_tells_the_scripted_ones():
    events = [moved(2.0, 2.2, 2.4)]  # "surprise", as it is scripted
    assert score(SCRIPT, events, ("calm", *MEGC3)).labelled == 1
    assert score(SCRIPT, events, VOCABULARIES["casme2-5"]).labelled is None
    assert score(SCRIPT, events, VOCABULARIES["casme2-5"]).found == 1


def test_two_events_over_one_truth_are_one_found_and_one_false():
    near, far = moved(2.1, 2.25, 2.3), moved(2.3, 2.35, 2.5, label="negative")
    for events in ([near, far], [far, near]):
        found = score(SCRIPT, events, MEGC3)
        assert (found.found, found.false, found.labelled, found.apex_error_ms_median) == (1, 1, 1, 50.0)


def test_one_event_over_two_truths_finds_the_one_whose_apex_is_nearer():
    assert counted([moved(2.3, 5.0, 8.2)]) == (2, 1, 0, 1)
    assert counted([moved(2.3, 5.2, 8.2)]) == (2, 1, 0, 0)


@pytest.mark.parametrize("times", [(0.5, 0.6, 0.7), (2.5, 2.6, 2.7), (1.5, 1.8, 2.0), (2.4, 2.5, 2.6)])
def test_an_event_that_only_touches_or_lies_elsewhere_is_false(times):
    assert counted([moved(*times)]) == (2, 0, 1, 0)


def test_macro_early_and_withdrawn_answers_do_not_count():
    others = [
        moved(2.0, 2.2, 2.4, kind="macro"),
        moved(2.0, 2.2, None, stage="early"),
        moved(2.0, 2.2, 2.4, stage="withdrawn"),
    ]
    assert counted(others) == (2, 0, 0, 0)


def test_the_apex_error_is_the_median_over_the_found_ones():
    assert score(SCRIPT, [moved(2.0, 2.23, 2.4), moved(8.0, 8.15, 8.3)], MEGC3).apex_error_ms_median == 40.0


def test_a_run_that_was_cut_short_is_not_blamed_for_the_rest():
    assert counted([EVENT], until=5.0) == (1, 1, 0, 1)
    assert counted([EVENT, moved(8.0, 8.1, 8.19)], until=8.2) == (1, 1, 0, 1)  # over one that was cut: neither
    assert counted([EVENT, moved(7.0, 7.1, 7.2)], until=8.2) == (1, 1, 1, 1)


def test_the_truth_that_is_bundled_is_of_the_bundled_stream():
    from realtime.config import load

    found = truth.load()
    source = open_source(str(truth.VIDEO), load().source, fast=True)
    assert source.rate_hz == pytest.approx(found.rate_hz)
    source.close()
    assert {scripted.role for scripted in found.events} == {"micro", "macro", "blink"}
    for scripted in found.events:
        assert 0 < scripted.onset < scripted.apex < scripted.offset <= found.seconds
        assert (scripted.offset - scripted.onset <= 0.5) == (scripted.role != "macro")
