"""An Excel for tests behind the real xlwings, which behaves as badly as the real one: by what its users have reported.

It rejects calls while a cell is edited, answers None to others, puts a block into the wrong rows where a filter hides
some, keeps 15 digits, and takes texts for numbers, dates and formulas where a cell is not of the format "@".
"""

import re
from datetime import datetime
from types import SimpleNamespace

import xlwings as xw
from xlwings import base_classes

REJECTED = -2147418111  # RPC_E_CALL_REJECTED
IN_EDIT_MODE = -2146777998  # 0x800AC472
EXCEPTION = -2147352567  # DISP_E_EXCEPTION
UNTYPED = re.compile(r"[+-]?\d+(\.\d+)?$")
DATED = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})$")
ERRORS = {-2146826246: "#N/A", -2146826281: "#DIV/0!"}


class ComError(Exception):
    """As pywin32 raises it."""

    def __init__(self, hresult, text="", scode=0):
        super().__init__(hresult, "Exception occurred.", (0, "Microsoft Excel", text, None, 0, scode), None)
        self.hresult = hresult


class Engine:
    name, type = "excel", "desktop"

    def __init__(self):
        self.instances = []

    @property
    def apps(self):
        return Apps(self)

    @staticmethod
    def prepare_xl_data_element(value, options):
        return "" if value is None else value

    @staticmethod
    def clean_value_data(data, dates, empty, numbers, err_to_str):
        def clean(value):
            if value in ("", None):
                return empty
            if type(value) is int and value in ERRORS:
                return ERRORS[value] if err_to_str else None
            return value

        return [[clean(value) for value in row] for row in data]


class Apps(base_classes.Apps):
    def __init__(self, engine):
        self.engine = engine

    def keys(self):
        return [app.pid for app in self.engine.instances]

    def __iter__(self):
        return iter(self.engine.instances)

    def __len__(self):
        return len(self.engine.instances)

    def __getitem__(self, pid):
        return next(app for app in self.engine.instances if app.pid == pid)


class App(base_classes.App):
    """One instance. `busy` calls are rejected before the next is let in; `mute` are answered with None."""

    def __init__(self, engine, pid, hwnd):
        self.engine = engine
        self._pid, self._hwnd = pid, hwnd
        self.opened = []
        self.busy = self.mute = 0
        self.meanwhile = {}  # what the user does just before the call of a number
        self.error = ComError(REJECTED)
        self.calls = self.reads = self.writes = 0
        self.settings = {"screen_updating": True, "enable_events": True, "status_bar": False}
        self.selected = None
        self.ended = False

    def call(self):
        """Whether a call gets an answer."""
        self.calls += 1
        self.meanwhile.pop(self.calls, lambda: None)()
        if self.busy:
            self.busy -= 1
            raise self.error
        if self.mute:
            self.mute -= 1
            return False
        return True

    def quit(self):
        self.ended = True

    def kill(self):
        self.ended = True

    pid = property(lambda self: self._pid)
    hwnd = property(lambda self: self._hwnd)
    books = property(lambda self: Books(self))  # noqa: PLW0108
    version = property(lambda self: "16.0")

    @property
    def selection(self):
        return self.selected if isinstance(self.selected, Range) else None


for _name in ("screen_updating", "enable_events", "status_bar"):

    def _get(self, name=_name):
        return self.settings[name]

    def _set(self, value, name=_name):
        self.call()
        self.settings[name] = value

    setattr(App, _name, property(_get, _set))


class Books(base_classes.Books):
    def __init__(self, app):
        self.app = app

    @property
    def active(self):
        raise ComError(EXCEPTION, "ActiveWorkbook")  # Excel 2509: books.active fails

    def __call__(self, key):
        if isinstance(key, int):
            return self.app.opened[key - 1]
        return next(book for book in self.app.opened if book.name == key)

    def __len__(self):
        return len(self.app.opened)

    def __iter__(self):
        return iter(self.app.opened)


