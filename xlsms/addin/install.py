"""Putting the add-in where Excel finds it, taking it away again, and telling how it stands. Excel does not have to run.

The file is built here for this computer, so it has no mark of the web: Excel trusts its own start-up folder, and loads
it at the next start without a question.
"""

import io
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
import zipfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NewType

from xlsms.addin.build import Settings, addin, vba
from xlsms.addin.place import Places
from xlsms.addin.verb import Verb
from xlsms.errors import UserError

__all__ = [
    "Interpreter",
    "Standing",
    "install",
    "installed_settings",
    "interpreter",
    "standing",
    "startable",
    "uninstall",
    "usable",
]

Interpreter = NewType("Interpreter", Path)

_SETTINGS = "xl/worksheets/sheet1.xml"
_ZONE = ":Zone.Identifier"  #: the stream in which Windows keeps where a file came from
_PATIENCE = 60.0  #: seconds that Python may take to start


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How the add-in stands on this computer."""

    file: Path
    installed: bool
    version: str | None = None  #: of the installed one
    current: bool = False  #: whether it is what this xlsms would install now
    interpreter: str | None = None  #: which Python it starts
    interpreter_there: bool = False
    script_there: bool | None = None  #: macOS: whether the script that starts Python is there and right
    from_the_web: bool = False  #: Windows: whether Excel would block it as a file from the web


def interpreter(executable: str = sys.executable, system: str = sys.platform) -> Interpreter:
    """The Python that Excel is to start: this one, on Windows without its console window."""
    path = Path(executable)
    if system == "win32":
        quiet = path.with_name(path.name.lower().replace("python", "pythonw", 1))
        if "pythonw" not in path.name.lower() and quiet.exists():
            path = quiet
    return Interpreter(path)


def startable(python: str) -> None:
    """Refuse a path that no add-in can start: `UserError` `addin-interpreter`."""
    if '"' in python:
        raise UserError("addin-interpreter", interpreter=python, reason='"')


def usable(python: Path) -> None:
    """Look whether a Python, started as Excel starts it, has what the add-in needs.

    Raises `UserError` `addin-interpreter` with the last line that it says.
    """
    startable(str(python))
    code = "import xlsms.addin.run, xlwings"
    try:
        done = subprocess.run(  # noqa: S603 (the user's own Python)
            [python, "-I", "-c", code], capture_output=True, text=True, timeout=_PATIENCE, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UserError("addin-interpreter", interpreter=python, reason=type(error).__name__) from error
    if done.returncode != 0:
        said = done.stderr.strip().splitlines() or [str(done.returncode)]
        raise UserError("addin-interpreter", interpreter=python, reason=said[-1])


def install(
    where: Places,
    python: Interpreter,
    *,
    language: str = "",
    check: Callable[[Path], None] = usable,
    project: bytes | None = None,
) -> bool:
    """Put the add-in into the start-up folder; whether anything had to be changed.

    What is there is replaced when it is an add-in of ours, whatever its version. `project` is a VBA project that Excel
    itself has made of our sources.

    Raises `UserError`: `addin-interpreter`, `addin-not-ours`, `addin-in-use`, `addin-not-written`.
    """
    check(python)
    content = addin(_settings(where, python, language), project=project)
    wanted = {where.file: content}
    if where.script is not None:
        wanted[where.script] = applescript(python).encode("utf-8")
    if where.interpreter is not None:
        wanted[where.interpreter] = f"{python}\r\n".encode("utf-16")  # VBA reads no UTF-8
    _look_whose(where.file)
    missing = [path for path, data in wanted.items() if _read(path) != data]
    try:
        where.desk.mkdir(parents=True, exist_ok=True, mode=0o700)
        for path in missing:
            _put(path, wanted[path])
    except PermissionError as error:
        raise UserError("addin-in-use", file=error.filename2 or error.filename or where.file) from error
    except OSError as error:
        raise UserError("addin-not-written", file=error.filename or where.file, reason=error.strerror or "") from error
    return bool(missing)


def uninstall(where: Places) -> bool:
    """Take the add-in away with all that belongs to it; whether there was anything.

    Raises `UserError`: `addin-not-ours`, `addin-in-use`.
    """
    _look_whose(where.file)
    belongings = [path for path in (where.file, where.script, where.interpreter) if path is not None]
    belongings += sorted(where.desk.glob("*")) if where.desk.is_dir() else []
    found = False
    for path in belongings:
        try:
            path.unlink()
            found = True
        except FileNotFoundError:
            continue
        except OSError as error:
            raise UserError("addin-in-use", file=path) from error
    with suppress(OSError):
        where.desk.rmdir()
    return found


def standing(where: Places, python: Interpreter) -> Standing:
    """How the add-in stands; nothing is changed. `python` is the one that an installation would take now."""
    found = _read(where.file)
    settings = installed_settings(found) if found is not None else None
    if found is None or settings is None:
        return Standing(file=where.file, installed=False)
    started = settings.get("interpreter", "")
    script = _read(where.script) if where.script is not None else None
    return Standing(
        file=where.file,
        installed=True,
        version=settings.get("version"),
        current=found == addin(_settings(where, python, settings.get("language", "")), project=_genuine(found)),
        interpreter=started or None,
        interpreter_there=Path(started).is_file(),
        script_there=None if where.script is None else script == applescript(Path(started)).encode("utf-8"),
        from_the_web=_from_the_web(where.file),
    )


def installed_settings(content: bytes) -> dict[str, str] | None:
    """What the hidden sheet of an add-in says; None when it is none of ours."""
    try:
        root = ET.fromstring(zipfile.ZipFile(io.BytesIO(content)).read(_SETTINGS))  # noqa: S314 (no entity is expanded)
    except (zipfile.BadZipFile, KeyError, ET.ParseError, ValueError, OSError):
        return None
    rows = (
        [text.text or "" for text in row.iter() if text.tag.endswith("}t")]
        for row in root.iter()
        if row.tag.endswith("}row")
    )
    found = {row[0]: row[1] for row in rows if len(row) > 1}
    return found if f"needs.{Verb.SEND}" in found and "version" in found else None


def applescript(python: Path) -> str:
    """The script that starts Python on macOS, with its one command in it."""
    template = Path(__file__).with_name("launch.applescript").read_text("utf-8")
    quoted = str(python).replace("\\", "\\\\").replace('"', '\\"')
    return template.replace("INTERPRETER", quoted, 1).replace("VERBS", ", ".join(f'"{verb}"' for verb in Verb), 1)


def _settings(where: Places, python: Path, language: str) -> Settings:
    return Settings(interpreter=str(python), folder=where.desk_text, language=language)


def _genuine(content: bytes) -> bytes | None:
    """The VBA project of an add-in, when Excel made it and not we."""
    project = zipfile.ZipFile(io.BytesIO(content)).read("xl/vbaProject.bin")
    return None if project == vba() else project


def _look_whose(file: Path) -> None:
    found = _read(file)
    if found is not None and installed_settings(found) is None:
        raise UserError("addin-not-ours", file=file)


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


def _put(path: Path, content: bytes) -> None:
    """Write a file in one step. The new one is made beside the folder: all that lies in it, Excel would open."""
    path.parent.mkdir(parents=True, exist_ok=True)
    made = path.parent.parent / f".xlsms-{os.getpid()}.tmp"
    try:
        made.write_bytes(content)
        made.replace(path)
    finally:
        made.unlink(missing_ok=True)


def _from_the_web(file: Path) -> bool:
    """Whether Windows has noted that a file came from elsewhere."""
    return Path(f"{file}{_ZONE}").exists()
