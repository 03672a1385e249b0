import csv

import torch

from train.config.sections import Machine
from train.training.curves import CURVE
from train.training.solved import learn


class Halves:
    """Its best weight is known at once."""

    def __init__(self):
        self.network = torch.nn.Linear(1, 1, bias=False)

    def solve(self):
        with torch.no_grad():
            self.network.weight.fill_(0.5)
        return {"found": 0.123456}


def test_what_is_solved_is_learned_without_a_step_and_has_a_curve_of_one_row(tmp_path):
    network = learn(Halves(), tmp_path / "run", Machine(accelerator="cpu", devices=1))
    assert network(torch.tensor([[4.0]])).item() == 2.0
    with (tmp_path / "run" / CURVE).open(newline="") as file:
        assert list(csv.DictReader(file)) == [{"epoch": "1", "found": "0.12346"}]
