from dataclasses import replace
from types import SimpleNamespace

import msgspec
import numpy as np
import pytest

from realtime.config import ConfidenceConfig, RecogniseConfig
from realtime.errors import EngineError
from realtime.labels import FERPLUS, MEGC3, NONE, VOCABULARIES
from realtime.recognition.encode import Encoder, Smoothed, softmax
from realtime.recognition.recognise import Judges, Recogniser
from realtime.recognition.window import Encoded, Seen, Window
from realtime.records import Apex, Crop, Offset, Pose
from realtime.representation.apex_change import ApexChange, apex_pair
from realtime.representation.apex_field import ApexField
from realtime.representation.clip_images import ClipImages
from realtime.representation.crop_images import IMAGENET_MEAN, IMAGENET_STD, CropImages, crop_images
from realtime.representation.embedding_sequence import EmbeddingSequence
from realtime.representation.flow_fields import FlowFields, scaled
from realtime.representation.movement.change import changed
from realtime.representation.movement.fields import moments, sampled

PLAIN = ConfidenceConfig(micro=(0.0, 1.0), macro=(0.0, 1.0))
CONFIG = RecogniseConfig(
    smooth_s=0.25, half_strength=5.0, reject=0.5, floor=0.01, sharpness=1.0, look=0.0, weights={}, confidence=PLAIN
)
PICTURES = CropImages(48, 32, IMAGENET_MEAN, IMAGENET_STD)
SEQUENCE = EmbeddingSequence("encoder", "0" * 64, 4, 2)
FIELDS = FlowFields(48, 28, 3, "each", 5e-4, 8.0)
RATE_HZ = 10.0


class Fake:
    """An engine that gives `answers` and keeps what it was asked."""

    precision, backend = "f32", "none"

    def __init__(self, name, labels, representation, answers):
        self.manifest = SimpleNamespace(name=name, labels=labels, representation=representation)
        self.answers = answers
        self.asked = []

    def run(self, inputs):
        self.asked.append(inputs)
        return self.answers(inputs)


def shares(labels, **given):
    return np.array([given.get(label, 0.0) for label in labels], np.float32)


def crop(t, face=1, level=0):
    image = np.full((48, 48, 3), level, np.uint8)
    return Crop(face, t, image, np.zeros((468, 2), np.float32), np.eye(2, 3, dtype=np.float32), Pose(0, 0, 0))


def seen(t, **given):
    """A frame at `t`, as bright as it is late, its embedding (t, t), judged by the encoder as `given`."""
    field = np.full((2, 28, 28), t, np.float32)
    return Seen(crop(t, level=round(100 * t)), field, Encoded(np.full(2, t, np.float32), shares(FERPLUS, **given)))


@pytest.fixture
def encoder():
    return Encoder(Fake("encoder", FERPLUS, PICTURES, None))


@pytest.fixture
def head():
    logits = np.log(np.array([[0.7, 0.1, 0.2]], np.float32))
    return Fake("cmn", MEGC3, SEQUENCE, lambda inputs: {"logits": logits})


@pytest.fixture
def window():
    """Two seconds; neutral but for fear from 1.0 to 1.2 s."""
    window = Window(5.0)
    for number in range(21):
        feared = 10 <= number <= 12
        window.push(seen(number / RATE_HZ, fear=0.75 * feared, neutral=1.0 - 0.75 * feared))
    return window


def apex(kind="micro", strength=5.0):
    return Apex(event=3, face=1, onset=0.8, t=1.1, kind=kind, strength=strength)


def offset(kind="micro", reason="", strength=15.0):
    return Offset(event=3, face=1, onset=0.8, apex=1.1, t=1.3, kind=kind, strength=strength, reason=reason)


@pytest.mark.parametrize(
    ("kind", "end", "stage", "reason"),
    [("micro", 1.3, "final", ""), ("micro", 1.15, "withdrawn", "sparse"), ("macro", 1.15, "final", "")],
)
def test_a_micro_expression_of_fewer_than_four_frames_is_withdrawn(encoder, head, window, kind, end, stage, reason):
    told = Offset(event=3, face=1, onset=0.8, apex=1.1, t=end, kind=kind, strength=15.0, reason="")
    found = Recogniser(CONFIG, encoder, Judges((head,))).final(told, window, 1.4, ())
    assert (found.stage, found.reason) == (stage, reason)
    assert (found.confidence > 0.0) == (stage == "final")


