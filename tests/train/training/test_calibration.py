import numpy as np
import pytest
import torch
from scipy.optimize import minimize_scalar

from train.training.calibration import calibrate, temperature


def drawn(true_temperature, count=4000, seed=1):
    """Logits that are `true_temperature` times too large for the labels they were drawn with."""
    g = torch.Generator().manual_seed(seed)
    logits = 2 * torch.randn(count, 3, generator=g)
    labels = torch.multinomial(logits.softmax(1), 1, generator=g)[:, 0]
    return logits * true_temperature, labels


@pytest.mark.parametrize("true_temperature", [0.3, 1.0, 4.0])
def test_finds_the_temperature_that_the_labels_were_drawn_with(true_temperature):
    assert temperature(*drawn(true_temperature)) == pytest.approx(true_temperature, rel=0.06)


def test_equals_a_direct_search_for_the_least_cross_entropy():
    logits, labels = drawn(2.5, count=60)
    soft = np.full((60, 3), 1 / (62 * 2))
    soft[np.arange(60), labels.numpy()] = 61 / 62

    def cost(log_t):
        return -(soft * torch.log_softmax(logits.double() / np.exp(log_t), 1).numpy()).sum()

    wanted = np.exp(minimize_scalar(cost, bounds=(-3, 3), method="bounded", options={"xatol": 1e-8}).x)
    assert temperature(logits, labels) == pytest.approx(wanted, rel=1e-4)


def test_scaled_logits_have_a_scaled_temperature():
    logits, labels = drawn(1.0, count=100)
    assert temperature(3 * logits, labels) == pytest.approx(3 * temperature(logits, labels), rel=1e-6)


def test_clips_that_are_all_right_ask_for_no_endless_certainty():
    logits = torch.eye(3).repeat(4, 1)
    found = temperature(logits, torch.arange(3).repeat(4))
    assert float((logits / found).softmax(1).max()) == pytest.approx(13 / 14, abs=1e-3)


def test_logits_that_are_worse_than_chance_are_flattened():
    logits = torch.eye(3).repeat(4, 1)
    assert temperature(logits, (torch.arange(3).repeat(4) + 1) % 3) == pytest.approx(50.0)


def test_the_last_layer_takes_the_temperature_in():
    logits, labels = drawn(3.0)
    last = torch.nn.Linear(3, 3)
    with torch.no_grad():
        last.weight.copy_(torch.eye(3))
        last.bias.zero_()
    found = calibrate(last, logits, labels)
    assert torch.allclose(last(logits), logits / found, atol=1e-5)
    assert temperature(last(logits).detach(), labels) == pytest.approx(1.0, abs=0.01)
