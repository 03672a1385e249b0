import copy
import logging

import pytest
import torch
from torch import nn

from realtime.errors import DataError
from train.methods.ecstfl.resnet_gru import ResNetGru
from train.networks.checkpoints import load
from train.networks.resnet import ResNet18


class Small(nn.Module):
    def __init__(self, classes, last="fc"):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 4, 3)
        self.bn1 = nn.BatchNorm2d(4)
        self.add_module(last, nn.Linear(4, classes))


def saved(tmp_path, tree):
    torch.save(tree, tmp_path / "public.pth")
    return tmp_path / "public.pth"


def filled(network, value):
    return {name: torch.full_like(tensor, value) for name, tensor in network.state_dict().items()}


def test_a_checkpoint_of_the_same_layout_is_loaded_whole(tmp_path):
    network = Small(7)
    assert load(network, saved(tmp_path, filled(network, 2))) == ()
    assert all(bool((value == 2).all()) for value in network.state_dict().values())


@pytest.mark.parametrize("last", ["fc", "fc8"])
def test_a_classifier_of_other_classes_is_left_out_and_said_so(tmp_path, caplog, last):
    network = Small(7, last)
    own = copy.deepcopy(network.get_submodule(last).state_dict())
    with caplog.at_level(logging.INFO):
        left_out = load(network, saved(tmp_path, filled(Small(1000, last), 2)))
    assert left_out == (f"{last}.weight", f"{last}.bias")
    assert f"left out {last}.weight, {last}.bias" in caplog.text
    assert torch.equal(network.get_submodule(last).weight, own["weight"])
    assert bool((network.conv1.weight == 2).all())


def test_a_classifier_of_another_width_is_a_mistake(tmp_path):
    tree = filled(Small(1000), 2) | {"fc.weight": torch.zeros(1000, 5)}
    with pytest.raises(DataError, match=r"mis-shaped: fc\.weight is \(1000, 5\), wanted \(7, 4\)"):
        load(Small(7), saved(tmp_path, tree))


def test_an_encoder_without_a_classifier_takes_the_rest(tmp_path):
    public = ResNet18(1000)
    network = ResNetGru(7)
    assert load(network.encoder, saved(tmp_path, public.state_dict())) == ("fc.weight", "fc.bias")
    assert torch.equal(network.encoder.layer4[1].conv2.weight, public.layer4[1].conv2.weight)


def test_one_error_lists_everything_that_does_not_fit_and_nothing_is_changed(tmp_path):
    network = Small(7)
    before = copy.deepcopy(network.state_dict())
    tree = filled(network, 2)
    del tree["bn1.bias"], tree["bn1.running_var"]
    tree |= {"extra.weight": torch.zeros(2, 3), "conv1.weight": torch.zeros(4, 1, 3, 3)}
    with pytest.raises(DataError) as caught:
        load(network, saved(tmp_path, tree))
    assert caught.value.problems == (
        "missing: bn1.bias (4,)",
        "missing: bn1.running_var (4,)",
        "unexpected: extra.weight (2, 3)",
        "mis-shaped: conv1.weight is (4, 1, 3, 3), wanted (4, 3, 3, 3)",
    )
    assert "Small" in str(caught.value)
    assert "public.pth" in str(caught.value)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_another_networks_checkpoint_is_refused_even_though_its_classifier_could_be_left_out(tmp_path):
    with pytest.raises(DataError) as caught:
        load(Small(7, "fc8"), saved(tmp_path, filled(Small(7, "fc"), 2)))
    assert [problem.split(" (")[0] for problem in caught.value.problems] == ["missing: fc8.weight", "missing: fc8.bias"]


def test_a_checkpoint_without_a_classifier_is_refused(tmp_path):
    tree = {name: value for name, value in filled(Small(7), 2).items() if not name.startswith("fc.")}
    with pytest.raises(DataError, match=r"missing: fc\.weight"):
        load(Small(7), saved(tmp_path, tree))


def test_weights_beside_an_epoch_and_in_data_parallel_names_are_found(tmp_path):
    network = Small(7)
    inner = {f"module.{name}": value for name, value in filled(network, 2).items()}
    assert load(network, saved(tmp_path, {"epoch": 3, "state_dict": inner})) == ()
    assert bool((network.fc.weight == 2).all())


def test_of_a_training_of_ours_the_weights_are_taken_that_it_keeps(tmp_path):
    network, other = Small(7), filled(Small(7), 3)
    assert load(network, saved(tmp_path, {"network": other, "kept": filled(network, 2), "seen": 5})) == ()
    assert bool((network.fc.weight == 2).all())


def test_old_checkpoints_without_batch_counters_are_whole(tmp_path):
    network = Small(7)
    tree = filled(network, 2)
    del tree["bn1.num_batches_tracked"]
    assert load(network, saved(tmp_path, tree)) == ()
    assert bool((network.bn1.weight == 2).all())


def test_what_is_no_checkpoint_is_refused_with_the_reason(tmp_path):
    with pytest.raises(DataError, match=r"no checkpoint .*absent\.pth"):
        load(Small(7), tmp_path / "absent.pth")
    for content in (b"", b"<html>not found</html>", b"PK\x03\x04 cut off"):
        (tmp_path / "broken.pth").write_bytes(content)
        with pytest.raises(DataError, match="no torch checkpoint"):
            load(Small(7), tmp_path / "broken.pth")
    with pytest.raises(DataError, match="no torch checkpoint"):
        load(Small(7), tmp_path)
    with pytest.raises(DataError, match="no table of tensors"):
        load(Small(7), saved(tmp_path, [torch.zeros(2)]))
    with pytest.raises(DataError, match="no table of tensors"):
        load(Small(7), saved(tmp_path, {"epoch": 3}))
