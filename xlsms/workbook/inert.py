"""Text from outside in a text file: a spreadsheet that opens the file must never take it for a formula.

A text file has no types. Excel and LibreOffice calculate whatever begins with = + - @ (and their full-width forms),
and Excel looks for such beginnings after its own list separator, which need not be the file's. So an apostrophe goes
before each sign that begins the text, or follows a separator or a line break in it. It is the mark of text in every
spreadsheet; where it shows, it is harmless.
"""

import re

__all__ = ["bared", "inert"]

_SIGNS = "=+\\-@＝＋－＠"
_BEGINS = re.compile(rf"(^|[,;|\t\r\n])([\s\"]*)(?=[{_SIGNS}])")
_ARMED = re.compile(rf"(^|[,;|\t\r\n])([\s\"]*)'(?=[{_SIGNS}])")


def inert(text: str) -> str:
    """The text as it is stored: nothing in it can begin a formula."""
    return _BEGINS.sub(r"\1\2'", text)


def bared(text: str) -> str:
    """A stored text as it was meant."""
    return _ARMED.sub(r"\1\2", text)
