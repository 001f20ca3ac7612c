"""The header row among the first rows of a sheet."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from xlsms.errors import Place, UserError
from xlsms.model import Role
from xlsms.workbook.base import RESULTS
from xlsms.workbook.roles import columns_of, named

__all__ = ["Heading", "heading", "nothing_to_send"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """Where the headers stand."""

    row: int  #: 1-based
    headers: Mapping[str, str]  #: letters -> text
    columns: Mapping[Role, str]

    @property
    def missing(self) -> tuple[Role, ...]:
        """The result columns that are not there."""
        return tuple(role for role in RESULTS if role not in self.columns)


def heading(
    rows: Mapping[int, Mapping[str, str]], sheet: str, mapped: Mapping[str, Role] = MappingProxyType({})
) -> Heading | None:
    """The row that names the most roles, if a phone column is among them; the first of equals. `mapped`: see `named`.

    Raises:
        UserError: `two-columns` when two of its headers name one role.
    """
    roles = {row: {role for _, role in named(texts, mapped)} for row, texts in rows.items()}
    likely = [row for row in rows if Role.PHONE in roles[row]]
    if not likely:
        return None
    row = max(likely, key=lambda row: (len(roles[row]), -row))
    headers = {letters: text for letters, text in rows[row].items() if text.strip()}
    return Heading(row=row, headers=headers, columns=columns_of(headers, sheet=sheet, row=row, mapped=mapped))


def nothing_to_send(sheets: list[str], *, empty: bool) -> UserError:
    """The error for a file of which no sheet takes part."""
    place = Place(sheet=sheets[0]) if len(sheets) == 1 else None
    return UserError("sheet-empty" if empty and sheets else "no-phone-column", place=place, sheets=", ".join(sheets))
