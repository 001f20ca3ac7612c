"""LibreOffice Calc at work: a process of its own that does what it is told in JSON lines, one answer a line.

Run by the Python that has LibreOffice's `uno` module, not by the one that runs the tests. It starts a headless
`soffice` with a profile of its own, and ends it when its input ends.
"""

import contextlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import uno
from com.sun.star.accessibility.AccessibleRole import ALERT, PUSH_BUTTON
from com.sun.star.beans import PropertyValue
from com.sun.star.connection import NoConnectException
from com.sun.star.lang import IndexOutOfBoundsException
from com.sun.star.sheet.DataPilotFieldOrientation import DATA, ROW
from com.sun.star.sheet.FillDirection import TO_BOTTOM
from com.sun.star.sheet.FilterOperator import EQUAL
from com.sun.star.sheet.GeneralFunction import COUNT
from com.sun.star.table import CellAddress
from com.sun.star.uno import RuntimeException
from com.sun.star.util import CloseVetoException

FILTERS = {
    ".xlsx": "Calc MS Excel 2007 XML",
    ".xlsm": "Calc MS Excel 2007 VBA XML",
    ".xls": "MS Excel 97",
    ".ods": "calc8",
    ".csv": "Text - txt - csv (StarCalc)",
}


def properties(**values):
    return tuple(PropertyValue(name, 0, value, 0) for name, value in values.items())


#: So that saving as .xlsx is not asked about.
QUIET = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry" xmlns:xs="http://www.w3.org/2001/XMLSchema"
 xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><item oor:path="/org.openoffice.Office.Common/Save/Document">
