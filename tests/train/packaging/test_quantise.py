"""INT8 on a network of two convolutions, small enough to be rounded within a second."""

from collections import Counter

import msgspec
import numpy as np
import onnx
import pytest
import torch
from torch import nn

from realtime.engine.check import check
from realtime.engine.package.manifest import GOLDEN, load
from realtime.errors import EngineError
from realtime.representation.crop_images import IMAGENET_MEAN, IMAGENET_STD, CropImages, crop_images
from train.packaging import quantise
from train.packaging.export import export
from train.packaging.golden import CANDIDATES, INT8_ROWS
from train.packaging.graph import rounded, to_onnx
from train.packaging.quantise import Trial, to_int8

PICTURES = CropImages(48, 32, IMAGENET_MEAN, IMAGENET_STD)
LABELS = ("dark", "bright")


class Brightness(nn.Module):
    """Bright pictures are of class 1: a convolution that copies, one of noise, and a layer that thresholds the mean."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(1)
        self.copy, self.noise = nn.Conv2d(3, 8, 3, 2, 1), nn.Conv2d(8, 8, 3, 2, 1)
        self.fc = nn.Linear(8, 2)
        with torch.no_grad():
            self.noise.weight.mul_(0.1)
            self.noise.weight[:, :, 1, 1] += torch.eye(8)
            self.copy.weight.fill_(1 / 27)
            self.fc.weight.copy_(torch.tensor([[-1.0] * 8, [1.0] * 8]))
            self.fc.bias.copy_(torch.tensor([0.01, -0.01]))

    def forward(self, images):
        embedding = self.noise(self.copy(images)).mean((2, 3))
        return embedding, self.fc(embedding)


def faces(count, seed):
    """Pictures of noise, dark and bright in turn, and which they are."""
    rng = np.random.default_rng(seed)
    truth = np.arange(count) % 2
    return [rng.integers(0, 100, (48, 48, 3), dtype=np.uint8) + np.uint8(150 * bright) for bright in truth], truth


@pytest.fixture(scope="module")
def trial():
    pictures, truth = faces(40, 2)
    return Trial(PICTURES, faces(16, 1)[0], pictures, truth, "noise")


@pytest.fixture(scope="module")
def floating():
    network = rounded(Brightness())
    return to_onnx(network, {"images": torch.zeros(2, 3, 32, 32)}, ("embedding", "logits"), short=False)


@pytest.fixture(scope="module")
def rounded_graph(floating, trial):
    return to_int8(floating, trial, LABELS)


def constants(model):
    return {weight.name: onnx.numpy_helper.to_array(weight) for weight in model.graph.initializer}


def makers(model):
    return {name: node for node in model.graph.node for name in node.output}


def test_a_convolution_takes_int8_on_both_sides_and_nothing_else_is_rounded(rounded_graph):
    made, _ = rounded_graph
    made_by, kinds = makers(made), Counter(node.op_type for node in made.graph.node)
    assert (kinds["Conv"], kinds["QuantizeLinear"], kinds["DequantizeLinear"]) == (2, 2, 4)
    for node in (node for node in made.graph.node if node.op_type == "Conv"):
        assert [made_by[name].op_type for name in node.input[:2]] == ["DequantizeLinear"] * 2
        assert constants(made)[node.input[2]].dtype == np.float32  # TensorRT refuses biases of int32
    (last,) = (node for node in made.graph.node if node.op_type == "Gemm")
    assert not {made_by[name].op_type for name in last.input if name in made_by} & {"DequantizeLinear"}


def test_zero_points_are_0_and_weights_have_a_scale_for_each_output_channel(rounded_graph):
    made, _ = rounded_graph
    values, weights = constants(made), {}
    for node in (node for node in made.graph.node if node.op_type.endswith("Linear")):
        scale, zero = values[node.input[1]], values[node.input[2]]
        assert zero.dtype == np.int8
        assert not zero.any()
        if node.input[0] in values:
            axis = next(onnx.helper.get_attribute_value(a) for a in node.attribute if a.name == "axis")
            weights[values[node.input[0]].shape] = (scale.shape, axis)
        else:
            assert scale.size == 1
    assert weights == {(8, 3, 3, 3): ((8,), 0), (8, 8, 3, 3): ((8,), 0)}


def test_weights_leave_room_for_sums_on_processors_without_vnni(rounded_graph):
    """Two products of 8 bits overflow 16 where both factors use all of them: AVX2 saturates the sum without a word."""
    model, _ = rounded_graph
    weights = [array for array in constants(model).values() if array.dtype == np.int8 and array.ndim == 4]
    assert len(weights) == 2
    for array in weights:
        assert 2 * 255 * int(np.abs(array.astype(int)).max()) <= 2**15
        assert np.abs(array).max() > 50  # and no more than that is given away


def test_a_scale_is_the_widest_value_of_the_calibration_over_127(rounded_graph, trial):
    made, _ = rounded_graph
    first = next(n for n in made.graph.node if n.op_type == "QuantizeLinear" and n.input[0] == "images")
    widest = np.abs(crop_images(trial.calibration, PICTURES)).max()
    assert constants(made)[first.input[1]] == pytest.approx(widest / 127.5, rel=1e-2)


def test_answers_stay_and_the_batch_stays_free(floating, rounded_graph, trial):
    made, _ = rounded_graph
    x = crop_images(trial.test[:3], PICTURES)
    for rows in (1, 3):
        exact, found = (
            onnx.reference.ReferenceEvaluator(m).run(["logits"], {"images": x[:rows]})[0] for m in (floating, made)
        )
        apart = np.linalg.norm(found - exact) / np.linalg.norm(exact)
        assert 1e-5 < apart < 3e-2  # rounded, and to eight bits


def test_it_is_the_same_graph_each_time_and_the_float_graph_stays(floating, rounded_graph, trial):
    before = floating.SerializeToString(deterministic=True)
    again, _ = to_int8(floating, trial, LABELS)
    assert floating.SerializeToString(deterministic=True) == before
    assert again.SerializeToString(deterministic=True) == rounded_graph[0].SerializeToString(deterministic=True)


def test_the_cost_is_told_as_scores(rounded_graph):
    _, cost = rounded_graph
    assert {score.name: score.value for score in cost} == {
        "fp32_accuracy": 1.0,
        "fp32_uf1": 1.0,
        "int8_accuracy": 1.0,
        "int8_uf1": 1.0,
        "int8_agreement": 1.0,
    }
    assert all((score.protocol, score.counts) == ("noise", {"dark": 20, "bright": 20}) for score in cost)


def test_before_and_after_are_not_mixed_up():
    truth, before, after = np.array([0, 0, 1, 1]), np.array([0, 0, 1, 1]), np.array([0, 1, 1, 1])
    found = quantise._scores(before, after, 0.75, Trial(PICTURES, [], [], truth, "by hand"), LABELS)
    assert {score.name: score.value for score in found} == {
        "fp32_accuracy": 1.0,
        "fp32_uf1": 1.0,
        "int8_accuracy": 0.75,
        "int8_uf1": pytest.approx((2 / 3 + 4 / 5) / 2, abs=1e-4),
        "int8_agreement": 0.75,
    }


def test_ranges_that_do_not_hold_for_other_pictures_are_refused(floating, trial):
    grey = [np.full((48, 48, 3), 118, np.uint8)] * 2  # nearly 0: all that is brighter will be the same
    strict = onnx.ModelProto()
    strict.CopyFrom(floating)
    (bias,) = (weight for weight in strict.graph.initializer if weight.name == "fc.bias")
    embedding = quantise.InferenceSession(floating.SerializeToString()).run(
        ["embedding"], {"images": crop_images([np.full((48, 48, 3), 200, np.uint8)], PICTURES)}
    )[0]
    threshold = float(embedding.sum())  # what lies between the dark of the bright pictures and their bright
    bias.CopyFrom(onnx.numpy_helper.from_array(np.array([threshold, -threshold], np.float32), "fc.bias"))
    levels = np.arange(40) % 2
    bright = [np.full((48, 48, 3), 160 + 80 * level, np.uint8) for level in levels]
    with pytest.raises(EngineError, match=r"of 40 pictures:\n.* 50\.0% of them are kept, 98% are wanted"):
        to_int8(strict, Trial(PICTURES, grey, bright, levels, "two levels"), LABELS)
    to_int8(strict, Trial(PICTURES, bright[:2], bright, levels, "two levels"), LABELS)


@pytest.fixture
def parts(encoder_parts):
    pictures, _ = faces(CANDIDATES, 3)
    draft = msgspec.structs.replace(
        encoder_parts[3], vocabulary="own", labels=LABELS, precision="int8", representation=PICTURES
    )
    images = torch.from_numpy(crop_images(pictures, PICTURES))
    return Brightness(), {"images": images}, ("embedding", "logits"), draft


def test_a_package_in_int8_says_what_it_cost_and_is_checked_by_its_labels(parts, trial, tmp_path, engines):
    made = export(*parts, tmp_path / "encoder", trial=trial)
    assert load(tmp_path / "encoder") == made
    assert made.precision == "int8"
    assert "onnxruntime" in made.versions
    assert len(np.load(tmp_path / "encoder" / GOLDEN)["out_logits"]) == INT8_ROWS
    assert [score.name for score in made.scores][-1] == "int8_agreement"
    assert len(made.scores) == 1 + 5  # those of the draft stay
    report = check(tmp_path / "encoder", engines)
    assert report.ok
    assert report.differences[1].agreement == 1.0
    assert report.differences[1].relative > 1e-4  # or it was not INT8 that ran


def test_int8_needs_pictures_to_calibrate_with_and_nothing_else_takes_any(parts, trial, tmp_path):
    *network, draft = parts
    with pytest.raises(EngineError, match=r"cannot compute in INT8:\n.*export it in fp32 or fp16"):
        export(*network, draft, tmp_path / "encoder")
    with pytest.raises(EngineError, match="its precision is fp16: calibrate INT8 alone"):
        export(*network, msgspec.structs.replace(draft, precision="fp16"), tmp_path / "encoder", trial=trial)
    assert list(tmp_path.iterdir()) == []
