import pytest
import torch

from realtime.representation.embedding_sequence import spread
from train.methods.cmn.sampling import candidates, draw, log_weights, source_frames


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def toy_clip(strength=5.0):
    """41 embeddings (512,) of length about 26 whose intensity rises from 0 to 1 and falls again."""
    g = generator(1)
    intensity = 1 - (torch.arange(41) - 20).abs() / 20
    direction = torch.rand(512, generator=g)
    face = 2 * torch.rand(512, generator=g)
    return face + strength * intensity[:, None] * direction / direction.norm(), intensity


def apex_gap(sampling, sharpness, strength=5.0):
    """Expected intensity gap between the apex and one negative of it."""
    clip, intensity = toy_clip(strength)
    apex = torch.tensor([[20]])
    weights = log_weights(clip[apex], clip[None], candidates(apex, torch.tensor([41]), 1), sampling, sharpness)
    return float((weights.softmax(-1)[0, 0] * (intensity[20] - intensity)).sum())


def test_source_frames_lie_one_in_each_part_and_in_order():
    lengths = torch.tensor([8, 16, 40, 61])
    for seed in range(20):
        found = source_frames(lengths, 8, generator(seed))
        for row, length in zip(found.tolist(), lengths.tolist(), strict=True):
            assert row == sorted(row)
            assert all(int(i * length / 8) <= frame <= (i + 1) * length / 8 for i, frame in enumerate(row))


def test_source_frames_reach_every_frame_and_none_beyond():
    draws = torch.cat([source_frames(torch.tensor([13]), 4, generator(seed)) for seed in range(300)])
    assert set(draws.flatten().tolist()) == set(range(13))


def test_source_frames_of_a_short_clip_repeat():
    found = source_frames(torch.tensor([1, 3]), 8, generator())
    assert found[0].tolist() == [0] * 8
    assert set(found[1].tolist()) == {0, 1, 2}


def test_source_frames_are_at_serving_time_the_centres_of_the_same_parts(monkeypatch):
    monkeypatch.setattr(torch, "rand", lambda shape, **_: torch.full(shape, 0.5, dtype=torch.float64))
    lengths = torch.tensor([1, 5, 8, 37])
    assert source_frames(lengths, 8, generator()).tolist() == [spread(length, 8) for length in lengths.tolist()]


def test_source_frames_are_the_same_for_the_same_generator_only():
    lengths = torch.full((16,), 50)
    assert torch.equal(source_frames(lengths, 8, generator(3)), source_frames(lengths, 8, generator(3)))
    assert not torch.equal(source_frames(lengths, 8, generator(3)), source_frames(lengths, 8, generator(4)))


def test_negatives_are_no_source_frames_and_lie_in_the_clip():
    allowed = candidates(torch.tensor([[0, 3], [1, 2]]), torch.tensor([5, 6]), 2)
    assert allowed.shape == (2, 2, 6)
    assert allowed[0].tolist() == [[False, True, True, False, True, False]] * 2
    assert allowed[1].tolist() == [[True, False, False, True, True, True]] * 2


def test_where_too_few_frames_remain_all_others_may_be_negatives():
    allowed = candidates(torch.tensor([[0, 2], [0, 2]]), torch.tensor([3, 9]), 2)
    assert allowed[0, :, :3].tolist() == [[False, True, True], [True, True, False]]
    assert not allowed[0, :, 3:].any()
    assert allowed[1, 0].tolist() == [False, True, False, True, True, True, True, True, True]


def test_expected_gaps_are_those_of_the_worked_example():
    assert apex_gap("uniform", 1.0) == pytest.approx(0.525, abs=1e-4)
    assert apex_gap("patent_dot", 1.0) == pytest.approx(0.05, abs=0.005)
    assert apex_gap("far", 1.0) == pytest.approx(0.81, abs=0.01)
    assert apex_gap("far", 2.0) == pytest.approx(0.94, abs=0.01)


@pytest.mark.parametrize("strength", [1.0, 2.0, 5.0, 10.0])
def test_far_gives_larger_gaps_than_uniform_and_the_printed_formula_the_smallest(strength):
    far, uniform, printed = (apex_gap(sampling, 1.0, strength) for sampling in ("far", "uniform", "patent_dot"))
    assert far > uniform > printed


def test_far_is_uniform_without_sharpness():
    assert apex_gap("far", 0.0) == pytest.approx(apex_gap("uniform", 0.0))


