"""Rows of a sheet searched by the text of one cell, and fetched by number, while the sheet is surveyed.

The column is read as it lies: a text is compared without being decoded, a shared one by its number. So a cell costs
next to nothing, and only the rows that are found are held.
"""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet

from xlsms.ooxml.block import NotPlainError
from xlsms.ooxml.book import Book
from xlsms.ooxml.cells import column_number
from xlsms.ooxml.grammar import Grammar, RawCell, RawRow
from xlsms.ooxml.value import Decoder, Raw
from xlsms.ooxml.whereabouts import Whereabouts

__all__ = ["Search"]

# a cell without content; or a row number, with a simple inline text or the number of a shared one if it is just that
_SIMPLE = (
    rb'%(c)s(?:[0-9]++"[^<>/]*+/>|([0-9]++)"(?: s="[0-9]++")?+(?:'
    rb' t="inlineStr"><%(p)sis><%(p)st(?: xml:space="preserve")?+>([^<]*+)</%(p)st></%(p)sis></%(p)sc>'
    rb'| t="s"><%(p)sv>([0-9]++)</%(p)sv></%(p)sc>|))'
)
# what stands behind the reference of such a cell
_END = (
    rb'(?: s="[0-9]++")?+(?:'
    rb' t="inlineStr"><%(p)sis><%(p)st(?: xml:space="preserve")?+>([^<]*+)</%(p)st></%(p)sis></%(p)sc>'
    rb'| t="s"><%(p)sv>([0-9]++)</%(p)sv></%(p)sc>|[^<>/]*+/>)'
)
_MANY = 64  # texts and rows looked for, from which on the rows of a block are told apart at once
_new = tuple.__new__  # of a named tuple, in half the time that its own way takes
_BEFORE = 3  # what is told of a row before its cells: number, attributes, and all inside


