"""The read-out of action units: its formulas, when it keeps silent, and the way from examples to a package."""

import json
from dataclasses import replace

import msgspec
import numpy as np
import pytest
import torch

from realtime.config import ROOT
from realtime.config import load as load_config
from realtime.engine.check import check
from realtime.engine.factory import open_engine
from realtime.engine.package.manifest import load as load_manifest
from realtime.errors import ConfigError, DataError
from realtime.recognition.units import told_by
from realtime.representation.apex_field import FIELD
from realtime.representation.movement.fields import FIELD_PX, mirrored
from train import registry
from train.clips.movement.apex_fields import ANY, CUT, EVENT
from train.clips.movement.mixtures import Mixtures
from train.methods.experiment import Experiment
from train.methods.units import claims
from train.methods.units.examples import MIXED, Examples, examples, upon
from train.methods.units.network import NEVER, UnitNet
from train.methods.units.readings import Readings
from train.methods.units.ridge import ridge
from train.methods.units.solution import UnitsSolution
from train.methods.units.thresholds import FEWEST, threshold
from train.sources.source import ClipSource, Provenance, Split, Vocabulary
from train.synthesis.face.channels import INDEX, NAMES

pytestmark = pytest.mark.usefixtures("one_thread")
UNITS = registry.METHODS["units"]
#: Unit -> where its left side moves on a face (share of the side: right, down), and which way; the right is its mirror.
PLACES = {"1": ((0.56, 0.3), (0.0, -1.0)), "12": ((0.65, 0.75), (0.6, -0.8)), "4": ((0.6, 0.3), (-0.7, 0.7))}
NOISE = 2e-4  # eye distances


def blob(at, direction):
    axis = (np.arange(FIELD_PX) + 0.5) / FIELD_PX
    near = np.exp(-((axis - at[0]) ** 2 + (axis[:, None] - at[1]) ** 2) / (2 * 0.05**2))
    return np.stack([direction[0] * near, direction[1] * near]).astype(np.float32)


def field(amounts, rng, noise=NOISE):
    """What amounts (K,) do, up to 0.05 eye distances, in the noise of flow; what has no place moves nothing."""
    found = rng.normal(0, noise, (2, FIELD_PX, FIELD_PX)).astype(np.float32)
    for unit, place in PLACES.items():
        left = 0.05 * blob(*place)
        found += amounts[INDEX[f"{unit}L"]] * left + amounts[INDEX[f"{unit}R"]] * mirrored(left)
    return found


def amounts_of(**given):
    """`L12=0.4` and the like."""
    amounts = np.zeros(len(NAMES), np.float32)
    for name, amount in given.items():
        amounts[INDEX[f"{name[1:]}{name[0]}"]] = amount
    return amounts


def drawn(rng):
    """Nothing in one of four; else one or two units, one of three on one side alone."""
    amounts = np.zeros(len(NAMES), np.float32)
    for unit in rng.choice(list(PLACES), rng.integers(0, 3), replace=False):
        sides = rng.choice(["LR", "LR", "L", "R"])
        for side in sides:
            amounts[INDEX[f"{unit}{side}"]] = rng.uniform(0.1, 0.5) if len(sides) == 1 else 0.3
    return amounts


def made(people, each=40, seed=1):
    rng = np.random.default_rng(seed)
    amounts = np.stack([drawn(rng) for _ in range(len(people) * each)])
    kinds = rng.choice([EVENT, CUT, ANY, MIXED], len(amounts))
    fields = np.stack([field(row, rng) for row in amounts])
    return Examples(fields, amounts, kinds, np.repeat(people, each))


@pytest.fixture(scope="module")
def recipe():
    return registry.load([ROOT / "configs/methods/units.toml", ROOT / "configs/data/synthetic.toml"])


@pytest.fixture(scope="module")
def config(recipe):
    return msgspec.structs.replace(recipe.method, told=("1", "4", "12", "26"), wrong=0.05, wrong_in_films=0.05)


