"""The network that says when an expression is under way, trained on films of everything that faces do.

What is to be found is known to the generator to the millisecond. A row of the network speaks of the moment that lies
`lookback_s` back, since half of a movement tells a micro-expression from the beginning of something longer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Generator, Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from realtime import config as realtime_config
from realtime.engine.package.manifest import LOGITS, MEMORY, Precision, Score
from realtime.errors import DataError
from realtime.labels import NONE
from realtime.representation.motion_ticks import TICKS, MotionTicks, motion_ticks
from realtime.representation.movement.fields import FIELD_PX, LAG_S
from realtime.spotting.recurrent import unpacked
from realtime.spotting.scorer import Spot
from train.datasets.folds import Fold
from train.methods.method import Answer, Method, Stage
from train.methods.spotter.config import SpotterTraining
from train.methods.spotter.footage import Footage
from train.methods.spotter.job import Portion, SpotterJob
from train.methods.spotter.network import SpotterNet, SpotterStep
from train.methods.spotter.pasted import apexes, either, exact, real
from train.methods.spotter.scores import judged
from train.packaging.limits import MethodCard
from train.sources.source import ClipSource, Split
from train.spotting.films import Film
from train.spotting.marked_films import marked_films
from train.training.loop import Turn
from train.training.solved import Made

GOLDEN_ROWS = 4

Films = Sequence[Film]


class SpotterMethod(Method[SpotterTraining, Films]):
    """Films as ticks of movement; the package holds a network that is asked tick by tick."""

    config = SpotterTraining
    card = MethodCard(
        "A recurrent network over how the face moves: it says when an expression is under way.",
        (
            "It sees movement on a coarse grid and nothing else. Where nothing moves for as long as its lag it sees "
            "nothing, whatever the face shows.",
            "It knows blinks, glances, speech, chewing, turns of the head and hands as the generator makes them. What "
            "else faces do, laughing, sneezing, drinking, it may take for an expression.",
        ),
        real=True,
    )
    task = "spotting"
    sources = ("films",)
    outputs = (LOGITS, MEMORY)
    shapes = ("tick_s", "known_people", "known_each")

    def representation(self, config: SpotterTraining) -> MotionTicks:
        crop_px = realtime_config.load().align.size_px
        memory = config.members * config.memory
        return MotionTicks(crop_px, FIELD_PX, config.cells, LAG_S, config.tick_s, config.lookback_s, memory)

    def network(self, config: SpotterTraining, classes: int) -> SpotterNet:
        return self._members(config, config.members)

    def _members(self, config: SpotterTraining, count: int) -> SpotterNet:
        made = self.representation(config)
        return SpotterNet(made.width - made.memory, config.memory, count, config.dropout)

    def served(self, network: nn.Module) -> SpotterStep:
        """One tick at a time, its memory going in and out."""
        assert isinstance(network, SpotterNet)
        return SpotterStep(network)

    def see(self, config: SpotterTraining, source: ClipSource, fold: Fold, workers: int | None = None) -> Split[Films]:
        """The exact movements and the real faces that `stages` takes are made too."""
        seen = self.representation(config)
        source.exact(fold.train[: config.known_people], config.known_each, workers)
        source.marked(workers)
        return source.split(fold).seen(lambda cast: cast.film(seen, workers))

    def stages(self, config: SpotterTraining, split: Split[Films], source: ClipSource, seed: int) -> Sequence[Stage]:
        """Films, in which everything is known; then real faces, where the source has marked clips of any.

        Members that saw films alone find more, and take more for an expression that is none; so both are asked.
        """
        torch.manual_seed(seed)
        (films,), after = split.train, config.adapting
        clips = marked_films(source.marked(), config.tick_s) if after.members else []
        known = source.exact(source.whole().train[: config.known_people], config.known_each)
        assert known is not None  # of whoever is filmed here
        added, clock = exact(known.fields[known.labels != NONE]), (config.chunk_s, config.tick_s)
        _require_long(films, config.chunk_s)
        network = self._members(config, config.members - after.members * bool(clips))
        filmed = [Portion(Footage(films, *clock, config.without), 1.0, config.gain)]
        stages: list[Stage] = [(SpotterJob(config, network, network, filmed, added, seed, config), config.optimiser)]
        if not clips:
            return stages
        seen = apexes(clips)
        shown = [
            Portion(Footage(films[: after.films], *clock, config.without), 1.0 - after.marked, config.gain),
            Portion(Footage(clips, *clock), after.marked, after.gain),
        ]
        both = either(added, real(seen), after.real) if len(seen) else added

        def adapting() -> Made:
            learns, whole = network.carried_on(after.members)
            job = SpotterJob(config, whole, learns, shown, both, seed, after)
            return job, (Turn(learns, after.optimiser, job.loss),)

        return [*stages, adapting]

    def inputs(self, config: SpotterTraining, clips: Films, answer: Answer) -> Mapping[str, Tensor]:
        """Whole films (K, G, F), without a memory; after shorter ones come ticks of nothing, at which nobody looks."""
        return {TICKS: pad_sequence([ticks(film, config) for film in clips], batch_first=True)}

    def labels(self, clips: Films) -> list[str]:
        """None: a film shows many things."""
        return [""] * len(clips)

    def golden(self, config: SpotterTraining, precision: Precision) -> Mapping[str, Tensor]:
        width = self.representation(config).width
        return {TICKS: torch.randn(GOLDEN_ROWS, width, generator=Generator().manual_seed(1))}

    def report(self, config: SpotterTraining, network: nn.Module, split: Split[Films]) -> tuple[Score, ...]:
        (films,) = split.test
        return judged([(film, spots(network, config, film)) for film in films], config)


def _require_long(films: Films, chunk_s: float) -> None:
    short = [film for film in films if film.ends[-1] - film.ends[0] <= chunk_s]
    if short:
        raise DataError(f"films of {short[0].seconds:g} s are too short for chunks of {chunk_s:g} s")


@torch.no_grad()
def spots(network: nn.Module, config: SpotterTraining, film: Film) -> list[Spot]:
    """What `network` says of a whole film, as it would live."""
    network.eval()
    found = network(ticks(film, config)[None]).mean(0)[0].sigmoid().tolist()
    return [Spot(t, *each) for t, each in zip(film.ends - config.lookback_s, found, strict=True)]


def ticks(film: Film, config: SpotterTraining) -> Tensor:
    """A film (G, F) as the network is fed it."""
    fields, head, turns = unpacked(film.ticks.astype(np.float32), FIELD_PX)
    return torch.from_numpy(motion_ticks(fields, head, turns, config.cells))
