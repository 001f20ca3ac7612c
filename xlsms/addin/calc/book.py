"""One open spreadsheet, its sheets and its names."""

import numbers
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from xlwings import base_classes

from xlsms.addin.calc.format import Formats
from xlsms.addin.calc.link import Uno, properties, uno
from xlsms.addin.calc.sheet import Sheet

if TYPE_CHECKING:
    from xlsms.addin.calc.app import App
    from xlsms.addin.calc.cells import Range

__all__ = ["Book", "Name", "Names", "Sheets"]

_FILTERS = {
    ".xlsx": "Calc MS Excel 2007 XML",
    ".xlsm": "Calc MS Excel 2007 VBA XML",
    ".xls": "MS Excel 97",
    ".ods": "calc8",
    ".csv": "Text - txt - csv (StarCalc)",
}
_REMOVABLE = 128  # com.sun.star.beans.PropertyAttribute.REMOVEABLE

_BOLD = 150.0  # com.sun.star.awt.FontWeight


class Book(base_classes.Book):
    """A document of Calc."""

    def __init__(self, app: "App", document: Uno) -> None:
        self._app, self._document = app, document
        self.formats = Formats(document)

    @property
    def app(self) -> "App":
        """The office that has it open."""
        return self._app

    @property
    def api(self) -> Uno:
        """The document."""
        return self._document

    @property
    def fullname(self) -> str:
        """The path of its file; its title while it has none."""
        url = self._document.URL
        return str(uno().fileUrlToSystemPath(url) if url.startswith("file:") else url or self._document.Title)

    @property
    def name(self) -> str:
        """The name of its file."""
        return os.path.basename(self.fullname)  # noqa: PTH119 - a URL may be the name

    @property
    def sheets(self) -> "Sheets":
        """Its sheets, hidden ones too."""
        return Sheets(self)

    @property
    def names(self) -> "Names":
        """Its names for areas."""
        return Names(self)

    def save(self, path: str | None = None, password: str | None = None) -> None:  # noqa: ARG002 - as xlwings calls it
        """Save it, at another place where one is given."""
        if path is None:
            self._document.store()
            return
        kind = _FILTERS.get(Path(path).suffix.lower(), _FILTERS[".xlsx"])
        url = uno().systemPathToFileUrl(os.path.abspath(path))  # noqa: PTH100 - a link stays one
        self._document.storeAsURL(url, properties(FilterName=kind))

    def close(self) -> None:
        """Close it without saving, as xlwings has it."""
        self._document.close(True)

    def activate(self) -> None:
        """Bring it to the front."""
        self._document.CurrentController.Frame.activate()

    # what xlwings has no word for

    @property
    def opening(self) -> str:
        """Which opening of the file this is: another each time that it is opened."""
        return str(self._document.RuntimeUID)

    @property
    def read_only(self) -> bool:
        """Whether it cannot be saved where it is."""
        return bool(self._document.isReadonly())

    def property_text(self, name: str) -> str | None:
        """A custom property of the document."""
        custom = self._document.DocumentProperties.UserDefinedProperties
        known = custom.PropertySetInfo.hasPropertyByName(name)
        return str(custom.getPropertyValue(name)) if known else None

    def set_property_text(self, name: str, text: str) -> None:
        """Set a custom property of the document."""
        custom = self._document.DocumentProperties.UserDefinedProperties
        if custom.PropertySetInfo.hasPropertyByName(name):
            custom.setPropertyValue(name, text)
        else:
            custom.addProperty(name, _REMOVABLE, text)

    def style(self, fill: str, ink: str) -> str:
        """The name of a style with these colours, RRGGBB, and bold letters; it is made where there is none."""
        name, styles = f"SMS {fill} {ink}", self.api.StyleFamilies.getByName("CellStyles")
        if not styles.hasByName(name):
            made = self.api.createInstance("com.sun.star.style.CellStyle")
            styles.insertByName(name, made)
            made.CellBackColor, made.CharColor, made.CharWeight = int(fill, 16), int(ink, 16), _BOLD
        return name