def test_it_is_not_told_early_before_so_many_frames_have_been_seen(encoder, head, window):
    recogniser = Recogniser(CONFIG, encoder, Judges((head,)))
    assert recogniser.early(apex(), window, 1.15, ()) is None
    assert recogniser.early(apex(), window, 1.2, ()) is not None
    assert recogniser.early(apex("macro"), window, 1.15, ()) is not None


def test_softmax_is_the_formula_and_holds_large_numbers():
    logits = np.array([[0.0, np.log(3.0)], [5.0, 5.0]], np.float32)
    assert softmax(logits) == pytest.approx(np.array([[0.25, 0.75], [0.5, 0.5]]))
    assert softmax(np.array([1e4, 0.0, -1e4], np.float32)).tolist() == [1.0, 0.0, 0.0]
    assert softmax(logits).dtype == np.float32


def test_the_faces_of_a_frame_go_through_the_encoder_together():
    embeddings = np.arange(4, dtype=np.float32).reshape(2, 2)
    logits = np.log(np.stack([shares(FERPLUS, fear=1.0), shares(FERPLUS, anger=1.0)]) + 1e-9)
    engine = Fake("encoder", FERPLUS, PICTURES, lambda inputs: {"embedding": embeddings, "logits": logits})
    crops = [crop(0.5, face=1, level=10), crop(0.5, face=2, level=200)]
    found = Encoder(engine).see(crops)
    assert len(engine.asked) == 1
    assert np.array_equal(engine.asked[0]["images"], crop_images([one.image for one in crops], PICTURES))
    assert [one.embedding.tolist() for one in found] == [[0.0, 1.0], [2.0, 3.0]]
    assert [FERPLUS[one.probabilities.argmax()] for one in found] == ["fear", "anger"]


def test_without_faces_the_encoder_rests(encoder):
    assert encoder.see([]) == []


def test_smoothing_is_a_low_pass_in_seconds_whatever_the_rate():
    for rate_hz in (10.0, 100.0):
        smoothed = Smoothed(CONFIG)
        assert smoothed.push(0.0, shares(FERPLUS, neutral=1.0)) == pytest.approx(shares(FERPLUS, neutral=1.0))
        for number in range(1, round(0.5 * rate_hz) + 1):
            found = smoothed.push(number / rate_hz, shares(FERPLUS, fear=1.0))
        assert found[FERPLUS.index("fear")] == pytest.approx(1.0 - np.exp(-0.5 / 0.25), abs=1e-3)
        assert found.sum() == pytest.approx(1.0)


def test_without_a_smoothing_time_every_frame_stands_for_itself():
    smoothed = Smoothed(msgspec.structs.replace(CONFIG, smooth_s=0.0))
    smoothed.push(0.0, shares(FERPLUS, neutral=1.0))
    assert smoothed.push(0.1, shares(FERPLUS, fear=1.0)) == pytest.approx(shares(FERPLUS, fear=1.0))


def test_a_micro_expression_is_judged_by_the_head_and_both_engines_are_reported(encoder, head, window):
    found = Recogniser(CONFIG, encoder, Judges((head,))).early(apex(), window, 1.2, ("dark",))
    assert (found.id, found.face, found.kind, found.stage) == (3, 1, "micro", "early")
    assert (found.onset_s, found.apex_s, found.offset_s, found.emitted_s) == (0.8, 1.1, None, 1.2)
    assert (found.label, found.quality, found.reason) == ("negative", ("dark",), "")
    assert set(found.probabilities) == {"cmn", "encoder"}
    assert found.probabilities["cmn"] == pytest.approx({"negative": 0.7, "positive": 0.1, "surprise": 0.2})


def test_a_macro_expression_is_judged_by_the_encoder_around_the_apex(encoder, head, window):
    found = Recogniser(CONFIG, encoder, Judges((head,))).early(apex("macro"), window, 1.2, ())
    assert found.label == "fear"
    assert found.probabilities["encoder"]["fear"] == pytest.approx(0.75)  # of 1.0, 1.1 and 1.2 s alone
    assert found.probabilities["encoder"]["neutral"] == pytest.approx(0.25)


