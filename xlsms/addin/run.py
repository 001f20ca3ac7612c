"""From the request to the command that does it; whatever goes wrong ends in one message for the user."""

import os
import tempfile
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from xlsms.addin.invocation import Invocation, invocation
from xlsms.addin.notice import show
from xlsms.addin.verb import BUTTONS, Verb
from xlsms.errors import UserError, XlsmsError

__all__ = ["Commands", "run"]


class Commands(Protocol):
    """The module that does the work, so that a test can put another in its place."""

    COMMANDS: Mapping[Verb, Callable[[Invocation], None]]

    @staticmethod
    def complain(request: Invocation, error: XlsmsError) -> None:
        """Tell the user, in the language of his Excel."""


def run(
    arguments: Sequence[str],
    environment: Mapping[str, str],
    commands: Commands | None = None,
    tell: Callable[[str], object] = show,
) -> int:
    """Do what was asked; 0 done, 1 the user was told why not, 2 the launcher and this program do not fit together.

    There is no terminal: nothing is printed, and no error leaves.
    """
    try:
        request = invocation(arguments, environment)
    except XlsmsError:
        _log(traceback.format_exc())
        return 2
    chosen = commands
    try:
        chosen = chosen or _commands()
        chosen.COMMANDS[request.verb](request)
    except XlsmsError as error:
        return _told(chosen, request, error, tell)
    except Exception as error:  # noqa: BLE001 (the last resort: the user gets a line, the file the rest)
        log = _log(traceback.format_exc())
        surprise = UserError("unexpected", reason=type(error).__name__, file=log or "–")
        return _told(chosen, request, surprise, tell)
    return 0


def _commands() -> Commands:
    """Imported when a request can be understood: it brings xlwings and the client along."""
    return cast(Commands, import_module("xlsms.addin.commands"))


def _told(commands: Commands | None, request: Invocation, error: XlsmsError, tell: Callable[[str], object]) -> int:
    try:
        if commands is None:
            raise error  # noqa: TRY301 (the commands could not even be loaded)
        commands.complain(request, error)
    except Exception:  # noqa: BLE001 (Excel may have gone: then the system itself has to tell)
        _log(f"{error.line()}\n{traceback.format_exc()}")
        if request.verb in BUTTONS:  # else nobody has asked for anything
            tell(error.line(request.language))
    return 1


def _log(text: str) -> Path | None:
    """Keep a traceback where only the user can read it."""
    for place in _places():
        log = place / "xlsms-addin.log"
        with suppress(OSError):
            place.mkdir(parents=True, exist_ok=True, mode=0o700)
            with os.fdopen(os.open(log, _APPENDING, 0o600), "a", encoding="utf-8") as file:
                file.write(f"{datetime.now().astimezone():%Y-%m-%d %H:%M:%S%z}\n{text}\n")
            return log
    return None


#: Never through a link that somebody else has left there.
_APPENDING = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0)


def _places() -> Iterator[Path]:
    """Where the log may be: beside that of the service; the folder for temporary files may be everybody's."""
    data: Path | None = None
    with suppress(Exception):  # also of an installation that is broken something has to be kept
        home = import_module("xlsms.home")
        data = home.data_folder_of(home.config_path())
    if data is not None:
        yield data
    yield Path(tempfile.gettempdir())
