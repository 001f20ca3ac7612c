"""Excel tables made wider or longer: their own part says where they are and what their columns are called."""

from collections.abc import Collection, Sequence

from xlsms.errors import UserError
from xlsms.ooxml.cells import Area, unescape
from xlsms.ooxml.frame import area_text
from xlsms.ooxml.outline import Edits, Node, attribute_text

__all__ = ["longer", "narrower", "unsorted", "wider"]


def wider(xml: bytes, headers: Sequence[str]) -> bytes:
    """A table part with columns added on the right; ids go on from the highest, other columns stay as they are."""
    edits = Edits(xml)
    root = edits.root
    columns = root.child("tableColumns")
    if columns is None:
        return xml
    highest = max((column.number("id") for column in columns.children), default=0)
    _stretch(edits, right=len(headers))
    for number, header in enumerate(headers, highest + 1):
        edits.append(columns, f'<{root.prefix}tableColumn id="{number}" name="{attribute_text(header)}"/>')
    edits.set(columns, "count", str(len(columns.children) + len(headers)))
    return edits.result()


def narrower(xml: bytes, headers: Collection[str]) -> bytes:
    """A table part without its last columns, which have these headers; the sorting by them goes as well.

    Raises:
        UserError: `removal-filtered` when a filter is set on one of them.
    """
    edits = Edits(xml)
    root = edits.root
    columns = root.child("tableColumns")
    if columns is None:
        return xml
    gone = columns.children[-len(headers) :]
    for column in gone:
        if unescape(column.attributes.get("name", "")) not in headers:
            raise UserError("sheet-not-writable", reason="columns out of order")
        edits.drop(column)
    left = len(columns.children) - len(gone)
    edits.set(columns, "count", str(left))
    unsorted(edits, root, left)
    _stretch(edits, right=-len(gone))
    return edits.result()


def unsorted(edits: Edits, root: Node, width: int) -> None:
    """Take away the sorting of a table or sheet when it is by a column beyond `width`; refuse a filter on such."""
    filters = root.child("autoFilter")
    area = Area.of((filters or root).attributes.get("ref", ""))
    for node in filters.all("filterColumn") if filters else ():
        if node.number("colId") >= width:
            raise UserError("removal-filtered")
    for parent in (root, *([filters] if filters else [])):
        state = parent.child("sortState")
        edges = [Area.of(node.attributes.get("ref", "")) for node in state.all("sortCondition")] if state else []
        if state and area and any(edge and edge.right >= area.left + width for edge in edges):
            edits.drop(state)


def longer(xml: bytes, rows: int) -> bytes:
    """A table part with rows added at the bottom."""
    edits = Edits(xml)
    _stretch(edits, down=rows)
    return edits.result()


def _stretch(edits: Edits, *, right: int = 0, down: int = 0) -> None:
    """Move the lower right corner of the table and of its filter, which does not cover a totals row."""
    for node in (edits.root, edits.root.child("autoFilter")):
        area = Area.of(node.attributes.get("ref", "")) if node else None
        if node is not None and area is not None:
            edits.set(node, "ref", area_text(Area(area.top, area.left, area.bottom + down, area.right + right)))
