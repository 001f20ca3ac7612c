"""Defined names: read from the workbook part, and added to it."""

from collections.abc import Iterator
from dataclasses import dataclass

from xlsms.ooxml.cells import natural
from xlsms.ooxml.outline import Edits, Node, attribute_text

__all__ = ["BEFORE_NAMES", "Name", "add_name", "names"]

#: The children of a workbook that stand before its names (ECMA-376 §18.2.27).
BEFORE_NAMES = frozenset(
    {
        "fileVersion",
        "fileSharing",
        "workbookPr",
        "workbookProtection",
        "bookViews",
        "sheets",
        "functionGroups",
        "externalReferences",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """One name: what it stands for, and the sheet that it belongs to, by its place among the sheets."""

    name: str
    formula: str
    sheet: int | None = None  #: from 0; None: of the whole workbook

    def xml(self, prefix: str) -> str:
        """The element of a name that users do not see in their lists."""
        scope = f' localSheetId="{self.sheet}"' if self.sheet is not None else ""
        text = attribute_text(self.formula).replace("&quot;", '"')
        return f'<{prefix}definedName name="{self.name}"{scope} hidden="1">{text}</{prefix}definedName>'


def names(workbook: Node) -> Iterator[tuple[Node, Name]]:
    """The names in a workbook part, with their elements."""
    for node in workbook.all("definedName"):
        sheet = natural(node.attributes.get("localSheetId", ""))
        yield node, Name(name=node.attributes.get("name", ""), formula=node.text.strip(), sheet=sheet)


def add_name(edits: Edits, name: Name) -> None:
    """Add a hidden name to a workbook part, in the place of one of the same scope."""
    root = edits.root
    for node, there in names(root):
        if (there.name, there.sheet) == (name.name, name.sheet):
            edits.replace(node.start, node.end, name.xml(root.prefix))
            return
    edits.gather(root, "definedNames", name.xml(root.prefix), BEFORE_NAMES)
