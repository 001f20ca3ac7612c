"""Where Excel loads add-ins from by itself, and where Python and the add-in leave word for each other.

Windows and macOS each have one start-up folder a user; what lies there is loaded at every start and needs no entry in
the registry. Both are known by Microsoft's documentation; neither was tried on a real one.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath

from xlsms.addin.build import FILE_NAME
from xlsms.errors import UserError

__all__ = ["Places", "places"]

_CONTAINER = Path("Library/Group Containers/UBF8T346G9.Office")  #: of all Office programs: their sandbox lets them in


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """The files of the add-in on one user's computer."""

    system: str  #: `windows` or `mac`
    startup: Path  #: Excel opens all that lies in it
    desk: Path  #: the tick and Python leave word here
    interpreter: Path | None = None  #: which Python, for an add-in that was built for everybody (Windows)
    script: Path | None = None  #: what starts Python (macOS)

    @property
    def file(self) -> Path:
        """The add-in itself."""
        return self.startup / FILE_NAME

    @property
    def desk_text(self) -> str:
        """The desk as the add-in has it: with the separator of its system at the end."""
        return f"{self.desk}{'/' if self.system == 'mac' else chr(92)}"


def places(environment: Mapping[str, str], system: str = sys.platform, startup: Path | None = None) -> Places:
    """The places of the user with this environment; `startup` instead of the folder that Excel has by itself.

    Raises `UserError`: `addin-no-excel` on a system that has none, `addin-no-home` when the environment lacks a home.
    """
    if system == "win32":
        roaming, local = _home(environment, "APPDATA"), _home(environment, "LOCALAPPDATA")
        return Places(
            system="windows",
            startup=startup or roaming / "Microsoft" / "Excel" / "XLSTART",
            desk=local / "xlsms" / "addin",
            interpreter=local / "xlsms" / "interpreter.txt",
        )
    if system == "darwin":
        home = _home(environment, "HOME")
        return Places(
            system="mac",
            startup=startup or home / _CONTAINER / "User Content.localized" / "Startup.localized" / "Excel",
            desk=home / _CONTAINER / "xlsms",
            script=home / "Library/Application Scripts/com.microsoft.Excel/xlsms.applescript",
        )
    raise UserError("addin-no-excel")


def _home(environment: Mapping[str, str], name: str) -> Path:
    value = environment.get(name, "")
    if not PurePath(value).is_absolute():
        raise UserError("addin-no-home", name=name)
    return Path(value)
