"""What the limits decide is counted once for each limit, by no name of a caller."""

import pytest
from prometheus_client import generate_latest

from holdfast.api.protection.metrics_rate import RateMetrics
from holdfast.api.protection.policies import Policies
from holdfast.api.protection.quotas import Quotas
from holdfast.api.protection.rate_store import StoreMetrics
from holdfast.domain.identity import Operator
from holdfast.kernel.ids import new_id
from holdfast.platform.metrics import Metrics
from holdfast.platform.rates import read
from holdfast.platform.vault import Vault
from holdfast.resilience.errors import QuotaExceeded
from holdfast.resilience.events import RateLeased, RateStoreMoved
from holdfast.resilience.rate import MemoryLimiter, Verdict


class Elsewhere(MemoryLimiter):
    """Stands where Redis would be."""

    async def take(self, subject, quotas, cost=1):
        verdict = self.take_now(subject, quotas, cost)
        return Verdict(verdict.allowed, verdict.standings, source=self.source)

    source = "store"


@pytest.fixture
def registry():
    return Metrics({}).registry


@pytest.fixture
def rates(registry):
    return RateMetrics(registry)


@pytest.fixture
def buckets(rates):
    def make(said, store=None):
        return Quotas(
            Policies(read(said)[0]),
            vault=Vault.fresh(),
            metrics=rates,
            store=store,
        )

    return make


@pytest.fixture
def counted(registry, rates):
    """The decisions so far, by policy and outcome."""

    def read_them():
        rates.hand_on()
        found = {}
        for metric in registry.collect():
            for sample in metric.samples:
                if sample.name == "holdfast_ratelimit_decisions_total":
                    labels = sample.labels
                    key = (labels["policy"], labels["outcome"])
                    found[key] = found.get(key, 0) + sample.value
        return found

    return read_them


async def ask(quotas, who, *costs):
    for cost in costs:
        try:
            await quotas.take(who, cost, "write")
        except QuotaExceeded:
            continue


class TestDecisions:
    async def test_are_one_for_each_limit_of_a_request(self, buckets, counted):
        quotas = buckets("key=1/h:10")
        key = Operator(new_id(), "ERP", frozenset())

        await ask(quotas, quotas.known(key), 5, 5, 5, 11)
        for _ in range(3):
            quotas.flooding("192.0.2.1")

        assert counted() == {
            ("key", "allowed"): 2,
            ("key", "denied"): 1,
            ("key", "too_costly"): 1,
            ("address", "allowed"): 3,
        }

    async def test_are_told_from_those_without_redis(self, buckets, counted):
        store = Elsewhere()
        quotas = buckets("guest=1/h:10", store)
        who = quotas.guest("192.0.2.1", reads=False)
        await ask(quotas, who, 5)
        store.source = "local"

        await ask(quotas, who, 5, 5)

        assert counted() == {
            ("guest", "allowed"): 1,
            ("guest", "fallback_allowed"): 1,
            ("guest", "fallback_denied"): 1,
        }

    async def test_of_looking_are_none(self, buckets, counted):
        quotas = buckets("guest=1/h:10")

        await ask(quotas, quotas.guest("192.0.2.1", reads=False), 0, 0)

        assert counted() == {}

    async def test_name_nobody(self, buckets, rates, registry):
        quotas = buckets("guest=1/h:5 browsing=1/h:5")
        for number in range(30):
            address = f"192.0.2.{number}"
            await ask(quotas, quotas.guest(address, reads=True), 5, 5)
            await ask(quotas, quotas.guest(address, reads=False), 5, 5)

        rates.hand_on()
        text = generate_latest(registry).decode()

        assert "192.0.2" not in text
        assert text.count("holdfast_ratelimit_decisions_total{") == 4

    async def test_say_how_long_a_check_took(self, buckets, registry):
        quotas = buckets("", Elsewhere())

        await ask(quotas, quotas.guest("192.0.2.1", reads=False), 5)

        text = generate_latest(registry).decode()
        name = "holdfast_ratelimit_check_duration_seconds_count"
        assert f'{name}{{backend="redis"}} 1.0' in text
        assert f'{name}{{backend="local"}} 0.0' in text


class TestStore:
    def test_says_which_state_it_is_in(self, registry, log):
        metrics = StoreMetrics(registry)

        metrics.moved(RateStoreMoved("up", "down", 60.0))
        metrics.moved(RateStoreMoved("down", "up", 1.5))
        metrics.leased(RateLeased(("key",), 20))
        metrics.leased(RateLeased(("key",), -5))

        text = generate_latest(registry).decode()
        for line in (
            'holdfast_ratelimit_backend_state{state="up"} 1.0',
            'holdfast_ratelimit_backend_state{state="down"} 0.0',
            "holdfast_ratelimit_fallback_seconds_total 1.5",
            'holdfast_ratelimit_lease_tokens{policy="key"} 15.0',
        ):
            assert line in text
        assert [(x["before"], x["after"]) for x in log()] == [
            ("up", "down"),
            ("down", "up"),
        ]
