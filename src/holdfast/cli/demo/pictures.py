"""Placeholder pictures, drawn: a motif for each category, varied for each product.

The same recipe always gives the same picture, so its name can be known before it
is drawn, and a picture that is there already need not be drawn again. Drawn at
twice the size and reduced, which is what smooths the edges.
"""

import hashlib
import random
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO

from PIL import Image, ImageDraw, ImageFont

SIDE = 640
_SCALE = 2
_BIG = SIDE * _SCALE
_QUALITY = 82
# Part of a picture's name: raise it when the drawing changes.
_EDITION = 1

_Draw = ImageDraw.ImageDraw
_Colour = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a picture is drawn from."""

    handle: str
    title: str
    motif: str
    colours: tuple[str, str, str]
    """Ground, main colour, second colour as ``#rrggbb``."""

    @property
    def name(self) -> str:
        """A file name that is another one when the picture is."""
        what = "\n".join((str(_EDITION), self.title, self.motif, *self.colours))
        return f"{self.handle}-{hashlib.sha256(what.encode()).hexdigest()[:10]}.webp"

    def draw(self) -> bytes:
        """The picture as WebP."""
        ground, main, second = map(_colour, self.colours)
        # Variation, not security.
        dice = random.Random(self.handle)  # noqa: S311
        ground = _mixed(ground, main, dice.uniform(0, 0.12))
        second = _mixed(second, main, dice.uniform(0, 0.35))
        picture = Image.new("RGB", (_BIG, _BIG), ground)
        pen = ImageDraw.Draw(picture)
        _backdrop(pen, ground, main, dice)
        _MOTIFS[self.motif](pen, main, second, dice)
        _initials(pen, self.title, main)
        out = BytesIO()
        picture.reduce(_SCALE).save(out, "WEBP", quality=_QUALITY, method=0)
        return out.getvalue()


def _colour(text: str) -> _Colour:
    return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16)


def _mixed(one: _Colour, other: _Colour, share: float) -> _Colour:
    red, green, blue = (
        round(a + (b - a) * share) for a, b in zip(one, other, strict=True)
    )
    return red, green, blue


def _at(*parts: float) -> list[float]:
    """Coordinates in hundredths of the side."""
    return [part * _BIG / 100 for part in parts]


def _backdrop(pen: _Draw, ground: _Colour, main: _Colour, dice: random.Random) -> None:
    """A table, and a sun or a moon behind what stands on it."""
    x, y, radius = dice.uniform(25, 75), dice.uniform(26, 40), dice.uniform(24, 34)
    pen.ellipse(
        _at(x - radius, y - radius, x + radius, y + radius),
        fill=_mixed(ground, (255, 255, 255), 0.45),
    )
    pen.rectangle(_at(0, 78, 100, 100), fill=_mixed(ground, main, 0.22))
    pen.ellipse(_at(22, 77, 78, 84), fill=_mixed(ground, main, 0.34))


def _leaf(pen: _Draw, main: _Colour, second: _Colour, dice: random.Random) -> None:
    pen.line(_at(50, 80, 50, 30), fill=main, width=18)
    for step in range(dice.randint(3, 4)):
        y, size = 66 - step * 12, 20 - step * 3
        for side in (-1, 1):
            tip = 50 + side * size
            pen.polygon(
                [
                    *_at(50, y),
                    *_at(50 + side * size * 0.35, y - size * 0.75),
                    *_at(tip, y - size * 0.7),
                    *_at(50 + side * size * 0.8, y - size * 0.15),
                ],
                fill=main if (step + side) % 2 else second,
            )
    pen.polygon([*_at(50, 12), *_at(57, 24), *_at(50, 34), *_at(43, 24)], fill=second)


def _cup(pen: _Draw, main: _Colour, second: _Colour, dice: random.Random) -> None:
    wide, top = dice.uniform(18, 24), dice.uniform(38, 48)
    right = 50 + wide
    pen.ellipse(_at(right - 7, top + 7, right + 13, top + 27), outline=main, width=34)
    pen.rounded_rectangle(_at(50 - wide, top, right, 80), radius=110, fill=main)
    pen.rectangle(_at(50 - wide, top, right, top + 12), fill=main)
    pen.rectangle(_at(50 - wide, top + 14, right, top + 21), fill=second)
    for offset in (-9, 0, 9):
        x = 50 + offset
        pen.arc(_at(x - 4, top - 16, x + 4, top - 8), 90, 270, fill=second, width=14)
        pen.arc(_at(x - 4, top - 8, x + 4, top), -90, 90, fill=second, width=14)


def _book(pen: _Draw, main: _Colour, second: _Colour, dice: random.Random) -> None:
    wide = dice.uniform(19, 25)
    left, right, top = 50 - wide, 50 + wide, dice.uniform(26, 34)
    pen.rounded_rectangle(
        _at(left + 3, top + 3, right + 3, 81), radius=24, fill=(250, 248, 242)
    )
    pen.rounded_rectangle(_at(left, top, right, 79), radius=24, fill=main)
    pen.rectangle(_at(left + 4, top, left + 8, 79), fill=second)
    pen.rounded_rectangle(
        _at(left + 14, top + 9, right - 6, top + 20), radius=14, fill=(250, 248, 242)
    )
    pen.line(_at(right + 9, 80, right + 15, top + 4), fill=second, width=30)
    pen.line(_at(right + 15, top + 4, right + 15.8, top), fill=main, width=22)


