"""Documents on A4, as PDF: headings, fields, a table over several pages, sums.

The same content makes the same bytes. All text is drawn as glyphs of an embedded
font, shaped and ordered as its script demands, and nothing in it is markup: what the
font does not have becomes a box, what is invisible or controls something is left out.
Import this only where a document is made: the library takes 0.4 s and 30 MiB.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib import resources
from typing import Literal, cast

from fpdf import FPDF
from fpdf.enums import MethodReturnValue
from fpdf.fonts import TTFFont

_FONTS = resources.files("holdfast.platform") / "fonts"
_FILES = {"": "DejaVuSans.ttf", "B": "DejaVuSans-Bold.ttf"}
_FAMILY = "dejavu"
_BOX = "\N{WHITE SQUARE}"
_MAX_CHARACTERS = 1_000

# Cc: control; Cf: invisible formatting; Zl, Zp: separators; Cs: half a character; Co,
# Cn: nobody's. Two of Cf say how letters join, and names need them.
_LEFT_OUT = frozenset({"Cc", "Cf", "Zl", "Zp", "Cs", "Co", "Cn"})
_JOINERS = "\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}"
# Up to here, letters stand one after another as they are: no need to shape them, which
# takes ten times as long.
_SIMPLE_BELOW = "\u0300"

# Millimetres and points.
_MARGIN, _BOTTOM, _LINE, _SMALL_LINE = 20.0, 24.0, 5.0, 4.0
_SIZE, _SMALL, _LARGE = 9.0, 7.5, 18.0
_GREY, _BLACK, _RULE = 110, 20, 0.2

Align = Literal["L", "R"]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table; its width is a share of the whole."""

    title: str
    share: float
    align: Align = "L"


@dataclass(frozen=True, slots=True)
class Row:
    """What stands in each column, and in small letters below the first."""

    cells: Sequence[str]
    small: str = ""


