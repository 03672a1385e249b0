"""The spotter's training: what it is shown and asked, and the way from films to a package."""

import copy
from dataclasses import replace as replace_in
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple, get_args

import cv2
import msgspec
import numpy as np
import pytest
import torch

from realtime import config as realtime_config
from realtime.config import ROOT
from realtime.engine.check import check
from realtime.engine.factory import open_engine
from realtime.errors import ConfigError, DataError
from realtime.labels import NONE
from realtime.records import Crop, Pose
from realtime.representation.motion_ticks import motion_ticks
from realtime.spotting.detector import scorer_of
from realtime.spotting.lagged_flow import LaggedFlow
from realtime.spotting.recurrent import unpacked
from realtime.spotting.scorer import PAUSE_S
from train import registry
from train.clips.marked import MarkedFace
from train.clips.movement.exact import Movements
from train.config.clips import Distractor
from train.datasets.folds import Fold
from train.datasets.marked.marks import Mark
from train.datasets.marked.playing import Playing
from train.evaluation.ablation import table
from train.methods.comparison import compare
from train.methods.experiment import Experiment
from train.methods.spotter.job import APEX_S, BLIND_TICKS, SpotterJob, targets
from train.methods.spotter.method import spots, ticks
from train.methods.spotter.pasted import mirrored
from train.registry import METHODS
from train.sources.source import Provenance, Split, Vocabulary
from train.spotting.films import MACRO, MICRO, Film, FilmedFace
from train.spotting.happened import Happened
from train.training.loop import fit

pytestmark = pytest.mark.usefixtures("one_thread")
replace = msgspec.structs.replace
SPOTTER, LABELS = METHODS["spotter"], ("expression", "micro", "apex")
FILES = [ROOT / "configs/methods/spotter.toml", ROOT / "configs/data/films.toml"]
TICK_S, WIDTH = 1 / 60, 2 * 28 * 28 + 1 + 3
LAG_S, MARK = 0.35, 50.0
PLAIN = {"both": 0.0, "gain": 0.0, "noise": 0.0, "pasted_per_minute": (0.0, 0.0)}


def film(person, seed):
    """Ten seconds of small noise and two expressions, of which the ticks show nothing."""
    rng = np.random.default_rng(seed)
    ticks = rng.normal(0, 0.003, (588, WIDTH)).astype(np.float16)
    ticks[:, -4] = np.abs(ticks[:, -4])
    expressions = np.array([(MICRO, 2.0, 2.1, 2.3), (MACRO, 5.0, 5.5, 7.0)])
    return Film(person, 10.0, 0.2 + TICK_S * np.arange(1, 589), ticks, expressions, rate_hz=60.0)


class Parts(NamedTuple):
    """Films of people to train on and to test, and movements that are known exactly."""

    train: list[Film]
    test: list[Film]
    known: np.ndarray


class Given:
    """Implements `ClipSource`: films that are at hand, whatever they are to be seen as."""

    vocabulary, provenance = Vocabulary("spotting-3", LABELS), Provenance(("films of tests",), "none")

    def __init__(self, parts):
        self.parts, self.asked = parts, []

    def key(self):
        return "given"

    def folds(self):
        return (Fold("held-out", ("anna", "bert"), ("cleo",)),)

    def whole(self):
        return self.folds()[0]

    def split(self, fold):
        self.asked.append(fold.name)
        train, nobody, test = (
            SimpleNamespace(film=lambda seen, workers, films=films: films)
            for films in (self.parts.train, [], self.parts.test)
        )
        return Split(self.vocabulary, (train,), nobody, (test,))

    def marked(self, workers=None):
        return ()

    def exact(self, people, each, workers=None):
        count = len(self.parts.known)
        labels = np.array(["positive"] * (count - 1) + [NONE])  # a movement of no class is no expression
        return Movements(self.parts.known, labels, np.array(["anna"] * count))


@pytest.fixture(scope="module")
def data():
    known = np.random.default_rng(9).normal(0, 0.01, (4, 2, 28, 28)).astype(np.float16)
    return Parts([film("anna", 1), film("bert", 2)], [film("cleo", 3)], known)