class Search:
    """Collects the rows whose cell in a column holds one of some texts; a `Watcher` of a survey.

    `normal` makes of a value the text that is looked for, which is upper case without blanks around it. `shared` gives
    the shared strings among which the texts are, by number; it is called when there is a need. Texts are looked for
    `below` a row, and of the rows found by them only the cells in the columns `kept` are held, by `whole` or by their
    `ends`, which are those of `columns`.
    """

    def __init__(
        self,
        book: Book,
        column: str,
        texts: AbstractSet[str],
        *,
        normal: Callable[[Raw], str],
        shared: Callable[[], Mapping[int, str]],
        kept: Iterable[str],
        numbers: Iterable[int] = (),
        below: int = 0,
    ) -> None:
        self._book, self._column, self._texts = book, column.encode(), texts
        self._normal, self._shared = normal, shared
        kept = tuple(kept)
        self._below = below
        self._kept = "|".join(kept).encode()
        self.columns = tuple(letters.encode() for letters in sorted({*kept, column} - {""}, key=column_number))
        self._numbers = sorted(numbers)
        self._wanted = frozenset(self._numbers)
        self._plain = {text.encode(): text for text in texts if text.isascii() and text.isalnum()}
        self._by_number: dict[bytes, str] | None = None  # the shared texts that are looked for
        self.found: list[tuple[str, RawRow]] = []  #: text and row, top to bottom; rows may share a text
        self.rows: dict[int, RawRow] = {}  #: the rows asked for by number, as far as they have cells
        self._told: list[bytes] | None = None  # the texts of the column in the last block, where they are all simple
        self._hashes = frozenset(map(hash, self._plain))

    def know(self, places: Whereabouts | None) -> Whereabouts:
        """Look only where what is looked for may stand; returns what will be known of that when all has been seen."""
        of = self._column.decode(), self._below
        self._places = places if places is not None and places.of == of else Whereabouts(*of)
        return self._places

    def may_find(self, before: int, last: int) -> bool:
        """Whether a row is looked for that may be behind one and not behind another, which is the last of a segment."""
        if bisect_right(self._numbers, before) < bisect_right(self._numbers, last):
            return True
        if not (self._texts and self._column):
            return False
        simple = len(self._plain) == len(self._texts)
        return not simple or self._places.may_hold((before, last), self._hashes)

    def note(self, before: int, last: int) -> None:
        """Remember what texts stand in the block seen last, which is the segment with the rows from one to another."""
        if self._texts and self._told is not None:
            self._places.note((before, last), self._told)

    def start(self, grammar: Grammar) -> None:
        """Forget what was found, and look for cells of this form from now on."""
        self._grammar = grammar
        self._decoder = Decoder(self._book, grammar.prefix)
        self._opening = grammar.cell_open + self._column
        self._simple = re.compile(_SIMPLE % {b"c": re.escape(self._opening), b"p": re.escape(grammar.prefix)})
        self._cell = grammar.cells_of(self._column)
        self._others = grammar.whole_cells_of(self._kept)
        self._end = re.compile(_END % {b"p": re.escape(grammar.prefix)})
        self._last = 0
        self._many = len(self._numbers) + len(self._texts) > _MANY
        grammar.shapes.tell("apart" if self._many else None, self.columns)
        self.found, self.rows = [], {}

    def block(self, data: bytes) -> None:
        """Take up the rows of a block."""
        self._told = None
        if not self._texts and not self._asked(data):
            return
        rows = self._grammar.apart(data, self.columns) if self._many else None
        if self._texts and self._column:
            if rows is None:
                self._search(data)
            else:
                self._search_ends(rows)
        if self._numbers:
            if rows is None:
                self._fetch(data)
            else:
                self._fetch_all(rows)

    def _asked(self, data: bytes) -> bool:
        """Whether a block may have rows that were asked for by number; if not, it is done with."""
        end = self._grammar.row.match(data, data.rfind(self._grammar.row_open))
        last = int(end[1]) if end else self._last
        if bisect_right(self._numbers, self._last) < bisect_right(self._numbers, last):
            return True
        self._last = last
        return False

    def whole(self, row: RawRow) -> RawRow:
        """A row found by its text, with its cells."""
        if row.ends is None or row.body:
            return row
        cells = zip(self.columns, row.ends, strict=True)
        opening = self._grammar.cell_open
        return row._replace(body=b"".join(b'%b%b%d"%b' % (opening, at, row.number, end) for at, end in cells if end))

    def _search_ends(self, rows: list[tuple[bytes, ...]]) -> None:
        """As `_search`, in rows whose cells have been told apart."""
        place = _BEFORE + self.columns.index(self._column)
        some = [row for row in (rows if int(rows[0][0]) > self._below else self._under(rows)) if row[place]]
        ends = [row[place] for row in some]
        self._told = self._simple_texts(ends)
        texts = map(self._text_by, ends) if self._told is None else map(self._plain.get, self._told)
        raw = self._raw
        self.found += [(text, raw(row, b"")) for text, row in zip(texts, some, strict=True) if text is not None]

    def _simple_texts(self, ends: list[bytes]) -> list[bytes] | None:
        """The texts of cells, in upper case, where all lie alike and hold nothing but ASCII letters and digits."""
        texts = self._grammar.texts_alike(ends) if ends else []
        if texts and not b"".join(texts).isalnum():
            return None
        return b"\n".join(texts).upper().split(b"\n") if texts else texts

    def _text_by(self, end: bytes) -> str | None:
        """The text of a cell of which what stands behind its reference is known, if it is looked for."""
        match = self._end.fullmatch(end)
        if match is None:
            return self._looked_for(self._grammar.cell_by(self._column, end))
        text, string = match.groups()
        if text is not None:
            hit = self._plain.get(text.upper())
            return (
                hit if hit is not None or text.isalnum() else self._looked_for(self._grammar.cell_by(self._column, end))
            )
        if string is None:
            return None
        if self._by_number is None:
            self._by_number = self._shared_texts()
        return self._by_number.get(string)

    def _under(self, rows: list[tuple[bytes, ...]]) -> Iterator[tuple[bytes, ...]]:
        """The rows in which texts are looked for."""
        return (row for row in rows if int(row[0]) > self._below)

    def _fetch_all(self, rows: list[tuple[bytes, ...]]) -> None:
        """As `_fetch`, from rows whose cells have been told apart."""
        wanted = self._wanted
        for row in rows:
            number = int(row[0])
            if number in wanted and row[_BEFORE - 1]:
                self.rows[number] = self._raw(row, row[_BEFORE - 1])
        self._last = int(rows[-1][0])

    def _raw(self, row: tuple[bytes, ...], body: bytes) -> RawRow:
        hidden = b"hidden" in row[1] and (b'hidden="1"' in row[1] or b'hidden="true"' in row[1])
        return _new(RawRow, (int(row[0]), hidden, body, self._grammar.cell, row[_BEFORE:]))

    def _looked_for(self, cell: RawCell) -> str | None:
        """The text of a cell, if it is looked for."""
        text = self._normal(self._decoder.value(cell)[0])
        return text if text in self._texts else None

    def _search(self, data: bytes) -> None:
        plain, shared = self._plain, self._by_number
        at = 0
        cells = self._simple.findall(data)
        texts = [text or b"?" for number, text, _ in cells if number and int(number) > self._below]
        if b"".join(texts).isalnum() or not texts:
            self._told = [text.upper() for text in texts]
        for number, text, string in cells:
            hit: str | None
            if string:
                if shared is None and int(number) <= self._below:
                    continue
                if shared is None:
                    shared = self._by_number = self._shared_texts()
                hit = shared.get(string)
            elif text:
                hit = plain.get(text.upper())
                if hit is None and not text.isalnum():
                    hit = self._any_text(data, number)
            elif number:
                hit = self._any_text(data, number)
            else:
                continue
            if hit is not None:
                at = self._place(data, number, at)
                row = self._grammar.row_around(data, at)
                body = b"".join(self._others.findall(row.body))
                self.found.append((hit, RawRow(row.number, row.hidden, body, row.pattern)))

    def _shared_texts(self) -> dict[bytes, str]:
        texts = ((number, self._normal(text)) for number, text in self._shared().items())
        return {b"%d" % number: text for number, text in texts if text in self._texts}

    def _place(self, data: bytes, number: bytes, at: int = 0) -> int:
        return data.index(b'%b%b"' % (self._opening, number), at)

    def _any_text(self, data: bytes, number: bytes) -> str | None:
        """The text of a cell that has to be decoded, if it is looked for."""
        match = self._cell.match(data, self._place(data, number))
        if match is None:
            raise NotPlainError
        return self._looked_for(match.groups(b""))  # type: ignore[arg-type]  # five groups, as RawCell has

    def _fetch(self, data: bytes) -> None:
        """The rows asked for by number, by a literal search for each as long as that finds them."""
        grammar = self._grammar
        end = grammar.row.match(data, data.rfind(grammar.row_open))
        last = int(end[1]) if end else self._last
        here = self._numbers[bisect_right(self._numbers, self._last) : bisect_right(self._numbers, last)]
        self._last = last
        at = 0
        for nth, number in enumerate(here):
            place = data.find(b'%b r="%d"' % (grammar.row_open, number), at)
            if place < 0:
                wanted = frozenset(here[nth:])
                for match in grammar.row.finditer(data, at):
                    if int(match[1]) in wanted:
                        self._take(data, match)
                return
            found = grammar.row.match(data, place)
            if found is None:
                raise NotPlainError
            self._take(data, found)
            at = found.end()

    def _take(self, data: bytes, row: re.Match[bytes]) -> None:
        if not row[2]:
            self.rows[int(row[1])] = self._grammar.row_around(data, row.end())
