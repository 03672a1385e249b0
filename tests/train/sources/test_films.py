"""Films as a source: who is filmed for what, and what is made of them."""

from types import SimpleNamespace

import msgspec
import numpy as np
import pytest

from realtime.config import ROOT
from realtime.labels import NONE
from realtime.representation.motion_ticks import MotionTicks
from train import registry
from train.clips.movement.exact import Movements
from train.sources import films
from train.sources.films import FilmSource

replace = msgspec.structs.replace
FILES = [ROOT / "configs/methods/spotter.toml", ROOT / "configs/data/films.toml"]
SHIPPED = registry.load(FILES).source
TICKS = MotionTicks(crop_px=128, size_px=28, cells=7, lag_s=0.35, tick_s=0.02, lookback_s=0.04, memory=6)
PEOPLE = {"training": ["anna", "bert", "cleo", "dora"], "held-out": ["fred", "emil"], "calibration": ["gina"]}


@pytest.fixture
def made(monkeypatch):
    """What was asked for: films and movements of seven people."""
    asked = []

    def filmed(order, some, cache, workers):
        asked.append(("films", order, tuple(some), cache, workers))
        return list(some)

    def moved(clips, some, each, cache, workers):
        asked.append(("movements", tuple(some), each, workers))
        return Movements(np.zeros((1, 2, 28, 28), np.float16), np.array([NONE]), np.array(some[:1]))

    everybody = SimpleNamespace(side=PEOPLE.get, held_out=frozenset(PEOPLE["held-out"]))
    monkeypatch.setattr(films, "Synthetic", lambda clips: everybody)
    monkeypatch.setattr(films.filming, "films", filmed)
    monkeypatch.setattr(films.exact, "movements", moved)
    return asked


@pytest.fixture
def source(made, tmp_path):
    nobody = replace(SHIPPED.marked, clips="")
    return FilmSource(replace(SHIPPED, films=3, test_films=5, marked=nobody), tmp_path, 4)


def test_nobody_is_filmed_for_training_and_for_the_test_and_nobody_calibrates(source, tmp_path, made):
    [fold] = source.folds()
    assert source.whole() == fold
    assert (fold.train, fold.test) == (("anna", "bert", "cleo", "dora"), ("emil", "fred"))
    split = source.split(fold).seen(lambda cast: cast.film(TICKS, 2))
    assert split.train == (["anna", "bert", "cleo"],)
    assert split.test == (["emil", "fred"],)
    assert split.calibration == []
    orders = {(order.seconds, order.micro_per_minute, order.seen, cache) for _, order, _, cache, _ in made}
    assert orders == {(SHIPPED.seconds, SHIPPED.micro_per_minute, TICKS, tmp_path)}
    assert [some for _, _, some, _, workers in made if workers == 2] == [("anna", "bert", "cleo"), ("emil", "fred")]


def test_a_method_prepares_films_and_the_movements_of_as_many_people_as_it_asks_for(source, made, recipe_of):
    config = recipe_of("spotter", "films", known_people=2, known_each=7).method
    method = registry.METHODS["spotter"]
    method.see(config, source, source.whole(), 2)
    assert ("movements", ("anna", "bert"), 7, 2) in made
    assert {order.seen for kind, order, *_ in made if kind == "films"} == {method.representation(config)}
    method.see(config, source, source.whole())
    assert made[3] == ("movements", ("anna", "bert"), 7, 4)  # the source's own processes, where none are named


def test_what_is_filmed_makes_the_key(source, tmp_path):
    others = (
        {"seconds": 40.0},
        {"micro_per_minute": 6.0},
        {"clips": replace(SHIPPED.clips, seed=2)},
    )
    keys = {source.key(), *(FilmSource(replace(source.settings, **change), tmp_path).key() for change in others)}
    assert len(keys) == 4
    assert FilmSource(source.settings, tmp_path / "elsewhere").key() == source.key()


def test_its_people_are_those_of_videos_too():
    assert registry.filmed(FILES) == SHIPPED.clips
