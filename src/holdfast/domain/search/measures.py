"""Numbers and days of products, and from which to which somebody wants them.

``attribute=height:10..20`` is from the one to the other, both included; ``10..`` and
``..20`` have one end. Days are written as ``2026-12-31``. A range that stands in quotes
is a value like any other.
"""

import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from holdfast.domain.search.errors import FilterInvalid

_CODE = re.compile(r"[a-z][a-z0-9_]{0,62}")
_NUMBER = re.compile(r"-?[0-9]{1,16}(?:\.[0-9]{1,16})?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_RANGE = re.compile(r"(?P<least>.*?)\.\.(?P<most>.*)", re.DOTALL)


class Unquoted(str):
    """A value as it was written, without quotes around it."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Measure:
    """From what to what an attribute is wanted, as JSON; None: without that end."""

    code: str
    least: str | None = None
    most: str | None = None

    @property
    def path(self) -> str:
        """What must hold, as a path expression of SQL/JSON."""
        ends = ((">=", self.least), ("<=", self.most))
        return " && ".join(
            f'$."{self.code}" {sign} {end}' for sign, end in ends if end is not None
        )


def is_range(value: str) -> bool:
    """Whether a value says from what to what."""
    return isinstance(value, Unquoted) and ".." in value


def measure(code: str, values: Sequence[str]) -> Measure:
    """The range that stands for an attribute; ``FilterInvalid``."""
    if len(values) != 1:
        raise _fault(code, "takes one range, and no other value beside it")
    if not _CODE.fullmatch(code):
        raise _fault(code, "is no code of an attribute")
    found = _RANGE.fullmatch(values[0])
    assert found is not None  # noqa: S101 - is_range says so
    least, most = found["least"].strip(), found["most"].strip()
    if not least and not most:
        raise _fault(code, "must have a least or a most")
    if least and most and _begins_after(code, _read(code, least), _read(code, most)):
        raise _fault(code, "must not begin after its end")
    return Measure(code, _as_json(code, least), _as_json(code, most))


def path_of(measures: Iterable[Measure]) -> str | None:
    """What must hold of all; None of none."""
    return " && ".join(measure.path for measure in measures) or None


def _begins_after(code: str, least: Decimal | date, most: Decimal | date) -> bool:
    if isinstance(least, Decimal) and isinstance(most, Decimal):
        return least > most
    if isinstance(least, date) and isinstance(most, date):
        return least > most
    raise _fault(code, "must be two numbers, or two days")


def _read(code: str, end: str) -> Decimal | date:
    if _NUMBER.fullmatch(end):
        return Decimal(end)
    if _DAY.fullmatch(end):
        with suppress(ValueError):
            return date.fromisoformat(end)
    raise _fault(code, "must be numbers as 10..20, or days as 2026-01-01..2026-12-31")


def _as_json(code: str, end: str) -> str | None:
    if not end:
        return None
    read = _read(code, end)
    return f'"{read}"' if isinstance(read, date) else f"{read:f}"


def _fault(code: str, reason: str) -> FilterInvalid:
    return FilterInvalid("attribute", f"{code} {reason}")
