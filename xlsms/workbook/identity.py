"""Who is who: the id of a row and the GUID of a workbook.

A row id is 12 letters and a check letter. It starts and ends with a letter and holds no vowel, so that dragging a cell
down copies it in Excel and LibreOffice (both count up text that begins or ends with a digit, or that is in a list such
as Jan, Feb, Mar): a copy is then an exact duplicate, which is seen, and never another row's id.
"""

import uuid
from random import Random, SystemRandom

from xlsms.model import RowId

__all__ = [
    "GUID_PROPERTY",
    "LETTERS",
    "SOURCE_PROPERTY",
    "check",
    "new_guid",
    "new_row_id",
    "new_row_ids",
    "number_of",
    "of_number",
]

GUID_PROPERTY = "xlsmsId"  #: the custom property of the workbook that holds its GUID
SOURCE_PROPERTY = "xlsmsSource"  #: that of results, which names the file whose they are
LETTERS = "BCDFGHJKMNPQRSTVWXZ"
_LENGTH = 12
_IDS = len(LETTERS) ** _LENGTH
_PLACES = {letter: place for place, letter in enumerate(LETTERS)}


def new_guid(rng: Random | None = None) -> str:
    """A new GUID for a workbook."""
    return str(uuid.UUID(int=(rng or SystemRandom()).getrandbits(128), version=4))


#: Three letters at a time: what they are, their places summed, and summed with the weights 1, 2, 3. The check letter
#: is the sum of all places by their weights 1 to 12: it sees any one wrong letter and any two neighbours swapped, for
#: 19 is prime and no weight repeats.
_TRIPLES = tuple(
    (one + two + three, sum(places), sum(place * weight for weight, place in enumerate(places, 1)))
    for three in LETTERS
    for two in LETTERS
    for one in LETTERS
    for places in [(_PLACES[one], _PLACES[two], _PLACES[three])]
)


_NUMBERS = {three: number for number, (three, _, _) in enumerate(_TRIPLES)}

#: Octets as letters, which makes check letters of sums, and those that would make some letters come more often; a
#: letter's place by the weight that it has at each place.
_EVEN = bytes(ord(LETTERS[octet % len(LETTERS)]) for octet in range(256))
_UNEVEN = bytes(range(256 // len(LETTERS) * len(LETTERS), 256))
_WEIGHED = tuple(
    bytes(_PLACES.get(chr(octet), 0) * weight % len(LETTERS) for octet in range(256))
    for weight in range(1, _LENGTH + 1)
)


def new_row_id(rng: Random | None = None) -> RowId:
    """A new id for a row: 51 bits by chance and a check letter."""
    return of_number((rng or SystemRandom()).randrange(_IDS))


def new_row_ids(count: int, rng: Random | None = None) -> list[RowId]:
    """As many new ids, made of one draw, in ascending order: so they go side by side into an index of them."""
    letters = _letters_by_chance(count * _LENGTH, rng or SystemRandom())
    columns = [letters[place::_LENGTH] for place in range(_LENGTH)]
    # A column of places is one great number, an octet a place: twelve times 18 is less than an octet holds.
    sums = sum(int.from_bytes(column.translate(_WEIGHED[at]), "little") for at, column in enumerate(columns))
    ids = bytearray(count * (_LENGTH + 1))
    for at, column in enumerate((*columns, sums.to_bytes(count, "little").translate(_EVEN))):
        ids[at :: _LENGTH + 1] = column
    text = ids.decode()
    return sorted([RowId(text[at : at + _LENGTH + 1]) for at in range(0, len(text), _LENGTH + 1)])


def _letters_by_chance(count: int, rng: Random) -> bytes:
    """Letters of which none comes more often than another."""
    letters = b""
    while len(letters) < count:
        letters += rng.randbytes((count - len(letters)) * 26 // 25 + _LENGTH).translate(_EVEN, _UNEVEN)
    return letters[:count]


def of_number(number: int) -> RowId:
    """The id that stands for a number below 19**12."""
    letters, sum_ = "", 0
    for before in range(0, _LENGTH, 3):
        number, triple = divmod(number, len(_TRIPLES))
        three, places, weighted = _TRIPLES[triple]
        letters += three
        sum_ += before * places + weighted
    return RowId(letters + LETTERS[sum_ % len(LETTERS)])


def number_of(text: str) -> int | None:
    """The number that the id in the text of a cell stands for; None when it is none or was mistyped."""
    letters = text.strip().upper()
    if len(letters) != _LENGTH + 1:
        return None
    number, sum_, scale = 0, 0, 1
    for before in range(0, _LENGTH, 3):
        triple = _NUMBERS.get(letters[before : before + 3])
        if triple is None:
            return None
        _, places, weighted = _TRIPLES[triple]
        sum_ += before * places + weighted
        number += scale * triple
        scale *= len(_TRIPLES)
    return number if letters[-1] == LETTERS[sum_ % len(LETTERS)] else None


def check(text: str) -> RowId | None:
    """The id in the text of a cell, case and outer blanks ignored; None when it is none or was mistyped."""
    return None if number_of(text) is None else RowId(text.strip().upper())
