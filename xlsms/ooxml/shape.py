"""Whether the rows of a sheet are plain, told by one pattern that is made from the sheet's own rows.

The rows of a list are alike: the same columns, each with cells of one or two forms. So a pattern of just these forms,
which neither skips nor goes back, runs over a block as fast as a search does, and what it takes in is known to the
last byte. Rows of a new form are taken apart once, and from then on the pattern knows them.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import islice

from xlsms.ooxml.cells import column_number

__all__ = ["Shapes", "end_of"]

_SAMPLE = 64  # rows to learn from at a time
_MOSTLY = 0.9  # of the rows of a sample: then all are taken to be like that at first
_MOST_FORMS = 8  # of one column
_MOST_COLUMNS = 256
_MOST_LESSONS = 32  # patterns made for one sheet
_SHORT, _DIGITS = [b"%d" % number for number in range(1000)], [b"%03d" % number for number in range(1000)]
_MOST_MISSES = 8  # blocks with rows that could not be learnt, until it is given up
_ATTRIBUTES = rb"[^<>/']*+"
_ROW = rb'\s*+<%(p)srow r="(?P<number>[1-9][0-9]{0,6}+)"' + _ATTRIBUTES
_CELL = rb"""<%(p)sc\ r="(?P<letters>[A-Z]{1,3})(?P<number>[0-9]+)"(?P<form>(?:\ [a-z]+="[A-Za-z0-9]*")*(?:
    /> | >(?:<%(p)sf>[^<]*</%(p)sf>|<%(p)sf\ t="shared"\ si="[0-9]+"/>)?(?:<%(p)sv>[^<]*</%(p)sv>)?</%(p)sc>
    | ><%(p)sis><%(p)st(?:\ xml:space="preserve")?>[^<]*</%(p)st></%(p)sis></%(p)sc>))"""
_TEXT = rb'(<%(p)s[fvt](?: xml:space="preserve")?>)[^<]*'
_NUMBER = re.compile(rb'"[0-9]+"')


def end_of(numbers: Sequence[bytes], last: int) -> int | None:
    """The last of some row numbers that go up from more than `last`; None when they do not, or one is empty.

    Most rows follow one on another: then they are compared as text, in a tenth of the time that numbers take.
    """
    if not (numbers[0] and numbers[-1]):
        return None
    first, end = int(numbers[0]), int(numbers[-1])
    if first <= last:
        return None
    if end - first + 1 == len(numbers) and b" ".join((b"", *numbers)) == _run(first, end):
        return end
    if b"" in numbers:
        return None
    rows = list(map(int, numbers))
    return end if all(map(int.__lt__, rows, islice(rows, 1, None))) else None


def _run(first: int, end: int) -> bytes:
    """All numbers from one to another, a blank before each."""
    parts = []
    for thousand in range(first // 1000, end // 1000 + 1):
        before, digits = (b" %d" % thousand, _DIGITS) if thousand else (b" ", _SHORT)
        some = digits[max(first - thousand * 1000, 0) : end + 1 - thousand * 1000]
        parts.append(before + before.join(some))
    return b"".join(parts)


class Shapes:
    """The quick check of a sheet with one prefix: a number is certain, None means that a slower one has to decide."""

    def __init__(self, prefix: bytes) -> None:
        name = {b"p": re.escape(prefix)}
        self._name = name[b"p"]
        self._row_end = b"</" + prefix + b"row>"
        self._opening = _ROW % name
        self._row = re.compile(self._opening + b"(?P<closed>/)?>")
        self._cell = re.compile(_CELL % name, re.VERBOSE)
        self._text = re.compile(_TEXT % name)
        self._forms: dict[bytes, list[bytes]] = {}  # by column: patterns of what may follow the reference
        self._always: set[bytes] = set()  # columns that nearly all rows taken apart had in the first form known of it
        self._pattern: re.Pattern[bytes] | None = None
        self._tellers: dict[tuple[str, tuple[bytes, ...]], re.Pattern[bytes]] = {}  # by the columns that are told
        self._telling: tuple[str, tuple[bytes, ...]] | None = None  # what is told of a block while it is checked
        self._told: tuple[bytes, list[tuple[bytes, ...]]] | None = None  # and of which it was
        self._lessons = self._misses = 0
        self.areas = False  #: whether a formula that fills an area may have been among the blocks checked

    @property
    def worn(self) -> bool:
        """Whether it has learnt so much that a new one would do better."""
        return self._lessons > _MOST_LESSONS // 2 or self._misses > 0

    def tell(self, how: str | None, letters: tuple[bytes, ...] = ()) -> None:
        """Have each block told `apart` or `between` while it is checked, lest it is gone through twice."""
        self._telling, self._told = (None if how is None else (how, letters)), None

    def check(self, block: bytes, last: int) -> int | None:
        """The number of the last row of a block; None when the block has to be looked at more closely."""
        numbers = self._numbers(block) if self._misses < _MOST_MISSES else []
        if not numbers:
            self._misses += 1
            self.areas = True
            return None
        return end_of(numbers, last)

    def _numbers(self, block: bytes) -> list[bytes]:
        """The numbers of the rows of a block; none when it is not made of simple rows alone."""
        how = None if self._telling is None else self._telling[0]
        while True:
            if self._telling is not None and self._pattern is not None:
                told: list[tuple[bytes, ...]] = self._teller(*self._telling).findall(block)
                if told and told[-1][0]:
                    self._told = block, told
                    return [row[0] for row in told]
            if self._pattern is not None and how != "apart":  # which takes in the same rows
                found: list[bytes] = self._pattern.findall(block)
                if found and found[-1]:
                    return found
            if not self._learn(block, self._known(block)):
                return []

    def apart(self, block: bytes, letters: tuple[bytes, ...]) -> list[tuple[bytes, ...]] | None:
        """The rows of a block told apart: number, attributes, all that is inside, and the cells of some columns.

        Of a cell it is what stands behind its reference, nothing where there is none. Columns are from left to right.
        None when the block is not made of simple rows alone.
        """
        if (known := self._known_of("apart", letters, block)) is not None:
            return known
        while self._misses < _MOST_MISSES:
            found: list[tuple[bytes, ...]] = self._teller("apart", letters).findall(block)
            if found and found[-1][0]:
                return found
            if not self._learn(block, self._known(block)):
                self._misses += 1
                break
        return None

    def between(self, block: bytes, letters: tuple[bytes, ...]) -> list[tuple[bytes, ...]] | None:
        """The rows of a block in pieces that cells of some columns can be put between, if nothing is between the rows.

        Number, attributes, and `/` where it has no cells; then for each column all that stands before it, and of its
        cell what stands behind the reference; and all that follows. None when the rows are not as simple as that.
        """
        if (known := self._known_of("between", letters, block)) is not None:
            return known
        for _ in range(2):
            if self._pattern is not None:
                found: list[tuple[bytes, ...]] = self._teller("between", letters).findall(block)
                if found and found[-1][0]:
                    return found
            if not self._numbers(block):
                break
        return None

    def _known_of(self, how: str, letters: tuple[bytes, ...], block: bytes) -> list[tuple[bytes, ...]] | None:
        """What the check has told of a block; it is let go of."""
        told, self._told = self._told, None
        return told[1] if told is not None and told[0] is block and self._telling == (how, letters) else None

    def _teller(self, how: str, letters: tuple[bytes, ...]) -> re.Pattern[bytes]:
        """The pattern that tells rows in one way."""
        pattern = self._tellers.get((how, letters))
        if pattern is None:
            made = self._apart_at(letters) if how == "apart" else self._parting(letters)
            pattern = self._tellers[how, letters] = made
        return pattern

    def _known(self, block: bytes) -> int:
        """Where the first row of an unknown form starts."""
        matches = self._pattern.finditer(block) if self._pattern else ()
        return next((match.start() for match in matches if match[1] is None), 0)

    def _learn(self, block: bytes, at: int) -> bool:
        """Make a pattern that knows the row at `at` as well, and those after it; False when it is not simple."""
        seen: dict[bytes, Counter[bytes]] = {}
        rows = 0
        while rows < _SAMPLE and (end := self._taken_apart(block, at, seen)) is not None:
            at = end
            rows += 1
        if not rows:
            return False
        for letters, forms in seen.items():
            known = self._forms.setdefault(letters, [])
            known += [form for form, _ in forms.most_common() if form not in known]
        most = {letters for letters, forms in seen.items() if forms.most_common(1)[0][1] >= rows * _MOSTLY}
        self._always = most if self._lessons == 0 else self._always & most
        self._lessons += 1
        if (
            self._lessons > _MOST_LESSONS
            or len(self._forms) > _MOST_COLUMNS
            or any(len(forms) > _MOST_FORMS for forms in self._forms.values())
        ):
            self._misses = _MOST_MISSES
            return False
        self._pattern = self._made()
        self._tellers = {}
        return True

    def _taken_apart(self, block: bytes, at: int, seen: dict[bytes, Counter[bytes]]) -> int | None:
        """Where the row at `at` ends, its forms added to `seen`; None when it is not simple."""
        row = self._row.match(block, at)
        if row is None:
            return None
        at = row.end()
        if row["closed"]:
            return at
        cells: list[tuple[bytes, bytes]] = []
        while cell := self._cell.match(block, at):
            if cell["number"] != row["number"]:
                return None
            cells.append((cell["letters"], cell["form"]))
            at = cell.end()
        columns = [column_number(letters.decode()) for letters, _ in cells]
        if not block.startswith(self._row_end, at) or any(map(int.__ge__, columns, columns[1:])):
            return None
        for letters, xml in cells:
            form = re.escape(self._text.sub(rb"\1" + b"\0", xml)).replace(b"\0", b"[^<]*+")
            seen.setdefault(letters, Counter())[_NUMBER.sub(b'"[0-9]++"', form)] += 1
        return at + len(self._row_end)

    def _made(self) -> re.Pattern[bytes]:
        """A pattern of the rows whose cells are all of known forms; anything else is one match without a number.

        Whether a row is as most are is tried first: that goes faster, as there is less to choose from.
        """
        usual, any_of = [], []
        for letters in self._columns(self._forms):
            cell = rb'<%bc r="%b(?P=number)"' % (self._name, letters)
            any_of.append(self._cells_of(letters))
            usual.append(cell + self._forms[letters][0] if letters in self._always else any_of[-1])
        end = b"</%brow>" % self._name
        ways = [b"".join(cells) + end for cells in ((usual, any_of) if self._always else (any_of,))]
        return re.compile(rb"%b(?:/>|>(?:%b))\s*+|[\s\S]+" % (self._opening, b"|".join(ways)))

    def _apart_at(self, wanted: tuple[bytes, ...]) -> re.Pattern[bytes]:
        """The same that tells what is in the rows."""
        opening = self._opening.removesuffix(_ATTRIBUTES) + b"(%b)" % _ATTRIBUTES
        cells = b"".join(
            self._cells_of(letters, told=letters in wanted) for letters in self._columns({*self._forms, *wanted})
        )
        return re.compile(rb"%b(?:/>|>(%b)</%brow>)\s*+|[\s\S]+" % (opening, cells, self._name))

    def _parting(self, wanted: tuple[bytes, ...]) -> re.Pattern[bytes]:
        """A pattern of rows that parts them at some columns."""
        pieces = [b""]
        for letters in self._columns({*self._forms, *wanted}):
            if letters in wanted:
                pieces += (self._cells_of(letters, told=True), b"")
            else:
                pieces[-1] += self._cells_of(letters)
        cells = b"".join(b"(%b)" % piece if nth % 2 == 0 else piece for nth, piece in enumerate(pieces))
        opening = self._opening.removesuffix(_ATTRIBUTES).removeprefix(rb"\s*+") + b"(%b)" % _ATTRIBUTES
        return re.compile(rb"%b(?:(/)>|>%b</%brow>)|[\s\S]+" % (opening, cells, self._name))

    def _cells_of(self, letters: bytes, *, told: bool = False) -> bytes:
        """What matches a cell of a column, or none."""
        forms = self._forms.get(letters)
        if forms is None:
            return b"()"
        return rb'(?:<%bc r="%b(?P=number)"%b%b))?+' % (
            self._name,
            letters,
            b"(" if told else b"(?:",
            b"|".join(forms),
        )

    @staticmethod
    def _columns(letters: Iterable[bytes]) -> list[bytes]:
        """Columns from left to right."""
        return sorted(letters, key=lambda each: column_number(each.decode()))
