"""Where an order stands, and where it stands after something was done to it.

Pure: the whole of what cancelling, shipping and taking back do to the three states
and to the lines. Quantities are by the position of a line.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeVar

from holdfast.domain.ordering.errors import LinesNotOpen, OrderNotOpen
from holdfast.domain.ordering.states import (
    FULFILMENT,
    ORDER,
    PAYMENT,
    FulfilmentStatus,
    Machine,
    OrderStatus,
    PaymentStatus,
    fulfilment_of,
    is_complete,
)

S = TypeVar("S", bound=StrEnum)

_OPEN = frozenset({OrderStatus.CONFIRMED})
_PLACED = frozenset({OrderStatus.CONFIRMED, OrderStatus.COMPLETED})


@dataclass(frozen=True, slots=True)
class Units:
    """What became of the units of one line."""

    position: int
    quantity: int
    canceled: int = 0
    fulfilled: int = 0
    returned: int = 0

    @property
    def open(self) -> int:
        return self.quantity - self.canceled - self.fulfilled

    def plus(
        self, *, canceled: int = 0, fulfilled: int = 0, returned: int = 0
    ) -> "Units":
        """So many more; ``ValueError`` if the line has not so many."""
        after = replace(
            self,
            canceled=self.canceled + canceled,
            fulfilled=self.fulfilled + fulfilled,
            returned=self.returned + returned,
        )
        if after.open < 0 or not 0 <= after.returned <= after.fulfilled:
            raise ValueError
        return after


@dataclass(frozen=True, slots=True)
class Standing:
    """The three states of an order, and its lines."""

    status: OrderStatus
    payment: PaymentStatus
    fulfilment: FulfilmentStatus
    lines: tuple[Units, ...]

    @property
    def canceled(self) -> bool:
        """Whether nothing of it is left."""
        return all(line.quantity == line.canceled for line in self.lines)


def canceled(standing: Standing, quantities: Mapping[int, int]) -> Standing:
    """After units were canceled that were not shipped; all of them end the order."""
    _check_status(standing, _OPEN)
    after = replace(standing, lines=_more(standing, quantities, "canceled"))
    if after.canceled:
        return replace(after, status=OrderStatus.CANCELED)
    return _settled(after)


def fulfilled(standing: Standing, quantities: Mapping[int, int]) -> Standing:
    """After units were shipped."""
    _check_status(standing, _OPEN)
    return _settled(replace(standing, lines=_more(standing, quantities, "fulfilled")))


def unfulfilled(standing: Standing, quantities: Mapping[int, int]) -> Standing:
    """After a shipment came to nothing: its units are to be shipped again."""
    _check_status(standing, _PLACED)
    back = _more(standing, quantities, "fulfilled", sign=-1)
    return _settled(replace(standing, lines=back))


def returned(standing: Standing, quantities: Mapping[int, int]) -> Standing:
    """After shipped units came back; no state changes by that."""
    _check_status(standing, _PLACED)
    return replace(standing, lines=_more(standing, quantities, "returned"))


def recounted(standing: Standing, counted: Mapping[int, tuple[int, int]]) -> Standing:
    """After lines were set to what was shipped of them, and of that came back.

    ``LinesNotOpen`` for numbers that a line cannot have.
    """
    _check_status(standing, _PLACED)
    lines, wrong = [], []
    for line in standing.lines:
        said = (line.fulfilled, line.returned)
        shipped, back = counted.get(line.position, said)
        try:
            lines.append(
                line.plus(fulfilled=shipped - said[0], returned=back - said[1])
            )
        except ValueError:
            wrong.append(line.position)
    if wrong:
        raise LinesNotOpen(wrong)
    return _settled(replace(standing, lines=tuple(lines)))


def steps(before: Standing, after: Standing) -> Iterator[tuple[str, StrEnum, StrEnum]]:
    """The changes of state between the two: which machine, from where, to where.

    ``ValueError`` for one that its table does not have.
    """
    for step in (
        _step(ORDER, before.status, after.status),
        _step(PAYMENT, before.payment, after.payment),
        _step(FULFILMENT, before.fulfilment, after.fulfilment),
    ):
        if step is not None:
            yield step


def _step(machine: Machine[S], start: S, end: S) -> tuple[str, S, S] | None:
    if start is end:
        return None
    if not machine.allows(start, end):
        raise ValueError(f"{machine.kind}: {start} does not become {end}")
    return machine.kind, start, end


def _check_status(
    standing: Standing, wanted: frozenset[OrderStatus] | set[OrderStatus]
) -> None:
    if standing.status not in wanted:
        raise OrderNotOpen(standing.status)


def _more(
    standing: Standing, quantities: Mapping[int, int], what: str, *, sign: int = 1
) -> tuple[Units, ...]:
    known = {line.position for line in standing.lines}
    wrong = [position for position in quantities if position not in known]
    lines = []
    for line in standing.lines:
        wanted = quantities.get(line.position)
        try:
            if wanted is None:
                lines.append(line)
            elif wanted < 1:
                wrong.append(line.position)
            else:
                lines.append(line.plus(**{what: sign * wanted}))
        except ValueError:
            wrong.append(line.position)
    if wrong or not quantities:
        raise LinesNotOpen(sorted(wrong))
    return tuple(lines)


def _settled(standing: Standing) -> Standing:
    """The states that follow from the lines and the payment."""
    fulfilment = fulfilment_of(
        (line.quantity, line.canceled, line.fulfilled) for line in standing.lines
    )
    complete = is_complete(standing.payment, fulfilment)
    return replace(
        standing,
        fulfilment=fulfilment,
        status=OrderStatus.COMPLETED if complete else OrderStatus.CONFIRMED,
    )
