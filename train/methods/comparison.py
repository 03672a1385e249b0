"""What each choice of a method's settings is worth: the same people are tested, the settings are others."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from realtime.errors import ConfigError
from train.config.recipe import Recipe, Settings, changed
from train.evaluation.ablation import AblationRow, settings_tree
from train.methods.experiment import Experiment

SHARED = ("cache", "seed")  #: by all rows of any method, beside all of the source; the seeds are `compare`'s own


def compare(asked: Experiment, vary: Sequence[str], seeds: Sequence[int]) -> list[AblationRow]:
    """One row for each combination of "head=patent,cmnet", "loss.trend=0,1" and the like, and each of `seeds`.

    The held-out people are the same in every row; so rows of one seed may be compared in pairs. To choose a setting
    by these rows would be to choose it on the test: they are reported, the default was set before. ConfigError names
    a setting that cannot be, or that all rows must share, before anything is trained.
    """
    variants = [(setting, _varied(asked, setting)) for setting in _settings(vary)]
    rows, split, seen = [], None, None
    for setting, recipe in variants:
        varied = replace(asked, recipe=recipe)
        shapes = [getattr(recipe.method, name) for name in asked.method.shapes]
        if split is None or shapes != seen:
            split, seen = varied.split, shapes
        for seed in seeds:
            found = replace(varied, recipe=changed(recipe, {"seed": seed}))
            found.fit(split)
            rows.append(AblationRow(setting, seed, {score.name: score.value for score in found.scores()}))
    return rows


def _settings(vary: Sequence[str]) -> Iterator[Mapping[str, str]]:
    parted = (each.partition("=") for each in vary)
    options = [[(key.strip(), value.strip()) for value in values.split(",")] for key, _, values in parted]
    return (dict(each) for each in itertools.product(*options))


def _varied(asked: Experiment, setting: Mapping[str, str]) -> Recipe[Settings]:
    given = asked.recipe
    fixed = (*SHARED, *type(given.source).__struct_fields__)
    refused = [key for key in setting if key.partition(".")[0] in fixed]
    if refused:
        raise ConfigError(
            f"{', '.join(refused)} cannot be varied: all rows share {', '.join(fixed)}; change them in the file"
        )
    for key, value in setting.items():
        given = changed(given, settings_tree(given.tree(), key, value))
    return given
