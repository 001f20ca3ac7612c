"""Shared strings, kept as they lie in the file and decoded one by one when they are asked for."""

import re
from collections.abc import Callable, Iterable

from xlsms.ooxml.cells import unescape
from xlsms.ooxml.markup import local, new_parser, parse

__all__ = ["Strings", "inner_text"]

_SI = re.compile(rb"<si>(?:<t(?: [^>]*)?>([^<]*)</t></si>|(.*?)</si>)", re.DOTALL)
_TEXT = re.compile(rb"<t(?:\s[^>]*)?>([^<]*)</t\s*>")
_PHONETIC = re.compile(rb"<rPh[\s>].*?</rPh>", re.DOTALL)
_BLOCK = 1 << 20


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

    def find(self, test: Callable[[str], bool], longest: int) -> frozenset[int]:
        """The numbers of the strings of at most `longest` bytes that pass `test`; each string is decoded once."""
        short = (index for index, raw in enumerate(self._raw) if len(raw) <= longest)
        return frozenset(index for index in short if test(self[index]))

    def _load(self, chunks: Iterable[bytes]) -> None:
        data = b"".join(chunks)
        head = data[:4096]
        start = data.find(b"<si")
        plain = (
            b"<!" not in data
            and b"'" not in head[: data.find(b">", data.find(b"<sst")) + 1].partition(b"<sst")[2]
            and (b"<sst" in head or not data)
            and b"<?" not in data[max(start, 0) :]
            and data.count(b"<si") == data.count(b"<si>")
            and _utf8(head)
        )
        if not plain:
            data = canonical(data)
        add = self._raw.append
        for simple, rich in _SI.findall(data):
            if rich:
                self._rich[len(self._raw)] = rich
                add(_PHONETIC.sub(b"", rich))
            else:
                add(simple)


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
