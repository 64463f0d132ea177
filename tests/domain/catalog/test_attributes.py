"""Values are of the type that their attribute has, or are refused."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.domain.catalog import Attribute, AttributeDraft
from holdfast.domain.catalog.attributes import attribute_faults, is_code, value_fault

NOW = datetime(2026, 1, 1, tzinfo=UTC)
PRODUCT = "01943a00-0000-7000-8000-000000000101"
GOOD = {
    "text": ["x", "ein Wört ☕", "x" * 1024, "<b>"],
    "number": [0, -1.5, 10**15, -(10**15)],
    "boolean": [True, False],
    "date": ["2024-02-29", "0001-01-01"],
    "choice": ["oak"],
    "reference": [PRODUCT],
}
BAD = {
    "text": ["", "x" * 1025, "a\nb", "a\x00b", "\ud800", 1, True],
    "number": ["1", True, float("nan"), float("inf"), 10**15 + 1, 10**400],
    "boolean": [0, 1, "true"],
    "date": ["2023-02-29", "2024-2-9", "20240209", "2024-01-01T00:00:00Z", 1, ""],
    "choice": ["Oak", "", 1, True],
    "reference": ["oak", "", 1, PRODUCT[:-1]],
}


def attribute(type_):
    choices = ("oak",) if type_ == "choice" else ()
    return Attribute(
        *("made_of", "Made of", type_, choices),
        filterable=False,
        position=0,
        version=1,
        created_at=NOW,
        updated_at=NOW,
    )


def each(values):
    return [(type_, value) for type_, some in values.items() for value in some]


class TestValues:
    @pytest.mark.parametrize(("type_", "value"), each(GOOD), ids=range(len(each(GOOD))))
    def test_are_taken_of_the_type(self, type_, value):
        assert value_fault(attribute(type_), value) is None

    @pytest.mark.parametrize(("type_", "value"), each(BAD), ids=range(len(each(BAD))))
    def test_are_refused_of_another(self, type_, value):
        assert value_fault(attribute(type_), value) is not None

    @given(st.dates())
    def test_may_be_any_day(self, day: date):
        assert value_fault(attribute("date"), day.isoformat()) is None

    def test_need_a_definition_and_are_not_too_many(self):
        known = {"made_of": attribute("text")}

        many = {f"code_{n}": "x" for n in range(101)}
        found = list(attribute_faults(known, {"made_of": 1, "a/b~": "x"}))

        assert [fault.pointer for fault in found] == [
            *("/attributes/made_of", "/attributes/a~1b~0"),
        ]
        assert [f.pointer for f in attribute_faults(known, many)] == ["/attributes"]


class TestDefinitions:
    @pytest.mark.parametrize("code", ["a", "made_of", "x2", "a" * 63])
    def test_are_called_by_codes(self, code):
        assert is_code(code)

    @pytest.mark.parametrize("code", ["", "A", "2x", "a-b", "a" * 64, "ä", "a\n", "_a"])
    def test_are_called_by_nothing_else(self, code):
        assert not is_code(code)

    @pytest.mark.parametrize(
        ("fields", "pointers"),
        [
            ({}, []),
            ({"type": "choice", "choices": ("a", "b")}, []),
            (
                {"code": "A", "name": "", "position": -1},
                ["/code", "/name", "/position"],
            ),
            ({"choices": ("a",)}, ["/choices"]),
            ({"type": "choice"}, ["/choices"]),
            (
                {"type": "choice", "choices": ("a", "a", "")},
                ["/choices/1", "/choices/2"],
            ),
            ({"type": "choice", "choices": ("",) * 1_001}, ["/choices"]),
            ({"choices": ("",) * 1_001}, ["/choices"]),
        ],
        ids=range(8),
    )
    def test_keep_the_rules(self, fields, pointers):
        draft = AttributeDraft(**{"code": "a", "name": "A", "type": "text"} | fields)

        assert [fault.pointer for fault in draft.faults()] == pointers
