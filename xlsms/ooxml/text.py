"""Shared strings, kept as they lie in the file and decoded one by one when they are asked for."""

import re
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from itertools import chain

from xlsms.ooxml.canonical import canonical_strings
from xlsms.ooxml.cells import unescape
from xlsms.ooxml.needle import holds

__all__ = ["RICH", "OddTableError", "Strings", "find_strings", "inner_text", "some_strings", "strings_of", "text_of"]

_SI = re.compile(rb"<si>(?:<t(?: [^>]*)?>([^<]*)</t></si>|(.*?)</si>)", re.DOTALL)
_ROOT = re.compile(rb"<((?:[A-Za-z_][\w.-]*:)?)sst[\s>/]")
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
RICH = b"\1"  #: is no character of XML
_LONGEST = 8 << 20  # of what has no end yet; no string is that long


def inner_text(xml: bytes) -> str:
    """The text of a rich string: its runs joined, phonetic hints left out."""
    if b"<rPh" in xml:
        xml = _PHONETIC.sub(b"", xml)
    return unescape(b"".join(_TEXT.findall(xml)).decode("utf-8", "replace"))


class Strings:
    """The shared strings by number."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        """`OddTableError` for a table with a string that no cell could hold."""
        data = b"".join(chunks)
        try:
            self._found = [*chain.from_iterable(strings_of((data,)))] if data else []
        except OddTableError:
            self._found = [*chain.from_iterable(strings_of(canonical_strings((data,))))]

    def __len__(self) -> int:
        return len(self._found)

    def __getitem__(self, number: int) -> str:
        """The text of a string; empty when the workbook does not have it."""
        return text_of(self._found[number]) if 0 <= number < len(self._found) else ""


def text_of(string: bytes) -> str:
    """The text of a string, as `strings_of` gives it."""
    if string.startswith(RICH):
        return inner_text(string[1:])
    text = string.decode("utf-8", "replace")
    return unescape(text) if b"&" in string or b"_" in string or b"\r" in string else text


def _plain_head(head: bytes) -> bool:
    root = _ROOT.search(head)
    return root is not None and b"'" not in head[root.start() : head.find(b">", root.start()) + 1] and _utf8(head)


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


def strings_of(chunks: Iterable[bytes]) -> Iterator[list[bytes]]:
    """All strings of a plain table, some at a time: the XML of each text, or behind `RICH` what its element holds.

    Raises:
        OddTableError: the table has something that only expat should read.
    """
    for block in _blocks(chunks):
        found = _SI.findall(block)
        if len(found) != block.count(b"<si") or RICH in block:
            raise OddTableError
        yield [RICH + rich if rich else simple for simple, rich in found]


def _string(inside: bytes) -> str:
    """One string, of what its element holds."""
    found = _SI.fullmatch(b"%b%b%b" % (_START, inside, _STOP))
    if found is None or _START in inside:  # an end tag that is none at a glance
        raise OddTableError
    simple, rich = found.groups(b"")
    return text_of(RICH + rich if rich else simple)


def _parts(block: bytes) -> list[bytes]:
    _, *parts = block.split(b"<si>")
    if block.count(b"<si") != len(parts):
        raise OddTableError
    return parts


def _blocks(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """A plain table in blocks of whole `<si>` elements, all without the prefix that they may have."""
    data, begun, prefix = b"", False, b""
    for chunk in chain(_joined(chunks), (b"</sst>",)):
        if len(data) > _LONGEST:
            raise OddTableError
        data += chunk
        if not begun:
            root = _ROOT.search(data)
            prefix = root[1] if root else b""
            start = data.find(b"<%bsi" % prefix)
            if start < 0 and chunk != b"</sst>":
                continue
            if not _plain_head(data[:4096]) or b"<!" in data[: max(start, 0)]:
                raise OddTableError
            data, begun = data[max(start, 0) :], True
        stop = b"</%bsi>" % prefix
        end = data.rfind(stop) + len(stop) if stop in data else 0
        block, data = data[:end], data[end:]
        if _odd(block):
            raise OddTableError
        yield _without(prefix, block) if prefix else block
    if b"<%bsi" % prefix in data:  # one whose end tag is none at a glance
        raise OddTableError


def _without(prefix: bytes, block: bytes) -> bytes:
    """A block whose tags all have a prefix, without it: no `<` stands anywhere else."""
    opening, closing = b"<" + prefix, b"</" + prefix
    if block.count(b"<") != block.count(opening) + block.count(closing):
        raise OddTableError
    return block.replace(opening, b"<").replace(closing, b"</")


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
