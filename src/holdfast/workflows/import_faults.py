"""What is told of a product that could not be taken in: a sentence for its row."""

from dataclasses import replace

import structlog

from holdfast.domain import catalog, pricing
from holdfast.domain.catalog import Portion, RowFault
from holdfast.kernel.errors import DomainError

_log = structlog.get_logger()


def sentence(error: DomainError) -> str:
    """What the database said of a product, for whoever reads its row."""
    if isinstance(
        error, catalog.ProductInvalid | catalog.CategoryInvalid | pricing.PricesInvalid
    ):
        return "; ".join(f"{f.pointer[1:]} {f.detail}" for f in error.errors)
    title = (type(error).__doc__ or "").partition("\n")[0].rstrip(".")
    details = ", ".join(f"{name} {value!r}" for name, value in error.details.items())
    return f"{title[:1].lower()}{title[1:]}: {details}"


def refused(portion: Portion, error: Exception) -> Portion:
    """A part of a file whose product the database would not have."""
    line = portion.end.lines if portion.arrival is None else portion.arrival.line
    fault = RowFault(line, told(error, line))
    return replace(portion, arrival=None, faults=(fault,))


def told(error: Exception, line: int) -> str:
    """What is told of a row that the database would not have."""
    if isinstance(error, DomainError):
        return sentence(error)
    # A fault of ours: it must neither hide nor hold the rest of the file up.
    _log.error("import_row_failed", line=line, exc_info=error)
    return "something went wrong on our side"
