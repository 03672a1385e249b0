import numpy as np
import pytest

from train.synthesis.sample.film import SampleCamera, film
from train.synthesis.sample.puppet import Puppet
from train.synthesis.sample.script import Script, ScriptedMovement
from train.synthesis.script.sway import Wave

STEADY = SampleCamera(rate_hz=20.0, noise=0.0, flicker=0.0)


@pytest.fixture(scope="module")
def puppet(drawn_face):
    noise = np.random.default_rng(4).integers(60, 190, (30, 30, 3), dtype=np.uint8)
    return Puppet(np.kron(noise, np.ones((5, 5, 1), np.uint8)), drawn_face(75.0, 60.0, 45.0))


def smile(sway=None):
    """A second; from 0.2 to 0.8 s with its apex at 0.5 s."""
    return Script(1.0, (ScriptedMovement("macro", "positive", {12: 1.0}, 0.2, 0.5, 0.8),), sway or {})


def frames(puppet, script, camera=STEADY, seed=1):
    return list(film(puppet, script, camera, np.random.default_rng(seed)))


def difference(frame, other):
    return float(np.abs(frame.image.astype(int) - other.image).mean())


def test_frames_are_stamped_by_the_rate_from_zero(puppet):
    found = frames(puppet, smile())
    assert [frame.t for frame in found] == pytest.approx(np.arange(20) / 20.0)
    assert [frame.index for frame in found] == list(range(20))
    assert all(frame.image.shape == puppet.image.shape and frame.image.dtype == np.uint8 for frame in found)


def test_the_face_rests_before_the_onset_and_after_the_offset_and_moves_most_at_the_apex(puppet):
    found = frames(puppet, smile())
    apart = [difference(frame, found[0]) for frame in found]
    assert apart[:5] == [0.0] * 5
    assert apart[16:] == [0.0] * 4
    assert int(np.argmax(apart)) == 10
    assert apart[10] > 0.1


def test_a_film_is_repeated_by_its_seed_and_differs_with_another(puppet):
    camera = SampleCamera(rate_hz=5.0, noise=3.0, flicker=0.01)
    first, again, other = (frames(puppet, smile(), camera, seed) for seed in (1, 1, 2))
    assert all(np.array_equal(a.image, b.image) for a, b in zip(first, again, strict=True))
    assert not any(np.array_equal(a.image, b.image) for a, b in zip(first, other, strict=True))


def test_the_sensor_adds_noise_of_the_size_that_was_asked_for(puppet):
    still = Script(1.0, ())
    noisy = frames(puppet, still, SampleCamera(rate_hz=10.0, noise=4.0, flicker=0.0))
    apart = np.stack([frame.image.astype(float) - puppet.image for frame in noisy])
    assert apart.std() == pytest.approx(4.0, rel=0.1)


def test_the_light_flickers_by_the_share_that_was_asked_for(puppet):
    dim = frames(puppet, Script(5.0, ()), SampleCamera(rate_hz=20.0, noise=0.0, flicker=0.05))
    levels = np.array([frame.image.mean() for frame in dim]) / puppet.image.mean()
    assert levels.std() == pytest.approx(0.05, rel=0.3)


def test_the_head_sways_as_scripted(puppet):
    aside = {"x": Wave((0.2,), (0.0,), (0.25,))}  # a shift of 0.2 eye distances that stays
    (frame, *_) = frames(puppet, Script(1.0, (), aside))
    shift = round(0.2 * float(np.linalg.norm(puppet.points[263, :2] - puppet.points[33, :2])))
    apart = np.abs(frame.image[:, shift + 3 :].astype(int) - puppet.image[:, 3:-shift])
    assert apart.mean() < 12.0  # but for the rounding of the shift
    assert np.abs(frame.image.astype(int) - puppet.image).mean() > 20.0


def test_a_turn_of_the_head_moves_the_face(puppet):
    turned = {"yaw": Wave((15.0,), (0.0,), (0.25,))}
    (frame, *_) = frames(puppet, Script(1.0, (), turned))
    assert difference(frame, frames(puppet, Script(1.0, ()))[0]) > 0.5
