"""Each kind of blow falls, while there is something to hit."""

import random

import pytest

from holdfast.cli.prove.blows import API, POSTGRES, VALKEY, WORKER, plan
from holdfast.cli.prove.size import FULL


class TestPlan:
    @pytest.mark.parametrize("seed", range(5))
    def test_hits_everything_from_the_beginning_to_the_end(self, seed):
        blows = plan(FULL.blows, dice=random.Random(seed))  # noqa: S311

        assert {blow.what for blow in blows} == {API, POSTGRES, VALKEY, WORKER}
        assert [blow.at for blow in blows] == sorted(blow.at for blow in blows)
        assert blows[0].at < 0.15
        assert 0.7 < blows[-1].at < 1

    def test_is_the_same_for_the_same_seed(self):
        one, other = (plan(8, dice=random.Random(3)) for _ in range(2))  # noqa: S311

        assert one == other
