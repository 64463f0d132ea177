"""A real simulator is told each scene in its turn, and to behave in the end."""

import threading

import pytest

from holdfast.cli.prove.provider import Provider
from holdfast.cli.prove.scenes import SCENES
from holdfast.kernel.clock import system_clock


@pytest.fixture
def provider(payment_provider):
    made = Provider(payment_provider.url, 7, threading.Event().wait, clock=system_clock)
    yield made
    made.behave()


@pytest.fixture
def fails(payment_provider):
    """How the calls fail that follow."""

    def look():
        scenario = payment_provider.get("/control/state")["scenario"]
        return None if scenario is None else scenario.get("fail", "none")

    return look


class TestProvider:
    def test_goes_through_all_scenes_as_the_work_is_done(self, provider, fails):
        provider.turn(0.0)
        assert (provider.played, fails()) == ([SCENES[0].name], "reset_after")

        provider.turn(0.9 / len(SCENES))
        assert len(provider.played) == 1

        provider.turn(1 / len(SCENES))
        assert (provider.played[-1], fails()) == (SCENES[1].name, "error_after")

    def test_leaves_none_out_however_fast_the_work_is_done(self, provider):
        while len(provider.played) < len(SCENES):
            provider.turn(1.0)

        assert provider.played == [scene.name for scene in SCENES]
        provider.turn(1.0)
        assert len(provider.played) == len(SCENES)

    def test_behaves_in_the_end_though_it_took_no_connection(self, provider, fails):
        provider.scenes = [scene for scene in SCENES if scene.down == "refuse"]
        provider.turn(0.0)

        provider.behave()

        assert fails() is None