@pytest.fixture
def recipe(recipe_of):
    after = replace(registry.load(FILES).method.adapting, members=1)
    size = {
        "members": 2,
        "adapting": after,
        "memory": 6,
        "chunk_s": 1.5,
        "epochs": 1,
        "steps": 2,
        "tick_s": TICK_S,
        "lookback_s": 0.047,
    }
    given = recipe_of("spotter", "films", **size)
    return replace_in(given, method=replace(given.method, optimiser=replace(given.method.optimiser, batch=3)))


@pytest.fixture
def config(recipe):
    return recipe.method


def job_of(config, parts):
    source = Given(parts)
    split = SPOTTER.see(config, source, source.whole())
    [(job, _)] = SPOTTER.stages(config, split, source, config.seed)
    assert isinstance(job, SpotterJob)
    return job


def experiment(recipe, parts, **changes):
    return Experiment(SPOTTER, replace_in(recipe, method=replace(recipe.method, **changes)), Given(parts))


def test_what_is_asked_is_whether_there_is_an_expression_which_and_how_near_its_apex():
    times = np.array([0.9, 1.0, 1.1, 1.13, 1.3, 1.31, 2.0, 2.5, 2.56, 3.0])
    found = targets(times, [(MICRO, 1.0, 1.1, 1.3), (MACRO, 2.0, 2.5, 3.0)])
    assert (found.shape, found.dtype) == ((10, 3), np.float32)
    assert found[:, 0].tolist() == [0, 1, 1, 1, 1, 0, 1, 1, 1, 1]
    assert found[:, 1].tolist() == [0, 1, 1, 1, 1, 0, 0, 0, 0, 0]
    assert (APEX_S[True], APEX_S[False]) == (0.03, 0.06)
    near = np.exp(-0.5)
    assert found[[2, 3, 7, 8], 2] == pytest.approx([1.0, near, 1.0, near], abs=1e-6)
    assert found[[0, 4, 6, 9], 2].max() < 1e-6
    assert not targets(times, []).any()


def test_a_mirror_swaps_sides_and_twice_changes_nothing():
    rng = np.random.default_rng(1)
    fields, turns = rng.random((5, 2, 4, 4), np.float32), rng.random((5, 3), np.float32)
    swapped, turned = mirrored(fields, turns)
    assert np.array_equal(swapped[:, 0], -fields[:, 0, :, ::-1])
    assert np.array_equal(swapped[:, 1], fields[:, 1, :, ::-1])
    assert np.array_equal(turned, turns * np.float32([-1, 1, -1]))
    for found, wanted in zip(mirrored(swapped, turned), (fields, turns), strict=True):
        assert np.array_equal(found, wanted)


def test_without_changes_a_chunk_is_what_serving_sees_of_a_film_or_its_mirror(config, data):
    job = job_of(replace(config, **PLAIN), data)
    [(inputs, wanted, asked_of), _] = job.batches(0)
    assert inputs.shape == (3, 90, 3 * config.cells**2 + 4)
    assert wanted.shape == (3, 90, 3)
    views = []
    for each in data.train:
        fields, head, turns = unpacked(each.ticks.astype(np.float32), 28)
        asked = targets(each.ends - config.lookback_s, [tuple(row) for row in each.expressions.tolist()])
        for seen, turned in ((fields, turns), mirrored(fields, turns)):
            views.append((motion_ticks(seen, head, turned, config.cells), asked))
    assert asked_of[:, BLIND_TICKS:].all()
    for chunk, asked in zip(inputs.numpy(), wanted.numpy(), strict=True):
        places = [(view, np.flatnonzero((view[0][:-89] == chunk[0]).all(1))) for view in views]
        [((ticks, truth), [begin])] = [(view, at) for view, at in places if len(at)]
        assert np.array_equal(ticks[begin : begin + 90], chunk)
        assert asked == pytest.approx(truth[begin : begin + 90], abs=1e-5)


def test_batches_are_the_same_when_asked_for_again_and_new_in_each_epoch(config, data):
    job = job_of(config, data)
    first, again, other = (list(job.batches(epoch)) for epoch in (0, 0, 1))
    for one, same in zip(first, again, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(one, same, strict=True))
    assert len(first) == 2
    assert not torch.equal(first[0][0], first[1][0])
    assert not torch.equal(first[0][0], other[0][0])
    assert all(torch.isfinite(inputs).all() for inputs, *_ in first)


