"""Movements that are known exactly, and films as the serving stages watch them; of two people of FER+."""

import msgspec
import numpy as np
import pytest

from realtime.config import ROOT
from realtime.labels import MEGC3
from realtime.spotting.recurrent import unpacked
from train import registry
from train.clips.movement import exact
from train.clips.movement.exact import movements
from train.spotting import films as filming
from train.spotting.films import MICRO, FilmOrder, films
from train.synthesis.script.prototypes import NONE
from train.synthesis.synthetic import Synthetic

RECIPE = registry.load([ROOT / "configs/methods/spotter.toml", ROOT / "configs/data/films.toml"])
SHIPPED = RECIPE.source
FERPLUS = ROOT / SHIPPED.clips.ferplus
SECONDS = 10.0

pytestmark = pytest.mark.skipif(not FERPLUS.is_file(), reason="the packed FER+ file is not there (shared/data)")


@pytest.fixture(scope="module")
def clips(facekit_path):
    film = msgspec.structs.replace(SHIPPED.clips.film, rates_hz=(30.0,))
    return msgspec.structs.replace(SHIPPED.clips, head=facekit_path, ferplus=str(FERPLUS), people=2, film=film)


@pytest.fixture(scope="module")
def people(clips):
    return Synthetic(clips).people


def test_movements_are_of_every_class_and_as_large_as_micro_expressions_are(clips, people, tmp_path):
    found = movements(clips, people, 4, tmp_path, 1)
    assert found.fields.shape == (len(found), 2, 28, 28)
    assert found.fields.dtype == np.float16
    assert set(found.labels) == {*MEGC3, NONE}
    assert set(found.people) == set(people)
    largest = np.hypot(*found.fields.astype(np.float32).swapaxes(0, 1)).max((1, 2))
    assert (largest > 0.002).all()
    assert (largest < 0.2).all()  # eye distances


def test_movements_are_made_once(clips, people, tmp_path, monkeypatch):
    first = movements(clips, people[:1], 3, tmp_path, 1)
    monkeypatch.setattr(exact, "Synthetic", None)  # nothing is left to be made
    assert np.array_equal(movements(clips, people[:1], 3, tmp_path, 1).fields, first.fields)
    with pytest.raises(TypeError):
        movements(clips, people[:1], 2, tmp_path, 1)


def test_a_film_is_ticks_and_what_happens_when_and_is_made_once(clips, people, tmp_path, monkeypatch):
    made = registry.METHODS["spotter"].representation(RECIPE.method)
    order = FilmOrder(clips, SECONDS, 30.0, made)
    [film] = films(order, people[:1], tmp_path, 1)
    assert (film.person, film.seconds) == (people[0], SECONDS)
    assert film.rate_hz == 30.0
    assert film.ticks.dtype == np.float16
    assert len(film.ticks) == len(film.ends) > 60 * (SECONDS - 1.0)
    assert np.diff(film.ends) == pytest.approx(made.tick_s)
    assert film.ends[-1] <= SECONDS
    truth = Synthetic(clips, people).video(people[0], 0, SECONDS, 30.0).scene.happenings
    micro = film.expressions[film.expressions[:, 0] == MICRO]
    assert micro[:, 1:].tolist() == [[h.onset, h.apex, h.offset] for h in truth if h.role == "micro"]
    assert len(micro) > 0
    fields, head, turns = unpacked(film.ticks.astype(np.float32), 28)
    assert np.isfinite(film.ticks).all()
    assert 0.005 < np.hypot(fields[:, 0], fields[:, 1]).max() < 1.0
    assert head.min() >= 0.0
    assert 0.0 < np.abs(turns).max() < 60.0
    monkeypatch.setattr(filming, "_watched", None)
    [kept] = films(order, people[:1], tmp_path, 1)
    assert np.array_equal(kept.ticks, film.ticks)
    with pytest.raises(TypeError):
        films(FilmOrder(clips, SECONDS, 31.0, made), people[:1], tmp_path, 1)
