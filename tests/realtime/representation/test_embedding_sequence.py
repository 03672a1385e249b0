import numpy as np
import pytest

from realtime.representation.contract.event import EventFrames
from realtime.representation.contract.misfit import EncoderAtHand
from realtime.representation.embedding_sequence import EmbeddingSequence, spread

MADE = EmbeddingSequence("encoder", "0" * 64, 6, 5)


def event(embeddings, fields=None):
    """What the encoder has seen."""
    return EventFrames(np.arange(len(embeddings)) / 15, embeddings=embeddings, fields=fields)


@pytest.mark.parametrize(
    ("length", "frames", "chosen"),
    [
        (6, 6, [0, 1, 2, 3, 4, 5]),
        (12, 6, [1, 3, 5, 7, 9, 11]),
        (9, 3, [1, 4, 7]),
        (1, 4, [0, 0, 0, 0]),
        (3, 6, [0, 0, 1, 1, 2, 2]),
        (10, 1, [5]),
    ],
)
def test_frames_are_the_middles_of_equal_parts(length, frames, chosen):
    assert spread(length, frames) == chosen


def test_chosen_frames_are_in_order_and_inside_for_every_length():
    for length in range(1, 80):
        for frames in (1, 2, 6, 11, 16):
            chosen = spread(length, frames)
            assert len(chosen) == frames
            assert chosen == sorted(chosen)
            assert 0 <= chosen[0] <= chosen[-1] < length
            assert chosen == [int(np.floor((2 * i - 1) * length / (2 * frames))) for i in range(1, frames + 1)]


def test_an_empty_span_is_refused():
    with pytest.raises(ValueError, match="at least 1 is needed"):
        spread(0, 6)


def test_a_sequence_holds_the_chosen_embeddings():
    embeddings = [np.full(5, i, np.float32) for i in range(12)]
    found = MADE.of_event(event(embeddings), 0.0)["embeddings"]
    assert (found.shape, found.dtype) == ((1, 6, 5), np.float32)
    assert found[0, :, 0].tolist() == [1, 3, 5, 7, 9, 11]


def test_a_sequence_may_hold_how_the_face_moved_behind_each_embedding():
    """A grid of two cells a side: v is 0.002 below on the left, and grows from frame to frame."""
    embeddings, fields = [np.full(5, i, np.float32) for i in range(12)], np.zeros((12, 2, 4, 4), np.float32)
    fields[:, 1, 2:, :2] = 0.002 * np.arange(12)[:, None, None]
    made = EmbeddingSequence("encoder", "0" * 64, 6, 5, cells=2)
    found = made.of_event(event(embeddings, list(fields)), 0.0)["embeddings"]
    assert found.shape == (1, *made.inputs()[0].shape[1:]) == (1, 6, 13)
    assert found[0, :, 0].tolist() == [1, 3, 5, 7, 9, 11]
    assert found[0, :, 11] == pytest.approx(np.arcsinh([1, 3, 5, 7, 9, 11]))
    assert not found[0, :, [5, 6, 7, 8, 9, 10, 12]].any()


def test_a_sequence_without_fields_does_not_look_at_them():
    embeddings = [np.full(5, i, np.float32) for i in range(4)]
    assert MADE.of_event(event(embeddings), 0.0)["embeddings"].shape == (1, 6, 5)
    with pytest.raises(ValueError, match="made of fields"):
        EmbeddingSequence("encoder", "0" * 64, 6, 5, cells=2).of_event(event(embeddings), 0.0)


def test_its_input_is_a_row_for_each_frame():
    [spec] = EmbeddingSequence("encoder", "0" * 64, 8, 512, cells=7).inputs()
    assert (spec.name, spec.shape, spec.layout) == ("embeddings", (-1, 8, 610), "NTC")


def test_a_head_lives_on_small_differences():
    assert MADE.fine
    assert not MADE.every_frame


def test_all_reasons_why_an_encoder_is_not_its_own_are_told():
    other = EncoderAtHand("other", "f" * 64, (99,))
    assert list(MADE.misfits(other, 48)) == [
        "was trained on encoder's embeddings, not other's: name them as a pair",
        "was trained with model.onnx 000000000000 of its encoder, other has ffffffffffff: "
        "restore that encoder or train the head again",
        "takes embeddings of width 5, other gives 99: train the head on this encoder",
    ]


def test_an_encoder_without_embeddings_has_no_wrong_width():
    """Whoever wants embeddings of it says that there are none."""
    assert list(MADE.misfits(EncoderAtHand("encoder", "0" * 64, ()), 48)) == []


def test_without_an_encoder_there_is_nothing_to_see():
    [reason] = MADE.misfits(None, 48)
    assert reason.startswith("takes encoder's embeddings, and there is no encoder")


def test_a_card_names_the_encoder_and_what_lies_behind_its_embeddings():
    said = "embeddings of 6 frames, spread evenly over the event, by `encoder` of SHA-256 " + "0" * 64
    assert MADE.describe() == said
    moved = EmbeddingSequence("encoder", "0" * 64, 6, 5, cells=7)
    assert moved.describe() == said + ", each with its displacement field on a grid of 7 by 7"
