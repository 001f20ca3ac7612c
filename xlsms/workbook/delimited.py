"""A text file with delimiters (RFC 4180, and what programs make of it), changed field by field.

What is not changed keeps its bytes: encoding and its mark, delimiter, quotes, blanks, the line end of each line, and
whether the last line has one.
"""

import codecs
import locale
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property

from xlsms.errors import Place, UserError
from xlsms.ooxml.cells import MOST_ROWS

__all__ = [
    "DELIMITERS",
    "Delimited",
    "Encoding",
    "Record",
    "decoded",
    "is_western",
    "records",
    "separator",
]

DELIMITERS = (",", ";", "\t", "|")

_WESTERN = "cp1252"
_BREAK = re.compile(r"\r\n|\n|\r")
_SEPARATOR = re.compile(r"sep=([^\r\n])(\r\n|\n|\r|\Z)", re.IGNORECASE)  # Excel's own first line
#: Hardly a Western word has so many letters in a row that are not English ones; Cyrillic or Greek words taken for
#: Western have nothing else. A few may be anything, such as a list of vowels.
_FOREIGN, _FEW = re.compile("[À-ÖØ-öø-ÿ]{4,}"), 2
#: A word with a letter that is not English.
_WORD = re.compile(r"[A-Za-z]*[^\x00-\x7f\s…–—‘’“”«»•][^\x00-\x40\s…–—‘’“”«»•\[-`{-\x7f]*")
#: Inside a word no sign stands that belongs to money, sums or footnotes (Ma³gorzata, ÄãºÃ), and no large foreign letter
#: behind a small one (JosŽ).
_SIGN = "¢£¤¥¦§¨¬¯±²³¶¸¹º¼½¾×÷ƒ†‡ˆ‰"
_ODD = re.compile(
    rf"[A-Za-zÀ-ÖØ-öø-ÿ][{_SIGN}¿]+[a-zÀ-ÖØ-öø-ÿ]|[{_SIGN}][À-ÖØ-öø-ÿ]|[a-zß-öø-ÿ][À-ÖØ-ÞŠŽŒŸ]|{_FOREIGN.pattern}"
)
_LONGEST = 1 << 20  # characters of a row
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))


@dataclass(frozen=True, slots=True)
class Encoding:
    """How the text is stored; `mark` is the byte order mark, if there is one."""

    codec: str
    mark: bytes = b""

    def fitting(self, text: str) -> str:
        """The text with a question mark for each character that the encoding does not have."""
        return text.encode(self.codec, "replace").decode(self.codec)


def _code_page() -> str:
    """The code page in which Excel on this computer writes a plain CSV: its own on Windows, else that of the West."""
    own = locale.getencoding() if sys.platform == "win32" else ""
    return own if own.startswith("cp") and own != "cp65001" else _WESTERN


def is_western(text: str) -> bool:
    """Whether the words of a text that was read as Windows-1252 can be meant so."""
    words = set(_WORD.findall(text))
    odd = sum(_ODD.search(word) is not None for word in words)
    return 2 * odd <= len(words) and len(set(_FOREIGN.findall(text))) <= _FEW


def decoded(content: bytes, page: str | None = None) -> tuple[str, Encoding]:
    """The text of a file: by its mark, else UTF-8 if it is valid, else in `page`, or the code page of this computer.

    Raises:
        UserError: `not-a-workbook` for what is no text, `text-encoding-unknown` for a text in another code page, as far
            as that can be seen.
    """
    for mark, codec in _MARKS:
        if content.startswith(mark):
            return _strictly(content[len(mark) :], codec), Encoding(codec, mark)
    if b"\0" in content:
        zeros = (content[0::2].count(0), content[1::2].count(0))
        if 4 * max(zeros) < len(content) or len(content) % 2:
            raise UserError("not-a-workbook")
        codec = "utf-16-le" if zeros[1] > zeros[0] else "utf-16-be"
        return _strictly(content, codec), Encoding(codec)
    try:
        return content.decode(), Encoding("utf-8")
    except UnicodeDecodeError:
        codec = page or _code_page()
        text = _strictly(content, codec)
        if codec == _WESTERN and not is_western(text):
            raise UserError("text-encoding-unknown") from None
        return text, Encoding(codec)


def _strictly(content: bytes, codec: str) -> str:
    try:
        text = content.decode(codec)
    except UnicodeDecodeError as error:
        raise UserError("text-encoding-unknown") from error
    if "\0" in text:
        raise UserError("not-a-workbook")
    return text


@cache
def _field(delimiter: str) -> re.Pattern[str]:
    """One field as written, and what ends it. A quote that does not begin the field is a letter like any other."""
    other = rf"[^{re.escape(delimiter)}\r\n]*+"
    return re.compile(rf'("[^"]*+(?:""[^"]*+)*+"{other}|(?!"){other})({re.escape(delimiter)}|\r\n|\n|\r|\Z)')


