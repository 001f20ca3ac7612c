"""Who is who: the id of a row and the GUID of a workbook.

A row id is 12 letters and a check letter. It starts and ends with a letter and holds no vowel, so that dragging a cell
down copies it in Excel and LibreOffice (both count up text that begins or ends with a digit, or that is in a list such
as Jan, Feb, Mar): a copy is then an exact duplicate, which is seen, and never another row's id.
"""

import uuid
from random import Random, SystemRandom

from xlsms.model import RowId

__all__ = ["GUID_PROPERTY", "LETTERS", "check", "new_guid", "new_row_id"]

GUID_PROPERTY = "xlsmsId"  #: the custom property of the workbook that holds its GUID
LETTERS = "BCDFGHJKMNPQRSTVWXZ"
_LENGTH = 12
_IDS = len(LETTERS) ** _LENGTH
_PLACES = {letter: place for place, letter in enumerate(LETTERS)}


def new_guid(rng: Random | None = None) -> str:
    """A new GUID for a workbook."""
    return str(uuid.UUID(int=(rng or SystemRandom()).getrandbits(128), version=4))


#: Three letters at a time: what they are, their places summed, and summed with the weights 1, 2, 3.
_TRIPLES = tuple(
    (one + two + three, sum(places), sum(place * weight for weight, place in enumerate(places, 1)))
    for three in LETTERS
    for two in LETTERS
    for one in LETTERS
    for places in [(_PLACES[one], _PLACES[two], _PLACES[three])]
)


def new_row_id(rng: Random | None = None) -> RowId:
    """A new id for a row: 51 bits by chance and a check letter."""
    chance = (rng or SystemRandom()).randrange(_IDS)
    letters, sum_ = "", 0
    for before in range(0, _LENGTH, 3):
        chance, number = divmod(chance, len(_TRIPLES))
        three, places, weighted = _TRIPLES[number]
        letters += three
        sum_ += before * places + weighted
    return RowId(letters + LETTERS[sum_ % len(LETTERS)])


def check(text: str) -> RowId | None:
    """The id in the text of a cell, case and outer blanks ignored; None when it is none or was mistyped."""
    letters = text.strip().upper()
    if len(letters) != _LENGTH + 1 or not set(letters) <= set(LETTERS) or _check_letter(letters[:-1]) != letters[-1]:
        return None
    return RowId(letters)


def _check_letter(letters: str) -> str:
    """Sees any one wrong letter and any two neighbours swapped: 19 is prime and no weight repeats."""
    return LETTERS[sum(place * _PLACES[letter] for place, letter in enumerate(letters, 1)) % len(LETTERS)]
