"""One sentence for the user where neither Excel nor Calc can show it: a box of the system's own.

Used when the commands cannot be loaded, or the program that asked cannot be reached any more.
"""

import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence

__all__ = ["show"]

TITLE = "SMS"
_WARNING = 0x30 | 0x10000  #: MB_ICONWARNING, MB_SETFOREGROUND
#: AppleScript that shows what it is given; the text is an argument, never part of the script.
_ALERT = "on run {said, head}\ndisplay alert head message said as warning\nend run"

Run = Callable[[Sequence[str]], object]


def _run(command: Sequence[str]) -> object:
    return subprocess.run(command, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603


def show(text: str, system: str = sys.platform, run: Run = _run) -> bool:
    """Show `text` and wait until it was read; whether there was a way to."""
    if system == "win32":
        _message_box(text)
    elif system == "darwin":
        run(["/usr/bin/osascript", "-e", _ALERT, text, TITLE])
    elif (program := shutil.which("zenity")) is not None:
        run([program, "--warning", "--no-markup", f"--title={TITLE}", f"--text={text}"])
    else:
        return False
    return True


def _message_box(text: str) -> None:
    import ctypes  # noqa: PLC0415 (only here)

    ctypes.windll.user32.MessageBoxW(None, text, TITLE, _WARNING)  # type: ignore[attr-defined]  # Windows has it
