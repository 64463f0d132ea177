"""The scenes hold every way to fail that the payment simulator has."""

import math

import msgspec
from msgspec import inspect

from holdfast.cli.prove.duplicates import method_of
from holdfast.cli.prove.scenes import OUTAGE, SCENES, payment_methods
from holdfast.cli.prove.size import FULL
from holdfast.simulators.payment.methods import METHODS, Method
from holdfast.simulators.payment.scenario import PaymentScenario
from holdfast.simulators.webhooks.scenario import WebhookScenario


def ways(kind, *path):
    """All that can be said in a type: its fields, theirs, and words to choose from."""
    match kind:
        case inspect.StructType(fields=fields):
            for field in fields:
                yield (*path, field.name)
                yield from ways(field.type, *path, field.name)
        case inspect.UnionType(types=types):
            for one in types:
                yield from ways(one, *path)
        case inspect.VarTupleType(item_type=item):
            yield from ways(item, *path)
        case inspect.LiteralType(values=values):
            for value in values:
                yield (*path, value)


def said(value, *path):
    """What *value* says that is not so anyway."""
    match value:
        case msgspec.Struct():
            for field in msgspec.structs.fields(value):
                given = getattr(value, field.name)
                if given != field.default:
                    yield (*path, field.name)
                yield from said(given, *path, field.name)
        case tuple():
            for one in value:
                yield from said(one, *path)
        case str():
            yield (*path, value)


def missing(kind, values):
    shown = {way for value in values for way in said(value)}
    return set(ways(inspect.type_info(kind))) - shown


class TestScenes:
    def test_do_all_that_the_calls_can_be_told_to_do(self, clock):
        scenarios = [n.scenario(at=clock(), seed=7) for n in SCENES]

        assert missing(PaymentScenario, scenarios) == set()

    def test_do_all_that_the_webhooks_can_be_told_to_do(self):
        scenarios = [n.webhook_scenario(seed=7) for n in SCENES]

        assert missing(WebhookScenario, scenarios) == set()

    def test_one_that_is_left_out_is_missed(self, clock):
        scenarios = [
            scene.scenario(at=clock(), seed=7)
            for scene in SCENES
            if scene.down != "refuse" and scene.calls.rate_limit is None
        ]

        assert missing(PaymentScenario, scenarios) == {
            ("outage", "how"),
            ("outage", "how", "refuse"),
            ("rate_limit",),
            ("rate_limit", "per_second"),
            ("fail", "rate_limited"),
        }

    def test_are_read_by_the_simulator_as_they_are_meant(self, clock):
        for scene in SCENES:
            wanted = scene.scenario(at=clock(), seed=7)
            sent = msgspec.json.encode(wanted)
            assert msgspec.json.decode(sent, type=PaymentScenario) == wanted

    def test_are_out_for_a_moment_only(self, clock):
        outages = [n.scenario(at=clock(), seed=7).outage for n in SCENES if n.down]

        assert [(n.start, n.end) for n in outages] == [(clock(), clock() + OUTAGE)] * 2

    def test_have_names_of_their_own(self):
        assert len({scene.name for scene in SCENES}) == len(SCENES)


class TestPaymentMethods:
    def test_are_all_that_there_are(self):
        assert set(payment_methods()) == set(METHODS)

    def test_one_that_is_new_is_paid_with_too(self):
        known = {**METHODS, "pm_new": Method(fail="hang")}

        assert payment_methods(known).count("pm_new") == 2

    def test_are_all_met_by_a_whole_run(self):
        assert {method_of(n) for n in range(FULL.carts)} == set(METHODS)

    def test_most_are_paid_with_success(self):
        well = {
            name
            for name, n in METHODS.items()
            if n.decline_reason is None and n.fail == "none"
        }
        paid = sum(method_of(n) in well for n in range(FULL.carts))

        assert math.isclose(paid / FULL.carts, 0.6, abs_tol=0.05)