def test_what_is_pasted_is_seen_and_asked_for(config, data):
    silent = data._replace(train=[replace_in(each, expressions=np.zeros((0, 4))) for each in data.train])

    def shown(**changes):
        job = job_of(replace(config, **(PLAIN | {"steps": 4} | changes)), silent)
        inputs, wanted, _ = map(torch.cat, zip(*job.batches(0), strict=True))
        lengths = inputs[..., 2 * config.cells**2 : 3 * config.cells**2]
        return float(lengths.mean()), wanted.amax((0, 1))

    (still, plain), (moved, micro), (further, macro) = (
        shown(pasted_per_minute=rates) for rates in ((0.0, 0.0), (90.0, 0.0), (0.0, 90.0))
    )
    assert plain.tolist() == [0.0, 0.0, 0.0]
    assert micro[:2].tolist() == [1.0, 1.0]
    assert macro[:2].tolist() == [1.0, 0.0]
    assert min(micro[2], macro[2]) > 0.9
    assert still < moved < further


def test_a_network_that_has_just_begun_to_look_is_not_asked(config, data):
    job = job_of(config, data)
    job.network.eval()
    inputs, wanted, asked = next(job.batches(0))
    first, later = wanted.clone(), wanted.clone()
    first[:, :BLIND_TICKS] = 1.0 - first[:, :BLIND_TICKS]
    later[:, BLIND_TICKS] = 1.0 - later[:, BLIND_TICKS]
    assert torch.equal(job.loss((inputs, wanted, asked)), job.loss((inputs, first, asked)))
    assert not torch.equal(job.loss((inputs, wanted, asked)), job.loss((inputs, later, asked)))


def test_a_member_learns_as_fast_as_it_would_beside_fewer(config, data):
    job, alone = job_of(replace(config, members=4), data), job_of(config, data)
    alone.network.members[0].load_state_dict(job.network.members[1].state_dict())
    job.network.eval(), alone.network.eval()
    batch = next(job.batches(0))
    for each in (job, alone):
        each.loss(batch).backward()
    for one, same in zip(job.network.members[1].parameters(), alone.network.members[0].parameters(), strict=True):
        torch.testing.assert_close(one.grad, same.grad)


def test_a_film_that_is_shorter_than_a_chunk_is_refused(config, data):
    with pytest.raises(DataError, match="too short for chunks of"):
        job_of(replace(config, chunk_s=9.9), data)


def blinking(film, *at):
    """The same film with blinks at these moments, of which the ticks show a mark, on the way there and back."""
    ticks = film.ticks.copy()
    for t in at:
        ticks[(film.ends > t) & (film.ends < t + 0.2 + LAG_S)] = MARK
    return replace_in(film, ticks=ticks, happened=tuple(Happened("blink", t, t + 0.2) for t in at))


def test_what_is_left_out_is_shown_in_no_chunk(config, data):
    parts = data._replace(train=[blinking(each, 3.0, 6.5) for each in data.train])

    def marked(*without):
        job = job_of(replace(config, **(PLAIN | {"both": 0.5, "steps": 8, "without": without})), parts)
        inputs = torch.cat([inputs for inputs, *_ in job.batches(0)])
        return float((inputs[..., -3:].abs() > 1.0).any(2).any(1).float().mean())

    assert marked() > 0.4
    assert marked("gaze") == marked()
    assert marked("blink") == marked("blink", "turn") == 0.0


def test_macro_expressions_that_are_left_out_are_not_pasted_either(config, data):
    changes = PLAIN | {"pasted_per_minute": (0.0, 90.0), "steps": 4}
    quiet = data._replace(train=[replace_in(each, expressions=np.zeros((0, 4))) for each in data.train])
    asked = {
        without: torch.cat(
            [wanted for _, wanted, _ in job_of(replace(config, **changes, without=without), quiet).batches(0)]
        )
        for without in ((), ("macro",))
    }
    assert asked[()].any()
    assert not asked[("macro",)].any()


def test_films_without_room_for_a_chunk_are_refused(config, data):
    crowded = data._replace(train=[blinking(each, *np.arange(0.0, 10.0, 1.0)) for each in data.train])
    assert job_of(config, crowded).steps == 2
    with pytest.raises(DataError, match=r"no film shows 1.5 s without blink"):
        job_of(replace(config, without=("blink",)), crowded)


