"""Small parts changed in place: elements with their byte offsets, and edits that leave all other bytes as they are."""

import re
from collections.abc import Container, Iterator
from dataclasses import dataclass, field

from xlsms.errors import UserError
from xlsms.ooxml.markup import local, new_parser, parse

__all__ = ["Edits", "Node", "attribute_text", "outline", "with_attribute", "without_attribute"]

_TAG = re.compile(rb"<([^\s/>]+)(?:\s+[^\s=]+\s*=\s*(?:\"[^\"]*\"|'[^']*'))*\s*(/?)>")
_DECLARED = re.compile(rb"(?:\xef\xbb\xbf)?<\?xml[^>]*?encoding=[\"']([\w.:-]+)[\"']")
_MOST = 1_000_000  # elements of one part: a stylesheet of tens of thousands of formats has fewer


@dataclass(slots=True, eq=False)
class Node:
    """One element: `start` to `opening` is its start tag, `closing` to `end` its end tag, if it has one."""

    name: str
    prefix: str  #: with the colon, or empty
    attributes: dict[str, str]
    start: int
    opening: int
    closing: int = 0
    end: int = 0
    children: list["Node"] = field(default_factory=list)
    text: str = ""

    def all(self, name: str) -> Iterator["Node"]:
        """The descendants with a local name, in the order of the part."""
        for child in self.children:
            if child.name == name:
                yield child
            yield from child.all(name)

    def child(self, name: str) -> "Node | None":
        """The first child with a local name."""
        return next((child for child in self.children if child.name == name), None)

    def number(self, name: str, default: int = 0) -> int:
        """A whole number among the attributes.

        Raises:
            UserError: `file-damaged` for something else.
        """
        text = self.attributes.get(name)
        try:
            return default if text is None else int(text)
        except ValueError:
            raise UserError("file-damaged", reason=f"no number in {name} of {self.name}") from None


def outline(xml: bytes) -> Node:
    """The root of a part with all its elements. Attributes in a namespace are called `r:NAME`.

    Raises:
        UserError: `sheet-not-writable` for another encoding than UTF-8.
    """
    declared = _DECLARED.match(xml)
    if b"\0" in xml[:64] or (declared and declared[1].lower() not in (b"utf-8", b"utf8")):
        raise UserError("sheet-not-writable")
    parser = new_parser()
    path: list[Node] = []
    roots: list[Node] = []
    seen = 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal seen
        seen += 1
        match = _TAG.match(xml, parser.CurrentByteIndex)
        if match is None or seen > _MOST:
            raise UserError("sheet-not-writable")
        prefix = match[1].decode()[: -len(local(name))]
        named = {f"r:{local(key)}" if " " in key else key: value for key, value in attributes.items()}
        node = Node(local(name), prefix, named, match.start(), match.end())
        if match[2]:
            node.closing = node.end = match.end()
        (path[-1].children if path else roots).append(node)
        path.append(node)

    def end(_: str) -> None:
        node = path.pop()
        if not node.end:
            node.closing = parser.CurrentByteIndex
            node.end = xml.index(b">", node.closing) + 1

    def text(data: str) -> None:
        path[-1].text += data

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text
    parse(parser, (xml,))
    return roots[0]


def attribute_text(value: str) -> str:
    """A value as it stands between double quotes."""
    return value.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;").replace("\n", "&#10;")


def with_attribute(tag: bytes, name: str, value: str) -> bytes:
    """A start tag with an attribute set, in its place if it is there, else as the last one."""
    found = re.search(rb"(\s" + name.encode() + rb"\s*=\s*)(\"[^\"]*\"|'[^']*')", tag)
    quoted = f'"{attribute_text(value)}"'.encode()
    if found:
        return tag[: found.start(2)] + quoted + tag[found.end(2) :]
    end = len(tag) - (2 if tag.endswith(b"/>") else 1)
    return tag[:end].rstrip() + b" " + name.encode() + b"=" + quoted + tag[end:]


def without_attribute(tag: bytes, name: str) -> bytes:
    """A start tag without an attribute."""
    return re.sub(rb"\s+" + name.encode() + rb"\s*=\s*(?:\"[^\"]*\"|'[^']*')", b"", tag, count=1)


class Edits:
    """Changes to one part, collected by element and made all at once."""

    def __init__(self, xml: bytes, root: Node | None = None) -> None:
        self.xml = xml
        self.root = root or outline(xml)
        self._spans: list[tuple[int, int, bytes]] = []
        self._attributes: dict[Node, dict[str, str | None]] = {}
        self._appended: dict[Node, list[str]] = {}
        self._gathered: dict[str, tuple[int, list[str]]] = {}

    @property
    def changed(self) -> bool:
        """Whether anything is to be changed."""
        return bool(self._spans or self._attributes or self._appended or self._gathered)

    def set(self, node: Node, name: str, value: str | None) -> None:
        """Set an attribute, or with None take it out."""
        self._attributes.setdefault(node, {})[name] = value

    def append(self, node: Node, xml: str) -> None:
        """Put elements at the end of `node`."""
        self._appended.setdefault(node, []).append(xml)

    def gather(self, parent: Node, name: str, xml: str, before: Container[str]) -> None:
        """Put elements at the end of the child `name` of `parent`; where it is missing, behind its kin in `before`."""
        child = parent.child(name)
        if child is not None:
            self.append(child, xml)
            return
        at = max((node.end for node in parent.children if node.name in before), default=parent.opening)
        self._gathered.setdefault(f"{parent.prefix}{name}", (at, []))[1].append(xml)

    def insert(self, at: int, xml: str) -> None:
        """Put elements at an offset between two elements."""
        self._spans.append((at, at, xml.encode()))

    def replace(self, start: int, end: int, xml: str) -> None:
        """Put `xml` in the place of a stretch."""
        self._spans.append((start, end, xml.encode()))

    def drop(self, node: Node) -> None:
        """Take an element out."""
        self._spans.append((node.start, node.end, b""))

    def result(self) -> bytes:
        """The part with all changes made."""
        # gathered ones first: what is inserted at the same place belongs behind them
        spans = [
            (at, at, f"<{name}>{''.join(inside)}</{name}>".encode()) for name, (at, inside) in self._gathered.items()
        ] + self._spans
        for node in {**self._attributes, **self._appended}:
            tag = self.xml[node.start : node.opening]
            for name, value in self._attributes.get(node, {}).items():
                tag = without_attribute(tag, name) if value is None else with_attribute(tag, name, value)
            more = "".join(self._appended.get(node, ())).encode()
            if more and node.closing == node.opening and node.end == node.opening:
                tag = tag[:-2].rstrip() + b">" + more + f"</{node.prefix}{node.name}>".encode()
            elif more:
                spans.append((node.closing, node.closing, more))
            spans.append((node.start, node.opening, tag))
        out: list[bytes] = []
        at = 0
        for start, end, new in sorted(spans, key=lambda span: span[:2]):
            out += (self.xml[at:start], new)
            at = end
        out.append(self.xml[at:])
        return b"".join(out)
