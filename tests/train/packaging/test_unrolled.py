import pytest
import torch
from torch import nn

from realtime.errors import EngineError
from train.methods.cmn.cmnet import CmnetHead
from train.methods.cmn.network import CmnHead
from train.methods.ecstfl.resnet_gru import ResNetGru
from train.packaging.unrolled import Unrolled, unrolled


def flat(answer):
    """All tensors of a nested answer."""
    return [answer] if isinstance(answer, torch.Tensor) else [tensor for part in answer for tensor in flat(part)]


def assert_equal(found, wanted):
    for one, other in zip(flat(found), flat(wanted), strict=True):
        assert one.shape == other.shape
        assert float((one - other).detach().abs().max()) < 1e-6


@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU])
@pytest.mark.parametrize("frames", [1, 8])
def test_a_layer_written_out_answers_as_torchs_own(kind, frames):
    torch.manual_seed(1)
    layer = kind(6, 5, batch_first=True)
    for weight in layer.parameters():
        nn.init.uniform_(weight, -1, 1)  # or the gates hardly move
    x = torch.randn(3, frames, 6)
    assert_equal(unrolled(layer)(x), layer(x))


@pytest.mark.parametrize("kind", [CmnHead, CmnetHead])
def test_a_head_keeps_its_answers_and_its_own_form(kind):
    torch.manual_seed(1)
    head = kind(32, 3, "first", 1.0).eval()
    x = torch.randn(4, 8, 32)
    assert_equal(unrolled(head)(x), head(x))
    assert isinstance(head.lstm, nn.LSTM)


def test_a_network_of_clips_keeps_its_answers():
    torch.manual_seed(1)
    network = ResNetGru(3).eval()
    x = torch.randn(2, 3, 4, 32, 32)
    form = unrolled(network)
    assert isinstance(form.gru, Unrolled)
    assert_equal(form(x), network(x))


def test_a_network_without_recurrence_is_only_copied():
    linear = nn.Linear(2, 2)
    assert unrolled(linear) is not linear
    assert torch.equal(unrolled(linear).weight, linear.weight)


def test_an_exported_graph_has_no_recurrent_operator_and_a_free_batch():
    network = unrolled(CmnHead(16, 3, "first", 1.0)).eval()
    batch = torch.export.Dim("batch", min=1, max=16)
    program = torch.export.export(network, (torch.randn(2, 8, 16),), dynamic_shapes=({0: batch},))
    used = {str(node.target) for node in program.graph.nodes if node.op == "call_function"}
    assert not {name for name in used if "lstm" in name}
    for rows in (1, 5):
        assert program.module()(torch.randn(rows, 8, 16))[0].shape == (rows, 3)


def test_all_layers_that_have_no_such_form_are_named():
    class Many(nn.Module):
        def __init__(self):
            super().__init__()
            self.plain = nn.RNN(2, 2, batch_first=True)
            self.both = nn.LSTM(2, 2, batch_first=True, bidirectional=True)
            self.turned = nn.GRU(2, 2)

    with pytest.raises(EngineError) as caught:
        unrolled(Many())
    assert [reason.split()[0] for reason in caught.value.reasons] == ["plain", "both", "turned"]
