import pytest

from holdfast.resilience import MemoryLimiter
from holdfast.resilience.asgi import (
    BodyLimit,
    Idempotency,
    RateLimit,
    Rejection,
    Reply,
    RequestDeadline,
)
from holdfast.resilience.idempotency import MemoryStore

APP = Reply(200)


async def wrong(*_):
    """What asks a database who calls, say."""


def of_the_limit(**asked):
    usual = {"subject_of": lambda _: "all", "quotas_of": lambda _: ()}
    return RateLimit(APP, limiter=MemoryLimiter(), **{**usual, **asked})


def of_the_keys(**asked):
    usual = {"caller": lambda _: None}
    return Idempotency(APP, store=MemoryStore(), **{**usual, **asked})


LAYERS = {
    of_the_limit: (
        "subject_of",
        "quotas_of",
        "cost_of",
        "mode_of",
        "labels_of",
        "listen",
    ),
    of_the_keys: ("caller", "required", "listen"),
    lambda **asked: Rejection(APP, **asked): ("render",),
    lambda **asked: BodyLimit(APP, **asked): ("limit_bytes",),
    lambda **asked: RequestDeadline(APP, **asked): ("allowance", "render", "listen"),
}
CASES = [(layer, name) for layer, names in LAYERS.items() for name in names]


class TestWhatIsAsked:
    @pytest.mark.parametrize(
        ("layer", "name"),
        CASES,
        ids=[
            f"{n}-{name}" for n, names in enumerate(LAYERS.values()) for name in names
        ],
    )
    def test_is_not_awaited_and_says_so_at_once(self, layer, name):
        """Each coroutine would be another caller: nobody would ever be limited."""
        with pytest.raises(TypeError, match=f"{name} is called and not awaited"):
            layer(**{name: wrong})
