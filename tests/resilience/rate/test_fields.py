"""Fields read by a parser written from RFC 9651, which shares nothing with ours."""

import random
import re
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.resilience.rate.fields import (
    any_below_half,
    fields,
    limit,
    policy,
    retry_after,
)
from holdfast.resilience.rate.quota import SECOND, Quota, decide

CUSTOMER = Quota("customer", burst=100, tokens=20)
DAILY = Quota("daily", burst=1_000, tokens=1_000, period_seconds=86_400)


class Reader:
    """Structured fields as RFC 9651 section 4.2 says how to parse them: lists only."""

    def __init__(self, text: str) -> None:
        text.encode("ascii")
        self.rest = text

    def take(self, pattern: str) -> str:
        found = re.match(pattern, self.rest)
        if found is None:
            raise ValueError(f"{pattern!r} expected at {self.rest!r}")
        self.rest = self.rest[found.end() :]
        return found[0]

    def items(self) -> list[tuple[str, dict[str, object]]]:
        self.take(" *")
        items = []
        while self.rest:
            items.append((self.bare(), self.parameters()))
            self.take(r"[ \t]*")
            if not self.rest:
                return items
            self.take(",")
            self.take(r"[ \t]*")
            if not self.rest:
                raise ValueError("a comma at the end")
        return items

    def bare(self):
        if self.rest[0] == '"':
            return re.sub(
                r"\\(.)", r"\1", self.take(r'"(\\["\\]|[ !#-\[\]-~])*"')[1:-1]
            )
        number = self.take(r"-?[0-9]{1,15}")
        if self.rest.startswith("."):
            raise ValueError("a decimal")
        return int(number)

    def parameters(self):
        found = {}
        while self.rest.startswith(";"):
            self.take(";")
            self.take(" *")
            key = self.take(r"[a-z*][a-z0-9_.*-]*")
            found[key] = True
            if self.rest.startswith("="):
                self.take("=")
                found[key] = self.bare()
        return found


quotas = st.builds(
    Quota,
    st.from_regex(r"[a-z0-9][a-z0-9._-]{0,63}", fullmatch=True),
    burst=st.integers(1, 100_000),
    tokens=st.integers(1, 50_000),
    period_seconds=st.sampled_from([1, 60, 3_600]),
)


class TestReader:
    @pytest.mark.parametrize("text", ['"a', "a", '"a",', '"a";Q=1', '"a";q=1.5', '"é"'])
    def test_refuses_what_is_no_list(self, text):
        with pytest.raises(ValueError):  # noqa: PT011 - of whatever kind
            Reader(text).items()


class TestFields:
    def test_tell_policy_and_standing_as_the_draft_has_them(self):
        now = 0
        verdict, _ = decide([CUSTOMER, DAILY], [-1, 86_400 * SECOND], now, 3)

        assert fields(verdict.standings) == [
            (b"ratelimit-policy", b'"customer";q=100;w=5, "daily";q=1000;w=86400'),
            (b"ratelimit", b'"customer";r=100, "daily";r=0;t=87'),
        ]

    def test_are_none_where_there_is_no_quota(self):
        assert fields(()) == []

    @given(
        quotas=st.lists(quotas, min_size=1, max_size=4),
        used=st.integers(0, 100_000),
        gap=st.integers(0, 10**9),
    )
    def test_are_lists_of_strings_with_whole_numbers(self, quotas, used, gap):
        _, dues = decide(quotas, [0] * len(quotas), 0, 0, most=used)
        verdict, _ = decide(quotas, dues or [0] * len(quotas), gap, 1)

        policies = Reader(policy(verdict.standings)).items()
        limits = Reader(limit(verdict.standings)).items()

        assert [name for name, _ in policies] == [quota.name for quota in quotas]
        assert [name for name, _ in limits] == [quota.name for quota in quotas]
        for quota, (_, told), (_, left) in zip(quotas, policies, limits, strict=True):
            assert told == {"q": quota.burst, "w": quota.window_seconds}
            assert 0 <= left["r"] <= quota.burst
            # Without more to come there is no t; with nothing left it is at least 1.
            assert ("t" in left) == (left["r"] < quota.burst)
            assert left.get("t", 1) >= 1

    @given(quota=quotas)
    def test_tell_a_rate_that_is_no_higher_than_the_quotas(self, quota):
        verdict, _ = decide([quota], [0], 0)
        [(_, told)] = Reader(policy(verdict.standings)).items()

        assert told["q"] * quota.interval <= told["w"] * SECOND


class TestRetryAfter:
    @pytest.mark.parametrize("seconds", [0.0, 0.2, 1, 2.5, 9, 40, 59, 60, 61, 5_000])
    def test_spreads_a_thousand_callers_over_three_seconds_at_least(self, seconds):
        chance = random.Random(7).random  # noqa: S311 - the same each time

        waits = Counter(retry_after(seconds, chance=chance) for _ in range(1_000))

        assert min(waits) >= max(1, seconds)
        assert len(waits) >= 3
        assert max(waits.values()) <= 500

    @given(seconds=st.floats(0, 60), chance=st.floats(0, 1, exclude_max=True))
    def test_keeps_a_short_wait_short(self, seconds, chance):
        wait = retry_after(seconds, chance=lambda: chance)

        assert max(1, seconds) <= wait <= max(60, seconds + 3)

    def test_adds_a_minute_at_most_to_a_long_wait(self):
        assert retry_after(5_000, chance=lambda: 0.999) == 5_060

    def test_is_random_by_itself(self):
        assert 10 <= retry_after(10) <= 15


class TestAnyBelowHalf:
    @pytest.mark.parametrize(("used", "below"), [(0, False), (50, False), (51, True)])
    def test_looks_at_what_is_left(self, used, below):
        verdict, _ = decide([DAILY, CUSTOMER], [0, 0], 0, used)

        assert any_below_half(verdict.standings) is below