def test_far_weights_do_not_depend_on_the_embeddings_length():
    clip, _ = toy_clip()
    clip = clip.double()
    sources = torch.tensor([[3, 11, 20, 30]])
    allowed = candidates(sources, torch.tensor([41]), 4)
    plain = log_weights(clip[sources], clip[None], allowed, "far", 1.0)
    scaled = log_weights(9 * clip[sources], 9 * clip[None], allowed, "far", 1.0)
    assert torch.allclose(plain[allowed], scaled[allowed], atol=1e-6)


def test_far_weights_follow_the_formula():
    clip, _ = toy_clip()
    clip = clip[:7].double()
    sources = torch.tensor([[1, 4]])
    allowed = candidates(sources, torch.tensor([7]), 2)
    found = log_weights(clip[sources], clip[None], allowed, "far", 1.5).softmax(-1)[0]
    for row, source in enumerate((1, 4)):
        unit = [x / x.norm() for x in clip]
        distance = {j: 1 - float(unit[source] @ unit[j]) for j in (0, 2, 3, 5, 6)}
        mean = sum(distance.values()) / 5
        deviation = (sum((d - mean) ** 2 for d in distance.values()) / 5) ** 0.5
        power = {j: 2.718281828459045 ** (1.5 * (d - mean) / (deviation + 1e-6)) for j, d in distance.items()}
        for j in range(7):
            assert float(found[row, j]) == pytest.approx(power.get(j, 0.0) / sum(power.values()), abs=1e-9)


def test_a_clip_in_which_nothing_moves_is_drawn_from_evenly():
    still = torch.ones(1, 10, 512)
    allowed = candidates(torch.tensor([[4]]), torch.tensor([10]), 2)
    weights = log_weights(still[:, 4:5], still, allowed, "far", 1.0).softmax(-1)
    assert torch.allclose(weights[allowed], torch.tensor(1 / 9), atol=0.02)


@pytest.mark.parametrize("sampling", ["far", "uniform", "patent_dot"])
def test_draws_are_allowed_and_never_repeat(sampling):
    clip, _ = toy_clip()
    clips = torch.stack([clip, clip.flip(0)])
    lengths = torch.tensor([41, 20])
    for seed in range(10):
        sources = source_frames(lengths, 8, generator(seed))
        allowed = candidates(sources, lengths, 4)
        picked = torch.stack([clips[k, row] for k, row in enumerate(sources)])
        found = draw(log_weights(picked, clips, allowed, sampling, 1.0), 4, generator(seed))
        assert found.shape == (2, 8, 4)
        assert allowed.gather(2, found).all()
        assert all(len(set(row)) == 4 for row in found.flatten(0, 1).tolist())


def test_draws_repeat_where_fewer_frames_are_allowed_than_wanted():
    weights = torch.tensor([[[0.0, -torch.inf, 0.0, -torch.inf, -torch.inf], [0.0, 0.0, 0.0, 0.0, -torch.inf]]])
    found = draw(weights, 4, generator())
    assert set(found[0, 0].tolist()) <= {0, 2}
    assert sorted(found[0, 1].tolist()) == [0, 1, 2, 3]
    assert set(draw(weights[:, :1, :3], 4, generator())[0, 0].tolist()) <= {0, 2}


def test_the_first_draw_follows_the_weights():
    shares = torch.tensor([0.5, 0.3, 0.2])
    found = draw(shares.log().expand(1, 20_000, 3), 1, generator())[0, :, 0]
    assert torch.allclose(found.bincount(minlength=3) / 20_000, shares, atol=0.015)


def test_draws_without_replacement_have_the_probabilities_of_drawing_one_after_another():
    shares = [0.5, 0.3, 0.2]
    found = draw(torch.tensor(shares).log().expand(1, 20_000, 3), 2, generator())[0].tolist()
    pairs = [tuple(pair) for pair in found]
    for a, b in ((0, 1), (1, 2), (2, 0)):
        assert pairs.count((a, b)) / 20_000 == pytest.approx(shares[a] * shares[b] / (1 - shares[a]), abs=0.015)


def test_a_clip_of_one_frame_is_refused():
    weights = log_weights(
        torch.ones(1, 1, 4), torch.ones(1, 1, 4), candidates(torch.tensor([[0]]), torch.tensor([1]), 1), "uniform", 1.0
    )
    with pytest.raises(ValueError, match="at least 2 frames"):
        draw(weights, 1, generator())
