import itertools

import cv2
import msgspec
import numpy as np
import pytest

from realtime.config import ROOT, convert, read_toml
from train.config.clips import SyntheticSettings
from train.synthesis.camera import MOST_STEPS, SyntheticCamera, draw, expose, moments

SHIPPED = ROOT / "configs/data/synthetic.toml"
FILM = convert(read_toml(SHIPPED), SyntheticSettings, SHIPPED).clips.film
GREY = np.full((16, 16), 120, np.uint8)
NOISE = cv2.GaussianBlur(np.random.default_rng(1).integers(0, 256, (64, 64, 3), dtype=np.uint8), (0, 0), 1.5)


def camera(**changes):
    plain = {"rate_hz": 50.0, "open_share": 0.5, "noise": 0.0, "codec": "none", "quality": 100}
    return SyntheticCamera(**(plain | {"grey": False, "gamma": 1.0, "gains": (1.0, 1.0, 1.0)} | changes))


def taken(pictures, counts, by, light=None, seed=1):
    light = np.ones(len(counts)) if light is None else light
    return list(expose(iter(pictures), counts, light, by, np.random.default_rng(seed)))


def test_a_frame_is_the_mean_of_the_pictures_of_its_exposure():
    first, second = taken([NOISE, NOISE // 3, NOISE], [2, 1], camera())
    mean = (NOISE.astype(float) + NOISE // 3) / 2
    assert np.abs(first.image - mean).max() <= 0.5
    assert np.array_equal(second.image, NOISE)
    assert [first.t, second.t] == [0.0, 0.02]


def test_more_pictures_are_taken_where_something_moves_fast_around_the_frames_time():
    at, counts = moments(np.array([0.0, 0.1, 0.2]), 0.02, np.array([0.0, 1.3, 99.0]))
    assert counts == [1, 3, MOST_STEPS]
    assert at[0] == 0.0
    assert at[1:4] == pytest.approx([0.1 - 0.02 / 3, 0.1, 0.1 + 0.02 / 3])
    assert at[4:].mean() == pytest.approx(0.2)


def test_noise_grows_with_the_light():
    by = camera(noise=4.0, grey=True)
    bright, dark = (taken([np.full((200, 200), level, np.uint8)], [1], by)[0].image for level in (230, 20))
    assert bright.std() == pytest.approx(4.0 * np.sqrt(0.5 + 0.5 * 230 / 255), rel=0.05)
    assert dark.std() == pytest.approx(4.0 * np.sqrt(0.5 + 0.5 * 20 / 255), rel=0.05)


def test_a_camera_without_colour_gives_three_like_channels():
    (frame,) = taken([GREY], [1], camera(noise=3.0, grey=True))
    assert frame.image.shape == (16, 16, 3)
    assert (frame.image == frame.image[..., :1]).all()


def test_light_and_tones_change_the_brightness():
    (half,) = taken([NOISE], [1], camera(), light=np.array([0.5]))
    assert np.abs(half.image - 0.5 * NOISE).max() <= 1.0
    (red,) = taken([np.full((8, 8, 3), 100, np.uint8)], [1], camera(gains=(1.1, 1.0, 0.9)))
    assert red.image[0, 0].tolist() == [110, 100, 90]


@pytest.mark.parametrize("codec", ["jpeg", "h264"])
def test_compression_loses_a_little(codec):
    by = camera(codec=codec, quality=75)
    pictures = [NOISE, np.roll(NOISE, 1, axis=1), NOISE]
    found = taken(pictures, [1, 1, 1], by)
    apart = [np.abs(frame.image.astype(float) - picture).mean() for frame, picture in zip(found, pictures, strict=True)]
    assert all(0.2 < each < 15.0 for each in apart)


def test_h264_keeps_what_does_not_move():
    still = taken([NOISE] * 5, [1] * 5, camera(codec="h264", quality=60))
    changes = [np.abs(a.image.astype(int) - b.image).mean() for a, b in itertools.pairwise(still)]
    assert changes[-1] <= changes[0] < 4.0


def test_a_drawn_camera_keeps_to_its_bounds():
    for seed in range(30):
        found = draw(FILM, np.random.default_rng(seed), grey=seed % 2 == 0)
        assert found.rate_hz in FILM.rates_hz
        assert FILM.shutter[0] <= found.open_share <= FILM.shutter[1]
        assert 0.0 <= found.noise <= FILM.noise
        assert found.codec == "none" or FILM.quality <= found.quality < 98
    plain = msgspec.structs.replace(FILM, quality=100)
    assert {draw(plain, np.random.default_rng(seed), grey=True).codec for seed in range(9)} == {"none"}
