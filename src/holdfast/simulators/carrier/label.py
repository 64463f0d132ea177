"""A shipping label: one page, A6, as PDF 1.4.

Drawn by hand: bars are rectangles and the text is one of the fonts that every
reader has, so that nothing needs to be embedded. Those know Western European
letters; others lose their accents, or become a question mark.
"""

import unicodedata
from collections.abc import Iterator

from holdfast.simulators.carrier.barcode import QUIET_MODULES, widths
from holdfast.simulators.carrier.shipment import Address, Shipment, ShipmentRequest

_WIDTH, _HEIGHT = 297.64, 419.53
"""105 by 148 mm in points."""
_MARGIN = 17.0
_SMALL, _NORMAL, _LARGE = 7.0, 12.0, 20.0
_BAR_HEIGHT, _BAR_FOOT = 62.0, 46.0
_MODULE = 1.25
# Wide letters take 0.72 of their height, most take half: cut where most would end.
_LETTER = 0.56
_REGULAR, _BOLD = "F1", "F2"
_PLAIN = str.maketrans({"ł": "l", "Ł": "L", "đ": "d", "Đ": "D"})


def draw(shipment: Shipment, request: ShipmentRequest) -> bytes:
    return _document("\n".join(_content(shipment, request)).encode("latin-1"))


def _content(shipment: Shipment, request: ShipmentRequest) -> Iterator[str]:
    number = shipment.tracking_number or ""
    top = _HEIGHT - _MARGIN
    yield _text(_MARGIN, top - 15, _LARGE, request.service.upper(), _BOLD)
    yield _text(_MARGIN, top - 27, _SMALL, "Holdfast carrier simulator: no postage")
    yield _rule(top - 34)
    yield _text(_MARGIN, top - 45, _SMALL, "From", _BOLD)
    for place, line in enumerate(_lines(request.ship_from), start=1):
        yield _text(_MARGIN, top - 45 - 9 * place, _SMALL, line)
    yield _rule(top - 112)
    yield _text(_MARGIN, top - 124, _SMALL, "To", _BOLD)
    for place, line in enumerate(_lines(request.ship_to), start=1):
        font = _BOLD if place == 1 else _REGULAR
        yield _text(_MARGIN, top - 126 - 15 * place, _NORMAL, line, font)
    yield _rule(172)
    grams = sum(parcel.weight_grams for parcel in request.parcels)
    count = len(request.parcels)
    parcels = "1 parcel" if count == 1 else f"{count} parcels"
    yield _text(_MARGIN, 160, _SMALL, f"Reference: {request.reference}")
    yield _text(_MARGIN, 150, _SMALL, f"{parcels}, {grams / 1000:.3f} kg")
    yield _text(_MARGIN, 140, _SMALL, f"Made: {shipment.created_at}")
    yield from _bars(number)
    yield _text((_WIDTH - 0.6 * 14 * len(number)) / 2, 28, 14, number, _BOLD)


def _lines(address: Address) -> list[str]:
    city = " ".join(filter(None, (address.postal_code, address.city)))
    lines = (
        address.name,
        address.line1,
        address.line2,
        city,
        address.region,
        address.country,
        address.phone,
    )
    return [line for line in lines if line]


def _bars(text: str) -> Iterator[str]:
    modules = widths(text)
    # As wide as it may be, so that a thermal printer's dots do not blur it.
    room = _WIDTH - 2 * QUIET_MODULES * _MODULE
    module = min(_MODULE, room / sum(modules))
    x = (_WIDTH - module * sum(modules)) / 2
    for place, modules_wide in enumerate(modules):
        wide = module * modules_wide
        if place % 2 == 0:
            yield f"{x:.3f} {_BAR_FOOT} {wide:.3f} {_BAR_HEIGHT} re f"
        x += wide


def _rule(y: float) -> str:
    return f"{_MARGIN} {y:.2f} {_WIDTH - 2 * _MARGIN:.2f} 0.7 re f"


def _text(x: float, y: float, size: float, text: str, font: str = _REGULAR) -> str:
    most = int((_WIDTH - _MARGIN - x) / (size * _LETTER))
    shown = text if len(text) <= most else text[: most - 3] + "..."
    written = "".join(map(_letter, shown))
    for special in ("\\", "(", ")"):
        written = written.replace(special, "\\" + special)
    return f"BT /{font} {size:g} Tf {x:.2f} {y:.2f} Td ({written}) Tj ET"


def _letter(letter: str) -> str:
    """The letter in the font's encoding, as the character of that number."""
    for written in (letter, unicodedata.normalize("NFKD", letter.translate(_PLAIN))):
        code = written.encode("cp1252", "ignore")
        if code and code[0] >= ord(" "):
            return str(code[:1], "latin-1")
    return "?"


def _document(content: bytes) -> bytes:
    """One page with *content*, and the table that says where each object is."""
    fonts = f"/{_REGULAR} 5 0 R /{_BOLD} 6 0 R"
    face = "<< /Type /Font /Subtype /Type1 /BaseFont /{} /Encoding /WinAnsiEncoding >>"
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        (
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {_WIDTH} {_HEIGHT}] "
            f"/Contents 4 0 R /Resources << /Font << {fonts} >> >> >>"
        ).encode(),
        b"<< /Length %d >>\nstream\n%b\nendstream" % (len(content), content),
        face.format("Helvetica").encode(),
        face.format("Helvetica-Bold").encode(),
    )
    # The second line says that this is binary, to whoever copies it as text.
    document = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    offsets = []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(document))
        document += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    table = len(document)
    document += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    for offset in offsets:
        document += b"%010d 00000 n \n" % offset
    document += (
        b"trailer\n<< /Size %d /Root 1 0 R >>\n" % (len(objects) + 1)
        + b"startxref\n%d\n%%%%EOF\n" % table
    )
    return bytes(document)