def test_what_is_left_out_is_compared_in_a_table(recipe, config, data):
    asked = experiment(recipe, data._replace(train=[blinking(each, 3.0) for each in data.train]))
    rows = compare(asked, ["without=,blink"], [1])
    found, at_the_apex = (lines.split("\n") for lines in "\n".join(table(rows)).split("\n\n"))
    for each in (found, at_the_apex):
        assert [line.split(" | ")[0] for line in each] == ["| without", "| ---", "| none", "| blink"]
    assert at_the_apex[0].endswith("".join(f"| on {name} " for name in get_args(Distractor)) + "|")
    assert all("false_per_minute_on_blink" in row.scores for row in rows)
    assert len({path.read_bytes() for path in Path(config.runs).glob("*/*/weights.pt")}) == 2
    assert asked.source.asked == ["held-out"]  # what is seen of the films stays the same


@pytest.mark.parametrize("vary", ["films=8", "test_films=3", "seconds=20", "micro_per_minute=6", "clips.people=3"])
def test_all_rows_share_who_is_filmed_and_how_long(recipe, data, vary):
    with pytest.raises(ConfigError, match=f"{vary.partition('=')[0]} cannot be varied"):
        compare(experiment(recipe, data), [vary], [1])


@pytest.mark.parametrize("vary", ["without=sneeze", "weights=1+2"])
def test_a_list_that_cannot_be_is_refused_before_anything_is_trained(recipe, data, vary):
    asked = experiment(recipe, data)
    with pytest.raises(ConfigError, match=vary.partition("=")[0]):
        compare(asked, ["without=,gaze + turn", vary], [1])
    assert asked.source.asked == []


def test_what_is_left_out_must_be_a_distractor():
    with pytest.raises(ConfigError, match=r"without.*sneeze|sneeze.*without"):
        registry.load(FILES, ["without=['sneeze']"])


def test_a_movement_of_no_class_is_no_expression(config, data):
    none = np.zeros((1, 2, 28, 28), np.float16)
    quiet = data._replace(
        known=np.concatenate([none, data.known[-1:]]),
        train=[replace_in(each, expressions=np.zeros((0, 4)), ticks=np.zeros_like(each.ticks)) for each in data.train],
    )
    job = job_of(replace(config, **(PLAIN | {"pasted_per_minute": (90.0, 90.0)})), quiet)
    inputs = torch.cat([inputs for inputs, *_ in job.batches(0)])
    assert not inputs[..., : 2 * config.cells**2].any()


def real_face(*marks):
    times = np.arange(240) / 30
    rows = np.full((240, WIDTH), 0.001, np.float16)
    rows[(times > 2.0) & (times < 2.5)] = 0.05
    return MarkedFace("clip", "dora", Playing(1.0, 1.0), times, rows, marks)


@pytest.fixture
def adapted(config, data, monkeypatch):
    """The stages where the source has a marked clip, with changes of [adapting]."""

    def stages(**changes):
        smile, unsure = Mark(2.0, 2.2, 2.4, 2.5, "positive", "happiness"), Mark(5.0, 5.5, 5.5, 6.0, "unsure", "")
        source = Given(data)
        monkeypatch.setattr(source, "marked", lambda workers=None: [real_face(smile, unsure)])
        size = {"marked": 1.0, "elsewhere": 0.0, "epochs": 1, "steps": 4, "optimiser": config.optimiser} | changes
        plain = replace(config, **PLAIN, adapting=replace(config.adapting, **size))
        return SPOTTER.stages(plain, SPOTTER.see(plain, source, source.whole()), source, 1)

    return stages


def test_real_faces_are_a_stage_of_their_own_in_which_nobody_is_asked_of_what_is_unsure(adapted):
    _, made = adapted()
    job, _ = made()
    inputs, wanted, asked = map(torch.cat, zip(*job.batches(0), strict=True))
    assert wanted[..., :2].amax((0, 1)).tolist() == [1.0, 1.0]  # the smile is brief
    shown = asked[:, BLIND_TICKS:, 0]
    assert 0.0 < shown.mean() < 1.0
    changed = wanted.clone()
    changed[asked[..., 0] == 0.0] = 1.0 - changed[asked[..., 0] == 0.0]
    job.network.eval()
    assert torch.equal(job.loss((inputs, wanted, asked)), job.loss((inputs, changed, asked)))


