"""The command line of training, a file a command; what each does stands in the module that it calls."""

from train.commands.ablate import ablate
from train.commands.card import card
from train.commands.chain import chain
from train.commands.confidence import confidence
from train.commands.datasets import datasets
from train.commands.evaluate import evaluate
from train.commands.export import export
from train.commands.fabricate import fabricate
from train.commands.fit import fit
from train.commands.prepare import prepare
from train.commands.real import real
from train.commands.rebuild import rebuild
from train.commands.sample import sample
from train.commands.tune import tune
from train.commands.videos import videos

#: In the order that --help lists them; `pack` has commands of its own.
COMMANDS = (
    datasets, fabricate, prepare, fit, evaluate, export, rebuild, card, ablate, chain, real, confidence, tune, videos,
    sample,
)  # fmt: skip

__all__ = ["COMMANDS"]