class Record:
    """One row as written, without its line end."""

    __slots__ = ("_delimiter", "body", "end")

    def __init__(self, body: str, end: str, delimiter: str) -> None:
        self.body, self.end, self._delimiter = body, end, delimiter

    @property
    def written(self) -> list[str]:
        """The fields with their quotes."""
        if '"' not in self.body:
            return self.body.split(self._delimiter)
        fields, at = [], 0
        pattern = _field(self._delimiter)
        while (match := pattern.match(self.body, at)) is not None:
            fields.append(match[1])
            at = match.end()
            if not match[2]:
                break
        return fields

    @property
    def values(self) -> list[str]:
        """The fields as they are meant."""
        return [_meant(field) for field in self.written]

    @property
    def width(self) -> int:
        """How many fields there are."""
        return self.body.count(self._delimiter) + 1 if '"' not in self.body else len(self.written)


def _meant(field: str) -> str:
    if not field.startswith('"'):
        return field
    inner, _, rest = field[1:].replace('""', "\0").partition('"')  # no text holds a zero, see `decoded`
    return inner.replace("\0", '"') + rest.replace("\0", '""')


def records(text: str, delimiter: str) -> Iterator[Record]:
    """The rows of a text, one after the other.

    Raises:
        UserError: `text-quote-open` with the row, when a quoted field never ends; `file-too-large` when there are more
            rows than in any sheet, or one of more than a million characters.
    """
    at, number, pattern = 0, 0, _field(delimiter)
    while at < len(text):
        number += 1
        line = _BREAK.search(text, at)
        begin, end = at, line.start() if line else len(text)
        closing = line[0] if line else ""
        if text.find('"', begin, end) >= 0:
            while True:
                match = pattern.match(text, at)
                if match is None:
                    raise UserError("text-quote-open", place=Place(row=number))
                at = match.end()
                if match[2] != delimiter:
                    break
            end, closing = match.start(2), match[2]
        if end - begin > _LONGEST or number > MOST_ROWS:
            raise UserError("file-too-large", part=f"/{number}")
        yield Record(text[begin:end], closing, delimiter)
        at = end + len(closing)


def separator(text: str) -> tuple[str, str] | None:
    """The delimiter that the first line names (`sep=;`, as Excel writes it), and that line; None without one."""
    match = _SEPARATOR.match(text)
    return (match[1], match[0]) if match else None


class Delimited:
    """A text taken apart by one delimiter. Rows and columns count from 1, without a `sep=` line."""

    def __init__(self, text: str, encoding: Encoding, delimiter: str) -> None:
        self.encoding, self.delimiter = encoding, delimiter
        named = separator(text)
        self._before = named[1] if named else ""
        self._text = text[len(self._before) :]
        self.changed: dict[int, dict[int, str]] = {}

    def records(self) -> Iterator[Record]:
        """Its rows, none of which is held; raises as `records` does."""
        return records(self._text, self.delimiter)

    @cached_property
    def rows(self) -> list[Record]:
        """Its rows, all of them."""
        return list(self.records())

    def put(self, row: int, column: int, value: str) -> None:
        """Change one field; a row that is too short gets the fields between."""
        self.changed.setdefault(row, {})[column] = value

    def widen(self, width: int) -> None:
        """Where every row has the same number of fields, keep it so at `width`; blank lines stay blank."""
        if len({record.width for record in self.rows if record.body}) == 1:
            for number, record in enumerate(self.rows, 1):
                if record.body and width not in self.changed.get(number, {}):
                    self.put(number, width, "")

    def content(self) -> bytes:
        """The whole file with the changes."""
        lines = [self._before]
        for number, record in enumerate(self.rows, 1):
            body = self._written(record, self.changed[number]) if number in self.changed else record.body
            lines += (body, record.end)
        return self.encoding.mark + "".join(lines).encode(self.encoding.codec)

    def expected(self, number: int) -> list[str]:
        """The values of a row with its changes."""
        values = self.rows[number - 1].values
        changes = self.changed.get(number, {})
        values += [""] * (max(changes, default=0) - len(values))
        for column, value in changes.items():
            values[column - 1] = value
        return values

    def _written(self, record: Record, changes: dict[int, str]) -> str:
        fields = record.written
        all_quoted = any(fields) and all(field.startswith('"') for field in fields if field)
        fields += [""] * (max(changes) - len(fields))
        for column, value in changes.items():
            quoted = fields[column - 1].startswith('"') or (all_quoted and value != "")
            fields[column - 1] = self._quoted(value) if quoted or self._needs_quotes(value) else value
        return self.delimiter.join(fields)

    def _needs_quotes(self, value: str) -> bool:
        return value != value.strip() or any(letter in value for letter in (self.delimiter, '"', "\r", "\n"))

    @staticmethod
    def _quoted(value: str) -> str:
        return '"' + value.replace('"', '""') + '"'
