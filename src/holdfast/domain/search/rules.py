"""What a product must be to belong somewhere, said once and kept: rules.

A rule is data, and becomes a condition of the searches: it is evaluated when somebody
looks, by the index that is written with every product. There is no list of members that
could be behind. The conditions are statements of ``queries.sql``; what a client writes
is only ever a value in them.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal, TypeAlias
from uuid import UUID

import msgspec

from holdfast.domain.search.filters import MARK, Among
from holdfast.kernel.money import CURRENCIES
from holdfast.platform import sql

_SQL = sql.load("holdfast.domain.search")
_HAS_FACET = _SQL["has_facet"]
_ON_SHELF = _SQL["on_shelf"]
_TITLED = _SQL["titled"]
_SAYS = _SQL["says"]
_COSTS = _SQL["costs"]
_IS_REDUCED = _SQL["is_reduced"]
_CAN_BE_BOUGHT = _SQL["can_be_bought"]
_MADE_SINCE = _SQL["made_since"]
_PUT_IN = _SQL["put_in"]

MAX_CONDITIONS = 50
MAX_VALUES = 100
"""Values of one condition."""
MAX_VALUES_IN_ALL = 500
"""Values of a rule: they travel with every look at it."""
MAX_DAYS = 36_500
_MAX_TEXT = 255
_LARGEST = 2**63 - 1
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_CONDITION = re.compile(r"FROM product_index i\nWHERE (.*);\Z", re.DOTALL)
_PARAMETER = re.compile(r"\$(\d+)")
_NEGATED = frozenset({"is_not", "does_not_contain", "before_days"})

Text = Annotated[
    str,
    msgspec.Meta(
        min_length=1, max_length=_MAX_TEXT, pattern=r"^[^\x00-\x1f\x7f]+$(?!\n)"
    ),
]
Texts = Annotated[list[Text], msgspec.Meta(min_length=1, max_length=MAX_VALUES)]
Value: TypeAlias = str | int | float | bool
Values = Annotated[list[Value], msgspec.Meta(min_length=1, max_length=MAX_VALUES)]
Amount = Annotated[
    int, msgspec.Meta(ge=0, le=_LARGEST, description="In minor units of the currency.")
]
Is: TypeAlias = Literal["is", "is_not"]


@dataclass(frozen=True, slots=True)
class _Asked:
    """A condition as SQL that has its own $1, and its values."""

    statement: str
    values: tuple[object, ...]
    negated: bool = False


class _Condition(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="field"
):
    pass


class TagCondition(_Condition, frozen=True, tag="tag"):
    """Products with any of these tags, or with none of them."""

    values: Texts
    operator: Is = "is"

    def asked(self, _: datetime) -> _Asked:
        return _facet("tag", self.values)


class VendorCondition(_Condition, frozen=True, tag="vendor"):
    """Products of any of these vendors, or of others."""

    values: Texts
    operator: Is = "is"

    def asked(self, _: datetime) -> _Asked:
        return _facet("vendor", self.values)


class TypeCondition(_Condition, frozen=True, tag="product_type"):
    """Products of any of these types, or of others."""

    values: Texts
    operator: Is = "is"

    def asked(self, _: datetime) -> _Asked:
        return _facet("product_type", self.values)


class OptionCondition(_Condition, frozen=True, tag="option"):
    """Products with a variant that has any of these values of an option, or without."""

    name: Text
    values: Texts
    operator: Is = "is"

    def asked(self, _: datetime) -> _Asked:
        return _facet(f"option.{self.name}", self.values)


class CategoryCondition(_Condition, frozen=True, tag="category"):
    """Products in any of these categories or below them, or elsewhere."""

    values: Texts
    """Ids or handles; their ids are kept."""
    operator: Is = "is"

    def asked(self, _: datetime) -> _Asked:
        return _Asked(_ON_SHELF, (list(self.values),))


class AttributeCondition(_Condition, frozen=True, tag="attribute"):
    """Products whose attribute is any of these values, or is none of them."""

    code: Text
    values: Values
    operator: Is = "is"

    def asked(self, _: datetime) -> _Asked:
        return _says(" || ", [f"{self._named} == {_said(v)}" for v in self.values])

    @property
    def _named(self) -> str:
        return f"$.{_said(self.code)}"


class RangeCondition(_Condition, frozen=True, tag="attribute_range"):
    """Products whose attribute, a number or a day, is from the one to the other."""

    code: Text
    least: str | int | float | None = None
    most: str | int | float | None = None
    operator: Is = "is"

    def asked(self, _: datetime) -> _Asked:
        ends = ((">=", self.least), ("<=", self.most))
        named = f"$.{_said(self.code)}"
        return _says(
            " && ", [f"{named} {sign} {_said(v)}" for sign, v in ends if v is not None]
        )


class TitleCondition(_Condition, frozen=True, tag="title"):
    """Products whose title has these words next to one another, or has not.

    Whole words; case, accents and punctuation do not count.
    """

    text: Text
    operator: Literal["contains", "does_not_contain"] = "contains"

    def asked(self, _: datetime) -> _Asked:
        return _Asked(_TITLED, (self.text,))


class PriceCondition(_Condition, frozen=True, tag="price"):
    """Products of which a variant costs from the one to the other, or none does."""

    currency: Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{3}$(?!\n)")]
    least: Amount = 0
    most: Amount = _LARGEST
    operator: Is = "is"

    def asked(self, _: datetime) -> _Asked:
        return _Asked(_COSTS, (self.currency, self.least, self.most))


class AvailableCondition(_Condition, frozen=True, tag="available"):
    """Products of which a variant can be bought now, or of which none can."""

    value: bool

    def asked(self, _: datetime) -> _Asked:
        return _Asked(_CAN_BE_BOUGHT, (self.value,))


class ReducedCondition(_Condition, frozen=True, tag="reduced"):
    """Products with a variant whose own price is below what it is compared with."""

    value: bool

    def asked(self, _: datetime) -> _Asked:
        return _Asked(_IS_REDUCED, (), negated=not self.value)


class CreatedCondition(_Condition, frozen=True, tag="created"):
    """Products that were made within so many days, or before."""

    days: Annotated[int, msgspec.Meta(ge=1, le=MAX_DAYS)]
    operator: Literal["within_days", "before_days"] = "within_days"

    def asked(self, now: datetime) -> _Asked:
        # As the index has it: the newest is the least.
        since = now - timedelta(days=self.days)
        return _Asked(_MADE_SINCE, (-((since - _EPOCH) // _MICROSECOND),))


Condition: TypeAlias = (
    TagCondition
    | VendorCondition
    | TypeCondition
    | OptionCondition
    | CategoryCondition
    | AttributeCondition
    | RangeCondition
    | TitleCondition
    | PriceCondition
    | AvailableCondition
    | ReducedCondition
    | CreatedCondition
)


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What belongs: that of which all of these conditions hold, or any."""

    match: Literal["all", "any"] = "all"
    conditions: Annotated[
        list[Condition], msgspec.Meta(min_length=1, max_length=MAX_CONDITIONS)
    ]

    def faults(self) -> Iterator[tuple[str, str]]:
        """What is wrong with it besides its types: a JSON pointer each, and why.

        Whether there are such categories and attributes, the catalogue knows.
        """
        values = 0
        for number, condition in enumerate(self.conditions):
            values += len(getattr(condition, "values", ()))
            for name, wrong in _faults(condition):
                yield f"/conditions/{number}/{name}", wrong
        if values > MAX_VALUES_IN_ALL:
            yield "/conditions", f"must have at most {MAX_VALUES_IN_ALL} values in all"


