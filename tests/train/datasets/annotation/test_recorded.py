import cv2
import numpy as np
import pytest

from realtime.errors import DataError
from train.datasets.annotation.recorded import RecordedDataset, count_frames, read_frames, video_rate
from train.datasets.annotation.sample import Recording, Sample


@pytest.fixture
def video(tmp_path, draw):
    """An uncompressed 12-frame video at 25 Hz of 6x8 pictures enlarged."""
    path = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 25.0, (64, 48))
    for number in range(12):
        large = cv2.resize(draw(10 * number), (64, 48), interpolation=cv2.INTER_NEAREST)
        writer.write(cv2.cvtColor(large, cv2.COLOR_RGB2BGR))
    writer.release()
    return path


def test_frames_are_rgb_and_stamped_by_their_numbers(pictures, draw):
    folder = pictures("clip", range(8, 13), "006_{:05d}.png")
    frames = list(read_frames(Recording(folder, 200.0, 9, 12)))
    assert [frame.t for frame in frames] == pytest.approx([0.0, 0.005, 0.01, 0.015])
    assert [frame.index for frame in frames] == [0, 1, 2, 3]
    for number, frame in enumerate(frames, 9):
        assert np.array_equal(frame.image, draw(number))


def test_a_hole_is_marked_on_the_next_frame(pictures):
    folder = pictures("clip", [1, 2, 5])
    assert [(f.index, f.gap) for f in read_frames(Recording(folder, 10.0, 1, 5))] == [(0, 0), (1, 0), (4, 2)]


def test_a_part_of_a_video_is_read_by_frame_numbers_from_0(video):
    frames = list(read_frames(Recording(video, 50.0, 3, 6)))
    assert [frame.t for frame in frames] == pytest.approx([0.0, 0.02, 0.04, 0.06])
    greens = [frame.image[..., 1].mean() for frame in frames]
    assert greens == pytest.approx([33.5, 43.5, 53.5, 63.5], abs=4)
    assert frames[0].image[..., 0].mean() > 150 > frames[0].image[..., 2].mean()


def test_a_video_is_counted_by_decoding_and_states_its_rate(video):
    assert (count_frames(video), video_rate(video)) == (12, 25.0)


def test_a_still_is_one_frame(pictures):
    path = pictures("clip", [5]) / "img5.png"
    (frame,) = read_frames(Recording(path, 1.0, 0, 0))
    assert (frame.t, count_frames(path)) == (0.0, 1)


def test_what_cannot_be_decoded_is_named(tmp_path, pictures):
    folder = pictures("clip", [1])
    (folder / "img2.png").write_bytes(b"cut off")
    with pytest.raises(DataError, match=r"img2\.png cannot be read"):
        list(read_frames(Recording(folder, 10.0, 1, 2)))
    (tmp_path / "clip.mp4").write_bytes(b"no video")
    with pytest.raises(DataError, match=r"clip\.mp4 cannot be decoded"):
        count_frames(tmp_path / "clip.mp4")


def test_a_data_set_gives_its_samples_and_their_frames(pictures):
    recording = Recording(pictures("clip", range(4)), 10.0, 1, 3)
    sample = Sample("a", "p", "positive", 0.0, 0.1, 0.2, recording=recording)
    data = RecordedDataset("mine", ("positive",), (sample,))
    assert data.samples() == [sample]
    assert len(data.frames(sample)) == 3
    with pytest.raises(DataError, match="was not recorded"):
        data.frames(Sample("b", "p", "positive", 0.0, 0.1, 0.2))
