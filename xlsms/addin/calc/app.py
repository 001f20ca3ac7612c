"""LibreOffice as an application, and the spreadsheets that it has open."""

import numbers
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from xlwings import base_classes

from xlsms.addin.calc import dialog
from xlsms.addin.calc.book import Book
from xlsms.addin.calc.cells import Range
from xlsms.addin.calc.guard import Guard
from xlsms.addin.calc.link import Link, Uno, uno
from xlsms.addin.commands.box import Box, Choice

if TYPE_CHECKING:
    from xlsms.addin.calc.engine import Engine

__all__ = ["App", "Books"]

_ANSWERS = {1: "ok", 0: "cancel", 2: "yes", 3: "no"}
_BUTTONS = {"ok": 1, "ok_cancel": 2, "yes_no": 3, "yes_no_cancel": 4}
_STATUS: dict[str, tuple[str, Uno]] = {}  # the texts shown, by connection: an indicator ends only by its own hand


class App(base_classes.App):
    """The one LibreOffice behind a link. It is never started, ended or made visible from here."""

    def __init__(self, engine: "Engine") -> None:
        self.engine = engine

    @property
    def link(self) -> Link:
        """The way to it."""
        return self.engine.link

    @property
    def guard(self) -> Guard:
        """What counts the calls."""
        return self.engine.guard

    @property
    def api(self) -> Uno:
        """The desktop."""
        return self.link.desktop

    @property
    def books(self) -> "Books":
        """The open spreadsheets."""
        return Books(self)

    @property
    def pid(self) -> int:
        """A number that stands for it."""
        return 1

    @property
    def hwnd(self) -> int:
        """No window handle: they mean nothing outside Windows."""
        return 0

    @property
    def version(self) -> str:
        """That of an Excel with the same abilities, as xlwings compares it."""
        return "16.0"

    # What Excel is asked to leave off while cells are written has no like here, or none that is needed.

    @property
    def screen_updating(self) -> bool:
        """Whether every document shows its changes at once."""
        return not any(document.hasControllersLocked() for document in self.link.documents())

    @screen_updating.setter
    def screen_updating(self, value: bool) -> None:
        for document in self.link.documents():
            if value and document.hasControllersLocked():
                document.unlockControllers()
            elif not value:
                document.lockControllers()

    @property
    def display_alerts(self) -> bool:
        """Never: nothing done over the bridge asks back."""
        return False

    @display_alerts.setter
    def display_alerts(self, value: bool) -> None:
        pass

    @property
    def enable_events(self) -> bool:
        """Always: a macro of the user that hears of changes cannot be kept from it."""
        return True

    @enable_events.setter
    def enable_events(self, value: bool) -> None:
        pass

    @property
    def status_bar(self) -> str | bool:
        """The text shown at the bottom; False when it is the office's own."""
        shown = _STATUS.get(self.link.address)
        return shown[0] if shown else False

    @status_bar.setter
    def status_bar(self, value: str | bool) -> None:
        old = _STATUS.pop(self.link.address, None)
        if old is not None:
            old[1].end()
        frame = self.api.CurrentFrame
        if isinstance(value, str) and frame is not None:
            indicator = frame.createStatusIndicator()
            indicator.start(value, 1)
            _STATUS[self.link.address] = value, indicator

    @property
    def selection(self) -> Range | None:
        """The selected cells of the active document, the first area of several; None for a chart or a picture."""
        controller = getattr(self.api.CurrentComponent, "CurrentController", None)
        selected = getattr(controller, "Selection", None)
        if selected is not None and hasattr(selected, "RangeAddresses"):
            selected = selected.getByIndex(0) if selected.Count else None
        if selected is None or not hasattr(selected, "RangeAddress"):
            return None
        area = selected.RangeAddress
        book = Book(self, self.api.CurrentComponent)
        return book.sheets(area.Sheet + 1).area(area)

    def calculate(self) -> None:
        """Calculate every open document."""
        for document in self.link.documents():
            document.calculateAll()

    def activate(self, steal_focus: bool = False) -> None:  # noqa: FBT001, FBT002 - as xlwings calls it
        """Bring its window to the front."""
        frame = self.api.CurrentFrame
        if steal_focus and frame is not None:
            frame.ContainerWindow.toFront()

    def alert(self, prompt: str, title: str | None, buttons: str, mode: str | None, _: object) -> str | None:
        """Show a text in a box, wait for a button, and tell which it was."""
        frame = self.link.frame()
        if frame is None:
            return None
        window = frame.ContainerWindow
        kind = uno().Enum("com.sun.star.awt.MessageBoxType", "ERRORBOX" if mode == "critical" else "MESSAGEBOX")
        box = window.Toolkit.createMessageBox(window, kind, _BUTTONS.get(buttons, 1), title or "xlsms", prompt)
        answer = _ANSWERS.get(box.execute(), "cancel")
        box.dispose()
        return answer

    def look(self, box: Box) -> Choice | None:
        """Show the preview of a small plan in a dialog, and wait for what the user does; None without a screen."""
        return dialog.show(self.link, box)


class Books(base_classes.Books):
    """The open spreadsheets."""

    def __init__(self, app: App) -> None:
        self.app = app

    @property
    def api(self) -> Uno:
        """The desktop."""
        return self.app.api

    @property
    def active(self) -> Book:
        """The one in front."""
        document = self.app.api.CurrentComponent
        if document is not None and document in list(self.app.link.documents()):
            return Book(self.app, document)
        return next(iter(self))

    def __call__(self, key: object) -> Book:
        """The one of a number, from 1, or of a name."""
        books = list(self)
        if isinstance(key, numbers.Integral):
            return books[int(key) - 1]
        for book in books:
            if book.name.casefold() == str(key).casefold():
                return book
        raise KeyError(key)

    def __len__(self) -> int:
        return len(list(self.app.link.documents()))

    def __iter__(self) -> Iterator[Book]:
        return (Book(self.app, document) for document in self.app.link.documents())

    def add(self) -> Book:
        """A new spreadsheet."""
        return Book(self.app, self.app.api.loadComponentFromURL("private:factory/scalc", "_blank", 0, ()))

    def open(self, fullname: str, *_: object, **__: object) -> Book:
        """Open a file.

        Raises:
            OSError: it cannot be opened.
        """
        url = uno().systemPathToFileUrl(os.path.abspath(fullname))  # noqa: PTH100 - a link stays one
        document = self.app.api.loadComponentFromURL(url, "_blank", 0, ())
        if document is None:
            raise OSError(f"LibreOffice could not open {fullname}")
        return Book(self.app, document)
