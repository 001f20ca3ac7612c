"""Shared strings, kept as they lie in the file and decoded one by one when they are asked for."""

import re
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from itertools import chain

from xlsms.ooxml.cells import unescape
from xlsms.ooxml.markup import local, new_parser, parse
from xlsms.ooxml.needle import holds

__all__ = ["OddTableError", "Strings", "find_strings", "inner_text", "some_strings", "strings_of"]

_SI = re.compile(rb"<si>(?:<t(?: [^>]*)?>([^<]*)</t></si>|(.*?)</si>)", re.DOTALL)
_TEXT = re.compile(rb"<t(?:\s[^>]*)?>([^<]*)</t\s*>")
_PHONETIC = re.compile(rb"<rPh[\s>].*?</rPh\s*>", re.DOTALL)
_BLOCK = 1 << 18
_STRETCH = 1 << 14  # bytes of a block whose strings are counted before one is looked for
_START, _START_AT, _STOP = b"<si>", re.compile(b"<si>"), b"</si>"
_UNUSUAL = (b"<si ", b"<si\t", b"<si\n", b"<si\r", b"<si/")
# strings are compared roughly first: in upper case, without blanks and without what is not ASCII (as other blanks are)
_UPPER = bytes(range(256)).upper()
_LOOSE = b" " + bytes(range(9, 14)) + bytes(range(28, 32)) + bytes(range(128, 256))
_ITEM, _END = b"<SI>", b"</T></SI>"
_OPENINGS = (b"<SI><T>", b'<SI><TXML:SPACE="PRESERVE">')
_SIMPLE = re.compile(rb'<T(?:XML:SPACE="PRESERVE")?>[^<]*+</T></SI>')
_LONGEST = 8 << 20  # of what has no end yet; no string is that long


def inner_text(xml: bytes) -> str:
    """The text of a rich string: its runs joined, phonetic hints left out."""
    if b"<rPh" in xml:
        xml = _PHONETIC.sub(b"", xml)
    return unescape(b"".join(_TEXT.findall(xml)).decode("utf-8", "replace"))


