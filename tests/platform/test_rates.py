"""A rate is said in a line, and read as it was meant or not at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.platform.rates import DEFAULTS, Rate, read, read_rate
from holdfast.platform.settings import BadSettings, Settings


class TestReadRate:
    @pytest.mark.parametrize(
        ("text", "rate"),
        [
            ("20/s:100", Rate(20, 1, 100)),
            ("5/m", Rate(5, 60, 5)),
            ("5/10m", Rate(5, 600, 5)),
            ("2/90s:7", Rate(2, 90, 7)),
            ("1000000/d", Rate(1_000_000, 86_400, 1_000_000)),
            ("1/h:3", Rate(1, 3600, 3)),
        ],
    )
    def test_takes_units_a_period_and_at_once(self, text, rate):
        assert read_rate(text) == rate

    @pytest.mark.parametrize(
        "odd",
        [
            *("", "20", "20/", "/s", "0/s", "20/s:0", "20/0s", "-1/s", "1.5/s"),
            *("20/w", "20/s:", "20/s:10:10", "20 / s", "2e3/s", "x"),
        ],
    )
    def test_refuses_anything_else(self, odd):
        with pytest.raises(ValueError, match="is not like 20/s:100"):
            read_rate(odd)

    def test_refuses_what_cannot_be_counted(self):
        with pytest.raises(ValueError, match="over a million tokens a second"):
            read_rate("2000000/s")
        with pytest.raises(ValueError, match="too long to fill"):
            read_rate("1/365d:100000000")

    @given(
        st.integers(1, 1000),
        st.sampled_from([1, 59, 60, 90, 3600, 86_400, 172_800]),
        st.integers(1, 1000),
    )
    def test_reads_back_what_a_rate_says_of_itself(self, tokens, period, burst):
        rate = Rate(tokens, period, burst)

        assert read_rate(str(rate)) == rate


class TestRead:
    def test_takes_policies_by_name_and_all_others_at_once(self):
        rates, faults = read(" guest=50/s:500, customer=off\n*=1/d ")

        assert faults == []
        assert rates == {
            "guest": Rate(50, 1, 500),
            "customer": None,
            "*": Rate(1, 86_400, 1),
        }

    def test_of_nothing_changes_nothing(self):
        assert read(" ") == ({}, [])

    @pytest.mark.parametrize(
        ("said", "fault"),
        [
            ("guest", "must be like guest=50/s:500"),
            ("guest=1/s guest=2/s", "says guest twice"),
            ("gest=1/s", "names gest: there are address, browsing, cart"),
            ("guest=none", "guest: 'none' is not like"),
        ],
    )
    def test_says_what_is_wrong(self, said, fault):
        assert fault in read(said)[1][0]


class TestSetting:
    def test_is_empty_by_default(self):
        assert Settings.read({}).rate_limits == {}
        assert Settings.read({}).api_processes == 1

    def test_is_refused_by_its_name(self):
        with pytest.raises(BadSettings, match="HOLDFAST_RATE_LIMITS names gest"):
            Settings.read({"HOLDFAST_RATE_LIMITS": "gest=1/s"})


class TestDefaults:
    def test_let_the_dearest_request_through(self):
        weighted = DEFAULTS.keys() - {
            *("address", "credentials", "credentials-address", "token")
        }

        assert [n for n in sorted(weighted) if DEFAULTS[n].burst < 50] == []
