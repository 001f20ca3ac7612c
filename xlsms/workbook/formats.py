"""The text that a user sees in a cell: its value in its number format, in the language of the workbook."""

from datetime import datetime

from xlsms.ooxml.value import Raw
from xlsms.workbook.base import Language

__all__ = ["shown"]


def shown(value: Raw, code: str, language: Language) -> str:
    """The displayed text of a value."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, datetime):
        return value.strftime("%d/%m/%Y %H:%M" if value.hour or value.minute else "%d/%m/%Y")
    return str(value)
