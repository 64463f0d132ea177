"""What a shop has sold, read from files of invoice lines.

The files are those of the UCI data set "Online Retail" (Chen 2015): CSV, a row an
invoice line, prices in pounds. What was sold is a row with a positive quantity and
price on an invoice that is not a cancellation; what was canceled is a row with a
negative quantity and a positive price. The rest, adjustments of the stock, is passed
over. A file that cannot be read, or a row that makes no sense, is refused
with its place: half of the truth would compare equal to nothing.
"""

import csv
import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from holdfast.cli.replay.cancellations import Canceled, Matching
from holdfast.kernel.money import Money, parse

CURRENCY = "GBP"
MAX_QUANTITY = 1_000_000
_COLUMNS = (
    *("InvoiceNo", "StockCode", "Description", "Quantity", "UnitPrice"),
    *("CustomerID", "Country"),
)
_CANCELLATION = "C"
# They become part of an address and of a key, and stay readable in both.
_INVOICE_NO = re.compile(r"[0-9A-Za-z-]{1,32}")
_WHOLE = re.compile(r"-?[0-9]{1,18}")
_DECIMAL = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,18})?")
_MAX_CODE_CHARS = 64


class BadFile(Exception):
    """A file that cannot be used; the text says where and why in a sentence."""


@dataclass(frozen=True, slots=True)
class Sold:
    """One line of an invoice."""

    code: str
    quantity: int
    price: Money


@dataclass(slots=True)
class Invoice:
    """What one customer bought at one time."""

    number: str
    customer: str
    country: str
    lines: list[Sold] = field(default_factory=list)

    @property
    def units(self) -> int:
        return sum(line.quantity for line in self.lines)

    @property
    def total(self) -> Money:
        return sum((n.price * n.quantity for n in self.lines), Money(0, CURRENCY))


@dataclass(frozen=True, slots=True)
class Article:
    """Something that was sold, under its most common price."""

    code: str
    title: str
    price: Money
    units: int
    """Sold in all files together."""


@dataclass(frozen=True)
class Sales:
    """Everything the files say was sold."""

    invoices: Mapping[str, Invoice]
    titles: Mapping[str, str]
    canceled: Matching = field(default_factory=Matching)

    @cached_property
    def returned(self) -> Mapping[str, int]:
        """How many units of each article come back."""
        units = Counter[str]()
        for back in self.canceled.comebacks:
            lines = self.invoices[back.invoice].lines
            for position, quantity in back.units.items():
                units[lines[position - 1].code] += quantity
        return units

    @cached_property
    def refunds(self) -> Mapping[str, int]:
        """What goes back of each invoice that something comes back of, in pence."""
        worth = Counter[str]()
        for back in self.canceled.comebacks:
            worth[back.invoice] += back.worth
        return worth

    @property
    def refunded(self) -> Money:
        return Money(sum(self.refunds.values()), CURRENCY)

    @cached_property
    def units(self) -> int:
        return sum(invoice.units for invoice in self.invoices.values())

    @cached_property
    def revenue(self) -> Money:
        totals = (invoice.total for invoice in self.invoices.values())
        return sum(totals, Money(0, CURRENCY))

    @cached_property
    def articles(self) -> list[Article]:
        """Every article, in the order in which it was first sold."""
        units = Counter[str]()
        prices: dict[str, Counter[Money]] = {}
        for invoice in self.invoices.values():
            for line in invoice.lines:
                units[line.code] += line.quantity
                prices.setdefault(line.code, Counter())[line.price] += 1
        return [
            Article(
                code,
                self.titles.get(code) or code,
                prices[code].most_common(1)[0][0],
                units[code],
            )
            for code in prices
        ]

    @cached_property
    def fingerprint(self) -> str:
        """Twelve characters that tell these sales from any others."""
        digest = hashlib.sha256()
        for invoice in self.invoices.values():
            for line in invoice.lines:
                sold = (invoice.number, line.code, line.quantity, line.price.amount)
                digest.update(repr(sold).encode())
        for back in self.canceled.comebacks:
            fields = (back.number, back.invoice, *sorted(back.units.items()))
            digest.update(repr(fields).encode())
        return digest.hexdigest()[:12]


