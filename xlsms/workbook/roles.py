"""Which column is for what: header texts and marks, in English and Spanish."""

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, lru_cache
from importlib.resources import files
from types import MappingProxyType

from xlsms.errors import Place, UserError
from xlsms.model import CellValue, Role
from xlsms.workbook.base import Language

__all__ = [
    "HEADER_ROWS",
    "OWN_SHEETS",
    "columns_of",
    "folded",
    "header",
    "headers",
    "is_mark",
    "is_no_mark",
    "language_of",
    "named",
    "role_of",
]

HEADER_ROWS = 20  #: how far down a header row is looked for

#: Sheets that xlsms adds; they list numbers but nothing is sent from them.
OWN_SHEETS = frozenset({"sms replies", "sms rules", "sms settings", "sms report"})

_MARKS = frozenset({"x", "✓", "✔", "☑", "yes", "y", "si", "s", "1", "true", "verdadero", "send", "enviar"})
_NO_MARKS = frozenset({"no", "n", "0", "false", "falso", ""})  #: whoever writes these means that the row stays
_PLAIN = re.compile(r"[^\w&%#+]+")
_SHORT = 40  # characters of a text that is remembered: nearly all rows have the same mark, and headers are few
_NONE: Mapping[str, Role] = MappingProxyType({})


def folded(text: str) -> str:
    """Without accents, case, punctuation and outer blanks."""
    return _folded(text) if len(text) <= _SHORT else _folded.__wrapped__(text)


@lru_cache(maxsize=1024)
def _folded(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.replace("º", "o").replace("ª", "a").casefold())
    bare = "".join(letter for letter in decomposed if not unicodedata.combining(letter))
    return _PLAIN.sub(" ", bare.replace("_", " ")).strip()


@cache
def _catalogue() -> dict[Role, dict[str, list[str]]]:
    texts = tomllib.loads(files("xlsms.workbook").joinpath("roles.toml").read_text("utf-8"))
    return {Role(role): languages for role, languages in texts.items()}


@cache
def _known() -> dict[str, tuple[Role, frozenset[str]]]:
    """Folded header text -> its role and the languages in which it says so."""
    known: dict[str, tuple[Role, frozenset[str]]] = {}
    for role, languages in _catalogue().items():
        for language, texts in languages.items():
            for text in texts:
                other, spoken = known.get(folded(text), (role, frozenset()))
                if other is not role:
                    raise ValueError(f"the header {text} stands for two roles")
                known[folded(text)] = (role, spoken | {language})
    return known


def header(role: Role, language: Language) -> str:
    """What xlsms calls the column of a role."""
    return _catalogue()[role][language][0]


def headers(role: Role) -> tuple[str, ...]:
    """Every header text that names a role, in each language."""
    return tuple(dict.fromkeys(text for texts in _catalogue()[role].values() for text in texts))


def role_of(text: str) -> Role | None:
    """The role that a header text names, if any."""
    found = _known().get(folded(text))
    return found[0] if found else None


def language_of(texts: Iterable[str]) -> Language:
    """The language that most headers are in; English when they tell nothing."""
    votes = {"en": 0, "es": 0}
    for text in texts:
        languages = _known().get(folded(text), (None, frozenset[str]()))[1]
        if len(languages) == 1:
            votes[next(iter(languages))] += 1
    return "es" if votes["es"] > votes["en"] else "en"


def named(headers: Mapping[str, str], mapped: Mapping[str, Role]) -> Iterator[tuple[str, Role]]:
    """The columns of a header row (letters -> text) that are for something.

    `mapped` are the folded headers that somebody has said are for a role; no other column is for it then.
    """
    said = {folded(text) for text in headers.values()}
    settled = {role for text, role in mapped.items() if text in said}
    for letters, text in headers.items():
        own = mapped.get(folded(text))
        role = own or role_of(text)
        if role is not None and (own or role not in settled):
            yield letters, role


def columns_of(
    headers: Mapping[str, str], *, sheet: str, row: int, mapped: Mapping[str, Role] = _NONE
) -> dict[Role, str]:
    """The column letters of each role named by a header row (letters -> text); see `named`.

    Raises:
        UserError: `two-columns` when two headers name one role.
    """
    found: dict[Role, str] = {}
    for letters, role in named(headers, mapped):
        if role in found:
            first = found[role]
            raise UserError(
                "two-columns",
                place=Place(sheet=sheet, row=row, column=letters),
                first=f"{first}{row}",
                first_header=headers[first],
                second=f"{letters}{row}",
                second_header=headers[letters],
            )
        found[role] = letters
    return found


def is_mark(value: CellValue) -> bool:
    """Whether a cell in the send column orders the row to be sent."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return value == 1
    return isinstance(value, str) and (_is_mark(value) if len(value) <= _SHORT else _is_mark.__wrapped__(value))


@lru_cache(maxsize=256)
def _is_mark(text: str) -> bool:
    return (folded(text) or text.strip()) in _MARKS


def is_no_mark(text: str) -> bool:
    """Whether a send cell says that the row stays, as `no` does; any other text that is no mark is unclear."""
    return folded(text) in _NO_MARKS
