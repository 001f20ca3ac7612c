"""The extension put into LibreOffice and taken out again, by LibreOffice's own `unopkg`."""

import shutil
import subprocess
import tempfile
from pathlib import Path

from xlsms.addin.calc.extension import FILE_NAME, IDENTIFIER, extension
from xlsms.errors import UserError

__all__ = ["install", "installed", "uninstall"]

_SECONDS = 180


def install(interpreter: Path, *, profile: Path | None = None) -> None:
    """Put the extension in, over an older one; `interpreter` is the Python that it starts.

    Raises:
        UserError: `calc-not-installed` without LibreOffice; `calc-extension` with what it says.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / FILE_NAME
        file.write_bytes(extension(str(interpreter)))
        _unopkg("add", "--force", str(file), profile=profile)


def uninstall(*, profile: Path | None = None) -> bool:
    """Take it out; False when it is not there."""
    if not installed(profile=profile):
        return False
    _unopkg("remove", IDENTIFIER, profile=profile)
    return True


def installed(*, profile: Path | None = None) -> bool:
    """Whether the extension is there."""
    return f"Identifier: {IDENTIFIER}" in _unopkg("list", profile=profile)


def _unopkg(*words: str, profile: Path | None) -> str:
    tool = shutil.which("unopkg")
    if tool is None:
        raise UserError("calc-not-installed")
    own = [f"-env:UserInstallation={profile.as_uri()}"] if profile else []
    command = [tool, words[0], *own, *words[1:]]
    try:
        done = subprocess.run(  # noqa: S603 - LibreOffice's own program, with words of ours
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise UserError("calc-extension", reason=f"{words[0]}: {_SECONDS} s") from error
    if done.returncode:
        said = " ".join((done.stderr or done.stdout).split())
        if "as root" in said:
            raise UserError("calc-root")
        raise UserError("calc-extension", reason=said[-300:])
    return done.stdout