class Book(base_classes.Book):
    def __init__(self, app, fullname):
        self._app, self._fullname = app, fullname
        self.pages = []
        self.properties = []
        app.opened.append(self)

    def page(self, name="People"):
        page = Sheet(self, name)
        self.pages.append(page)
        return page

    app = property(lambda self: self._app)
    fullname = property(lambda self: self._fullname)
    name = property(lambda self: re.split(r"[\\/]", self._fullname)[-1])
    sheets = property(lambda self: Sheets(self))  # noqa: PLW0108

    @property
    def api(self):
        return SimpleNamespace(CustomDocumentProperties=self.properties, FullName=self._fullname)


class Sheets(base_classes.Sheets):
    def __init__(self, book):
        self.book = book

    api = property(lambda self: self.book)

    def __call__(self, key):
        if isinstance(key, int):
            return self.book.pages[key - 1]
        return next(page for page in self.book.pages if page.name == key)

    def __len__(self):
        return len(self.book.pages)

    def __iter__(self):
        return iter(self.book.pages)


class Sheet(base_classes.Sheet):
    def __init__(self, book, name):
        self._book, self._name = book, name
        self.cells_ = {}
        self.formulas = {}
        self.formats = {}
        self.hidden = set()
        self.protected_ = False
        self.unlocked = set()
        self.merges = []
        self.filter = None
        self.validations = {}
        self.conditions = {}
        self.names_ = []
        self.widths = {}
        self.hidden_columns = set()

    name = property(lambda self: self._name)
    book = property(lambda self: self._book)
    tables = property(lambda self: [])
    visible = property(lambda self: True)

    @property
    def api(self):
        return SimpleNamespace(
            ProtectContents=self.protected_,
            Names=SimpleNamespace(Add=lambda name, refers_to, visible: self.names_.append((name, refers_to, visible))),
            AutoFilter=SimpleNamespace(Range=SimpleNamespace(Address=self.filter)) if self.filter else None,
        )

    def fill(self, *rows):
        """What somebody types."""
        self.cells_.clear()
        self.formulas.clear()
        for number, row in enumerate(rows, 1):
            for column, value in enumerate(row, 1):
                if value not in (None, ""):
                    self.cells_[number, column] = float(value) if type(value) is int else value

    def sort(self, column, *, down=False):
        """What the user's own sort does with all rows below the headers."""
        last = max(row for row, _ in self.cells_)
        rows = sorted(range(2, last + 1), key=lambda row: str(self.cells_.get((row, column))), reverse=down)
        goes = {old: new for new, old in enumerate(rows, 2)} | {1: 1}
        for held in (self.cells_, self.formulas, self.formats):
            moved = {(goes.get(row, row), at): value for (row, at), value in held.items()}
            held.clear()
            held.update(moved)

    def insert(self, at):
        """What the user does who puts in a row."""
        for held in (self.cells_, self.formulas, self.formats):
            moved = {(row + (row >= at), column): value for (row, column), value in held.items()}
            held.clear()
            held.update(moved)

    def line(self, number, width=12):
        return [self.cells_.get((number, column)) for column in range(1, width + 1)]

    @property
    def used_range(self):
        bottom = max((row for row, _ in self.cells_), default=1)
        right = max((column for _, column in self.cells_), default=1)
        return Range(self, 1, 1, bottom, right)

    def range(self, first, second=None):
        if isinstance(first, tuple) and len(first) == 4:
            row, column, height, width = first
            return Range(self, row, column, row + height - 1, column + width - 1)
        one, other = self._corner(first), self._corner(second or first)
        return Range(self, one[0], one[1], other[0], other[1])

    def _corner(self, place):
        if isinstance(place, Range):
            return place.row, place.column
        if isinstance(place, tuple):
            return place
        letters, digits = re.fullmatch(r"\$?([A-Z]+)\$?(\d+)", place).groups()
        column = 0
        for letter in letters:
            column = column * 26 + ord(letter) - 64
        return int(digits), column


