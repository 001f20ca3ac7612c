"""Texts with fields: `{Column}`, `{Date:dd/MM}`, `[[ … {Column} … ]]`, and `{{` `}}` for the braces themselves.

What is filled in is never read as a template again.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache

from xlsms.errors import UserError
from xlsms.model import CellValue
from xlsms.text.format import Format

__all__ = ["Field", "Template", "header_of"]

_TOKEN = re.compile(r"\{\{|\}\}|\[\[|\]\]|\{([^{}\n]*)\}|[{}]")


@dataclass(frozen=True, slots=True)
class Field:
    """What one cell gives to a text: what the user sees in it, and the value beneath for formats."""

    text: str
    value: CellValue


@dataclass(frozen=True, slots=True)
class _Slot:
    name: str
    format: Format | None


@dataclass(frozen=True, slots=True)
class _Bracket:
    """A piece that is dropped when a field in it is empty."""

    pieces: tuple["str | _Slot", ...]


@dataclass(frozen=True, slots=True)
class Template:
    """A text with fields, parsed once and filled in for each row."""

    source: str
    _pieces: tuple[str | _Slot | _Bracket, ...]

    @classmethod
    def parse(cls, text: str) -> "Template":
        """The template in `text`.

        UserError `template-broken` (a brace or bracket without its other half, and where), `template-bracket` (square
        brackets without a field), `format-unknown`.
        """
        return cls(text, _parse(text))

    @property
    def fields(self) -> list[str]:
        """The names of the fields, each once, in the order they are used."""
        return list(dict.fromkeys(slot.name for slot in self._slots))

    @property
    def bare(self) -> list[str]:
        """Those of them that are used without a format: what the user sees in the cell is filled in."""
        return list(dict.fromkeys(slot.name for slot in self._slots if slot.format is None))

    @property
    def formatted(self) -> bool:
        """Whether a field asks for a format; else the texts of the cells are all that is needed."""
        return any(slot.format is not None for slot in self._slots)

    @property
    def _slots(self) -> list[_Slot]:
        flat: list[str | _Slot] = []
        for piece in self._pieces:
            flat.extend(piece.pieces if isinstance(piece, _Bracket) else (piece,))
        return [piece for piece in flat if isinstance(piece, _Slot)]

    def render(self, values: Mapping[str, Field | str], language: str = "en") -> str:
        """The text for one row; `values` are its cells by header, a plain string being both text and value.

        Headers are matched whatever their case, accents and spaces. `language` is "en", "es" or "es-MX" and the like.
        UserError `field-missing` (no such column), `field-without-column` (nor any other), `field-twice` (two columns
        fit), `field-empty` (nothing in the cell, outside square brackets), `field-not-date` and `field-not-number`.
        """
        found: list[str] = []
        for piece in self._pieces:
            if isinstance(piece, str):
                found.append(piece)
            elif isinstance(piece, _Slot):
                text = _fill(piece, values, language)
                if not text:
                    raise UserError("field-empty", field=piece.name)
                found.append(text)
            else:
                inner = [part if isinstance(part, str) else _fill(part, values, language) for part in piece.pieces]
                if all(inner):
                    found.extend(inner)
        return "".join(found)


def _parse(text: str) -> tuple[str | _Slot | _Bracket, ...]:
    outside: list[str | _Slot | _Bracket] = []
    inside: list[str | _Slot] | None = None
    opened = at = 0
    for match in _TOKEN.finditer(text):
        current: list[str | _Slot] | list[str | _Slot | _Bracket] = outside if inside is None else inside
        _add(current, text[at : match.start()])
        found, at = match.group(), match.end()
        if found in {"{{", "}}"}:
            _add(current, found[0])
        elif found == "[[":
            if inside is not None:
                raise _broken(found, match.start())
            inside, opened = [], match.start()
        elif found == "]]":
            if inside is None:
                _add(current, found)  # as in a[b[1]]
            elif not any(isinstance(piece, _Slot) for piece in inside):
                raise UserError("template-bracket", text=text[opened:at])
            else:
                outside.append(_Bracket(tuple(inside)))
                inside = None
        elif match[1] and match[1].strip():
            current.append(_slot(match[1]))
        else:
            raise _broken(found, match.start())
    if inside is not None:
        raise _broken("[[", opened)
    _add(outside, text[at:])
    return tuple(outside)


def _add(pieces: list[str | _Slot] | list[str | _Slot | _Bracket], text: str) -> None:
    if text:
        pieces.append(text)


def _slot(inside: str) -> _Slot:
    name, colon, form = inside.partition(":")
    return _Slot(name.strip(), Format.parse(form) if colon and form.strip() else None)


def _broken(found: str, index: int) -> UserError:
    return UserError("template-broken", found=found, position=index + 1)


def _fill(slot: _Slot, values: Mapping[str, Field | str], language: str) -> str:
    name = slot.name
    cell = values[name if name in values else header_of(name, values)]
    if slot.format is None and isinstance(cell, str):
        return cell if cell.strip() else ""
    text, value = (cell, cell) if isinstance(cell, str) else (cell.text, cell.value)
    if slot.format is None or value is None or value == "":
        return text if text.strip() else ""
    return slot.format.write(value, language, slot.name)


def header_of(name: str, values: Mapping[str, object]) -> str:
    """The header that a field means, whatever its case, accents and spaces; raises as `render` does."""
    if name in values:
        return name
    wanted = _fold(name)
    fitting = [header for header in values if _fold(header) == wanted]
    if not fitting:
        folded = {_fold(header): header for header in values}
        near = get_close_matches(wanted, folded, n=1, cutoff=0.0)
        if not near:
            raise UserError("field-without-column", field=name)
        raise UserError("field-missing", field=name, nearest=folded[near[0]])
    if len(fitting) > 1:
        raise UserError("field-twice", field=name, headers=", ".join(fitting))
    return fitting[0]


@lru_cache(maxsize=4096)
def _fold(name: str) -> str:
    """Without case, accents, spaces and a closing colon."""
    apart = unicodedata.normalize("NFKD", name.casefold())
    kept = [char for char in apart if not unicodedata.combining(char) and not char.isspace()]
    return "".join(kept).rstrip(":")