class Paper:
    """A document that is written from top to bottom."""

    def __init__(self, *, title: str, foot: str, made_at: datetime) -> None:
        self._pdf = pdf = _Sheets(foot)
        pdf.set_creation_date(made_at)
        pdf.set_producer("Holdfast")
        pdf.set_margins(_MARGIN, _MARGIN)
        pdf.set_auto_page_break(auto=True, margin=_BOTTOM)
        for style, file in _FILES.items():
            with resources.as_file(_FONTS / file) as path:
                pdf.add_font(_FAMILY, style, path)
        pdf.set_title(pdf.printable(title))
        pdf.add_page()

    def heading(self, text: str) -> None:
        """The name of the document."""
        self._pdf.ink(_LARGE, bold=True)
        self._write(text, height=10)
        self.gap(2)

    def block(self, lines: Sequence[str], *, align: Align = "L") -> None:
        """Lines of text, such as an address."""
        self._pdf.ink(_SIZE)
        for line in lines:
            self._write(line, align=align)

    def fields(self, pairs: Sequence[tuple[str, str]]) -> None:
        """Names and values beside them."""
        for name, value in pairs:
            self._pdf.ink(_SIZE, grey=True)
            self._pdf.cell(40, _LINE, self._pdf.printable(name))
            self._pdf.ink(_SIZE)
            self._write(value)

    def note(self, text: str) -> None:
        """Something in small letters."""
        self._pdf.ink(_SMALL, grey=True)
        self._write(text, height=_SMALL_LINE)

    def gap(self, millimetres: float = 8.0) -> None:
        self._pdf.ln(millimetres)

    def table(self, columns: Sequence[Column], rows: Sequence[Row]) -> None:
        """Rows below a head that every page repeats; a row is never cut in two."""
        widths = [self._pdf.epw * column.share for column in columns]
        self._head(columns, widths)
        for row in rows:
            height = self._height(row, widths)
            if self._pdf.will_page_break(height):
                self._pdf.add_page()
                self._head(columns, widths)
            self._row(row, columns, widths, height)

    def sums(self, pairs: Sequence[tuple[str, str]], *, bold: Sequence[str]) -> None:
        """Names and amounts at the right edge; those in *bold* stand out."""
        width = self._pdf.epw
        for name, value in pairs:
            # The longer part gives way: an amount stays on one line.
            self._pdf.ink(_SIZE, bold=name in bold)
            self._pdf.cell(width * 0.7, _LINE + 1, self._pdf.printable(name), align="R")
            self._pdf.cell(
                *(width * 0.3, _LINE + 1, self._pdf.printable(value)),
                align="R",
                new_x="LMARGIN",
                new_y="NEXT",
            )

    def finish(self) -> bytes:
        """The whole document."""
        return bytes(self._pdf.output())

    def _write(self, text: str, *, height: float = _LINE, align: Align = "L") -> None:
        shown = self._pdf.printable(text)
        self._pdf.multi_cell(
            0, height, shown, align=align, new_x="LMARGIN", new_y="NEXT"
        )

    def _head(self, columns: Sequence[Column], widths: Sequence[float]) -> None:
        self._pdf.ink(_SMALL, grey=True)
        for column, width in zip(columns, widths, strict=True):
            self._pdf.cell(width, _LINE + 1, column.title, align=column.align)
        self._pdf.ln()
        self._rule()

    def _rule(self) -> None:
        pdf = self._pdf
        pdf.set_draw_color(_GREY)
        pdf.set_line_width(_RULE)
        pdf.line(pdf.l_margin, pdf.y, pdf.l_margin + pdf.epw, pdf.y)
        pdf.ln(1)

    def _height(self, row: Row, widths: Sequence[float]) -> float:
        first, *others = (
            self._lines(cell, width) * _LINE
            for cell, width in zip(row.cells, widths, strict=True)
        )
        if row.small:
            first += self._lines(row.small, widths[0], small=True) * _SMALL_LINE
        return max(first, *others) + 1

    def _lines(self, text: str, width: float, *, small: bool = False) -> int:
        self._pdf.ink(_SMALL if small else _SIZE)
        shown = self._pdf.printable(text)
        if self._fits(shown, width):
            return 1
        split = self._pdf.multi_cell(
            width, _LINE, shown, dry_run=True, output=MethodReturnValue.LINES
        )
        return max(1, len(cast("list[str]", split)))

    def _fits(self, shown: str, width: float) -> bool:
        """Whether it stands on one line, which is quicker asked than broken."""
        room = width - 2 * self._pdf.c_margin
        return self._pdf.get_string_width(shown) <= room

    def _put(self, text: str, width: float, height: float, align: Align) -> None:
        """Write into a column, and stay at its left edge, below."""
        shown = self._pdf.printable(text)
        put = self._pdf.cell if self._fits(shown, width) else self._pdf.multi_cell
        put(width, height, shown, align=align, new_x="LEFT", new_y="NEXT")

    def _row(
        self,
        row: Row,
        columns: Sequence[Column],
        widths: Sequence[float],
        height: float,
    ) -> None:
        pdf = self._pdf
        top, left = pdf.y, pdf.l_margin
        for cell, column, width in zip(row.cells, columns, widths, strict=True):
            pdf.set_xy(left, top)
            pdf.ink(_SIZE)
            self._put(cell, width, _LINE, column.align)
            if row.small and column is columns[0]:
                pdf.ink(_SMALL, grey=True)
                self._put(row.small, width, _SMALL_LINE, "L")
            left += width
        pdf.set_xy(pdf.l_margin, top + height)


class _Sheets(FPDF):
    """A4 pages, each with its number at the foot."""

    def __init__(self, foot: str) -> None:
        super().__init__(format="A4")
        # What the number of pages takes the place of, as wide as a large one. Nobody's
        # text holds its first character: ``printable`` leaves it out.
        self.alias_nb_pages("\ue000000")
        self._foot = foot

    def footer(self) -> None:
        self.set_y(-15)
        self.ink(_SMALL, grey=True)
        self.set_text_shaping(use_shaping_engine=False)
        # At the left: what takes the place of the number of pages may be shorter.
        self.cell(self.epw / 2, _LINE, f"{self.page_no()} / {self.str_alias_nb_pages}")
        self.cell(self.epw / 2, _LINE, self.printable(self._foot), align="R")

    def ink(self, size: float, *, bold: bool = False, grey: bool = False) -> None:
        self.set_font(_FAMILY, "B" if bold else "", size)
        self.set_text_color(_GREY if grey else _BLACK)

    def printable(self, text: str) -> str:
        """One line of what the font can show; sets whether it must be shaped."""
        text = text[:_MAX_CHARACTERS]
        if text.isprintable() and all(c < _SIMPLE_BELOW for c in text):
            self.set_text_shaping(use_shaping_engine=False)
            return text
        known = cast("TTFFont", self.current_font).cmap if self.current_font else {}
        kept = "".join(
            " " if _is_left_out(c) else c if not known or ord(c) in known else _BOX
            for c in unicodedata.normalize("NFC", text)
        )
        self.set_text_shaping(use_shaping_engine=True)
        return " ".join(kept.split())


def _is_left_out(character: str) -> bool:
    if character in _JOINERS:
        return False
    return unicodedata.category(character) in _LEFT_OUT
