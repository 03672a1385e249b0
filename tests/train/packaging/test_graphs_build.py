"""What each method exports, in each precision, as TensorRT for RTX reads and builds it: no GPU is needed for that.

The networks are small ones of the same parts; ResNet-18 and cmn's head are in packages that test_builder.py builds.
"""

from types import SimpleNamespace

import numpy as np
import onnx
import pytest
import torch
from torch import nn

from realtime.engine.backends.builder import BuildOrder, serialize
from realtime.representation.clip_images import ClipImages
from realtime.representation.contract.tensor_spec import TensorSpec
from realtime.representation.crop_images import CropImages
from realtime.representation.embedding_sequence import EmbeddingSequence
from train.methods.apexnet.se_resnext import Bottleneck
from train.methods.cmn.cmnet import CmnetHead
from train.methods.ecstfl import c3d
from train.networks.r3d import BasicBlock3d
from train.packaging import quantise
from train.packaging.graph import half, rounded, to_onnx

pytest.importorskip("tensorrt_rtx", reason="building plans needs the tensorrt-rtx extra")

CLASSES = 3
PICTURES = CropImages(32, 32, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
CLIPS = ClipImages(4, PICTURES)
SEQUENCE = EmbeddingSequence("encoder", "0" * 64, 4, 16)


class Pictures(nn.Module):
    """A block of SE-ResNeXt-50 between its first layers and its last."""

    def __init__(self):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64)
        self.block, self.fc = Bottleneck(64, 128, 2), nn.Linear(128, CLASSES)

    def forward(self, pictures):
        x = nn.functional.max_pool2d(nn.functional.relu(self.norm(self.conv(pictures))), 3, 2, 1)
        return self.fc(self.block(x).mean((2, 3)))


class Clips(nn.Module):
    """A block of R3D-18 after the layers and the padded pooling of C3D, then the recurrent unit over time."""

    def __init__(self):
        super().__init__()
        self.conv, self.norm = c3d._layer(3, 8)
        self.block, self.gru = BasicBlock3d(8, 16, 2), nn.GRU(16, 16, batch_first=True)
        self.fc = nn.Linear(16, CLASSES)

    def forward(self, clips):
        x = nn.functional.max_pool3d(nn.functional.relu(self.norm(self.conv(clips))), (1, 2, 2))
        x = self.block(nn.functional.max_pool3d(x, (1, 2, 2), padding=(0, 1, 1)))
        return self.fc(self.gru(x.mean((-1, -2)).transpose(1, 2))[1][-1])


class Logits(nn.Module):
    """A head without the clip's vector, as it is exported."""

    def __init__(self, head):
        super().__init__()
        self.head = head

    def forward(self, embeddings):
        return self.head(embeddings)[0]


METHODS = {
    "apexnet": (Pictures, PICTURES),
    "ecstfl": (Clips, CLIPS),
    "cmnet": (lambda: Logits(CmnetHead(16, CLASSES, "first", 1.0)), SEQUENCE),
}


def graph_of(network, representation, precision):
    """The ONNX file's content that `train export` would prove."""
    torch.manual_seed(1)
    [spec] = representation.inputs()
    deployed, example = rounded(network().eval()), {spec.name: torch.randn(2, *spec.shape[1:])}
    form = half(deployed) if precision == "fp16" else deployed
    graph = to_onnx(form, example, ["logits"], short=precision != "int8")
    if precision == "int8":
        crops = list(np.random.default_rng(0).integers(0, 256, (4, 32, 32, 3), np.uint8))
        graph = quantise._quantised(graph, quantise.Trial(representation, crops, [], np.zeros(0, np.int64), "noise"))
    return graph


@pytest.mark.parametrize(
    ("method", "precision"),
    [("apexnet", "int8"), ("ecstfl", "fp16"), ("cmnet", "fp32")],
)
def test_what_a_method_exports_builds(method, precision, tmp_path):
    network, representation = METHODS[method]
    path = tmp_path / "model.onnx"
    onnx.save(graph_of(network, representation, precision), path)
    logits = TensorSpec(name="logits", shape=(-1, CLASSES), dtype="float32", layout="NC")
    manifest = SimpleNamespace(name=method, inputs=representation.inputs(), outputs=(logits,))
    plan, timing = serialize(BuildOrder(path, manifest, "tensorrt-rtx", None, 4), b"")
    assert len(plan) > 1000
    assert timing == b""
