"""Tiny engine packages with random weights, exported once and copied for each test that damages one."""

import shutil

import msgspec
import pytest

from realtime import config
from realtime.manifest import MODEL, Score, Training, sha256
from realtime.preprocess import IMAGENET_MEAN, IMAGENET_STD, CropImages, EmbeddingSequence


@pytest.fixture(scope="session")
def encoder_parts():
    """Network, golden inputs, output names and draft: the arguments of `train.export.export` but for the folder."""
    torch = pytest.importorskip("torch", reason="making engine packages needs the train extra")
    from train.export import Draft

    class TinyEncoder(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = torch.nn.Conv2d(3, 16, 3, 2, bias=False)
            self.norm = torch.nn.BatchNorm2d(16)
            self.fc = torch.nn.Linear(16, 8)

        def forward(self, images):
            embedding = torch.nn.functional.relu(self.norm(self.conv(images))).mean((2, 3))
            return embedding, self.fc(embedding)

    torch.manual_seed(1)
    network = TinyEncoder()
    network.norm.running_var.uniform_(0.5, 2.0)
    network.norm.running_mean.uniform_(-0.5, 0.5)
    draft = Draft(
        name="encoder",
        method="expression",
        task="still-expression",
        vocabulary="ferplus-8",
        representation=CropImages(48, 32, IMAGENET_MEAN, IMAGENET_STD),
        opset=20,
        training=Training(data=("noise",), terms="none", recipe={"rate": 0.1}, seed=1, epochs=2),
        scores=(Score(name="accuracy", value=0.125, protocol="guessing", counts={"neutral": 8}),),
    )
    return network, {"images": torch.randn(4, 3, 32, 32)}, ["embedding", "logits"], draft


@pytest.fixture(scope="session")
def packages(encoder_parts, tmp_path_factory):
    """A folder with the packages `encoder` and `head`; not to be changed."""
    import torch

    from train.export import export

    class TinyHead(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.lstm = torch.nn.LSTM(16, 24, batch_first=True)
            self.fc = torch.nn.Linear(24, 3)

        def forward(self, embeddings):
            return self.fc(self.lstm(embeddings)[0][:, -1])

    folder = tmp_path_factory.mktemp("engines")
    export(*encoder_parts, folder / "encoder")
    draft = msgspec.structs.replace(
        encoder_parts[3],
        name="head",
        vocabulary="megc-3",
        task="micro-expression",
        representation=EmbeddingSequence("encoder", sha256(folder / "encoder" / MODEL), 6, 16),
    )
    export(TinyHead(), {"embeddings": torch.randn(4, 6, 16)}, ["logits"], draft, folder / "head")
    return folder


@pytest.fixture
def encoder_folder(packages, tmp_path):
    """A copy of the encoder's package that may be damaged."""
    return shutil.copytree(packages / "encoder", tmp_path / "encoder")


@pytest.fixture
def engines():
    """The default [engines] section, in f32 so that answers are the same on every processor."""
    return msgspec.structs.replace(config.load().engines, precision="f32")
