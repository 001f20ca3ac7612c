"""Parts put into a package: their content types, their relations, and properties of the document."""

import itertools
import posixpath
from collections.abc import Iterable, Iterator, Sequence

from xlsms.errors import UserError
from xlsms.ooxml.book import CUSTOM_PROPERTIES, Book
from xlsms.ooxml.outline import Edits, attribute_text
from xlsms.ooxml.package import Member

__all__ = ["TYPES", "Graft"]

_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006"
_STRICT = "http://purl.oclc.org/ooxml/officeDocument"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_FORMAT = "{D5CDD505-2E9C-101B-9397-08002B2CF9AE}"  # of properties that users define

#: Content types by kind of relation.
TYPES = {
    "worksheet": "application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml",
    "table": "application/vnd.openxmlformats-officedocument.spreadsheetml.table+xml",
    "drawing": "application/vnd.openxmlformats-officedocument.drawing+xml",
    "chart": "application/vnd.openxmlformats-officedocument.drawingml.chart+xml",
    "styles": "application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml",
    "custom-properties": "application/vnd.openxmlformats-officedocument.custom-properties+xml",
    "relationships": "application/vnd.openxmlformats-package.relationships+xml",
}


class Graft:
    """Changes to the small parts of a package, made on its text: what is not named here stays byte for byte."""

    def __init__(self, book: Book) -> None:
        self._book, self._package = book, book.package
        self._edits: dict[Member, Edits] = {}
        self._contents: dict[Member, bytes] = {}
        self._new_relations: dict[str, list[tuple[str, str]]] = {}
        self._taken: dict[str, set[str]] = {}  # ids of relations, those just given among them
        self.added: dict[str, bytes] = {}
        self.dropped: set[Member] = set()
        types = self._package.part("/[content_types].xml")
        if types is None:
            raise UserError("not-a-workbook")
        self._types = types

    def edits(self, member: Member) -> Edits:
        """The changes to a part that is there already."""
        if member not in self._edits:
            self._edits[member] = Edits(self._package.read(member))
        return self._edits[member]

    def put(self, member: Member, content: bytes) -> None:
        """Replace all of a part."""
        self._contents[member] = content

    def content(self, member: Member) -> bytes:
        """A part as it is now."""
        return self._contents.get(member) or self._package.read(member)

    def replaced(self) -> dict[Member, Iterable[bytes]]:
        """The parts that change, with their new content."""
        found: dict[Member, Iterable[bytes]] = {member: [content] for member, content in self._contents.items()}
        for member, edits in self._edits.items():
            if edits.changed:
                found[member] = [edits.result()]
        return {member: content for member, content in found.items() if member not in self.dropped}

    def drop(self, member: Member) -> None:
        """Take a part away, with its relations and its content type; what names it is the caller's."""
        folder, _, base = member.key.rpartition("/")
        relations = self._package.part(f"{folder}/_rels/{base}.rels")
        gone = {member} if relations is None else {member, relations}
        self.dropped |= gone
        keys = {each.key for each in gone}
        types = self.edits(self._types)
        for node in types.root.children:
            if node.name == "Override" and node.attributes.get("PartName", "").lower() in keys:
                types.drop(node)

    def unrelate(self, owner: str, member: Member) -> None:
        """Take away what relates `owner` (`/` for the package) to a part."""
        folder, _, base = owner.rpartition("/")
        rels = self._package.part(f"{folder}/_rels/{base}.rels")
        if rels is None:
            return
        edits = self.edits(rels)
        for node in edits.root.children:
            target = posixpath.normpath(posixpath.join(folder or "/", node.attributes.get("Target", ""))).lower()
            if target == member.key:
                edits.drop(node)

    def fresh(self, pattern: str, *, bare: bool = False) -> str:
        """A part name that nothing has yet; `pattern` holds `{}` for a number, with `bare` none where that is free."""
        names = (pattern.lstrip("/").format(number or "") for number in itertools.count(0 if bare else 1))
        # the type of a part that is long gone may still be told; twice, and Excel takes the package for damaged
        told = {node.attributes.get("PartName", "").lower() for node in self.edits(self._types).root.children}
        return next(
            name
            for name in names
            if not self._package.part("/" + name) and name not in self.added and f"/{name}".lower() not in told
        )

    def add(self, name: str, content: bytes, kind: str, owner: str | None = None) -> str:
        """Add a part of a kind; with `owner`, a part that is there (`/` for the package), the id of the relation."""
        self.added[name] = content
        self._type(name, kind)
        return self.relate(owner, kind, name) if owner is not None else ""

    def add_relations(self, name: str, targets: Sequence[tuple[str, str]]) -> None:
        """Add the relations part `name` with (kind, target), numbered from `rId1`, or put those in its place."""
        if name not in self.added and not self._knows_relations():
            self._type(name, "relationships")
        self.added[name] = _relations(targets)

    def _knows_relations(self) -> bool:
        """Whether parts are told to hold relations by their ending, as nearly all packages have it."""
        nodes = self.edits(self._types).root.children
        return any(node.name == "Default" and node.attributes.get("Extension", "").lower() == "rels" for node in nodes)

    def _type(self, name: str, kind: str) -> None:
        types = self.edits(self._types)
        p = types.root.prefix
        types.append(types.root, f'<{p}Override PartName="/{name}" ContentType="{TYPES[kind]}"/>')

    def relate(self, owner: str, kind: str, name: str) -> str:
        """Relate a part that is there to a new part; returns the id."""
        folder, _, base = owner.rpartition("/")
        rels = f"{folder}/_rels/{base}.rels"
        member = self._package.part(rels)
        target = "/" + name if folder else name
        if member is None:
            known = self._new_relations.setdefault(owner, [])
            known.append((kind, target))
            self.add_relations(_cased(self._package.members, owner, rels), known)
            return f"rId{len(known)}"
        edits = self.edits(member)
        taken = self._taken.setdefault(owner, {node.attributes.get("Id", "") for node in edits.root.children})
        identity = next(name for name in (f"rId{number}" for number in itertools.count(1)) if name not in taken)
        taken.add(identity)
        p = edits.root.prefix
        office, kind = _as_said_in(edits.xml, kind)
        edits.append(
            edits.root, f'<{p}Relationship Id="{identity}" Type="{office}/relationships/{kind}" Target="{target}"/>'
        )
        return identity

    def set_property(self, name: str, value: str) -> None:
        """Add a text to the document's own properties, which hold none of this name yet."""
        member = self._book.target("/", CUSTOM_PROPERTIES)
        text = attribute_text(value)
        if member is None:
            related = self._package.part("/_rels/.rels")
            office, own = _as_said_in(self._package.read(related) if related else b"", _OWN)
            inside = f'<property fmtid="{_FORMAT}" pid="2" name="{name}"><vt:lpwstr>{text}</vt:lpwstr></property>'
            names = f'xmlns="{office}/{own}" xmlns:vt="{office}/docPropsVTypes"'
            content = f"{_XML}<Properties {names}>{inside}</Properties>"
            self.add(self.fresh("docProps/custom{}.xml", bare=True), content.encode(), _OWN, "/")
            return
        edits = self.edits(member)
        root = edits.root
        highest = max((node.number("pid", 1) for node in root.children), default=1)
        p = root.prefix
        office, _ = _as_said_in(edits.xml, _OWN)
        edits.append(
            root,
            f'<{p}property fmtid="{_FORMAT}" pid="{max(highest, 1) + 1}" name="{name}">'
            f'<vt:lpwstr xmlns:vt="{office}/docPropsVTypes">{text}</vt:lpwstr></{p}property>',
        )