@pytest.fixture(scope="module")
def network(config):
    readings = Readings(config.told)
    network = UnitNet(readings, FIELD_PX, config.floor, len(readings.labels))
    UnitsSolution(config, readings, network, made([f"p{n}" for n in range(12)]), made(["c1", "c2"], seed=2)).solve()
    return network.eval()


def said(network, config, some):
    """Label -> clear, and label -> strength, of one field."""
    labels = Readings(config.told).labels
    with torch.no_grad():
        clear, strength = network(torch.from_numpy(np.asarray(some, np.float32))[None])
    return dict(zip(labels, clear[0].tolist(), strict=True)), dict(zip(labels, strength[0].tolist(), strict=True))


def told(network, config, some):
    """Labels that are clear; a side counts only of a unit that is."""
    clear = said(network, config, some)[0]
    return {label for label, value in clear.items() if value > 0.0 and clear[label.rstrip("LR")] > 0.0}


def test_ridge_is_the_formula_worked_out_sum_by_sum():
    rng = np.random.default_rng(3)
    x, y, weights = rng.normal(size=(30, 4)), rng.normal(size=(30, 2)), rng.uniform(0.1, 2.0, 30)
    normal, moments, total = np.zeros((4, 4)), np.zeros((4, 2)), weights.sum()
    for row in range(30):
        for i in range(4):
            for j in range(4):
                normal[i, j] += weights[row] / total * x[row, i] * x[row, j]
            for k in range(2):
                moments[i, k] += weights[row] / total * x[row, i] * y[row, k]
    least = 0.1 * sum(normal[i, i] for i in range(4)) / 4
    wanted = np.linalg.inv(normal + least * np.eye(4)) @ moments
    found = ridge(x.astype(np.float32), y.astype(np.float32), weights.astype(np.float32), 0.1)
    assert found == pytest.approx(wanted.T, rel=1e-4, abs=1e-5)


def test_the_network_is_its_formula_worked_out_by_hand(network, config):
    some = field(amounts_of(L12=0.4, R1=0.2), np.random.default_rng(5))
    read, explain = (layer.weight.detach().numpy() for layer in (network.read, network.explain))
    readings = read @ some.ravel()
    small = np.array([[[some[c, 2 * y : 2 * y + 2, 2 * x : 2 * x + 2].mean() for x in range(14)] for y in range(14)]
                      for c in range(2)])  # fmt: skip
    noise = np.sqrt(config.floor**2 + np.mean((small.ravel() - explain @ readings) ** 2))
    number = config.told.index("12")
    left, right = readings[2 * number], readings[2 * number + 1]
    bars = network.thresholds.numpy()[4 * number : 4 * number + 4]
    clear, strength = said(network, config, some)
    assert clear["12"] == pytest.approx(max(left - bars[0] * noise, right - bars[1] * noise), rel=1e-3)
    assert clear["12L"] == pytest.approx(left - right - bars[2] * noise, rel=1e-3)
    scale = network.scale[Readings(config.told).labels.index("12")].item()
    assert strength["12"] == pytest.approx(scale * max(left, right), rel=1e-4)
    assert strength["12R"] == pytest.approx(scale * right, rel=1e-3, abs=1e-5)


def test_a_scripted_unit_is_told_on_its_side_and_as_strong_as_it_was(network, config):
    rng = np.random.default_rng(7)
    assert told(network, config, field(amounts_of(L12=0.4), rng)) == {"12", "12L"}
    assert told(network, config, field(amounts_of(R4=0.3), rng)) == {"4", "4R"}
    assert told(network, config, field(amounts_of(L1=0.3, R1=0.3), rng)) == {"1"}
    strength = said(network, config, field(amounts_of(L12=0.4, R12=0.2), rng))[1]
    assert (strength["12L"], strength["12R"]) == (pytest.approx(0.4, abs=0.08), pytest.approx(0.2, abs=0.08))


