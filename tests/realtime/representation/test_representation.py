"""What every representation promises, and the bytes by which manifests and caches know each."""

import msgspec
import numpy as np
import pytest

from realtime.representation.apex_change import ApexChange
from realtime.representation.apex_field import ApexField
from realtime.representation.apex_time import ApexTime
from realtime.representation.clip_and_flow import ClipAndFlow
from realtime.representation.clip_images import ClipImages
from realtime.representation.contract.event import EventFrames
from realtime.representation.contract.misfit import EncoderAtHand
from realtime.representation.crop_images import CropImages
from realtime.representation.embedding_sequence import EmbeddingSequence
from realtime.representation.flow_clip import FlowClip
from realtime.representation.flow_fields import FlowFields
from realtime.representation.grey_clip import GreyClip
from realtime.representation.middle_image import MiddleImage
from realtime.representation.motion_ticks import MotionTicks
from realtime.representation.representation import REPRESENTATIONS, Representation, decoded, tag_of
from realtime.representation.sampled_clip import SampledClip

SHA256 = "0" * 64
PICTURE = CropImages(48, 32, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
PICTURE_JSON = '{"type":"crop-images","crop_px":48,"size_px":32,"mean":[0.0,0.0,0.0],"std":[1.0,1.0,1.0]}'
FLOW = FlowClip(48, 24, (4, 8), 0.03, 64)
FLOW_JSON = '{"type":"flow-clip","crop_px":48,"size_px":24,"scales":[4,8],"pair_s":0.03,"pairs":64}'

#: One of each, and what it is in manifests and in the digests that name caches: neither may ever change.
WRITTEN = {
    PICTURE: PICTURE_JSON,
    EmbeddingSequence("encoder", SHA256, 4, 6): (
        f'{{"type":"embedding-sequence","encoder":"encoder","encoder_sha256":"{SHA256}",'
        '"frames":4,"width":6,"cells":0}'
    ),
    EmbeddingSequence("encoder", SHA256, 4, 6, cells=7): (
        f'{{"type":"embedding-sequence","encoder":"encoder","encoder_sha256":"{SHA256}",'
        '"frames":4,"width":6,"cells":7}'
    ),
    ClipImages(5, PICTURE): f'{{"type":"clip-images","frames":5,"picture":{PICTURE_JSON}}}',
    FlowFields(48, 28, 3, "each", 5e-4, 8.0): (
        '{"type":"flow-fields","crop_px":48,"size_px":28,"frames":3,"scale":"each","floor":0.0005,"limit":8.0}'
    ),
    ApexChange(48, 32, 0.02, 20.0): ('{"type":"apex-change","crop_px":48,"size_px":32,"around_s":0.02,"gain":20.0}'),
    SampledClip(5, PICTURE, "tim"): (f'{{"type":"sampled-clip","frames":5,"picture":{PICTURE_JSON},"rule":"tim"}}'),
    SampledClip(5, PICTURE, "centres"): (
        f'{{"type":"sampled-clip","frames":5,"picture":{PICTURE_JSON},"rule":"centres"}}'
    ),
    MiddleImage(PICTURE): f'{{"type":"middle-image","picture":{PICTURE_JSON}}}',
    ApexField(48, 28, 0.02): '{"type":"apex-field","crop_px":48,"size_px":28,"around_s":0.02}',
    MotionTicks(48, 28, 7, 0.35, 0.02, 0.1, 64): (
        '{"type":"motion-ticks","crop_px":48,"size_px":28,"cells":7,"lag_s":0.35,"tick_s":0.02,'
        '"lookback_s":0.1,"memory":64}'
    ),
    GreyClip(48, 32, 12): '{"type":"grey-clip","crop_px":48,"size_px":32,"frames":12}',
    ApexTime(48, 32, 28, 0.16, 64, 4, 8, 5e-4, 8.0): (
        '{"type":"apex-time","crop_px":48,"size_px":32,"field_px":28,"around_s":0.16,"steps":64,"blocks":4,"bins":8,'
        '"floor":0.0005,"limit":8.0}'
    ),
    FLOW: FLOW_JSON,
    ClipAndFlow(ClipImages(5, PICTURE), FLOW): (
        f'{{"type":"clip-and-flow","clip":{{"type":"clip-images","frames":5,"picture":{PICTURE_JSON}}},'
        f'"flow":{FLOW_JSON}}}'
    ),
}
ALL = list(WRITTEN)
OF_EVENTS = [made for made in ALL if not isinstance(made, MotionTicks)]
LOOKS_AT = {
    CropImages: {"times", "images"},
    EmbeddingSequence: {"embedded"},
    ClipImages: {"images"},
    FlowFields: {"times", "fields"},
    ApexChange: {"times", "images"},
    ApexField: {"times", "images"},
    GreyClip: {"images"},
    ApexTime: {"times", "images", "fields"},
    FlowClip: {"times", "images"},
    ClipAndFlow: {"times", "images"},
    MiddleImage: {"times", "images"},
    SampledClip: {"images"},
}


class Watched:
    """An event of nine frames that keeps what it is asked for."""

    def __init__(self):
        rng = np.random.default_rng(1)
        times = np.arange(9) / 30
        self.asked = set()
        self.parts = {
            "times": times,
            "images": list(rng.integers(0, 256, (9, 48, 48, 3)).astype(np.uint8)),
            "fields": list(rng.normal(0, 0.01, (9, 2, 28, 28)).astype(np.float32)),
        }
        seen = list(rng.standard_normal((3, 6)).astype(np.float32))
        self.parts["embedded"] = EventFrames(times[::3], embeddings=seen, fields=self.parts["fields"][::3])

    def __getattr__(self, name):
        self.asked.add(name)
        return self.parts[name]


def test_every_representation_is_tried_here():
    assert {type(made) for made in ALL} == set(REPRESENTATIONS)
    assert len({tag_of(kind) for kind in REPRESENTATIONS}) == len(REPRESENTATIONS)


@pytest.mark.parametrize("made", ALL, ids=tag_of)
def test_it_is_written_as_it_always_was_and_read_again(made):
    text = msgspec.json.encode(made)
    assert text.decode() == WRITTEN[made]
    assert msgspec.json.decode(text, type=Representation, dec_hook=decoded) == made


@pytest.mark.parametrize("made", ALL, ids=tag_of)
def test_it_keeps_the_contract(made):
    assert isinstance(made, Representation)
    with pytest.raises(AttributeError):
        made.crop_px = 3


@pytest.mark.parametrize("made", ALL, ids=tag_of)
def test_an_unknown_parameter_is_refused(made):
    tree = msgspec.to_builtins(made) | {"gamma": 2.2}
    with pytest.raises(msgspec.ValidationError, match="gamma"):
        msgspec.convert(tree, Representation, dec_hook=decoded)


def test_an_unknown_tag_is_refused():
    with pytest.raises(msgspec.ValidationError, match="sound-waves"):
        msgspec.convert({"type": "sound-waves"}, Representation, dec_hook=decoded)


@pytest.mark.parametrize("made", ALL, ids=tag_of)
def test_an_input_has_a_letter_for_each_of_its_axes(made):
    specs = made.inputs()
    assert specs
    assert len({spec.name for spec in specs}) == len(specs)
    for spec in specs:
        assert len(spec.shape) == len(spec.layout) == len(set(spec.layout))
        assert (spec.shape[0], spec.layout[0], spec.dtype) == (-1, "N", "float32")
        assert min(spec.shape[1:]) >= 1


@pytest.mark.parametrize("made", OF_EVENTS, ids=tag_of)
def test_an_event_becomes_one_row_of_each_input(made):
    found = made.of_event(Watched(), 0.2)
    specs = {spec.name: spec for spec in made.inputs()}
    assert list(found) == list(specs)
    for name, row in found.items():
        assert (row.shape, row.dtype) == ((1, *specs[name].shape[1:]), np.float32)
        assert row.flags.c_contiguous
        assert row.std() > 0.0


@pytest.mark.parametrize("made", OF_EVENTS, ids=tag_of)
def test_it_looks_at_no_more_of_an_event_than_it_needs(made):
    event = Watched()
    made.of_event(event, 0.2)
    assert event.asked == LOOKS_AT[type(made)]


@pytest.mark.parametrize("made", OF_EVENTS, ids=tag_of)
def test_an_event_is_left_as_it_was(made):
    event, fresh = Watched(), Watched()
    first = made.of_event(event, 0.2)
    again = made.of_event(event, 0.2)
    assert all(np.array_equal(first[name], again[name]) for name in first)
    assert np.array_equal(event.parts["images"], fresh.parts["images"])
    assert np.array_equal(event.parts["fields"], fresh.parts["fields"])
    assert np.array_equal(event.parts["embedded"].embeddings, fresh.parts["embedded"].embeddings)


FITTING = EncoderAtHand("encoder", SHA256, (6,))


@pytest.mark.parametrize("made", ALL, ids=tag_of)
def test_it_fits_the_encoder_and_the_crops_that_it_was_made_for(made):
    assert list(made.misfits(FITTING, 48)) == []


@pytest.mark.parametrize("made", ALL, ids=tag_of)
def test_another_encoder_and_other_crops_are_told_from_its_own(made):
    reasons = list(made.misfits(EncoderAtHand("other", "f" * 64, (7,)), 64))
    assert len(reasons) == (3 if isinstance(made, EmbeddingSequence) else 1)
    assert all(reason.split()[0] in ("was", "takes") for reason in reasons)


@pytest.mark.parametrize("made", ALL, ids=tag_of)
def test_a_card_says_what_it_is_in_one_line(made):
    said = made.describe()
    assert said == said.strip()
    assert "\n" not in said
    assert not said.endswith(".")
    assert len(said) > 40
