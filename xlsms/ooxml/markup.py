"""The small XML parts of a package, read with expat; a document type is refused, so no entity can expand."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from xml.parsers import expat

from xlsms.errors import UserError

__all__ = ["NAMESPACES", "Element", "each_element", "elements", "feed", "local", "new_parser", "parse", "parse_some"]

#: SpreadsheetML: transitional, strict, and as the beta of Excel 2007 wrote it.
NAMESPACES = frozenset(
    {
        b"http://schemas.openxmlformats.org/spreadsheetml/2006/main",
        b"http://purl.oclc.org/ooxml/spreadsheetml/main",
        b"http://schemas.microsoft.com/office/excel/2006/2",
    },
)
_MOST = 2_000_000  # elements in one small part: more is an attack
_MOST_HELD = 100_000  # of those that are asked for, at a time; Excel's limits for formats and links are 65,000
_PIECE = 1 << 18  # bytes parsed at a time
_LONGEST = 4 << 20  # bytes of a tag or a comment


@dataclass(slots=True)
class Element:
    """One element: its local name, that of its parent, its attributes by local name, and its own text."""

    name: str
    parent: str
    attributes: dict[str, str]
    text: str = field(default="")


def local(name: str) -> str:
    """`name` without its namespace."""
    return name.rpartition(" ")[2]


def new_parser(encoding: str | None = None) -> expat.XMLParserType:
    """A namespace-aware parser (names read `namespace name`) that refuses a document type.

    `encoding` goes before what the part declares.
    """
    parser = expat.ParserCreate(encoding, " ")
    parser.buffer_text = True

    def refuse(*_: object) -> None:
        raise UserError("file-suspicious")

    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    return parser


def feed(parser: expat.XMLParserType, data: bytes, *, last: bool = False) -> None:
    """Feed some of a part; XML that is not well-formed is a damaged file."""
    try:
        parser.Parse(data, last)
    except (expat.ExpatError, LookupError, ValueError) as error:  # an encoding that nobody knows, or of several bytes
        raise UserError("file-damaged", reason="not well-formed") from error


def parse_some(parser: expat.XMLParserType, chunks: Iterable[bytes]) -> Iterator[None]:
    """Feed a part and stop after each piece.

    Raises:
        UserError: `file-damaged`; `file-suspicious` for a tag or a comment longer than any, which would be looked
            through again from its start with each piece.
    """
    fed = 0
    for chunk in chunks:
        feed(parser, chunk)
        fed += len(chunk)
        if fed - parser.CurrentByteIndex > _LONGEST:
            raise UserError("file-suspicious")
        yield
    feed(parser, b"", last=True)
    yield


def parse(parser: expat.XMLParserType, chunks: Iterable[bytes]) -> None:
    """Feed all of a part."""
    for _ in parse_some(parser, chunks):
        pass


def elements(chunks: Iterable[bytes], wanted: frozenset[str]) -> list[Element]:
    """The elements with a local name in `wanted`, in the order of their start tags.

    Raises:
        UserError: `file-suspicious` for more than any workbook has.
    """
    found: list[Element] = []
    for element in each_element(chunks, wanted):
        found.append(element)
        if len(found) > _MOST_HELD:
            raise UserError("file-suspicious")
    return found


def each_element(chunks: Iterable[bytes], wanted: frozenset[str]) -> Iterator[Element]:
    """The same one by one: only those are held that have begun and not ended, with what is inside them.

    Attributes in a namespace are called `r:NAME`, whatever their prefix is: only relationship ids are ever asked for.
    """
    found: list[Element] = []
    path: list[str] = [""]
    open_elements: list[Element | None] = []
    seen = 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal seen
        seen += 1
        if seen > _MOST or len(found) > _MOST_HELD:
            raise UserError("file-suspicious")
        tag = local(name)
        element = None
        if tag in wanted:
            named = {f"r:{local(key)}" if " " in key else key: value for key, value in attributes.items()}
            element = Element(tag, path[-1], named)
            found.append(element)
        open_elements.append(element)
        path.append(tag)

    def end(_: str) -> None:
        path.pop()
        open_elements.pop()

    def text(data: str) -> None:
        if open_elements and (element := open_elements[-1]) is not None:
            element.text += data

    parser = new_parser()
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text
    for _ in parse_some(parser, _pieces(chunks)):
        if not any(open_elements):
            yield from found
            found.clear()
    yield from found


def _pieces(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Chunks, none of which holds more elements than may be held."""
    for chunk in chunks:
        for at in range(0, len(chunk), _PIECE):
            yield chunk[at : at + _PIECE]