def test_what_is_seen_elsewhere_shows_the_same(adapted):
    (plain, _), (elsewhere, _) = adapted()[1](), adapted(elsewhere=1.0)[1]()
    inputs, wanted, _ = next(iter(plain.batches(0)))
    seen, as_wanted, _ = next(iter(elsewhere.batches(0)))
    assert torch.equal(as_wanted[0], wanted[0])  # of the first chunk all was drawn before it was changed
    assert not torch.equal(seen[0], inputs[0])


def test_some_members_go_on_to_real_faces_from_where_films_left_the_others(adapted, config, tmp_path):
    (films, optimiser), made = adapted()
    before = copy.deepcopy(fit(films, optimiser, tmp_path / "films", config.machine))
    job, turns = made()
    assert (films.epochs, job.epochs, len(before.members), len(job.network.members)) == (config.epochs, 1, 1, 2)
    first, last = job.network.members
    assert all(map(torch.equal, first.parameters(), last.parameters()))
    first, last = fit(job, turns, tmp_path / "real", config.machine).members
    assert all(map(torch.equal, first.parameters(), before.members[0].parameters()))
    assert not any(map(torch.equal, first.parameters(), last.parameters()))


def test_more_members_than_there_are_to_begin_from_are_refused(config):
    with pytest.raises(ValueError, match="2 of 3 members go on, but 1 stay"):
        replace(config, members=3, adapting=replace(config.adapting, members=2))


def test_films_of_several_lengths_are_asked_together_as_each_alone(config, data):
    long, other = data.train
    short = replace_in(other, ends=other.ends[:300], ticks=other.ticks[:300])
    [fed] = SPOTTER.inputs(config, [long, short], "final").values()
    network = SPOTTER.network(config, len(LABELS)).eval()
    together = network(fed)
    for row, each in enumerate((long, short)):
        torch.testing.assert_close(together[:, row, : len(each.ends)], network(ticks(each, config)[None])[:, 0])
    assert len(SPOTTER.labels([long, short])) == 2


@pytest.fixture
def asked(recipe, data):
    made = experiment(recipe, data)
    made.fit()
    return made


@pytest.fixture
def package(asked, tmp_path):
    folder = tmp_path / "engines" / "spotter"
    asked.export(folder, "fp32", asked.scores())
    return folder


def moving_crops():
    """Two seconds at 30 Hz of a texture whose upper part moves to and fro, seen by a head that turns."""
    texture = cv2.GaussianBlur(np.random.default_rng(3).integers(0, 256, (128, 128, 3), np.uint8), (0, 0), 2.0)
    points, matrix = np.zeros((468, 2), np.float32), np.eye(2, 3, dtype=np.float32)
    for i in range(60):
        shift = np.float32([[1, 0, 0], [0, 1, 3.0 * np.sin(i / 5)]])
        picture = np.vstack([cv2.warpAffine(texture, shift, (128, 128))[:48], texture[48:]])
        yield Crop(1, i / 30, picture, points, matrix, Pose(0.1 * i, 0.0, 0.0))


def test_the_package_of_a_run_says_live_what_the_network_says_of_the_film(config, asked, package, engines):
    """Fitted, exported and opened, it is fed crop by crop; training's film of the same crops goes in as a whole."""
    assert check(package, engines).ok
    engine = open_engine(package, engines)
    assert (engine.manifest.task, engine.manifest.labels) == ("spotting", ("expression", "micro", "apex"))
    assert {score.name for score in engine.manifest.scores} >= {"f1", "precision", "recall", "false_per_minute"}
    live = scorer_of(engine, LaggedFlow(LAG_S, 128, PAUSE_S))
    face = FilmedFace(SPOTTER.representation(config), realtime_config.load())
    said = []
    for crop in moving_crops():
        said += live.push(crop)
        face.push(crop)
    ends, rows = zip(*face.ticks, strict=True)
    whole = Film("anna", 2.0, np.array(ends), np.stack(rows).astype(np.float16), np.zeros((0, 4)), rate_hz=30.0)
    wanted = spots(asked.restored(), config, whole)
    assert len(said) == len(wanted) > 90
    for spot, other in zip(said, wanted, strict=True):
        assert spot.t == pytest.approx(other.t)
        for name in ("expression", "micro", "apex"):
            assert getattr(spot, name) == pytest.approx(getattr(other, name), abs=5e-3)
    assert np.ptp([spot.expression for spot in said]) > 0.02
