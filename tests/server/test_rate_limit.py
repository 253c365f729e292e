"""Rate limits."""

from __future__ import annotations

from pacifico.server.rate_limit import BURST_S, RateLimit


def test_a_burst_passes_and_then_the_rate():
    now = [0.0]
    limit = RateLimit(2.0, clock=lambda: now[0])
    assert [limit.take("ann") for _ in range(int(2 * BURST_S))] == [0] * 10
    assert limit.take("ann") == 1
    assert limit.take("bob") == 0
    now[0] = 0.5
    assert limit.take("ann") == 0
    assert limit.take("ann") == 1


def test_costly_requests_take_more_and_the_costliest_still_pass():
    now = [0.0]
    limit = RateLimit(1.0, clock=lambda: now[0])
    assert limit.take("ann", 1000) == 0
    assert limit.take("ann", 3) == 3
