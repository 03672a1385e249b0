"""Public checkpoints into these networks, by parameter name: all of it fits, or one error lists all that does not."""

from __future__ import annotations

import hashlib
import logging
import pickle
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from realtime.errors import DataError

log = logging.getLogger(__name__)

#: The layers that judge: "fc" of torchvision's and timm's networks, "fc8" of C3D.
CLASSIFIERS = ("fc", "fc8")


def load(network: nn.Module, path: Path) -> tuple[str, ...]:
    """Fill `network` from the checkpoint at `path`; what comes back are the names that were left out.

    Only a classifier is ever left out: one for another number of classes (the network keeps its own,
    untrained), or any where the network has none. For everything else DataError lists the names
    that are missing, unexpected and of another shape, and the network stays as it was.
    """
    found, wanted = _read(path), network.state_dict()
    left_out = _other_classes(found, wanted)
    found = {name: value for name, value in found.items() if name not in left_out}
    problems = _differences(found, {name: value for name, value in wanted.items() if name not in left_out})
    if problems:
        what = f"{path} is no checkpoint of {type(network).__name__}; wanted one whose names and shapes are these"
        raise DataError(f"{what}, so give the file that belongs to this network:", problems)
    network.load_state_dict(found, strict=False)
    if left_out:
        log.info("%s: left out %s, which judges other classes", path.name, ", ".join(left_out))
    return left_out


def fingerprint(path: str) -> str:
    """SHA-256 of the checkpoint at `path`, which may be "" for none; DataError when it is missing."""
    if not path:
        return ""
    if not Path(path).is_file():
        raise _missing(Path(path))
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def _missing(path: Path) -> DataError:
    return DataError(f"no checkpoint {path}; download it there, nothing is fetched by itself")


def _read(path: Path) -> dict[str, Tensor]:
    """Names and values in the file; DataError when it is missing or holds something else."""
    try:
        tree = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise _missing(path) from None
    except (pickle.UnpicklingError, RuntimeError, EOFError, OSError) as error:
        raise DataError(f"{path} is no torch checkpoint of plain tensors: {error}; download it again") from None
    for key in ("state_dict", "kept"):  # trainers, ours too, keep the epoch and the optimiser beside the weights
        if isinstance(tree, Mapping) and isinstance(tree.get(key), Mapping):
            tree = tree[key]
    if not isinstance(tree, Mapping) or not all(isinstance(value, Tensor) for value in tree.values()):
        raise DataError(
            f"{path} holds no table of tensors by name, at its top or under 'state_dict' or 'kept'; give another file"
        )
    return {str(name).removeprefix("module."): value for name, value in tree.items()}  # DataParallel adds "module."


def _other_classes(found: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> tuple[str, ...]:
    """The names of a classifier that `wanted` has not, or has for another number of classes and the same width."""
    names: list[str] = []
    for layer in CLASSIFIERS:
        weight, bias = f"{layer}.weight", f"{layer}.bias"
        if not {weight, bias} <= found.keys():
            continue
        absent = not {weight, bias} & wanted.keys()
        if absent or (weight in wanted and _only_classes_differ(found[weight], wanted[weight])):
            names += [weight, bias]
    return tuple(names)


def _only_classes_differ(a: Tensor, b: Tensor) -> bool:
    return a.ndim == b.ndim and a.shape[1:] == b.shape[1:] and a.shape != b.shape


def _differences(found: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> list[str]:
    """One line for each name that does not fit."""
    # Checkpoints from before torch 0.4.1 lack this counter, which nothing here reads.
    needed = [name for name in wanted if not name.endswith("num_batches_tracked")]
    missing = [f"missing: {name} {tuple(wanted[name].shape)}" for name in needed if name not in found]
    unexpected = [f"unexpected: {name} {tuple(found[name].shape)}" for name in found if name not in wanted]
    shapes = [
        f"mis-shaped: {name} is {tuple(value.shape)}, wanted {tuple(wanted[name].shape)}"
        for name, value in found.items()
        if name in wanted and value.shape != wanted[name].shape
    ]
    return missing + unexpected + shapes
