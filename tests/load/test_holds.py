"""The stage about hot SKUs fails when a target is missed or a promise was broken."""

from dataclasses import replace

import pytest

from holdfast.cli.bench.holds import HotSkus
from holdfast.cli.bench.rush import Requests, Seen
from holdfast.kernel import tokens


@pytest.fixture
def met() -> HotSkus:
    """Every target met, and only just."""
    return HotSkus(
        hot=Seen(done=1_500, seconds=1.0),
        spread=Seen(done=1_875, seconds=1.0),
        hot_calm=Seen(p99_ms=50.0),
        hot_beside=Seen(p99_ms=90.0),
        others_quiet=Seen(p99_ms=1.0),
        others_spread=Seen(p99_ms=10.0),
        others=Seen(p99_ms=15.0),
        sold_out=Seen(done=6_000, seconds=1.0),
        combined=5_000.0,
        alone=1_000.0,
        cpu_us={"hot": {"api": 150.0, "postgres": 60.0}},
        processes=2,
        checks=[],
    )


class TestHotSkus:
    def test_is_content_when_everything_is_met(self, met):
        assert met.faults == []
        assert "1,500 holds/s of one SKU, 1,875 of 4,000 (0.8)" in met.lines[0]
        assert "hot 150 / 60" in met.lines[-1]

    @pytest.mark.parametrize(
        ("missed", "said"),
        [
            ({"hot": Seen(done=1_499, seconds=1.0)}, "1,499 holds/s of one SKU"),
            ({"spread": Seen(done=3_000, seconds=1.0)}, "0.5 of the spread rate"),
            ({"alone": 2_000.0}, "combined 2.5 times"),
            ({"hot_calm": Seen(p99_ms=51.0)}, "p99 51.0 ms"),
            ({"others": Seen(p99_ms=16.0)}, "others' p99 1.6 times"),
            ({"sold_out": Seen(done=5_998, seconds=1.0)}, "2,999 times sold out"),
            ({"checks": ["the books do not balance"]}, "the books do not balance"),
            ({"sold_out": Seen(done=9_000, seconds=1.0, errors={"500": 3})}, "3 x 500"),
        ],
        ids=["hot", "spread", "below", "slow", "others", "sold out", "books", "errors"],
    )
    def test_names_what_is_missed(self, met, missed, said):
        (fault,) = replace(met, **missed).faults

        assert fault.startswith("H: ")
        assert said in fault


class TestRequests:
    def test_each_is_of_a_cart_of_its_own_with_a_token_that_could_be_one(self):
        streams = Requests(["TEA"]), Requests(["TEA"])

        made = [stream.make() for stream in streams for _ in range(50)]

        paths = {request.split(b" ")[1] for request in made}
        assert len(paths) == 100
        for request in made:
            token = request.split(b"Bearer ")[1].split(b"\r\n")[0].decode()
            assert tokens.plausible(token, tokens.CART)
            assert request.endswith(b'{"lines":[{"sku":"TEA","quantity":1}]}')
