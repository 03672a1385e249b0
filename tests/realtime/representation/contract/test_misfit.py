from realtime.representation.contract.misfit import other_crops


def test_crops_of_another_size_are_a_reason_with_two_ways_out():
    assert list(other_crops(48, 48)) == []
    [reason] = other_crops(48, 64)
    assert reason == (
        "was trained on crops of 48 px, align.size_px is 64: set align.size_px = 48 or name another engine"
    )
