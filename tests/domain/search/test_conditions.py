"""What a rule may say, and how it asks for that."""

from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from holdfast.domain import search
from holdfast.domain.search import rules


def rule(*conditions: Mapping[str, Any], match: str = "all") -> search.Rule:
    return search.read_rule({"match": match, "conditions": list(conditions)})


class TestRule:
    @pytest.mark.parametrize(
        ("condition", "place"),
        [
            ({"field": "title", "text": "-- ?"}, "/conditions/0/text"),
            ({"field": "attribute_range", "code": "a"}, "/conditions/0/least"),
            (
                {"field": "price", "currency": "EUR", "least": 2, "most": 1},
                "/conditions/0/most",
            ),
            ({"field": "price", "currency": "XXX"}, "/conditions/0/currency"),
            ({"field": "price", "currency": "AAA"}, "/conditions/0/currency"),
        ],
    )
    def test_says_what_can_hold_of_nothing(self, condition, place):
        assert [pointer for pointer, _ in rule(condition).faults()] == [place]

    def test_has_no_faults_by_its_types_alone(self):
        sound = rule(
            {"field": "title", "text": "tea"},
            {"field": "attribute_range", "code": "a", "least": 1},
            {"field": "price", "currency": "EUR", "least": 2, "most": 2},
            {"field": "available", "value": True},
        )

        assert list(sound.faults()) == []

    def test_bounds_its_values_in_all(self):
        many = {"field": "tag", "values": [str(n) for n in range(100)]}

        assert list(rule(*[many] * 5).faults()) == []
        ((pointer, _),) = rule(*[many] * 6).faults()
        assert pointer == "/conditions"

    @pytest.mark.parametrize(
        "kept",
        [
            {"conditions": []},
            {"conditions": [{"field": "tag", "values": ["x"]}] * 51},
            {"conditions": [{"field": "tag", "values": []}]},
            {"conditions": [{"field": "tag", "values": ["x"] * 101}]},
            {"conditions": [{"field": "tag", "values": ["x\n"]}]},
            {"conditions": [{"field": "tag", "values": ["x\x1fy"]}]},
            {"conditions": [{"field": "tag", "values": ["x" * 256]}]},
            {"conditions": [{"field": "tag", "values": ["x"], "operator": "matches"}]},
            {"conditions": [{"field": "sku", "values": ["x"]}]},
            {"conditions": [{"values": ["x"]}]},
            {"conditions": [{"field": "created", "days": 0}]},
            {"conditions": [{"field": "created", "days": 10**9}]},
            {"conditions": [{"field": "price", "currency": "EUR", "most": 2**63}]},
            {"conditions": [{"field": "price", "currency": "euro"}]},
            {"match": "none", "conditions": [{"field": "reduced", "value": True}]},
        ],
    )
    def test_is_refused_where_it_is_none(self, kept):
        with pytest.raises(msgspec.ValidationError):
            search.read_rule(kept)

    def test_numbers_its_values_one_after_the_other(self, clock):
        among = search.by_rule(
            rule(
                {"field": "price", "currency": "EUR", "most": 5},
                {"field": "tag", "values": ["x"], "operator": "is_not"},
            ),
            clock(),
        )

        assert among.values == ("EUR", 0, 5, ["tag\x1fx"])
        assert "$3" in among.condition
        assert "NOT (i.facets && $4::text[])" in among.condition

    @pytest.mark.parametrize(("match", "joint"), [("all", "&&"), ("any", "||")])
    def test_asks_of_attributes_once(self, clock, match, joint):
        oak, deep = (
            {"field": "attribute", "code": "wood", "values": ["oak"]},
            {"field": "attribute_range", "code": "deep", "least": 2},
        )
        elm = {"field": "attribute", "code": "wood", "values": ["elm"]}
        elm["operator"] = "is_not"

        among = search.by_rule(rule(oak, elm, deep, match=match), clock())

        assert among.values == (
            '$."wood" == "elm"',
            f'($."wood" == "oak") {joint} ($."deep" >= 2)',
        )


def test_every_condition_is_in_the_union():
    assert set(rules._Condition.__subclasses__()) == set(rules.Condition.__args__)
