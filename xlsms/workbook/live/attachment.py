"""Which open workbook is meant: found anew for each action, by window and exact name. No reference to it is kept.

A reference that is held keeps Excel alive after its last window has closed.
"""

import atexit
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

import xlwings as xw

from xlsms.errors import UserError
from xlsms.workbook.live.patience import is_busy

__all__ = ["Attachment", "tame"]


def tame() -> None:
    """Keep xlwings from what it does by itself.

    At exit it would end every Excel that it cannot see (one with only a protected view, say), and it would repeat a
    rejected call for ever without a pause; we wait ourselves.
    """
    for name in ("xlwings._xlwindows", "xlwings._xlmac"):
        module = sys.modules.get(name)
        if module is not None:
            atexit.unregister(module.cleanup)
            if hasattr(module, "N_COM_ATTEMPTS"):
                setattr(module, "N_COM_ATTEMPTS", 1)  # noqa: B010 - only the module for Windows has it


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """An open workbook by its full name (a path; a URL where it lies in the cloud) and the window it is in."""

    fullname: str
    window: int | None = None  #: handle of the program's window, on Windows

    @property
    def name(self) -> str:
        """The workbook's name as the list of open ones shows it."""
        if "://" in self.fullname:
            return unquote(urlsplit(self.fullname).path).rpartition("/")[2]
        return self.fullname.replace("\\", "/").rpartition("/")[2]

    def book(self) -> xw.Book:
        """The workbook, looked for among all open ones.

        Raises:
            UserError: `excel-not-running`; `no-workbook-open`; `workbook-not-open`; `workbook-open-twice` where two
                instances have it open and the window does not say which is meant.
        """
        tame()
        apps = list(_apps())
        if not apps:
            raise UserError("excel-not-running")
        here = [app for app in apps if self.window is None or app.hwnd == self.window] or apps
        found = [book for app in here for book in app.books if self._is(book)]
        if not found and len(here) < len(apps):
            found = [book for app in apps for book in app.books if self._is(book)]
        if len(found) == 1:
            return found[0]
        if found:
            raise UserError("workbook-open-twice", book=self.name)
        if not any(len(app.books) for app in apps):
            raise UserError("no-workbook-open")
        raise UserError("workbook-not-open", book=self.name)

    def _is(self, book: xw.Book) -> bool:
        if book.name.casefold() != self.name.casefold():
            return False
        return _alike(_fullname(book), self.fullname)


def _apps() -> Iterator[xw.App]:
    """The instances that answer; xlwings has none at all without an engine."""
    if not len(xw.engines):
        return
    yield from xw.apps


def _fullname(book: xw.Book) -> str:
    """The full name as the program has it; xlwings' own may look for a synchronised folder and fail."""
    try:
        return str(book.fullname)
    except Exception as error:
        if is_busy(error):
            raise
        return str(book.api.FullName)


def _alike(one: str, other: str) -> bool:
    if one == other:
        return True
    if "://" in one or "://" in other:
        return unquote(one).casefold() == unquote(other).casefold()
    # of Windows both, elsewhere only links matter
    return os.path.normcase(os.path.realpath(one)) == os.path.normcase(os.path.realpath(other))