class Range(base_classes.Range):
    def __init__(self, sheet, top, left, bottom, right):
        self._sheet, self._corners = sheet, (top, left, bottom, right)

    sheet = property(lambda self: self._sheet)
    row = property(lambda self: self._corners[0])
    column = property(lambda self: self._corners[1])

    @property
    def shape(self):
        top, left, bottom, right = self._corners
        return bottom - top + 1, right - left + 1

    @property
    def coords(self):
        return (self._sheet, self.row, self.column, *self.shape)

    def __len__(self):
        return self.shape[0] * self.shape[1]

    def __call__(self, row, column=None):
        top, left = self.row + row - 1, self.column + column - 1
        return Range(self._sheet, top, left, top, left)

    @property
    def _rows(self):
        return range(self._corners[0], self._corners[2] + 1)

    @property
    def _columns(self):
        return range(self._corners[1], self._corners[3] + 1)

    @property
    def _cells(self):
        return [(row, column) for row in self._rows for column in self._columns]

    @property
    def api(self):
        locked = {cell not in self._sheet.unlocked for cell in self._cells}
        return SimpleNamespace(
            Locked=locked.pop() if len(locked) == 1 else None,
            Validation=Validation(self),
            FormatConditions=FormatConditions(self),
        )

    @property
    def address(self):
        return f"R{self.row}C{self.column}"

    @property
    def _app(self):
        return self._sheet.book.app

    def _check(self):
        if not self._app.call():
            return False
        if self._sheet.protected_ and any(cell not in self._sheet.unlocked for cell in self._cells):
            raise ComError(EXCEPTION, "The cell or chart you're trying to change is on a protected sheet.", -2146827284)
        return True

    @property
    def raw_value(self):
        self._app.reads += 1
        if not self._app.call():
            return None
        return [[self._sheet.cells_.get((row, column)) for column in self._columns] for row in self._rows]

    @raw_value.setter
    def raw_value(self, value):
        self._app.writes += 1
        if not self._check():
            return
        one = not isinstance(value, list | tuple)
        block = [[value] * len(self._columns)] * len(self._rows) if one else value
        rows = list(self._rows)
        if len(rows) > 1 and set(rows) & self._sheet.hidden:
            # As users of xlwings have reported of filtered rows: the block runs on over those that are seen.
            seen = (row for row in range(rows[0], rows[0] + 2 * len(rows)) if row not in self._sheet.hidden)
            rows = [row for row, _ in zip(seen, rows, strict=False)]
        for row, line in zip(rows, block, strict=False):
            for column, new in zip(self._columns, line, strict=True):
                self._put((row, column), new)

    def _put(self, cell, value):
        sheet = self._sheet
        for top, left, bottom, right in sheet.merges:
            if top <= cell[0] <= bottom and left <= cell[1] <= right and cell != (top, left):
                return
        sheet.formulas.pop(cell, None)
        if value == "":
            sheet.cells_.pop(cell, None)
            return
        if isinstance(value, str) and sheet.formats.get(cell) != "@":
            value = self._as_typed(cell, value)
        elif isinstance(value, datetime):
            sheet.formats.setdefault(cell, "m/d/yyyy")
        elif isinstance(value, int | float) and not isinstance(value, bool):
            value = float(f"{value:.15g}")
        sheet.cells_[cell] = value

    def _as_typed(self, cell, text):
        if text.startswith("="):
            self._sheet.formulas[cell] = text
            return 0.0
        if UNTYPED.match(text):
            return float(f"{float(text):.15g}")
        dated = DATED.match(text)
        if dated:
            month, day, year = map(int, dated.groups())
            self._sheet.formats[cell] = "m/d/yyyy"
            return datetime(year, month, day)  # noqa: DTZ001 - as a cell holds it
        return text.removeprefix("'")

    @property
    def formula(self):
        self._app.reads += 1
        if not self._app.call():
            return None
        sheet = self._sheet
        block = tuple(
            tuple(sheet.formulas.get((row, column), sheet.cells_.get((row, column), "")) for column in self._columns)
            for row in self._rows
        )
        return block[0][0] if len(self) == 1 else block

    def get_special_cells(self, cell_type, value_type):
        self._app.reads += 1
        self._app.call()
        areas, first = [], None
        for row in [*self._rows, self._corners[2] + 2]:
            seen = row in self._rows and row not in self._sheet.hidden
            if seen and first is None:
                first = row
            elif not seen and first is not None:
                last = row - 1 if row in self._rows else self._corners[2]
                areas.append(Range(self._sheet, first, self._corners[1], last, self._corners[3]))
                first = None
        return areas

    @property
    def merge_cells(self):
        def inside(cell):
            return any(t <= cell[0] <= b and left <= cell[1] <= r for t, left, b, r in self._sheet.merges)

        found = {inside(cell) for cell in self._cells}
        return found.pop() if len(found) == 1 else None

    @property
    def number_format(self):
        self._app.reads += 1
        self._app.call()
        codes = {self._sheet.formats.get(cell, "General") for cell in self._cells}
        return codes.pop() if len(codes) == 1 else None

    @number_format.setter
    def number_format(self, value):
        self._app.writes += 1
        if self._check():
            for cell in self._cells:
                self._sheet.formats[cell] = value

    @property
    def font(self):
        return SimpleNamespace(bold=False, color=None)

    wrap_text = None

    @property
    def column_width(self):
        return self._sheet.widths.get(self.column)

    @column_width.setter
    def column_width(self, value):
        if self._check():
            self._sheet.widths |= dict.fromkeys(self._columns, value)

    @property
    def column_hidden(self):
        return set(self._columns) <= self._sheet.hidden_columns

    @column_hidden.setter
    def column_hidden(self, value):
        if self._check():
            change = self._sheet.hidden_columns.update if value else self._sheet.hidden_columns.difference_update
            change(self._columns)

    @property
    def color(self):
        return None