class Strings:
    """The shared strings by number."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._raw: list[bytes] = []
        self._rich: dict[int, bytes] = {}
        self._load(chunks)

    def __len__(self) -> int:
        return len(self._raw)

    def __getitem__(self, number: int) -> str:
        """The text of a string; empty when the workbook does not have it."""
        if number in self._rich:
            return inner_text(self._rich[number])
        if not 0 <= number < len(self._raw):
            return ""
        raw = self._raw[number]
        text = raw.decode("utf-8", "replace")
        return unescape(text) if b"&" in raw or b"_" in raw or b"\r" in raw else text

    def _load(self, chunks: Iterable[bytes]) -> None:
        data = b"".join(chunks)
        start = max(data.find(b"<si"), 0)
        plain = (_plain_head(data[:4096]) or not data) and not _odd(data[start:]) and b"<!" not in data[:start]
        found = _SI.findall(data) if plain else []
        if not plain or len(found) != data.count(b"<si"):  # a tag with blanks, or one that closes itself
            found = _SI.findall(canonical(data))
        add = self._raw.append
        for simple, rich in found:
            if rich:
                self._rich[len(self._raw)] = rich
                add(_PHONETIC.sub(b"", rich))
            else:
                add(simple)


def _plain_head(head: bytes) -> bool:
    root = head.find(b"<sst")
    return root >= 0 and b"'" not in head[root : head.find(b">", root) + 1] and _utf8(head)


def _odd(data: bytes) -> bool:
    """Whether comments, CDATA sections or instructions stand in it."""
    return holds(data, b"<!", b"<?")


class OddTableError(Exception):
    """The table has something that only expat should read."""


def some_strings(chunks: Iterable[bytes], numbers: AbstractSet[int]) -> dict[int, str] | None:
    """The strings with these numbers, found without holding the table; None when it is not plain.

    Reading stops at the last one wanted. Numbers that the table does not have are empty texts.
    """
    found = dict.fromkeys(numbers, "")
    wanted = sorted((number for number in numbers if number >= 0), reverse=True)
    first = 0
    try:
        for block in _blocks(chunks) if wanted else ():
            for at, end, count in _counted(block):
                if wanted[-1] < first + count:
                    starts = [start.end() for start in _START_AT.finditer(block, at, end)]
                while wanted and wanted[-1] < first + count:
                    start = starts[wanted[-1] - first]
                    found[wanted.pop()] = _string(block[start : block.index(_STOP, start)])
                if not wanted:
                    return found
                first += count
    except OddTableError:
        return None
    return found


def _counted(block: bytes) -> Iterator[tuple[int, int, int]]:
    """Stretches of a block, from and up to an offset, with how many strings begin in each."""
    if holds(block, *_UNUSUAL):
        raise OddTableError
    for at in range(0, len(block), _STRETCH):
        end = at + _STRETCH + len(_START) - 1  # what begins in the stretch may end behind it
        yield at, end, block.count(_START, at, end)


def find_strings(chunks: Iterable[bytes], texts: AbstractSet[str]) -> dict[int, str] | None:
    """The strings that are among `texts`, as they are or in upper case without blanks around them, by number.

    The table is not held. None when it is not plain.
    """
    keys = {text.encode("utf-8", "surrogatepass").translate(_UPPER, _LOOSE) for text in texts}
    wanted = {opening[len(_ITEM) :] + key + _END for key in keys for opening in _OPENINGS}
    found: dict[int, str] = {}
    first = 0
    try:
        for block in _blocks(chunks):
            rough = block.translate(_UPPER, _LOOSE)
            _, *strings = rough.split(_ITEM)
            if _all_simple(rough, len(strings)):
                places = [place for place, string in enumerate(strings) if string in wanted]
            else:
                places = [place for place, string in enumerate(strings) if string in wanted or not _simple(string)]
            parts = _parts(block) if places else strings
            if len(parts) != len(strings) or block.count(b"<si") != len(parts):
                return None
            for place in places:
                text = _string(parts[place].partition(_STOP)[0])
                if text in texts or text.strip().upper() in texts:
                    found[first + place] = text
            first += len(parts)
    except OddTableError:
        return None
    return found


def _all_simple(rough: bytes, count: int) -> bool:
    """Whether all `count` strings of a block are without runs and escapes, so that they can be compared as they lie."""
    openings = sum(rough.count(opening) for opening in _OPENINGS)
    return openings == count == rough.count(_END) and b"&" not in rough and b"_X" not in rough


def _simple(string: bytes) -> bool:
    return b"&" not in string and b"_X" not in string and _SIMPLE.fullmatch(string) is not None


def strings_of(chunks: Iterable[bytes]) -> Iterator[list[tuple[bytes, bytes]]]:
    """All strings of a plain table, some at a time: the XML of each, as plain text or as what its element holds.

    Raises:
        OddTableError: the table has something that only expat should read.
    """
    for block in _blocks(chunks):
        found = _SI.findall(block)
        if len(found) != block.count(b"<si"):
            raise OddTableError
        yield found


def _string(inside: bytes) -> str:
    """One string, of what its element holds."""
    if _START in inside:  # an end tag that is none at a glance
        raise OddTableError
    return Strings((b"<sst><si>", inside, _STOP))[0]


def _parts(block: bytes) -> list[bytes]:
    _, *parts = block.split(b"<si>")
    if block.count(b"<si") != len(parts):
        raise OddTableError
    return parts


def _blocks(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """A plain table in blocks of whole `<si>` elements."""
    data, begun = b"", False
    for chunk in chain(_joined(chunks), (b"</sst>",)):
        if len(data) > _LONGEST:
            raise OddTableError
        data += chunk
        if not begun:
            start = data.find(b"<si")
            if start < 0 and chunk != b"</sst>":
                continue
            if not _plain_head(data[:4096]) or b"<!" in data[: max(start, 0)]:
                raise OddTableError
            data, begun = data[max(start, 0) :], True
        end = data.rfind(b"</si>") + len(b"</si>") if b"</si>" in data else 0
        block, data = data[:end], data[end:]
        if _odd(block):
            raise OddTableError
        yield block
    if b"<si" in data:  # one whose end tag is none at a glance
        raise OddTableError


def _joined(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Pieces of about `_BLOCK` bytes."""
    parts: list[bytes] = []
    size = 0
    for chunk in chunks:
        parts.append(chunk)
        size += len(chunk)
        if size >= _BLOCK:
            yield b"".join(parts)
            parts, size = [], 0
    yield b"".join(parts)


def _utf8(head: bytes) -> bool:
    declared = re.match(rb"(?:\xef\xbb\xbf)?<\?xml[^>]*?encoding=[\"']([\w.:-]+)[\"']", head)
    return declared is None or declared[1].lower() in (b"utf-8", b"utf8", b"us-ascii")


def canonical(data: bytes) -> bytes:
    """Any legal shared string table as plain `<si><t>…</t></si>` elements, one text each."""
    out: list[str] = []
    quiet = 0
    inside = False

    def start(name: str, _: dict[str, str]) -> None:
        nonlocal quiet, inside
        tag = local(name)
        if tag == "si":
            out.append("<si><t>")
        quiet += tag == "rPh"
        inside = tag == "t"

    def end(name: str) -> None:
        nonlocal quiet, inside
        tag = local(name)
        if tag == "si":
            out.append("</t></si>")
        quiet -= tag == "rPh"
        inside = False

    def text(data: str) -> None:
        if inside and not quiet:
            # `_xHHHH_` stays as it is: only what XML itself needs is escaped
            out.append(data.replace("&", "&amp;").replace("<", "&lt;").replace("\r", "&#13;"))

    parser = new_parser()
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text
    parse(parser, (data,))
    return "".join(out).encode()
