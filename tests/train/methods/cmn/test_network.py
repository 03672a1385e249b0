"""The heads, untrained."""

import onnx
import pytest
import torch
from onnx.reference import ReferenceEvaluator

from train.methods.cmn.method import HEADS
from train.methods.cmn.network import CmnHead


def test_the_head_with_a_reference_sees_no_offset_common_to_all_frames():
    torch.manual_seed(1)
    x, face = torch.randn(2, 8, 16), torch.randn(2, 1, 16)
    with torch.no_grad():
        first, none = (CmnHead(16, 3, reference, torch.ones(16)) for reference in ("first", "none"))
        assert torch.allclose(first(x + face)[0], first(x)[0], atol=1e-5)
        assert not torch.allclose(none(x + face)[0], none(x)[0], atol=1e-2)


def test_the_head_minds_the_order_of_frames():
    torch.manual_seed(1)
    head = CmnHead(16, 3, "none", torch.ones(16))
    x = torch.randn(2, 8, 16)
    assert not torch.allclose(head(x)[0], head(x.flip(1))[0], atol=1e-4)


@pytest.mark.parametrize(("kind", "reference"), [("patent", "none"), ("cmnet", "first")])
def test_the_head_exported_to_onnx_answers_as_in_torch(kind, reference):
    torch.manual_seed(1)
    head = HEADS[kind](16, 3, reference, torch.full((16,), 0.5)).eval()
    x = torch.randn(3, 8, 16)
    program = torch.onnx.export(
        head,
        (x,),
        dynamo=True,
        input_names=["embeddings"],
        output_names=["logits", "clip"],
        dynamic_shapes=({0: torch.export.Dim("batch", min=1)},),
        verbose=False,
    )
    onnx.checker.check_model(program.model_proto)
    for batch in (x, torch.randn(1, 8, 16)):
        found = ReferenceEvaluator(program.model_proto).run(None, {"embeddings": batch.numpy()})
        with torch.no_grad():
            for mine, wanted in zip(found, head(batch), strict=True):
                assert mine == pytest.approx(wanted.numpy(), abs=1e-5)


@pytest.mark.parametrize("kind", HEADS)
def test_weights_bring_their_scale_to_a_fresh_head(kind):
    torch.manual_seed(1)
    head, x = HEADS[kind](16, 3, "first", torch.rand(16)).eval(), torch.randn(2, 8, 16)
    fresh = HEADS[kind](16, 3, "first", 1.0).eval()
    fresh.load_state_dict(head.state_dict())
    with torch.no_grad():
        assert torch.equal(fresh(x)[0], head(x)[0])