def test_in_a_mirror_the_sides_are_the_other_ones(network, config):
    some = field(amounts_of(L12=0.4, R12=0.15, R4=0.3), np.random.default_rng(9))
    (clear, strength), (turned, _) = said(network, config, some), said(network, config, mirrored(some))
    assert told(network, config, some) == {"12", "12L", "4", "4R"}
    assert told(network, config, mirrored(some)) == {"12", "12R", "4", "4L"}
    swapped = {label.translate(str.maketrans("LR", "RL")): value for label, value in turned.items()}
    assert swapped == pytest.approx(clear, abs=1e-3)
    assert strength["12L"] > strength["12R"]


def test_nothing_moved_is_nothing_told(network, config):
    zero = np.zeros((2, FIELD_PX, FIELD_PX))
    clear, strength = said(network, config, zero)
    assert max(clear.values()) < 0.0
    assert set(strength.values()) == {0.0}


@pytest.mark.parametrize("size", [1e-4, 1e-3, 1e-2, 1e-1])
def test_noise_of_whatever_size_tells_hardly_anything(network, config, size):
    rng = np.random.default_rng(11)
    noisy = [told(network, config, rng.normal(0, size, (2, FIELD_PX, FIELD_PX))) for _ in range(50)]
    assert sum(map(bool, noisy)) <= 5


def test_a_unit_in_much_else_that_moves_is_not_told(network, config):
    rng = np.random.default_rng(13)
    whole = field(amounts_of(L12=0.15, R12=0.15), rng)
    storm = sum(0.05 * rng.normal() * blob(rng.uniform(0.2, 0.8, 2), rng.normal(0, 1, 2)) for _ in range(20))
    assert "12" in told(network, config, whole)
    assert told(network, config, whole + storm) == set()


def test_what_was_never_seen_to_move_is_never_told(network, config):
    labels = Readings(config.told).labels
    assert "26" in labels
    assert network.thresholds[-1].item() == NEVER


def test_readings_are_sides_in_turn_with_groups_as_strong_as_their_stronger_part():
    readings = Readings(("6+7", "12", "26"))
    assert readings.labels == ("6+7", "6+7L", "6+7R", "12", "12L", "12R", "26")
    amounts = np.stack([amounts_of(L6=0.2, L7=0.5, R12=0.3), amounts_of(L26=0.1, R26=0.1)])
    amounts[1, INDEX["jaw"]] = 0.2
    found = readings.of(amounts)
    assert found[0, :6].tolist() == pytest.approx([0.5, 0.0, 0.0, 0.3, 0.0, 0.0])
    assert found[1, 4:6].tolist() == pytest.approx([0.5, 0.5])  # a jaw that speaks is twice as strong as AU26
    turned = readings.mirrored(found)
    assert turned[0, :4].tolist() == pytest.approx([0.0, 0.5, 0.3, 0.0])
    assert readings.mirrored(turned) == pytest.approx(found)


def test_a_threshold_is_the_lowest_at_which_few_enough_are_wrong():
    values = np.arange(100, 0, -1).astype(np.float32)
    wrong = np.zeros(100, bool)
    wrong[[40, 60, 61, 62, 63]] = True
    weights = np.ones(100, np.float32)
    found = threshold(values, ~wrong, wrong, weights, most=0.02)
    told = values > found
    assert (wrong & told).sum() / told.sum() <= 0.02
    assert ((wrong & (values >= found - 1)).sum()) / (values >= found - 1).sum() > 0.02
    assert told.sum() == 60


def test_there_is_none_where_most_is_wrong_or_too_little_is_told():
    values, weights = np.linspace(2, 1, 60).astype(np.float32), np.ones(60, np.float32)
    assert threshold(values, np.zeros(60, bool), np.ones(60, bool), weights, most=0.05) == NEVER
    few = np.arange(60) < FEWEST - 1
    assert threshold(values, few, np.zeros(60, bool), weights, most=0.05) == NEVER
    assert threshold(-values, np.ones(60, bool), np.zeros(60, bool), weights, most=0.05) == NEVER


