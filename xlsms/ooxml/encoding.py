"""Parts in another encoding than UTF-8: written in UTF-8, and put back into their own."""

import codecs
import re

from xlsms.errors import UserError

__all__ = ["UTF8", "encoding_of", "from_utf8", "in_utf8"]

UTF8 = "utf-8"
_DECLARED = re.compile(rb"(?:\xef\xbb\xbf)?<\?xml[^>]*?\sencoding\s*=\s*[\"']([\w.:-]+)[\"']")
_MARKS = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be", b"<\0": "utf-16-le", b"\0<": "utf-16-be"}
_ASCII = bytes(range(128))


def encoding_of(head: bytes) -> str:
    """The encoding of an XML part, told by its first bytes (XML 1.0 appendix F).

    Raises:
        UserError: `sheet-not-writable` for one that expat reads in a way of its own.
    """
    if head[:2] in _MARKS:
        return _MARKS[head[:2]]
    declared = _DECLARED.match(head)
    if declared is None:
        return UTF8
    try:
        name = codecs.lookup(declared[1].decode()).name
        plain = _ASCII.decode(name) == _ASCII.decode() and len(bytes(range(256)).decode(name, "replace")) == 256  # noqa: PLR2004 - one each
    except (LookupError, UnicodeError) as error:
        raise UserError("sheet-not-writable") from error
    if name != UTF8 and not plain:
        raise UserError("sheet-not-writable")
    return name


def in_utf8(xml: bytes, encoding: str) -> bytes:
    """A part in UTF-8, whatever it declares.

    Raises:
        UserError: `sheet-not-writable` where it would not come back byte for byte.
    """
    if encoding == UTF8:
        return xml
    try:
        text = xml.decode(encoding)
        if text.encode(encoding) == xml:
            return text.encode()
    except UnicodeError:
        pass
    raise UserError("sheet-not-writable")


def from_utf8(xml: bytes, encoding: str) -> bytes:
    """The reverse; characters that the encoding lacks become references to them."""
    return xml if encoding == UTF8 else xml.decode().encode(encoding, "xmlcharrefreplace")
