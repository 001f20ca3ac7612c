"""Excel tables made wider or longer: their own part says where they are and what their columns are called."""

from collections.abc import Sequence

from xlsms.ooxml.cells import Area
from xlsms.ooxml.frame import area_text
from xlsms.ooxml.outline import Edits, attribute_text

__all__ = ["longer", "wider"]


def wider(xml: bytes, headers: Sequence[str]) -> bytes:
    """A table part with columns added on the right; ids go on from the highest, other columns stay as they are."""
    edits = Edits(xml)
    root = edits.root
    columns = root.child("tableColumns")
    if columns is None:
        return xml
    highest = max((int(column.attributes.get("id", "0")) for column in columns.children), default=0)
    _stretch(edits, right=len(headers))
    for number, header in enumerate(headers, highest + 1):
        edits.append(columns, f'<{root.prefix}tableColumn id="{number}" name="{attribute_text(header)}"/>')
    edits.set(columns, "count", str(len(columns.children) + len(headers)))
    return edits.result()


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