def test_confidence_is_the_labels_share_times_how_sure_the_movement_is(encoder, head, window):
    recogniser = Recogniser(CONFIG, encoder, Judges((head,)))
    assert recogniser.early(apex(strength=5.0), window, 1.2, ()).confidence == pytest.approx(0.7 * 0.5)
    assert recogniser.final(offset(strength=15.0), window, 1.4, ()).confidence == pytest.approx(0.7 * 0.75)
    assert recogniser.early(apex("macro", strength=5.0), window, 1.2, ()).confidence == pytest.approx(0.75 * 0.5)


def test_the_head_sees_the_event_so_far_and_at_the_end_all_of_it(encoder, head, window):
    recogniser = Recogniser(CONFIG, encoder, Judges((head,)))
    recogniser.early(apex(), window, 1.2, ())
    recogniser.final(offset(), window, 1.9, ())
    early, final = (asked["embeddings"] for asked in head.asked)
    assert early.shape == final.shape == (1, 4, 2)
    assert early[0, :, 0] == pytest.approx([0.8, 0.9, 1.1, 1.2])  # onset to now: 5 frames
    assert final[0, :, 0] == pytest.approx([0.8, 1.0, 1.1, 1.3])  # onset to offset, whatever came after: 6 frames


@pytest.mark.parametrize(
    ("representation", "early", "final"),
    [
        (PICTURES, [1.1], [1.1]),
        (ClipImages(3, PICTURES), [0.8, 1.0, 1.2], [0.8, 1.0, 1.3]),
    ],
    ids=["apex", "clip"],
)
def test_an_engine_of_pictures_sees_the_events_frames(encoder, window, representation, early, final):
    judge = Fake("mine", ("calm", "tense"), representation, lambda inputs: {"logits": np.zeros((1, 2), np.float32)})
    recogniser = Recogniser(CONFIG, encoder, Judges((judge,)))
    found = recogniser.early(apex(), window, 1.2, ())
    recogniser.final(offset(), window, 1.9, ())
    assert found.probabilities["mine"] == pytest.approx({"calm": 0.5, "tense": 0.5})
    assert found.label in ("calm", "tense")
    for asked, times in zip(judge.asked, (early, final), strict=True):
        images = [crop(t, level=round(100 * t)).image for t in times]
        [made] = asked.values()
        frames = made.transpose(0, 2, 1, 3, 4)[0] if isinstance(representation, ClipImages) else made
        assert np.array_equal(frames, crop_images(images, PICTURES))


def test_what_changed_is_shown_from_the_events_first_frame_to_its_apex(encoder, window):
    change = ApexChange(48, 32, 0.0, 20.0)
    span = window.span(0.8, 1.3)
    images = [seen.crop.image for seen in span.frames]
    times = np.array([seen.crop.t for seen in span.frames])
    wanted = changed(apex_pair(times, images, 1.04, change)[None], 20.0)
    assert np.array_equal(change.of_event(span, 1.04)["images"], wanted)
    assert not np.array_equal(change.of_event(window.span(0.9, 1.3), 1.04)["images"], wanted)


def test_the_picture_of_the_apex_is_the_events_nearest(encoder, window):
    frames = window.span(0.8, 1.3)
    for t, nearest in [(1.04, 1.0), (1.06, 1.1), (0.0, 0.8), (9.0, 1.3)]:
        wanted = crop_images([crop(nearest, level=round(100 * nearest)).image], PICTURES)
        assert np.array_equal(PICTURES.of_event(frames, t)["images"], wanted)


def test_the_final_answer_has_the_id_of_the_early_one(encoder, head, window):
    recogniser = Recogniser(CONFIG, encoder, Judges((head,)))
    early, final = recogniser.early(apex(), window, 1.2, ()), recogniser.final(offset(), window, 1.4, ())
    assert early.id == final.id
    assert (final.stage, final.offset_s, final.emitted_s) == ("final", 1.3, 1.4)


@pytest.mark.parametrize("reason", ["unsure", "lost"])
def test_what_was_no_expression_is_withdrawn_without_confidence(encoder, head, window, reason):
    found = Recogniser(CONFIG, encoder, Judges((head,))).final(offset(kind=None, reason=reason), window, 1.4, ())
    assert (found.stage, found.confidence, found.reason, found.offset_s) == ("withdrawn", 0.0, reason, 1.3)


