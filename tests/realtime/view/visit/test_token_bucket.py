import pytest

from realtime.view.visit.token_bucket import BURST, TokenBucket


def test_a_bucket_allows_a_burst_and_then_its_rate():
    now = [0.0]
    bucket = TokenBucket(10.0, lambda: now[0])
    assert sum(bucket.allows() for _ in range(50)) == BURST
    allowed = 0
    for tick in range(1, 1001):
        now[0] = tick / 100
        allowed += bucket.allows()
    assert allowed == pytest.approx(100, abs=1)