def _faults(condition: Condition) -> Iterator[tuple[str, str]]:
    if isinstance(condition, TitleCondition):
        if not any(char.isalnum() for char in condition.text):
            yield "text", "must have a letter or a digit"
    elif isinstance(condition, RangeCondition):
        if condition.least is None and condition.most is None:
            yield "least", "must be there, or most"
    elif isinstance(condition, PriceCondition):
        if condition.currency not in CURRENCIES:
            yield "currency", "must be an ISO 4217 currency"
        if condition.most < condition.least:
            yield "most", "must not be less than least"


def read_rule(kept: Any) -> Rule:
    """A rule as it is kept, as JSON."""
    return msgspec.convert(kept, Rule)


def by_rule(rule: Rule, now: datetime) -> Among:
    """What belongs by a rule at a moment, as a condition of searches."""
    parts: list[str] = []
    values: list[object] = []
    for asked in _together(rule, [_meant(one, now) for one in rule.conditions]):
        part = f"({_condition(asked.statement, len(values))})"
        parts.append(f"NOT {part}" if asked.negated else part)
        values += asked.values
    joined = (" AND " if rule.match == "all" else " OR ").join(parts)
    return Among(f"({joined})", tuple(values))


def _meant(condition: Condition, now: datetime) -> _Asked:
    asked = condition.asked(now)
    if getattr(condition, "operator", "") in _NEGATED:
        return replace(asked, negated=True)
    return asked


def _together(rule: Rule, every: Sequence[_Asked]) -> Iterator[_Asked]:
    """What is asked of attributes as one: each product is then looked up once."""
    said = [one for one in every if one.statement == _SAYS and not one.negated]
    yield from (one for one in every if one not in said)
    if said:
        joint = " && " if rule.match == "all" else " || "
        yield _says(joint, [f"({one.values[0]})" for one in said])


def by_hand(collection_id: UUID) -> Among:
    """What was put into a collection, as a condition of searches."""
    return Among(f"({_condition(_PUT_IN, 0)})", (collection_id,))


def _condition(statement: str, before: int) -> str:
    """What follows WHERE, with other parameters before its own."""
    found = _CONDITION.search(statement)
    assert found is not None  # noqa: S101 - so they are written
    return _PARAMETER.sub(lambda n: f"${int(n[1]) + before}", found[1])


def _facet(name: str, values: Iterable[str]) -> _Asked:
    return _Asked(_HAS_FACET, ([f"{name}{MARK}{value}" for value in values],))


def _says(joint: str, parts: Iterable[str]) -> _Asked:
    return _Asked(_SAYS, (joint.join(parts),))


def _said(value: Value) -> str:
    """A value as a path expression has it, where JSON's literals mean the same."""
    return msgspec.json.encode(value).decode()