def reader(clear=1.0):
    """An engine that reads one unit in every event, without sides; it is told where that is clear."""
    answer = {"strength": np.array([[0.4, 0.0]], np.float32), "logits": np.array([[clear, -1.0]], np.float32)}
    return Fake("units", ("26", "17"), ApexField(48, 28, 0.0), lambda inputs: answer)


def test_an_answer_says_what_moved_from_onset_to_apex_and_a_withdrawn_one_does_not(encoder, head, window):
    units = reader()
    recogniser = Recogniser(CONFIG, encoder, Judges((head,), (), units))
    early, final = recogniser.early(apex(), window, 1.2, ()), recogniser.final(offset(), window, 1.4, ())
    assert [unit.words for unit in early.units] == [unit.words for unit in final.units] == ["jaw down"]
    assert units.asked[0]["field"].shape == (1, 2, 28, 28)
    assert recogniser.final(offset(kind=None, reason="unsure"), window, 1.4, ()).units == ()


def test_what_moved_changes_nothing_of_what_is_judged(encoder, head, window):
    with_units = Recogniser(CONFIG, encoder, Judges((head,), (), reader())).final(offset(), window, 1.4, ())
    without = Recogniser(CONFIG, encoder, Judges((head,))).final(offset(), window, 1.4, ())
    assert replace(with_units, units=()) == without
    silent = Recogniser(CONFIG, encoder, Judges((head,), (), reader(clear=0.0))).final(offset(), window, 1.4, ())
    assert silent == without


def judge_of(nothing):
    """An engine of fields that gives `nothing` to "none", and most of the rest to surprise."""
    given = np.log(np.array([[0.1, 0.2, 0.7, 0.0]]) * (1 - nothing) + [[0, 0, 0, nothing]])
    return Fake("motion", (*MEGC3, NONE), FIELDS, lambda inputs: {"logits": given.astype(np.float32)})


def test_an_engine_of_fields_sees_the_frames_from_onset_to_apex_alike_early_and_finally(encoder, window):
    judge = judge_of(0.1)
    recogniser = Recogniser(CONFIG, encoder, Judges((judge,)))
    recogniser.early(apex(), window, 1.2, ())
    recogniser.final(offset(), window, 1.9, ())
    early, final = (asked["fields"] for asked in judge.asked)
    assert early.shape == (1, 3, 3, 28, 28)
    assert np.array_equal(early, final)
    seen = window.span(0.8, 1.2).frames
    times, fields = np.array([one.crop.t for one in seen]), np.stack([one.field for one in seen])
    assert np.array_equal(early, scaled(sampled(times, fields, moments(0.8, 1.1, 3))[None], FIELDS))


@pytest.mark.parametrize("nothing", [0.1, 0.49, 0.51, 0.9])
def test_an_event_that_the_engine_calls_none_is_doubted_early_and_withdrawn_finally(encoder, window, nothing):
    stage = "withdrawn" if nothing > 0.5 else "final"
    recogniser = Recogniser(CONFIG, encoder, Judges((judge_of(nothing),)))
    early = recogniser.early(apex(strength=5.0), window, 1.2, ())
    final = recogniser.final(offset(strength=5.0), window, 1.4, ())
    assert (early.stage, early.label) == ("early", "surprise")  # whatever is likeliest, none is no label
    assert early.confidence == pytest.approx(0.7 * (1 - nothing) * 0.5)
    assert (final.stage, final.label, final.reason) == (stage, "surprise", NONE if stage == "withdrawn" else "")
    assert final.confidence == (pytest.approx(early.confidence) if stage == "final" else 0.0)
    assert final.probabilities["motion"][NONE] == pytest.approx(nothing)


def test_what_the_engine_of_micro_expressions_calls_none_may_be_a_macro_expression(encoder, window):
    found = Recogniser(CONFIG, encoder, Judges((judge_of(0.9),))).final(offset("macro", "held"), window, 1.4, ())
    assert (found.stage, found.label, found.reason) == ("final", "fear", "held")