class Validation:
    """That of a range. As in Excel, one that is not there has no kind to ask for, and a second one is refused."""

    _KEPT = frozenset({"IgnoreBlank", "ShowError", "InputTitle", "InputMessage"})

    def __init__(self, cells):
        object.__setattr__(self, "_cells", cells)

    def _there(self):
        found = self._cells._sheet.validations.get(self._cells._corners)
        if found is None:
            raise ComError(EXCEPTION, "Application-defined or object-defined error", -2146827284)
        return found

    @property
    def Type(self):  # noqa: N802 - as COM has it
        return self._there()["Type"]

    def Add(self, kind, alert, operator, formula):  # noqa: N802 - same
        if self._cells._corners in self._cells._sheet.validations:
            raise ComError(EXCEPTION, "Application-defined or object-defined error", -2146827284)
        self._cells._sheet.validations[self._cells._corners] = {
            "Type": kind, "AlertStyle": alert, "Operator": operator, "Formula1": formula,
        }  # fmt: skip

    def __setattr__(self, name, value):
        if name not in self._KEPT or not isinstance(value, bool if name in {"IgnoreBlank", "ShowError"} else str):
            raise AttributeError(name)
        if isinstance(value, str) and len(value) > (32 if name == "InputTitle" else 255):
            raise ComError(EXCEPTION, "The text is too long", -2146827284)
        self._there()[name] = value


class FormatConditions:
    """Those of a range."""

    def __init__(self, cells):
        self._all, self._corners = cells._sheet.conditions, cells._corners

    @property
    def Count(self):  # noqa: N802 - as COM has it
        return len(self._all.get(self._corners, []))

    def Add(self, kind, operator, formula):  # noqa: N802 - same
        found = self._all.setdefault(self._corners, [])
        found.append(
            SimpleNamespace(
                Type=kind, Operator=operator, Formula1=formula, Interior=SimpleNamespace(Color=None),
                Font=SimpleNamespace(Color=None, Bold=None),
            )
        )  # fmt: skip
        return found[-1]


class Excel:
    """What a test starts: instances, workbooks and sheets."""

    def __init__(self):
        self.engine = Engine()
        self._registered = xw.Engine(impl=self.engine)
        self._before = xw.engines.active
        xw.engines.add(self._registered)
        xw.engines.active = self._registered

    def start(self, hwnd=100):
        app = App(self.engine, pid=1000 + len(self.engine.instances), hwnd=hwnd)
        self.engine.instances.append(app)
        return app

    def end(self):
        xw.engines.engines.remove(self._registered)
        xw.engines.engines_by_name.pop("excel", None)
        xw.engines.active = self._before
        assert not any(app.ended for app in self.engine.instances), "an Excel was ended"
