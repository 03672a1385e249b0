import numpy as np
import pytest
import torch

from realtime.errors import EngineError
from train.methods.cmn.cmnet import CmnetHead
from train.methods.cmn.network import CmnHead
from train.packaging.graph import rounded
from train.packaging.step import FrameByFrame, follow, step_graph


def head(kind=CmnHead, reference="first"):
    torch.manual_seed(3)
    return kind(16, 3, reference, 0.5).eval()


@pytest.mark.parametrize(("kind", "reference"), [(CmnHead, "first"), (CmnetHead, "none")])
def test_frame_by_frame_a_head_answers_after_each_what_it_answers_to_all_so_far(kind, reference):
    whole, embeddings = head(kind, reference), torch.randn(3, 7, 16)
    told = follow(step_graph(whole, embeddings), embeddings.numpy())
    assert len(told) == 7
    with torch.no_grad():
        for count, found in enumerate(told, 1):
            logits, clip = rounded(whole)(embeddings[:, :count])
            np.testing.assert_allclose(found["logits"], logits.numpy(), rtol=0, atol=1e-6)
            np.testing.assert_allclose(found["clip"], clip.numpy(), rtol=0, atol=1e-6)


@pytest.mark.parametrize("kind", [CmnHead, CmnetHead])
def test_the_cell_is_torchs_lstm(kind):
    whole = head(kind)
    x, h, c = torch.randn(5, 16), torch.randn(5, 128), torch.randn(5, 128)
    with torch.no_grad():
        logits, v, cell = whole.step(x, h, c)
        seen = whole.movement(x, whole.projector(x))
        _, (wanted_v, wanted_cell) = whole.lstm(seen[:, None], (h[None], c[None]))
        torch.testing.assert_close((v, cell), (wanted_v[0], wanted_cell[0]), rtol=0, atol=1e-6)
        torch.testing.assert_close(logits, whole.classifier(v))


def test_sequences_that_begin_at_different_frames_share_a_batch():
    network, embeddings = FrameByFrame(head()).eval(), torch.randn(2, 5, 16)
    state = [torch.full((2, length), torch.nan) for length in (16, 128, 128)]
    with torch.no_grad():
        for number in range(5):
            start = torch.tensor([[float(number == 0)], [float(number == 2)]])
            logits, h, c, first = network(embeddings[:, number], start, *state)
            state = [first, h, c]
        torch.testing.assert_close(logits[0], network.head(embeddings[:1])[0][0])
        torch.testing.assert_close(logits[1], network.head(embeddings[1:, 2:])[0][0])


def test_a_head_whose_steps_say_otherwise_has_no_graph_of_them(monkeypatch):
    def step(self, x, h, c):
        return self.classifier(h), h, c

    monkeypatch.setattr(CmnHead, "step", step)
    with pytest.raises(EngineError) as caught:
        step_graph(head(), torch.randn(2, 4, 16))
    assert [reason.split()[0] for reason in caught.value.reasons] == ["logits", "clip"]
