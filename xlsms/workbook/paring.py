"""A .ods pared down to its cells, for where calamine stumbles over the rest.

It reads no cells with blanks between them, as files have that are made to be looked at, and takes a workbook for
encrypted of which only a macro is.
"""

import io
import re
import zipfile
from typing import BinaryIO

__all__ = ["pared"]

_CONTENT = "content.xml"
#: A paragraph, which stays, or blanks between elements, which mean nothing (OASIS ODF 1.3 part 3, 6.1.2).
_BLANKS = re.compile(rb"(<text:p(?: [^>]*)?(?<!/)>.*?</text:p>)|(?<=>)[ \t\r\n]+(?=<)", re.DOTALL)


def pared(file: BinaryIO) -> BinaryIO | None:
    """The cells of a .ods as a file of their own; None for a file of another kind."""
    if not zipfile.is_zipfile(file):
        return None
    out = io.BytesIO()
    with zipfile.ZipFile(file) as package, zipfile.ZipFile(out, "w") as cells:
        if _CONTENT not in package.namelist():
            return None
        cells.writestr("mimetype", package.read("mimetype"))
        cells.writestr("META-INF/manifest.xml", "<manifest/>")
        cells.writestr(_CONTENT, _BLANKS.sub(rb"\1", package.read(_CONTENT)))
    out.seek(0)
    return out