_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_OWN = "custom-properties"


def _as_said_in(xml: bytes, kind: str) -> tuple[str, str]:
    """What names of relations and namespaces begin with in a part, the strict way or the transitional, and a kind."""
    if _STRICT.encode() in xml:
        return _STRICT, "customProperties" if kind == _OWN else kind
    return _OFFICE, kind


def _relations(targets: Iterable[tuple[str, str]]) -> bytes:
    """A relations part of (kind, target), numbered from `rId1`."""
    inside = "".join(
        f'<Relationship Id="rId{number}" Type="{_OFFICE}/relationships/{kind}" Target="{target}"/>'
        for number, (kind, target) in enumerate(targets, 1)
    )
    return f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships">{inside}</Relationships>'.encode()


def _cased(members: Iterable[Member], owner: str, rels: str) -> str:
    """The name of a relations part in the case of its owner's folder."""
    folder = posixpath.dirname(owner)
    for name in _names(members):
        if posixpath.dirname("/" + name).lower() == folder and ("/" + name).lower() == owner:
            return f"{posixpath.dirname(name)}/_rels/{posixpath.basename(name)}.rels"
    return rels.lstrip("/")


def _names(members: Iterable[Member]) -> Iterator[str]:
    for member in members:
        yield member.name.decode("utf-8", "replace").replace("\\", "/").lstrip("/")
