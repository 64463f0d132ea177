"""Which limits a caller meets, whatever operators and settings have said."""

import asyncio
import dataclasses

import pytest

from holdfast.api.protection.policies import BUILT_IN, NAMES, Bundle, Policies
from holdfast.api.shop import opened
from holdfast.platform import controls
from holdfast.platform.rates import DEFAULTS, Rate, read

NUMBERS = {"tokens": 3, "period_seconds": 60, "burst": 60}


def names(bundle):
    return [quota.name for quota in bundle.enforced]


def of(policies, role="customer", client_id="web", holder=""):
    return names(policies.of(role, client_id=client_id, holder=holder))


class TestBuiltIn:
    def test_is_the_table_of_the_settings(self):
        assert [policy.name for policy in BUILT_IN] == list(DEFAULTS)

    def test_is_strict_about_credentials_alone(self):
        assert {policy.name for policy in BUILT_IN if policy.strict} == {
            *("credentials", "credentials-address", "token")
        }


class TestSettings:
    def test_change_numbers_and_switch_off(self):
        policies = Policies(read("guest=1/m:60 customer-daily=off")[0])

        assert policies.by_name["guest"].rate == Rate(1, 60, 60)
        assert of(policies) == ["customer"]
        assert policies.by_name["key"].rate == DEFAULTS["key"]

    def test_change_all_that_are_not_named(self):
        policies = Policies(read("*=off guest=1/m:60")[0])

        assert [n for n, p in policies.by_name.items() if p.enabled] == ["guest"]
        assert not policies.named("address")


class TestTakeOver:
    def test_changes_numbers_and_goes_back(self):
        policies = Policies()
        policies.take_over({"guest": NUMBERS})
        assert policies.named("guest").enforced[0].burst == 60

        policies.take_over({})

        assert policies.named("guest").enforced[0].burst == DEFAULTS["guest"].burst

    def test_puts_a_limit_in_shadow_but_no_strict_one(self):
        policies = Policies()

        policies.take_over(
            {name: {**NUMBERS, "shadow": True} for name in ("guest", "credentials")}
        )

        assert policies.named("guest").enforced == ()
        assert names(Bundle(policies.named("guest").shadowed)) == ["guest"]
        assert names(policies.named("credentials")) == ["credentials"]

    def test_makes_limits_for_clients_and_plans(self):
        policies = Policies()
        policies.take_over(
            {
                "mobile": {**NUMBERS, "client_id": "app"},
                "gold": {**NUMBERS, "plan": "gold"},
                "gold-daily": {**NUMBERS, "plan": "gold"},
            }
        )
        policies.assign({"key.1": {"plan": "gold"}, "client.app": {"plan": "gold"}})

        assert of(policies, client_id="app") == ["mobile"]
        assert of(policies, "key", None, "key.1") == ["gold", "gold-daily"]
        assert of(policies, "service", "app", "client.app") == ["mobile"]
        assert of(policies) == ["customer", "customer-daily"]
        assert policies.plans["gold"] == ("gold", "gold-daily")

    def test_a_limit_that_is_off_is_none_and_not_the_usual_one(self):
        policies = Policies()
        policies.assign({"key.1": {"plan": "partner"}})
        policies.take_over(
            {
                name: {**NUMBERS, "enabled": False}
                for name in ("partner", "partner-daily")
            }
        )

        assert of(policies, "key", None, "key.1") == []

    def test_a_plan_that_has_no_limit_any_more_is_none(self):
        policies = Policies()

        policies.assign({"key.1": {"plan": "gone"}})

        assert of(policies, "key", None, "key.1") == ["key"]

    @pytest.mark.parametrize(
        "odd",
        [
            *(None, 7, [], "off", {}, {"burst": 1}, {**NUMBERS, "burst": 0}),
            *({**NUMBERS, "more": 1}, {**NUMBERS, "tokens": 10**12}),
        ],
        ids=str,
    )
    def test_of_what_cannot_be_understood_changes_nothing(self, odd, log):
        policies = Policies()

        policies.take_over({"guest": odd, "key": NUMBERS, "Bad Name": NUMBERS})
        policies.assign({"key.1": odd})

        assert policies.named("guest") == Policies().named("guest")
        assert policies.by_name["key"].rate == Rate(3, 60, 60)
        assert policies.by_name.keys() == NAMES
        assert policies.holders == {}
        assert "rate_policy_not_understood" in {line["event"] for line in log()}


class TestEveryProcess:
    async def test_knows_of_a_change_within_a_second(
        self, settings, hasher, database, clock
    ):
        """Somebody else has written it: this one only reads."""
        quick = dataclasses.replace(settings, rate_limits={})
        async with opened(quick, hasher=hasher) as shop:
            assert shop.quotas.policies.by_name["guest"].enabled
            off = {**NUMBERS, "enabled": False}
            async with database.transaction() as tx:
                await controls.put(tx, "rate.policy.guest", off, by="x", at=clock())

            assert controls.REREAD_SECONDS < 1
            async with asyncio.timeout(20):  # on a busy machine
                while shop.quotas.policies.by_name["guest"].enabled:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