def test_a_reason_of_the_detector_stays(encoder, window):
    found = Recogniser(CONFIG, encoder, Judges((judge_of(0.9),))).final(
        offset(kind=None, reason="unsure"), window, 1.4, ()
    )
    assert (found.stage, found.reason) == ("withdrawn", "unsure")


def judging(name, labels, **given):
    """An engine of embeddings that always says `given`."""
    logits = np.log(np.maximum(shares(labels, **given), 1e-9))[None]
    return Fake(name, labels, SEQUENCE, lambda inputs: {"logits": logits})


@pytest.fixture
def fused(encoder):
    """Judges by two: odds of none are 1/4, if it is something (1/4, 1/4, 1/2) and (1, 4, 2) / 7; see `test_pool`."""
    motion = judging("motion", (*MEGC3, NONE), negative=0.2, positive=0.2, surprise=0.4, none=0.2)
    cmn = judging("cmn", MEGC3, negative=1 / 7, positive=4 / 7, surprise=2 / 7)
    return Judges((motion, cmn))


@pytest.mark.parametrize(("heavy", "label", "share"), [("cmn", "positive", 0.4853), ("motion", "surprise", 0.4531)])
def test_several_engines_of_micro_expressions_give_one_verdict(encoder, fused, window, heavy, label, share):
    # Of positive (1/4)^(1/4) (4/7)^(3/4) = 0.4648 beside 0.1643 and 0.3286; of surprise (1/2)^(3/4) (2/7)^(1/4) ...
    config = msgspec.structs.replace(CONFIG, weights={heavy: 3.0})
    found = Recogniser(config, encoder, fused).early(apex(strength=5.0), window, 1.2, ())
    together = found.probabilities["motion+cmn"]
    assert set(found.probabilities) == {"motion", "cmn", "motion+cmn", "encoder"}
    assert found.probabilities["motion"]["surprise"] == pytest.approx(0.4)
    assert (found.label, together[NONE]) == (label, pytest.approx(0.2))
    assert together[label] == pytest.approx(0.8 * share, abs=1e-4)
    assert found.confidence == pytest.approx(0.5 * together[label])


def test_engines_of_micro_expressions_are_together_as_sure_as_the_settings_have_it(encoder, fused, window):
    # If it is something 1 : 2 : 2, or 1 : 4 : 4; odds of none are 1/4, of one engine alone, which is not sharpened.
    config = msgspec.structs.replace(CONFIG, sharpness=2.0)
    together = Recogniser(config, encoder, fused).early(apex(), window, 1.2, ()).probabilities["motion+cmn"]
    assert together == pytest.approx({"negative": 0.8 / 9, "positive": 3.2 / 9, "surprise": 3.2 / 9, "none": 0.2})


@pytest.mark.parametrize(("none", "stage"), [(0.4, "final"), (0.6, "withdrawn")])
def test_what_the_engines_together_call_none_is_withdrawn(encoder, window, none, stage):
    motion = judging("motion", (*MEGC3, NONE), surprise=1 - none, none=none)
    cmn = judging("cmn", MEGC3, negative=0.9, positive=0.05, surprise=0.05)
    found = Recogniser(CONFIG, encoder, Judges((cmn, motion))).final(offset(), window, 1.4, ())
    assert (found.stage, found.reason) == (stage, NONE if stage == "withdrawn" else "")
    assert found.probabilities["cmn+motion"][NONE] == pytest.approx(none)


def test_a_macro_expression_is_judged_by_the_encoder_and_the_dynamic_engine_over_the_event(encoder, head, window):
    dfew = VOCABULARIES["dfew-7"]
    dynamic = judging("dynamic", dfew, sadness=0.9, fear=0.1)
    found = Recogniser(CONFIG, encoder, Judges((head,), (dynamic,))).final(offset("macro"), window, 1.4, ())
    still, moving = found.probabilities["encoder"], found.probabilities["dynamic"]
    together = found.probabilities["encoder+dynamic"]
    assert list(together) == list(FERPLUS)
    assert found.label == "fear"  # sqrt(0.75 * 0.1) against sqrt(0.01 * 0.9) of sadness, and sqrt(0.25 * 0.01)
    assert together["fear"] / together["sadness"] == pytest.approx(np.sqrt(0.075 / 0.009), rel=1e-4)
    assert together["contempt"] == still["contempt"] == 0.0
    assert found.confidence == pytest.approx(0.75 * together["fear"])
    assert dynamic.asked[0]["embeddings"][0, :, 0] == pytest.approx([0.8, 1.0, 1.1, 1.3])
    assert "contempt" not in moving


