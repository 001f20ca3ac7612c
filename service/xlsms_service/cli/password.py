"""The password of a workbook that asks for one to open: from the environment, or typed."""

import os
from pathlib import Path

import typer

from xlsms.errors import UserError, XlsmsError
from xlsms.workbook.opening import FileWorkbook
from xlsms_service.cli.session import is_attended
from xlsms_service.cli.words import tr
from xlsms_service.config import Settings

__all__ = ["password_of", "passwords"]


def passwords(settings: Settings, file: Path, given: str | None) -> list[str]:
    """The passwords to try on a file: the one that was given, then those of the settings."""
    path = file.absolute()
    watched = [watch.password.reveal() for watch in settings.watches if watch.password and watch.holds(path)]
    return ([given] if given is not None else []) + watched


def password_of(settings: Settings, file: Path, variable: str | None) -> str | None:
    """What stands in the variable; without one, what is typed, if the file asks and someone sits there.

    Raises:
        UserError: `secret-not-set`.
    """
    if variable is not None:
        value = os.environ.get(variable)
        if value is None:
            raise UserError("secret-not-set", name=variable)
        return value
    if not is_attended() or not _asks(settings, file):
        return None
    return str(typer.prompt(tr("Password of {file}", file=file.name), hide_input=True, err=True))


def _asks(settings: Settings, file: Path) -> bool:
    """Whether a file opens with no password that is known."""
    try:
        FileWorkbook(file, passwords=lambda: passwords(settings, file, None)).check()
    except XlsmsError as error:
        return error.code == "file-encrypted"
    return False
