"""Pictures of ID cards and bank cards for upload: real JPEG files that show nobody.

A picture is a template drawn once, marked SPECIMEN, with bars where the personal data would stand.
The customer's number and the padding up to the wanted size are JPEG comment segments (COM, ITU-T
T.81 B.2.4.5), which every decoder skips, so that each picture has its own bytes and still decodes.
"""

from __future__ import annotations

from functools import cache
from io import BytesIO
from typing import Final, Literal, get_args

from PIL import Image, ImageDraw, ImageFont

from scenarios.customer import Customer

DocumentKind = Literal["id_card_front", "id_card_back", "bank_card"]
KINDS: Final[tuple[DocumentKind, ...]] = get_args(DocumentKind)

SMALLEST: Final = 51_200
LARGEST: Final = 300_000
"""Bytes: from 50 KiB to 300 kB, inside 50 to 300 KB however KB is read."""

_SIZE = (856, 540)  # ISO/IEC 7810 ID-1, 85.60 mm x 53.98 mm
_TINTS = 8
_COMMENT = b"\xff\xfe"
_SEGMENT = 65_537  # the marker and the longest length field: 2 + 65,535


def image_size(word: int) -> int:
    """The bytes of a picture, SMALLEST to LARGEST, drawn by a 32-bit word."""
    return SMALLEST + word % (LARGEST - SMALLEST + 1)


def render(customer: Customer, kind: str, size: int) -> bytes:
    """A JPEG of exactly `size` bytes, the same for the same arguments.

    Raises ValueError for a kind that is not in KINDS, or a size below that of the drawing.
    """
    before, after = _template(_known(kind), customer.number % _TINTS)
    label = f"synthetic specimen {customer.number:010d} ".encode()
    room = size - len(before) - len(after)
    if room < len(_COMMENT) + 2 + len(label):
        raise ValueError(f"{size} bytes are too few for a picture; ask for {SMALLEST} or more")
    return b"".join((before, *_comments(label, room), after))


def _known(kind: str) -> DocumentKind:
    if kind not in KINDS:
        raise ValueError(f"{kind!r} is no picture; write one of {', '.join(KINDS)}")
    return kind


def _comments(label: bytes, room: int) -> list[bytes]:
    segments = -(-room // _SEGMENT)
    text = label * (_SEGMENT // len(label) + 1)
    found = []
    for index in range(segments):
        share = room * (index + 1) // segments - room * index // segments
        length = share - len(_COMMENT)
        found.append(_COMMENT + length.to_bytes(2, "big") + text[: length - 2])
    return found


@cache
def _template(kind: DocumentKind, tint: int) -> tuple[bytes, bytes]:
    """The drawing as JPEG, cut where comments may stand: behind the JFIF header."""
    file = BytesIO()
    _drawing(kind, tint).save(file, "JPEG", quality=60)
    data = file.getvalue()
    header = 4 + int.from_bytes(data[4:6], "big")  # SOI and APP0's marker, then APP0's length
    return data[:header], data[header:]


def _drawing(kind: DocumentKind, tint: int) -> Image.Image:
    shift = tint * 5
    ground = (206 - shift, 224, 196 + shift) if kind == "bank_card" else (226, 232 - shift, 240)
    image = Image.new("RGB", _SIZE, "white")
    draw = ImageDraw.Draw(image)
    draw.rounded_rectangle((8, 8, _SIZE[0] - 8, _SIZE[1] - 8), 36, fill=ground, outline="gray")
    title = kind.replace("_", " ").upper()
    draw.text((60, 44), title, fill="black", font=ImageFont.load_default(34))
    {"id_card_front": _front, "id_card_back": _back, "bank_card": _card}[kind](draw)
    mark = Image.new("L", (560, 110))
    ImageDraw.Draw(mark).text((0, 0), "SPECIMEN", fill=255, font=ImageFont.load_default(96))
    turned = mark.rotate(18, expand=True)
    image.paste("firebrick", (150, 130), turned)
    return image


def _front(draw: ImageDraw.ImageDraw) -> None:
    for line, width in enumerate((180, 120, 320, 420, 380)):
        _bar(draw, 60, 120 + 58 * line, width)
    _bar(draw, 60, 450, 620)
    draw.rectangle((610, 120, 790, 380), fill="lightgray")
    draw.ellipse((655, 150, 745, 250), fill="gray")
    draw.pieslice((630, 260, 770, 480), 180, 360, fill="gray")


def _back(draw: ImageDraw.ImageDraw) -> None:
    draw.ellipse((60, 120, 220, 280), outline="firebrick", width=10)
    _bar(draw, 260, 380, 380)
    _bar(draw, 260, 450, 420)


def _card(draw: ImageDraw.ImageDraw) -> None:
    draw.rounded_rectangle((70, 170, 180, 250), 12, fill="goldenrod")
    for block in range(4):
        _bar(draw, 70 + 180 * block, 330, 150)
    _bar(draw, 70, 450, 260)


def _bar(draw: ImageDraw.ImageDraw, left: int, top: int, width: int) -> None:
    draw.rectangle((left, top, left + width, top + 34), fill="dimgray")
