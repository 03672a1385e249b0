"""JSON by hand, in the words of TensorRT's documents: "Engine Inspector" and "Migrating IEngineInspector Usage"."""

import json
from types import SimpleNamespace

import pytest

from realtime.engine.backends.inspector import precision_of, require_precision
from realtime.errors import EngineError


def layer(fed, made, key="Format/Datatype"):
    """A layer as TensorRT 10 and TensorRT for RTX show it; with another key, as TensorRT 11 does."""
    return {
        "Name": "conv1 + relu1",
        "LayerType": "CaskConvolution",
        "Inputs": [{"Name": "x", "Dimensions": [1, 3, 96, 96], key: said} for said in fed],
        "Outputs": [{"Name": "y", "Dimensions": [1, 64, 48, 48], key: said} for said in made],
        "TacticName": "sm80_xmma_fprop_int8_is_only_a_name",
    }


def plan(*layers):
    return json.dumps({"Layers": list(layers), "I/O Tensors": [{"Name": "images", "DataType": "Float"}]})


FP32 = "Row major linear FP32"
FP16 = "Channel major FP16 format where channel % 8 == 0"
INT8 = "Thirty-two wide channel vectorized row major Int8 format"


@pytest.mark.parametrize(
    ("layers", "found"),
    [
        ([layer([FP32], [FP32])] * 3, "f32"),
        ([layer(["Float"], ["Float"])], "f32"),
        ([layer([FP32], [FP16]), layer([FP16], [FP16]), layer([FP16], [FP16]), layer([FP16], [FP32])], "f16"),
        ([layer(["Half"], ["Half"])], "f16"),
        ([layer(["BFloat16"], ["BFloat16"])], "bf16"),
        ([layer([FP32], [INT8]), layer([INT8], [FP32]), layer([FP32], [FP32])], "int8"),
        ([layer([FP16], [FP32]), layer([FP32], [FP32])], "f32"),  # half precision weights, cast
        ([layer(["Half"], ["Half"], "DataType")], "f16"),
        ([layer(["Int8"], ["Float"], "DataType")], "int8"),
        ([layer([], []), layer(["Int64"], ["Int64"]), layer([FP16, FP16], [FP16])], "f16"),
    ],
)
def test_the_precision_is_what_the_layers_hand_on(layers, found):
    assert precision_of(plan(*layers)) == found


def test_type_and_layout_of_tensorrt_11_are_two_fields():
    made = {"Name": "y", "DataType": "Half", "Format": "Row major linear format (kLINEAR)"}
    assert precision_of(json.dumps({"Layers": [{"Name": "a", "Inputs": [made], "Outputs": [made]}]})) == "f16"


def test_a_plan_without_details_is_not_guessed():
    with pytest.raises(EngineError, match="delete the plan"):
        precision_of(json.dumps({"Layers": [{"Name": "a"}]}))
    with pytest.raises(EngineError, match="delete the plan"):
        precision_of(json.dumps({}))


@pytest.mark.parametrize("said", ["", "{", "[1]", '{"Layers": 3}', '{"Layers": ["conv1", "conv2"]}', "null"])
def test_what_is_not_understood_is_an_engine_error(said):
    with pytest.raises(EngineError, match="inspector"):
        precision_of(said)


@pytest.mark.parametrize(("found", "promised"), [("f32", "fp32"), ("f16", "fp16"), ("int8", "int8")])
def test_a_plan_must_compute_in_what_its_manifest_says(found, promised):
    require_precision(found, SimpleNamespace(name="encoder", precision=promised))
    for other in {"fp32", "fp16", "int8"} - {promised}:
        with pytest.raises(EngineError, match=f"computes in {found}, its manifest says {other}"):
            require_precision(found, SimpleNamespace(name="encoder", precision=other))
