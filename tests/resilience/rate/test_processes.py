"""Eight processes that ask about the same callers are granted what one would be."""

import pytest

from holdfast.cli.bench.limiter_load import Point
from holdfast.cli.bench.protection.limiter import GRID, exactness

SOME = (
    [
        Point(burst=1, tokens=1, period_seconds=60),
        Point(burst=10, tokens=50, period_seconds=1),
    ],
    [Point(burst=100, tokens=1_000, period_seconds=1)],
)


class TestEightProcesses:
    @pytest.mark.slow
    async def test_together_are_granted_exactly_what_the_quota_says(self, valkey):
        found = await exactness(valkey.url, 1.0, SOME)

        assert [each.fault for each in found] == [None] * 3
        assert found[0].granted == 1
        assert all(each.asked > each.granted for each in found[:2])

    @pytest.mark.long
    async def test_are_exact_over_the_whole_grid(self, valkey):
        found = await exactness(valkey.url, 30.0, GRID)

        assert [each.fault for each in found if each.fault] == []
