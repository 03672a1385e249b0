"""configs/train/*.toml, strictly read. `method` decides which struct the rest must match."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from realtime.config import convert, merge, parse_override, read_toml
from realtime.errors import ConfigError
from train.methods.apexnet.config import ApexnetConfig, ApexnetRecordedConfig
from train.methods.cmn.config import CmnConfig, CmnRecordedConfig
from train.methods.expression.config import ExpressionConfig
from train.methods.spotter.config import SpotterTraining
from train.tuning.config import TuneConfig

#: With [[data]] and [evaluate].
Recorded = CmnRecordedConfig | ApexnetRecordedConfig
OnSynthetic = CmnConfig | ApexnetConfig | SpotterTraining  #: with [clips]
TrainConfig = ExpressionConfig | OnSynthetic | Recorded | TuneConfig

KINDS: dict[str, type[TrainConfig]] = {
    "expression": ExpressionConfig,
    "cmn": CmnConfig,
    "apexnet": ApexnetConfig,
    "spotter": SpotterTraining,
    "tune": TuneConfig,
}
#: Methods that have a second struct for [[data]].
ON_RECORDED: dict[str, type[TrainConfig]] = {
    "cmn": CmnRecordedConfig,
    "apexnet": ApexnetRecordedConfig,
}


def load(path: Path, overrides: Iterable[str] = ()) -> TrainConfig:
    """The configuration in `path`, then overrides such as "epochs=2" or "data.0.root=mine".

    ConfigError names file, key and expectation.
    """
    tree = read_toml(path)
    for override in overrides:
        tree = merge(tree, parse_override(override))
    if tree.get("method") not in KINDS:
        raise ConfigError(f"{path}: method is {tree.get('method')!r}, wanted one of {sorted(KINDS)}")
    kinds = KINDS | ON_RECORDED if "data" in tree else KINDS
    return convert(tree, kinds[tree["method"]], path)


def shaping(config: TrainConfig) -> dict[str, Any]:
    """What a run is named by: all but where it is computed and kept.

    Several devices count: each normalises its own share.
    """
    tree: dict[str, Any] = msgspec.to_builtins(config)
    devices = tree.pop("machine")["devices"]
    del tree["cache"], tree["runs"]
    return tree if devices == 1 else tree | {"devices": devices}
