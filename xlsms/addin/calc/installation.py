"""The extension put into LibreOffice and taken out again, by LibreOffice's own `unopkg`."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

from xlsms.addin.calc.extension import FILE_NAME, IDENTIFIER, extension
from xlsms.errors import UserError

__all__ = ["Standing", "install", "installed", "overshadowed", "standing", "uninstall"]

_SECONDS = 180

#: What lies in the folder of an environment, made by `venv` or by conda.
_ENVIRONMENTS = ("pyvenv.cfg", "conda-meta")


class Standing(StrEnum):
    """How the extension is in LibreOffice."""

    ABSENT = "absent"
    PARTLY = "partly"  #: LibreOffice knows it and could not load a part of it, usually for want of its Python
    WHOLE = "whole"


def install(interpreter: Path, *, profile: Path | None = None) -> None:
    """Put the extension in, over an older one; `interpreter` is the Python that it starts.

    Raises:
        UserError: `calc-not-installed` without LibreOffice; `calc-without-python`; `calc-extension` with what it says.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / FILE_NAME
        file.write_bytes(extension(str(interpreter)))
        try:
            _unopkg("add", "--force", str(file), profile=profile)
        except UserError as error:
            if error.code == "calc-extension" and standing(profile=profile) is Standing.PARTLY:
                raise UserError("calc-without-python") from error
            raise


def uninstall(*, profile: Path | None = None) -> bool:
    """Take it out; False when it is not there."""
    if not installed(profile=profile):
        return False
    _unopkg("remove", IDENTIFIER, profile=profile)
    return True


def installed(*, profile: Path | None = None) -> bool:
    """Whether the extension is there, whole or not."""
    return standing(profile=profile) is not Standing.ABSENT


def standing(*, profile: Path | None = None) -> Standing:
    """Whether the extension is there, and all of it."""
    said = _unopkg("list", profile=profile)
    ours = next((part for part in said.split("Identifier: ")[1:] if part.split()[:1] == [IDENTIFIER]), None)
    if ours is None:
        return Standing.ABSENT
    return Standing.PARTLY if "is registered: no" in ours else Standing.WHOLE


def _unopkg(*words: str, profile: Path | None) -> str:
    tool = shutil.which("unopkg")
    if tool is None:
        raise UserError("calc-not-installed")
    own = [f"-env:UserInstallation={profile.as_uri()}"] if profile else []
    command = [tool, words[0], *own, *words[1:]]
    try:
        done = subprocess.run(  # noqa: S603 - LibreOffice's own program, with words of ours
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
            env=_environment(os.environ),
        )
    except subprocess.TimeoutExpired as error:
        raise UserError("calc-extension", reason=f"{words[0]}: {_SECONDS} s") from error
    if done.returncode:
        said = " ".join((done.stderr or done.stdout).split())
        if "as root" in said:
            raise UserError("calc-root")
        raise UserError("calc-extension", reason=said[-300:])
    return done.stdout


def _environment(given: Mapping[str, str]) -> dict[str, str]:
    """Without any environment of Python: LibreOffice's own takes the first `python3` on the path for its home."""
    kept = {name: value for name, value in given.items() if not name.startswith("PYTHON") and name != "VIRTUAL_ENV"}
    folders = given.get("PATH", os.defpath).split(os.pathsep)
    return kept | {"PATH": os.pathsep.join(folder for folder in folders if not _of_environment(Path(folder)))}


def overshadowed(given: Mapping[str, str]) -> bool:
    """Whether a LibreOffice that is started with these variables takes an environment of Python for its own."""
    return _environment(given).get("PATH") != given.get("PATH", os.defpath)


def _of_environment(folder: Path) -> bool:
    try:
        return any((folder.parent / mark).exists() for mark in _ENVIRONMENTS)
    except OSError:  # it is closed to us
        return False
