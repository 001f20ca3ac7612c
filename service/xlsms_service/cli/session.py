"""One run of the command line: its settings, its two consoles, and how it ends."""

import json
import os
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from pathlib import Path

import typer
from rich.console import Console

from xlsms.errors import UserError, XlsmsError
from xlsms_service.app.logbook import trace
from xlsms_service.cli.words import language, shown
from xlsms_service.config import Settings

__all__ = ["Ending", "Session", "ending_of", "is_attended", "session_of"]

_PIPED = 200  #: width of tables that go into a file or another program


class Ending(IntEnum):
    """Exit codes; the same for every command."""

    DONE = 0
    SOME_NOT = 1  #: some rows could not go
    WRONG_USE = 2
    NOT_REACHED = 3  #: the service or a link could not be reached


#: Codes that begin so mean that a network, or the service, could not be reached, or would not have us.
_LINK = ("smsc-", "link-", "no-link", "service-not-")
_OURS = ("smsc-ca-unusable", "smsc-cannot-carry")  # but these are mended in the settings or the sheet


def ending_of(error: XlsmsError) -> Ending:
    """How a command ends that this error has stopped."""
    if error.code.startswith(_LINK) and error.code not in _OURS:
        return Ending.NOT_REACHED
    return Ending.WRONG_USE if isinstance(error, UserError) else Ending.SOME_NOT


@dataclass(slots=True)
class Session:
    """What every command is given."""

    loaded: Settings | XlsmsError
    out: Console = field(default_factory=lambda: console(stderr=False))
    err: Console = field(default_factory=lambda: console(stderr=True))

    told: bool = False  #: whether figures were printed

    @property
    def settings(self) -> Settings:
        """The settings; raises what is wrong with them only when a command needs them."""
        if isinstance(self.loaded, XlsmsError):
            raise self.loaded
        return self.loaded

    def say(self, text: str, style: str = "") -> None:
        """One paragraph for people."""
        self.out.print(shown(text), style=style, markup=False, highlight=False, soft_wrap=True)

    def complain(self, error: XlsmsError) -> None:
        """One line on stderr."""
        self.err.print(shown(error.line(language())), style="red", markup=False, highlight=False, soft_wrap=True)

    def json(self, figures: Mapping[str, object]) -> None:
        """Figures for programs."""
        self.told = True
        sys.stdout.write(json.dumps(figures, ensure_ascii=False, indent=2, default=str) + "\n")

    def json_line(self, figures: Mapping[str, object]) -> None:
        """One line of figures, at once."""
        self.told = True
        sys.stdout.write(json.dumps(figures, ensure_ascii=False, default=str) + "\n")
        sys.stdout.flush()

    def end(self, ending: Ending) -> None:
        """Leave with this exit code."""
        if ending:
            raise typer.Exit(int(ending))

    def log_folder(self) -> Path:
        """Where the traceback of a surprise is kept."""
        if isinstance(self.loaded, Settings):
            return self.loaded.service.data
        return Path(tempfile.gettempdir())

    def _texts(self) -> bool:
        return isinstance(self.loaded, Settings) and self.loaded.service.log_texts

    def surprise(self, error: BaseException) -> UserError:
        """What to say about it; the traceback goes into a file."""
        text = f"{datetime.now().astimezone():%Y-%m-%d %H:%M:%S%z}\n{trace(error, texts=self._texts())}\n"
        for folder in (self.log_folder(), Path(tempfile.gettempdir())):
            try:
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
                log = folder / "xlsms-errors.log"
                with os.fdopen(
                    os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a", encoding="utf-8"
                ) as file:
                    file.write(text)
            except OSError:
                continue
            return UserError("unexpected", reason=type(error).__name__, file=log)
        return UserError("unexpected", reason=type(error).__name__, file="–")


def is_attended() -> bool:
    """Whether somebody sits there who can be asked; standard input may be closed."""
    return sys.stdin is not None and sys.stdin.isatty()


def console(*, stderr: bool) -> Console:
    """A console that never fails on a character, and does not fold tables that go elsewhere."""
    stream = sys.stderr if stderr else sys.stdout
    if hasattr(stream, "reconfigure"):
        stream.reconfigure(errors="replace")
    made = Console(stderr=stderr, highlight=False, emoji=False)
    if not made.is_terminal and "COLUMNS" not in os.environ:
        made = Console(stderr=stderr, highlight=False, emoji=False, width=_PIPED)
    return made


def session_of(context: typer.Context) -> Session:
    """The session that the command line was started with."""
    session = context.obj
    if not isinstance(session, Session):
        raise TypeError("a command outside a session")
    return session
