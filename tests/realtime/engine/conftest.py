"""A representation of two inputs that Glimpse does not have, added as its own are: a struct and a place in the list."""

from types import SimpleNamespace
from typing import ClassVar

import msgspec
import numpy as np
import pytest

from realtime.labels import VOCABULARIES
from realtime.representation import representation
from realtime.representation.contract.event import EventFrames
from realtime.representation.contract.misfit import other_crops
from realtime.representation.contract.tensor_spec import TensorSpec
from realtime.representation.crop_images import CropImages
from realtime.representation.movement.pooling import pooled


class Glance(msgspec.Struct, frozen=True, tag="glance", forbid_unknown_fields=True):
    """The picture of the apex, and how the face had moved there on a coarse grid; neither by the order of the names."""

    picture: CropImages
    cells: int

    fine: ClassVar[bool] = True
    every_frame: ClassVar[bool] = True

    def inputs(self):
        side = self.picture.size_px
        return (
            TensorSpec(name="picture", shape=(-1, 3, side, side), dtype="float32", layout="NCHW"),
            TensorSpec(name="movement", shape=(-1, 2 * self.cells**2), dtype="float32", layout="NC"),
        )

    def of_event(self, event, apex_s):
        nearest = int(np.abs(event.times - apex_s).argmin())
        [picture] = self.picture.of_event(event, apex_s).values()
        return {"picture": picture, "movement": pooled(event.fields[nearest], self.cells)[None]}

    def misfits(self, encoder, crop_px):
        return other_crops(self.picture.crop_px, crop_px)

    def describe(self):
        return f"{self.picture.describe()}, and the displacement field on a grid of {self.cells} by {self.cells}"


GLANCE = Glance(CropImages(48, 32, (0.5, 0.5, 0.5), (0.25, 0.25, 0.25)), 2)


def events(count):
    """Made-up events of three frames."""
    rng = np.random.default_rng(2)
    for _ in range(count):
        pictures = rng.integers(0, 256, (3, 48, 48, 3)).astype(np.uint8)
        fields = rng.normal(0, 0.01, (3, 2, 28, 28)).astype(np.float32)
        yield EventFrames(np.array([0.0, 0.1, 0.2]), images=pictures, fields=fields)


def register(patch):
    patch.setattr(representation, "REPRESENTATIONS", (*representation.REPRESENTATIONS, Glance))


@pytest.fixture(scope="session")
def exported(encoder_parts, tmp_path_factory):
    """A folder with the package `glance` in float32, and `glance16` in float16, of one network."""
    import torch

    from train.packaging.export import export

    class Both(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.norm = torch.nn.Conv2d(3, 8, 3, 2, bias=False), torch.nn.BatchNorm2d(8)
            self.fc = torch.nn.Linear(8 + 8, 3)

        def forward(self, picture, movement):
            seen = torch.nn.functional.relu(self.norm(self.conv(picture))).mean((2, 3))
            return self.fc(torch.cat([seen, movement], 1))

    torch.manual_seed(3)
    network, folder = Both(), tmp_path_factory.mktemp("two-inputs")
    network.fc.weight.data.mul_(10.0)
    rows = [GLANCE.of_event(event, 0.1) for event in events(4)]
    golden = {name: torch.from_numpy(np.concatenate([row[name] for row in rows])) for name in rows[0]}
    labels = VOCABULARIES["megc-3"]
    draft = msgspec.structs.replace(
        encoder_parts[3], vocabulary="megc-3", labels=labels, task="micro-expression", representation=GLANCE
    )
    with pytest.MonkeyPatch.context() as patch:
        register(patch)
        for name, precision in (("glance", "fp32"), ("glance16", "fp16")):
            named = msgspec.structs.replace(draft, name=name, precision=precision)
            export(network, golden, ["logits"], named, folder / name)
    return SimpleNamespace(network=network.eval(), folder=folder)


@pytest.fixture
def two_inputs(exported, monkeypatch):
    """The network and the folder of its packages, while Glimpse knows their representation."""
    register(monkeypatch)
    return exported
