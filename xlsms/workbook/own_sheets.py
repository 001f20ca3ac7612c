"""The names of the sheets that xlsms adds, and of their columns: replies, report, settings and rules."""

from dataclasses import dataclass

from xlsms.workbook.setting import SETTINGS

__all__ = ["OWN", "REPLIES", "REPLY_HEADERS", "REPORT", "RULES", "Counted", "reply_columns"]

REPLIES, REPORT, RULES = "SMS Replies", "SMS Report", "SMS Rules"
OWN = (REPLIES, REPORT, SETTINGS, RULES)  #: all of them, in the order in which they are added

#: Of the table of replies.
REPLY_HEADERS = {
    "en": ("Received", "Phone", "Text", "Sheet", "SMS ID"),
    "es": ("Recibido", "Teléfono", "Texto", "Hoja", "SMS ID"),
}


def reply_columns() -> dict[str, str]:
    """What each header of the table of replies is for, in lower case and in every language."""
    keys = ("received", "phone", "text", "sheet", "id")
    return {text.casefold(): key for texts in REPLY_HEADERS.values() for text, key in zip(texts, keys, strict=True)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """A sheet that the report counts over: its name, and its status and reply columns as formulas call them."""

    name: str
    status: str
    reply: str