@pytest.fixture
def resting():
    """Two seconds of a face that is `rest` neutral and else sad at first; from 1.0 to 1.2 s it is a little happy."""

    def with_rest(rest):
        window = Window(5.0)
        for number in range(21):
            shown = {"neutral": 0.8, "happiness": 0.2} if 10 <= number <= 12 else {"neutral": rest, "sadness": 1 - rest}
            window.push(seen(number / RATE_HZ, **shown))
        return window

    return with_rest


@pytest.mark.parametrize("answer", ["early", "final"])
@pytest.mark.parametrize("rest", [1.0, 0.6])
def test_a_macro_expression_is_told_by_how_it_moved_as_far_as_it_began_at_rest(encoder, resting, rest, answer):
    # Odds of 4 for neutral, and of 48 for what moved; the latter with a weight of `rest` beside 1.
    motion = judging("motion", (*MEGC3, NONE), positive=0.96, none=0.02, negative=0.01, surprise=0.01)
    recogniser = Recogniser(CONFIG, encoder, Judges((motion,), (motion,)))
    given = {"early": (recogniser.early, apex("macro")), "final": (recogniser.final, offset("macro"))}
    tell, moment = given[answer]
    found = tell(moment, resting(rest), 1.4, ())
    together = found.probabilities["encoder+motion"]
    assert (found.stage, found.label, list(together)) == (answer, "happiness", list(FERPLUS))
    assert together["happiness"] / together["neutral"] == pytest.approx((0.25 * 48**rest) ** (1 / (1 + rest)), rel=1e-3)
    assert len(motion.asked) == 1


def test_those_who_look_and_those_who_see_it_move_count_the_same_however_many_they_are(encoder, resting):
    motion = judging("motion", (*MEGC3, NONE), positive=0.96, none=0.02, negative=0.01, surprise=0.01)
    again = judging("again", (*MEGC3, NONE), positive=0.96, none=0.02, negative=0.01, surprise=0.01)
    dynamic = judging("dynamic", FERPLUS, neutral=0.8, happiness=0.2)
    few, many = (
        Recogniser(CONFIG, encoder, Judges((motion,), macro)).final(offset("macro"), resting(1.0), 1.4, ())
        for macro in ((motion,), (dynamic, motion, again))
    )
    found, wanted = many.probabilities["encoder+dynamic+motion+again"], few.probabilities["encoder+motion"]
    assert found["happiness"] / found["neutral"] == pytest.approx(wanted["happiness"] / wanted["neutral"], rel=1e-3)


def test_weights_are_of_whoever_looks_and_whoever_sees_it_move(encoder, resting):
    motion = judging("motion", (*MEGC3, NONE), positive=0.96, none=0.02, negative=0.01, surprise=0.01)
    dynamic = judging("dynamic", FERPLUS, neutral=0.8, happiness=0.2)
    config = msgspec.structs.replace(CONFIG, weights={"dynamic": 5.0, "motion": 9.0})
    judges = Judges((motion,), (dynamic, motion))
    found = Recogniser(config, encoder, judges).final(offset("macro"), resting(1.0), 1.4, ())
    together = found.probabilities["encoder+dynamic+motion"]  # (1 + 5) / 2 to look, 9 for the movement
    assert together["happiness"] / together["neutral"] == pytest.approx(0.25**0.25 * 48**0.75, rel=1e-3)


def test_a_macro_expression_is_not_withdrawn_for_what_only_the_others_call_none(encoder, window):
    motion, dynamic = judge_of(0.9), judging("dynamic", VOCABULARIES["dfew-7"], happiness=1.0)
    found = Recogniser(CONFIG, encoder, Judges((motion,), (dynamic,))).final(offset("macro"), window, 1.4, ())
    assert (found.stage, found.probabilities["motion"][NONE]) == ("final", pytest.approx(0.9))


