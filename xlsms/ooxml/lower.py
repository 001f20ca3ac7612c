"""The totals row of a table moved down, so that the table can grow above it."""

import re
from collections.abc import Iterable, Iterator

from xlsms.ooxml.block import blocks
from xlsms.ooxml.cells import unescape
from xlsms.ooxml.formula import moves
from xlsms.ooxml.grammar import Grammar, RawRow

__all__ = ["is_last", "lowered", "may_move"]

_FORMULA = re.compile(rb"<(?:[\w.-]+:)?f(?:\s[^>]*)?>([^<]*)<")


def may_move(row: RawRow) -> bool:
    """Whether the formulas of a row mean the same in another one."""
    return not any(moves(unescape(text.decode("utf-8", "replace"))) for text in _FORMULA.findall(row.body))


def is_last(source: Iterable[bytes], prefix: bytes, row: int) -> bool:
    """Whether a plain sheet has no row below `row`, not even one without cells."""
    grammar = Grammar(prefix)
    last = b""
    for kind, data in blocks(source):
        at = data.rfind(grammar.row_open) if kind == "rows" else -1
        match = grammar.row.match(data, at) if at >= 0 else None
        last = match[1] if match else last
    return last == b"%d" % row


def lowered(source: Iterable[bytes], prefix: bytes, row: int, by: int) -> Iterator[bytes]:
    """A plain sheet with its last row, which is `row`, `by` rows further down."""
    grammar = Grammar(prefix)
    old, new = b"%d" % row, b"%d" % (row + by)
    cell = re.compile(b"(" + re.escape(grammar.cell_open) + b'[A-Z]{1,3})%b"' % old)
    dimension = re.compile(rb'(<%bdimension ref="[A-Z0-9]+:[A-Z]+)%b"' % (re.escape(prefix), old))
    for kind, data in blocks(source):
        at = data.rfind(grammar.row_open) if kind == "rows" else -1
        match = grammar.row.match(data, at) if at >= 0 else None
        if kind == "head":
            yield dimension.sub(rb'\g<1>%b"' % new, data)
        elif match and match[1] == old:
            tag = data[at : match.start(1)] + new + data[match.end(1) : match.end()]
            yield data[:at] + tag + cell.sub(rb'\g<1>%b"' % new, data[match.end() :])
        else:
            yield data