def test_a_claim_is_right_from_a_trace_on_and_wrong_where_nothing_moved():
    one = np.array([0.3, 0.05, 0.0], np.float32)
    found = claims.moved(one, one, one, np.zeros(3, np.float32), np.ones(3, np.float32), sided=True)
    assert found.right.tolist() == [True, False, False]
    assert found.wrong.tolist() == [False, False, True]
    side = claims.more(one, one, one, np.array([0.1, 0.05, 0.2], np.float32), np.ones(3, np.float32))
    assert side.right.tolist() == [True, False, False]
    assert side.wrong.tolist() == [False, True, True]


def test_mixtures_lie_upon_fields_of_all_else_and_count_what_moved_in_them(config):
    measured = made(["p1", "p2"], each=20)
    mixed = Mixtures(
        np.stack([field(amounts_of(L12=0.4), np.random.default_rng(1), 0.0)] * 3).astype(np.float16),
        np.stack([amounts_of(L12=0.4)] * 3).astype(np.float16),
        np.array(["p1", "p2", "p3"]),
    )
    found = upon(mixed, measured, msgspec.structs.replace(config.mixtures, uneven=0.0, found=0.5), seed=1)
    assert found.people.tolist() == ["p1", "p2"]  # nobody beside those who were measured
    assert set(found.kinds.tolist()) == {MIXED}
    under = measured.rows(measured.kinds == ANY)
    rest = found.amounts - amounts_of(L12=0.4)
    which = [int(np.abs(under.amounts - row).sum(1).argmin()) for row in rest]
    assert rest == pytest.approx(under.amounts[which], abs=1e-3)
    half = 0.5 * field(amounts_of(L12=0.4), np.random.default_rng(1), 0.0)
    assert np.abs(found.fields[0] - half).max() > 1e-5  # what lies under it


class Nobody(ClipSource):
    """Clips of which nobody knows what moved in them."""

    vocabulary, provenance = Vocabulary("megc-3", ("negative", "positive", "surprise")), Provenance((), "")


def test_a_source_that_knows_no_units_is_refused(config):
    with pytest.raises(DataError, match=r"give configs/data/synthetic\.toml"):
        examples(config, UNITS.representation(config), Nobody(), [], 1)


def test_from_examples_to_a_package_that_answers_as_torch_did(config, recipe, tmp_path, monkeypatch):
    split = Split(
        Nobody.vocabulary, (made([f"p{n}" for n in range(8)]),), made(["c1"], seed=2), (made(["t1", "t2"], seed=3),)
    )
    monkeypatch.setattr(type(UNITS), "see", lambda self, *given: split)
    asked = Experiment(UNITS, replace(recipe, method=msgspec.structs.replace(config, runs=str(tmp_path))), Keyed())
    run = asked.fit()
    scores = {score.name: score.value for score in asked.scores()}
    assert scores["found_12"] > 0.8
    assert scores["wrong"] <= 0.1
    assert (run / "curve.csv").read_text().startswith("epoch,found_1,")
    manifest = asked.export(tmp_path / "made" / "units", "fp32", asked.scores())
    assert (manifest.task, manifest.vocabulary) == ("action-units", "own")
    assert load_manifest(tmp_path / "made" / "units").labels == Readings(config.told).labels
    assert sum(path.stat().st_size for path in (tmp_path / "made" / "units").iterdir()) < 300_000
    engines = msgspec.structs.replace(load_config().engines, device="cpu", precision="f32")
    assert check(tmp_path / "made" / "units", engines).ok
    some = field(amounts_of(L12=0.4), np.random.default_rng(17))[None]
    [unit] = told_by(open_engine(tmp_path / "made" / "units", engines), {FIELD: some})
    assert unit.words == "lip corner up, left"
    written = json.loads((run / "scores.json").read_text())
    assert all("made-up fields of held-out people" in score["protocol"] for score in written)


class Keyed(Nobody):
    """With what names a run."""

    def key(self):
        return "toy"

    def folds(self):
        return ()

    def whole(self):
        return None


def test_a_unit_that_no_head_moves_cannot_be_told():
    with pytest.raises(ConfigError, match=r"told names 28, which no head here moves; there are the units 1, 2, 4"):
        Readings(("12", "28"))