def _tent(pen: _Draw, main: _Colour, second: _Colour, dice: random.Random) -> None:
    peak, top = dice.uniform(44, 56), dice.uniform(30, 38)
    hill = _mixed(main, (255, 255, 255), 0.55)
    pen.polygon([*_at(0, 79), *_at(26, 46), *_at(58, 79)], fill=hill)
    pen.polygon(
        [*_at(44, 79), *_at(78, 40), *_at(100, 66), *_at(100, 79)],
        fill=_mixed(hill, main, 0.25),
    )
    pen.polygon([*_at(18, 81), *_at(peak, top), *_at(82, 81)], fill=main)
    pen.polygon([*_at(40, 81), *_at(peak, top), *_at(61, 81)], fill=second)
    pen.polygon([*_at(46, 81), *_at(peak, top + 16), *_at(55, 81)], fill=main)


def _candle(pen: _Draw, main: _Colour, second: _Colour, dice: random.Random) -> None:
    for x in (32, 50, 68):
        top, wide = dice.uniform(36, 58), dice.uniform(5, 8)
        wax = _mixed(main, (255, 255, 255), dice.uniform(0, 0.3))
        pen.rounded_rectangle(_at(x - wide, top, x + wide, 80), radius=20, fill=wax)
        pen.line(_at(x, top, x, top - 4), fill=(60, 50, 45), width=8)
        glow = _mixed(second, (255, 255, 255), 0.6)
        pen.ellipse(_at(x - 6.5, top - 18, x + 6.5, top - 3), fill=glow)
        pen.polygon(
            [
                *_at(x, top - 17),
                *_at(x + 3.4, top - 8),
                *_at(x, top - 3.5),
                *_at(x - 3.4, top - 8),
            ],
            fill=second,
        )


def _flower(pen: _Draw, main: _Colour, second: _Colour, dice: random.Random) -> None:
    for x in (35, 50, 65):
        y = dice.uniform(28, 46)
        pen.line(_at(x, y, 50 + (x - 50) * 0.3, 66), fill=main, width=16)
        petal = _mixed(second, (255, 255, 255), dice.uniform(0, 0.35))
        for dx, dy in ((0, -6), (5.7, -1.9), (3.5, 4.9), (-3.5, 4.9), (-5.7, -1.9)):
            pen.ellipse(_at(x + dx - 5, y + dy - 5, x + dx + 5, y + dy + 5), fill=petal)
        pen.ellipse(_at(x - 3.6, y - 3.6, x + 3.6, y + 3.6), fill=(240, 200, 90))
    pot = _mixed(main, (150, 80, 50), 0.75)
    pen.polygon([*_at(34, 60), *_at(66, 60), *_at(60, 81), *_at(40, 81)], fill=pot)
    pen.rectangle(_at(32, 57, 68, 63), fill=_mixed(pot, (0, 0, 0), 0.12))


def _jumper(pen: _Draw, main: _Colour, second: _Colour, dice: random.Random) -> None:
    pen.polygon(
        [
            *_at(38, 28),
            *_at(62, 28),
            *_at(82, 42),
            *_at(88, 72),
            *_at(76, 74),
            *_at(70, 54),
            *_at(70, 81),
            *_at(30, 81),
            *_at(30, 54),
            *_at(24, 74),
            *_at(12, 72),
            *_at(18, 42),
        ],
        fill=main,
    )
    pen.rounded_rectangle(_at(39, 23, 61, 31), radius=30, fill=second)
    pen.rectangle(_at(30, 77, 70, 81), fill=second)
    rows = dice.randint(2, 3)
    for row in range(rows):
        y = 44 + row * 9
        for column in range(6):
            x = 34 + column * 6.4
            pen.polygon(
                [
                    *_at(x, y),
                    *_at(x + 2.4, y + 3),
                    *_at(x, y + 6),
                    *_at(x - 2.4, y + 3),
                ],
                fill=second,
            )


def _initials(pen: _Draw, title: str, main: _Colour) -> None:
    words = [word for word in title.replace("-", " ").split() if word[0].isalpha()]
    text = "".join(word[0] for word in words[:2]).upper()
    font = ImageFont.load_default(size=_BIG * 0.075)
    x, y = _at(6, 94)
    pen.text((x, y), text, font=font, fill=main, anchor="ls")


_MOTIFS: dict[str, Callable[[_Draw, _Colour, _Colour, random.Random], None]] = {
    "leaf": _leaf,
    "cup": _cup,
    "book": _book,
    "tent": _tent,
    "candle": _candle,
    "flower": _flower,
    "jumper": _jumper,
}