def read(folder: Path) -> Sales:
    """Read every ``*.csv`` of a folder, in the order of their names.

    Raises ``BadFile``.
    """
    if not folder.is_dir():
        raise BadFile(f"{folder} is not a folder.")
    files = sorted(folder.glob("*.csv"))
    if not files:
        raise BadFile(f"{folder} holds no .csv file.")
    found = _Reading()
    for file in files:
        for place, row in _rows(file):
            found.take(row, place)
    if not found.invoices:
        raise BadFile(f"The files in {folder} hold no sale.")
    return Sales(found.invoices, found.titles, found.canceled)


def _rows(file: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """Each row of a file with its place, as ``path:line``."""
    line = 0
    try:
        with file.open(encoding="utf-8-sig", newline="") as text:
            rows = csv.DictReader(text, strict=True)
            missing = [c for c in _COLUMNS if c not in (rows.fieldnames or ())]
            if missing:
                raise BadFile(f"{file}:1: There is no column {missing[0]}.")
            for row in rows:
                line = rows.line_num
                if None in row or None in row.values():
                    raise BadFile(
                        f"{file}:{line}: The row has not as many fields as the head."
                    )
                yield f"{file}:{line}", row
    except OSError as error:
        raise BadFile(f"{file} cannot be read ({error.strerror}).") from error
    except UnicodeDecodeError as error:
        # Read in blocks, so the row that is to blame is not exactly known.
        raise BadFile(f"{file}:{line + 1}: From here on it is not UTF-8.") from error
    except csv.Error as error:
        raise BadFile(f"{file}:{line + 1}: It is not CSV ({error}).") from error


@dataclass
class _Reading:
    """What was read so far."""

    invoices: dict[str, Invoice] = field(default_factory=dict)
    titles: dict[str, str] = field(default_factory=dict)
    canceled: Matching = field(default_factory=Matching)

    def take(self, row: Mapping[str, str], place: str) -> None:
        """Take a row for a sale, a cancellation or nothing; ``BadFile``."""
        number, code = _names(row, place)
        written = row["Quantity"].strip(), row["UnitPrice"].strip()
        if not _WHOLE.fullmatch(written[0]):
            raise BadFile(f"{place}: Quantity {written[0]!r} is not a whole number.")
        if not _DECIMAL.fullmatch(written[1]):
            raise BadFile(f"{place}: UnitPrice {written[1]!r} is not a number.")
        quantity, costs = int(written[0]), float(written[1]) > 0
        if not costs or not quantity:
            return
        if abs(quantity) > MAX_QUANTITY:
            raise BadFile(f"{place}: Quantity {quantity} is more than {MAX_QUANTITY}.")
        try:
            price = parse(written[1], CURRENCY)
        except ValueError as error:
            raise BadFile(f"{place}: UnitPrice {error}.") from error
        customer = row["CustomerID"].strip().removesuffix(".0")
        if quantity < 0:
            gone = Canceled(number, customer, code, -quantity, price)
            self.canceled.canceled(gone)
        elif not number.startswith(_CANCELLATION):
            self._sold(number, customer, Sold(code, quantity, price), row)

    def _sold(
        self, number: str, customer: str, sold: Sold, row: Mapping[str, str]
    ) -> None:
        invoice = self.invoices.get(number)
        if invoice is None:
            invoice = Invoice(number, customer, row["Country"].strip())
            self.invoices[number] = invoice
        invoice.lines.append(sold)
        self.canceled.sold(
            *(customer, sold.code, number),
            position=len(invoice.lines),
            quantity=sold.quantity,
            price=sold.price,
        )
        title = " ".join(row["Description"].split())
        if title and sold.code not in self.titles:
            self.titles[sold.code] = title[:255]


def _names(row: Mapping[str, str], place: str) -> tuple[str, str]:
    """The numbers of the invoice and of the article; ``BadFile``."""
    number, code = row["InvoiceNo"].strip(), row["StockCode"].strip()
    if not _INVOICE_NO.fullmatch(number):
        raise BadFile(f"{place}: InvoiceNo {number!r} is not 1 to 32 letters, digits.")
    if not 1 <= len(code) <= _MAX_CODE_CHARS or not code.isprintable():
        raise BadFile(f"{place}: StockCode {code!r} is not 1 to 64 characters.")
    return number, code
