"""What is permanent is not read again by the cycle collector."""

import gc
from collections.abc import Iterator

import pytest

from holdfast.platform import garbage


@pytest.fixture
def collector() -> Iterator[None]:
    """The collector of this process, put back afterwards."""
    before, frozen = gc.get_threshold(), gc.get_freeze_count()
    yield
    gc.unfreeze()
    if frozen:
        gc.freeze()
    gc.set_threshold(*before)


@pytest.mark.usefixtures("collector")
class TestSettle:
    def test_takes_what_is_alive_out_of_the_collectors_reach(self):
        mine: list[object] = [[]]

        garbage.settle()

        assert gc.get_freeze_count() > 1_000
        assert not any(thing is mine for thing in gc.get_objects())

    def test_still_finds_cycles_that_come_later(self):
        class Node:
            pass

        garbage.settle()
        node = Node()
        node.me = node
        del node

        assert gc.collect() >= 1
