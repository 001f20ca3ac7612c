"""How a command speaks to the user: boxes of the spreadsheet program, its status bar, and pages in the browser.

What it says may hold names and texts of others: what is hidden in them is shown.
"""

import webbrowser
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import xlwings as xw

from xlsms.addin import window
from xlsms.addin.commands.box import Box, Choice
from xlsms.addin.editor import edit
from xlsms.errors import XlsmsError
from xlsms.text.visible import visible
from xlsms.workbook.base import Language

__all__ = ["TITLE", "AppVoice", "Voice", "complaint"]

TITLE = "SMS"


def complaint(error: XlsmsError, language: Language) -> str:
    """What is wrong, where, and what to do, for a box. The name of a file stays as it is written."""
    place = f"{error.place}: " if error.place and str(error.place) else ""
    message, advice = error.message(language), error.advice(language)
    parts = [
        f"{place}{message}" if place else _upper(message),
        *([_upper(advice)] if advice else []),
        f"[{error.code}]",
    ]
    return "\n\n".join(parts)


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]


class Voice(Protocol):
    """What a command needs of the user's attention; tests listen to it."""

    def say(self, text: str) -> None:
        """Tell something that is well."""

    def warn(self, text: str) -> None:
        """Tell something that is wrong."""

    def ask(self, text: str) -> bool:
        """Ask for yes or no; no answer is a no."""

    def look(self, box: Box) -> Choice | None:
        """Show a small plan and wait for what the user does; None where no dialog can be shown."""

    def show(self, address: str) -> None:
        """Open a page."""

    def edit(self, path: Path) -> None:
        """Open a text file in an editor."""

    def status(self, text: str | None) -> None:
        """Show how far it is; None gives the status bar back."""


class AppVoice:
    """The program that asked, or, where it is gone, nobody."""

    def __init__(self, app: xw.App | None) -> None:
        self._app = app

    def say(self, text: str) -> None:
        """See `Voice.say`."""
        self._alert(text, "info")

    def warn(self, text: str) -> None:
        """See `Voice.warn`."""
        self._alert(text, "critical")

    def _alert(self, text: str, mode: str) -> None:
        if self._app is not None:
            self._app.alert(visible(text), title=TITLE, mode=mode)

    def ask(self, text: str) -> bool:
        """See `Voice.ask`."""
        return self._app is not None and self._app.alert(visible(text), title=TITLE, buttons="yes_no") == "yes"

    def look(self, box: Box) -> Choice | None:
        """See `Voice.look`."""
        if self._app is None:
            return None
        own = getattr(self._app.impl, "look", None)  # Calc has dialogs of its own
        choice: Choice | None = own(box) if own is not None else window.show(box)
        return choice

    def show(self, address: str) -> None:
        """See `Voice.show`."""
        webbrowser.open(address)

    def edit(self, path: Path) -> None:
        """See `Voice.edit`."""
        edit(path)

    def status(self, text: str | None) -> None:
        """See `Voice.status`."""
        if self._app is not None:
            with suppress(Exception):  # a program that is busy shows it in the next step
                self._app.status_bar = False if text is None else visible(text)