class Sheets(base_classes.Sheets):
    """The sheets of a document."""

    def __init__(self, book: Book) -> None:
        self._book, self._sheets = book, book.api.Sheets

    @property
    def api(self) -> Uno:
        """The container."""
        return self._sheets

    @property
    def active(self) -> Sheet:
        """The one in front."""
        return Sheet(self._book, self._book.api.CurrentController.ActiveSheet)

    def __call__(self, key: object) -> Sheet:
        """The one of a number, from 1, or of a name."""
        if isinstance(key, numbers.Integral):
            return Sheet(self._book, self._sheets.getByIndex(int(key) - 1))
        if not self._sheets.hasByName(key):
            raise KeyError(key)
        return Sheet(self._book, self._sheets.getByName(key))

    def __contains__(self, key: object) -> bool:
        return bool(self._sheets.hasByName(key))

    def __len__(self) -> int:
        return int(self._sheets.Count)

    def __iter__(self) -> Iterator[Sheet]:
        return (self(number) for number in range(1, len(self) + 1))

    def add(self, before: Sheet | None = None, after: Sheet | None = None, name: str | None = None) -> Sheet:
        """A new sheet; its place is the first unless something else is said."""
        at = before.index - 1 if before is not None else after.index if after is not None else 0
        number = len(self) + 1
        while name is None and self._sheets.hasByName(f"Sheet{number}"):
            number += 1
        called = name or f"Sheet{number}"
        self._sheets.insertNewByName(called, at)
        return self(called)


class Names(base_classes.Names):
    """The names of a document."""

    def __init__(self, book: Book) -> None:
        self._book, self._names = book, book.api.NamedRanges

    @property
    def api(self) -> Uno:
        """The container."""
        return self._names

    def __call__(self, key: object) -> "Name":
        """The one of a number, from 1, or of a name."""
        if isinstance(key, numbers.Integral):
            return Name(self._book, self._names.getByIndex(int(key) - 1))
        if not self._names.hasByName(key):
            raise KeyError(key)
        return Name(self._book, self._names.getByName(key))

    def contains(self, key: str) -> bool:
        """Whether there is such a name."""
        return bool(self._names.hasByName(key))

    def __len__(self) -> int:
        return int(self._names.Count)

    def __iter__(self) -> Iterator["Name"]:
        return (self(number) for number in range(1, len(self) + 1))

    def add(self, name: str, refers_to: str) -> "Name":
        """A new name for an area (`=Sheet!$A$1`) or for a constant (`="text"`)."""
        content = refers_to.removeprefix("=")
        if "!" in content and not content.startswith('"'):
            sheet, cell = content.rsplit("!", 1)
            content = f"${sheet}.{cell}"
        origin = uno().createUnoStruct("com.sun.star.table.CellAddress")
        self._names.addNewByName(name, content, origin, 0)
        return self(name)


class Name(base_classes.Name):
    """One name."""

    def __init__(self, book: Book, named: Uno) -> None:
        self._book, self._named = book, named

    @property
    def api(self) -> Uno:
        """The named area."""
        return self._named

    @property
    def name(self) -> str:
        """What it is called."""
        return str(self._named.Name)

    @name.setter
    def name(self, value: str) -> None:
        self._named.Name = value

    @property
    def refers_to(self) -> str:
        """What it stands for."""
        return f"={self._named.Content}"

    @refers_to.setter
    def refers_to(self, value: str) -> None:
        self._named.Content = value.removeprefix("=")

    @property
    def refers_to_range(self) -> "Range":
        """The area that it stands for."""
        area = self._named.ReferredCells.RangeAddress
        return self._book.sheets(area.Sheet + 1).area(area)

    def delete(self) -> None:
        """Take it away."""
        self._book.api.NamedRanges.removeByName(self.name)