def test_a_face_that_looks_neutral_shows_no_macro_expression(encoder, resting):
    recogniser = Recogniser(CONFIG, encoder, Judges((judge_of(0.1),)))
    assert recogniser.early(apex("macro"), resting(1.0), 1.4, ()) is None
    found = recogniser.final(offset("macro"), resting(1.0), 1.4, ())
    assert (found.stage, found.reason, found.confidence) == ("withdrawn", NONE, 0.0)
    assert found.label == "happiness"  # the surest that names an expression
    lenient = msgspec.structs.replace(CONFIG, reject=0.9)
    told = Recogniser(lenient, encoder, Judges((judge_of(0.1),))).final(offset("macro"), resting(1.0), 1.4, ())
    assert (told.stage, told.label, told.probabilities["encoder"]["neutral"]) == (
        "final",
        "happiness",
        pytest.approx(0.8),
    )
    assert told.confidence == pytest.approx(0.2 * 0.75)


@pytest.mark.parametrize("none", [True, False])
def test_a_clear_look_says_what_a_micro_expression_is(encoder, window, none):
    # Fear at the apex is negative, 3 : 1 against none, and before there was none: a weight of 9 / 16 beside what moved.
    labels = (*MEGC3, NONE) if none else MEGC3
    motion = judging("motion", labels, positive=0.8 if none else 1.0, **({"none": 0.2} if none else {}))
    config = msgspec.structs.replace(CONFIG, look=1.0)
    found = Recogniser(config, encoder, Judges((motion,))).early(apex(), window, 1.2, ())
    together = found.probabilities["motion+encoder"]
    assert set(together) == set(labels)
    if none:
        ratio = (0.2 / 0.01) ** (1 / 1.5625) * (0.25 / 0.75) ** (0.5625 / 1.5625)
        assert together[NONE] / together["negative"] == pytest.approx(ratio, rel=1e-3)
    assert together["negative"] / together["positive"] == pytest.approx(0.01 ** ((1 - 0.5625) / 1.5625), rel=5e-2)


@pytest.mark.parametrize(("look", "label"), [("neutral", "positive"), ("happiness", "negative")])
def test_a_look_that_is_none_or_was_there_before_says_nothing_of_a_micro_expression(encoder, look, label):
    constant = Window(5.0)
    for number in range(21):
        constant.push(seen(number / RATE_HZ, **{look: 1.0}))
    motion = judging("motion", (*MEGC3, NONE), **{label: 0.8, "none": 0.2})
    config = msgspec.structs.replace(CONFIG, look=1.0)
    found = Recogniser(config, encoder, Judges((motion,))).final(offset(), constant, 1.4, ())
    wanted = dict.fromkeys(MEGC3, 0.0) | {label: 0.8, "none": 0.2}
    assert found.label == label
    assert found.probabilities["motion+encoder"] == pytest.approx(wanted, abs=0.02)


def test_a_look_of_other_labels_is_not_heard_of_a_micro_expression(encoder, window):
    coarse = judging("coarse", ("happiness", "disgust", "repression", "surprise", "others"), others=1.0)
    config = msgspec.structs.replace(CONFIG, look=1.0)
    found = Recogniser(config, encoder, Judges((coarse,))).early(apex(), window, 1.2, ())
    assert (found.label, set(found.probabilities)) == ("others", {"coarse", "encoder"})


def test_an_engine_that_judges_both_kinds_is_asked_once(encoder, window):
    both = judging("both", VOCABULARIES["dfew-7"], happiness=1.0)
    judges = Judges((both,), (both,))
    found = Recogniser(CONFIG, encoder, judges).early(apex(), window, 1.2, ())
    assert (judges.engines, len(both.asked)) == ((both,), 1)
    assert (found.label, set(found.probabilities)) == ("happiness", {"both", "encoder", "encoder+both"})


def test_an_event_older_than_the_window_is_judged_by_what_is_left(encoder, head):
    short = Window(0.3)
    for number in range(30):
        short.push(seen(number / RATE_HZ, fear=1.0))
    found = Recogniser(CONFIG, encoder, Judges((head,))).final(offset(), short, 2.9, ())
    assert found.probabilities["encoder"]["fear"] == pytest.approx(1.0)


def test_an_encoder_takes_crops(head):
    with pytest.raises(EngineError, match="cmn cannot be the encoder"):
        Encoder(head)
