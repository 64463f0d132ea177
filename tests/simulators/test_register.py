"""Records in the order they came, and pages of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.simulators.register import Full, Register

DATES = st.lists(st.sampled_from([f"2026-01-0{day}" for day in range(1, 8)]))


class TestRegister:
    @given(dates=DATES, since=st.sampled_from([f"2026-01-0{day}" for day in range(9)]))
    def test_nothing_new_enough_is_skipped_even_if_the_clock_went_back(
        self, dates, since
    ):
        register = Register(most=100, what="things")
        for number, date in enumerate(dates):
            register.put(str(number), date, created_at=date)

        start = register.first_since(since)

        assert all(date < since for date in dates[:start])
        assert start == len(dates) or dates[start] >= since

    def test_says_when_it_is_full(self):
        register = Register(most=1, what="things")
        register.check_room()
        register.put("a", "a", created_at="")

        with pytest.raises(Full, match="1 things are the most"):
            register.check_room()


class TestListing:
    @pytest.fixture
    async def five_a_minute_apart(self, payment, charge):
        for number in range(5):
            await charge(f"key-{number}")
            await payment.post("/control/clock/advance", json={"seconds": 60})

    @pytest.mark.parametrize(
        ("since", "keys"),
        [
            ("2026-11-27T07:00:00Z", ["key-0", "key-1", "key-2", "key-3", "key-4"]),
            ("2026-11-27T08:03:00Z", ["key-3", "key-4"]),
            ("2026-11-27T08:03:00.000001Z", ["key-4"]),
            ("2026-11-27T09:03:00%2B01:00", ["key-3", "key-4"]),
            ("2026-11-28T00:00:00Z", []),
        ],
    )
    @pytest.mark.usefixtures("five_a_minute_apart")
    async def test_can_start_at_a_moment(self, payment, since, keys):
        seen, path = [], f"/v1/charges?limit=2&created_from={since}"
        while path:
            response = await payment.get(path)
            seen += [item["key"] for item in response.json()["items"]]
            path = response.links.get("next", {}).get("url")

        assert seen == keys

    @pytest.mark.parametrize(
        "since", ["yesterday", "2026-11-27", "2026-11-27T08:00:00", "7", "x" * 9000]
    )
    async def test_refuses_what_is_no_moment(self, either, since):
        path = "/v1/charges" if "pay" in str(either.base_url) else "/v1/shipments"

        response = await either.get(f"{path}?created_from={since}")

        assert response.status_code == 422
        assert response.json()["errors"][0]["pointer"] == "/created_from"