<prop oor:name="WarnAlienFormat" oor:op="fuse"><value>false</value></prop></item></oor:items>
"""


class Calc:
    """The commands; each names a sheet of the open document by its place, counted from 0."""

    def __init__(self, profile, *, boxes=False):
        """With `boxes`, message boxes are shown, on a screen that is memory only; headless, they cancel themselves."""
        if boxes:
            user = Path(profile) / "user"
            user.mkdir(parents=True, exist_ok=True)
            (user / "registrymodifications.xcu").write_text(QUIET, "utf-8")
        self.pipe = pipe = f"xlsms{Path(profile).resolve().name}{time.time_ns()}"
        self.office = subprocess.Popen(
            [
                "soffice", *([] if boxes else ["--headless", "--invisible"]), "--norestore", "--nologo", "--nodefault",
                f"-env:UserInstallation={Path(profile).as_uri()}", f"--accept=pipe,name={pipe};urp;",
            ],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            env={
                **os.environ,
                "XLSMS_OFFICE": f"pipe,name={pipe}",  # for what a macro starts
                **({"SAL_USE_VCLPLUGIN": "svp"} if boxes else {}),
            },
        )  # fmt: skip
        context = uno.getComponentContext()
        resolver = context.ServiceManager.createInstanceWithContext("com.sun.star.bridge.UnoUrlResolver", context)
        deadline = time.monotonic() + 90
        while True:
            try:
                remote = resolver.resolve(f"uno:pipe,name={pipe};urp;StarOffice.ComponentContext")
                break
            except NoConnectException:
                if time.monotonic() > deadline or self.office.poll() is not None:
                    raise
                time.sleep(0.1)
        self.desktop = remote.ServiceManager.createInstanceWithContext("com.sun.star.frame.Desktop", remote)
        self.toolkit = remote.ServiceManager.createInstanceWithContext("com.sun.star.awt.Toolkit", remote)
        self.document = None
        self.addin = None

    def _box(self):
        """What the message box on the screen consists of, by whether it is a button and by its name; empty without one."""
        with contextlib.suppress(IndexOutOfBoundsException, RuntimeException):  # it is just coming or going
            for at in range(self.toolkit.TopWindowCount):
                window = self.toolkit.getTopWindow(at)
                box = window.AccessibleContext if window is not None and window.isVisible() else None
                if box is not None and box.AccessibleRole == ALERT:
                    parts = [box.getAccessibleChild(at).AccessibleContext for at in range(box.AccessibleChildCount)]
                    return {(part.AccessibleRole == PUSH_BUTTON, part.AccessibleName): part for part in parts}
        return {}

    def box(self):
        """What the message box on the screen says."""
        return "\n".join(name for button, name in self._box() if not button)

    def press(self, button):
        """Press a button of the message box, as assistive technology does."""
        self._box()[True, button].doAccessibleAction(0)

    def quit(self):
        with contextlib.suppress(Exception):  # the answer is cut off when the office goes
            self.desktop.terminate()
        self.office.wait(120)

    def open(self, path):
        url = uno.systemPathToFileUrl(path)
        # 0: macros are loaded and never run
        self.document = self.desktop.loadComponentFromURL(
            url, "_blank", 0, properties(Hidden=True, MacroExecutionMode=0)
        )
        if self.document is None or self.document.isReadonly():
            raise OSError(f"{path} cannot be edited")

    def new(self):
        self.document = self.desktop.loadComponentFromURL("private:factory/scalc", "_blank", 0, properties(Hidden=True))

    def show(self, path):
        """Open a document as a user does: it becomes the active one."""
        self.document = self.desktop.loadComponentFromURL(uno.systemPathToFileUrl(path), "_blank", 0, ())
        self.document.CurrentController.Frame.activate()

    def select(self, place, sheet=0):
        """Select cells as a user does; several areas are parted by commas."""
        areas = self.document.createInstance("com.sun.star.sheet.SheetCellRanges")
        for one in place.split(","):
            areas.addRangeAddress(self._cells(one, sheet).RangeAddress, False)
        self.document.CurrentController.select(areas if "," in place else self._cells(place, sheet))

    def select_shape(self, sheet=0):
        """Draw a rectangle and select it."""
        shape = self.document.createInstance("com.sun.star.drawing.RectangleShape")
        self.document.Sheets.getByIndex(sheet).DrawPage.add(shape)
        self.document.CurrentController.select(shape)

    def address(self):
        """Where another process finds this LibreOffice."""
        return f"uno:pipe,name={self.pipe};urp;StarOffice.ComponentContext"

    def load_addin(self, path):
        """Open an add-in as Excel does: out of sight, with its macros. The names of its modules."""
        url = uno.systemPathToFileUrl(path)
        kind = FILTERS[".xlsm"]  # LibreOffice knows no add-ins of this format by themselves
        self.addin = self.desktop.loadComponentFromURL(
            url, "_blank", 0, properties(Hidden=True, MacroExecutionMode=4, FilterName=kind)
        )
        return self.addin.BasicLibraries.getByName("XlsmsAddIn").getElementNames()

    def run(self, macro, arguments=()):
        """What a function of the add-in returns. LibreOffice says nothing when it cannot be run: look at its effect."""
        script = f"vnd.sun.star.script:XlsmsAddIn.{macro}?language=Basic&location=document"
        return self.addin.getScriptProvider().getScript(script).invoke(tuple(arguments), (), ())[0]

    def document_gone(self):
        """A macro has closed the document."""
        self.document = None

    def unload_addin(self):
        if self.addin is not None:
            self.addin.close(True)
            self.addin = None

    def save(self, path=None, **more):
        if path is None:
            self.document.store()
        else:
            kind = FILTERS[Path(path).suffix]
            self.document.storeAsURL(uno.systemPathToFileUrl(path), properties(FilterName=kind, **more))

    def close(self):
        deadline = time.monotonic() + 120
        while self.document is not None:
            try:
                self.document.close(True)
                self.document = None
            except CloseVetoException:  # something is still at work in it
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

    def _cells(self, place, sheet):
        return self.document.Sheets.getByIndex(sheet).getCellRangeByName(place)

    def read(self, sheet=0):
        """All cells in use, as shown."""
        page = self.document.Sheets.getByIndex(sheet)
        cursor = page.createCursor()
        cursor.gotoEndOfUsedArea(False)
        end = cursor.RangeAddress
        return [
            [page.getCellByPosition(column, row).String for column in range(end.EndColumn + 1)]
            for row in range(end.EndRow + 1)
        ]

    def write(self, place, rows, sheet=0):
        self._cells(place, sheet).setDataArray(tuple(map(tuple, rows)))

    def write_formula(self, place, formula, sheet=0):
        self._cells(place, sheet).Formula = formula

    def recalculate(self):
        self.document.calculateAll()

    def sort(self, place, field, *, descending=False, sheet=0):
        """Sort rows by the column at `field`, counted from 0; the first row is a header."""
        key = uno.createUnoStruct("com.sun.star.table.TableSortField")
        key.Field, key.IsAscending = field, not descending
        fields = uno.Any("[]com.sun.star.table.TableSortField", (key,))
        settings = [*properties(ContainsHeader=True), PropertyValue("SortFields", 0, fields, 0)]
        self._cells(place, sheet).sort(tuple(settings))

    def insert_rows(self, at, count=1, sheet=0):
        self.document.Sheets.getByIndex(sheet).Rows.insertByIndex(at - 1, count)

    def delete_rows(self, at, count=1, sheet=0):
        self.document.Sheets.getByIndex(sheet).Rows.removeByIndex(at - 1, count)

    def hide_rows(self, first, last, sheet=0):
        rows = self.document.Sheets.getByIndex(sheet).Rows
        for number in range(first - 1, last):
            rows.getByIndex(number).IsVisible = False

    def filter(self, place, field, value, sheet=0):
        """Filter rows by the text in the column at `field`, counted from 0; the first row is a header."""
        area = self._cells(place, sheet)
        wanted = uno.createUnoStruct("com.sun.star.sheet.TableFilterField")
        wanted.Field, wanted.Operator, wanted.IsNumeric, wanted.StringValue = field, EQUAL, False, value
        descriptor = area.createFilterDescriptor(True)
        descriptor.ContainsHeader = True
        descriptor.setFilterFields((wanted,))
        area.filter(descriptor)

    def fill_down(self, place, source=1, sheet=0):
        """Drag the first `source` rows of an area down over the rest of it."""
        self._cells(place, sheet).fillAuto(TO_BOTTOM, source)

    def copy(self, place, to, sheet=0):
        page = self.document.Sheets.getByIndex(sheet)
        target = page.getCellRangeByName(to).RangeAddress
        corner = CellAddress(target.Sheet, target.StartColumn, target.StartRow)
        page.copyRange(corner, page.getCellRangeByName(place).RangeAddress)

    def insert_columns(self, at, count=1, sheet=0):
        self.document.Sheets.getByIndex(sheet).Columns.insertByIndex(at, count)

    def move(self, place, to, sheet=0):
        """Cut and paste."""
        page = self.document.Sheets.getByIndex(sheet)
        target = page.getCellRangeByName(to).RangeAddress
        corner = CellAddress(target.Sheet, target.StartColumn, target.StartRow)
        page.moveRange(corner, page.getCellRangeByName(place).RangeAddress)

    def rename_sheet(self, name, sheet=0):
        self.document.Sheets.getByIndex(sheet).Name = name

    def pivot(self, place, field, count, to, sheet=0):
        """A pivot table on sheet `to`: how many of `count` for each `field`."""
        page = self.document.Sheets.getByIndex(to)
        tables = page.DataPilotTables
        descriptor = tables.createDataPilotDescriptor()
        descriptor.setSourceRange(self._cells(place, sheet).RangeAddress)
        fields = descriptor.DataPilotFields
        fields.getByName(field).Orientation = ROW
        counted = fields.getByName(count)
        counted.Orientation, counted.Function = DATA, COUNT
        tables.insertNewByName("Pivot", CellAddress(to, 0, 2), descriptor)


def _say(answer):
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def main():
    calc = Calc(sys.argv[1], boxes="boxes" in sys.argv)
    try:
        _say({"result": "ready"})
        for line in sys.stdin:
            command, arguments = json.loads(line)
            try:
                answer = {"result": getattr(calc, command)(**arguments)}
            except Exception as error:  # noqa: BLE001 - the test that asked is told
                answer = {"error": f"{type(error).__name__}: {error}"}
            _say(answer)
    finally:
        calc.quit()


if __name__ == "__main__":
    main()
