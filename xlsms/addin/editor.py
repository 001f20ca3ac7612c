"""A text file put before the user to be changed: what opens web addresses may show it, and let nobody write into it."""

import shutil
import subprocess
import sys
import threading
import webbrowser
from pathlib import Path

__all__ = ["edit"]

#: Editors of the desktops, the first one that is there is taken.
_EDITORS = {
    "win32": (("notepad",),),
    "darwin": (("open", "-t"),),
    "linux": tuple((name,) for name in ("gnome-text-editor", "gedit", "kate", "kwrite", "mousepad", "pluma", "xed")),
}


def edit(path: Path) -> None:
    """Open a text file in an editor; where none is found, in whatever this computer opens it with."""
    for name, *options in _EDITORS.get(sys.platform, ()):
        if there := shutil.which(name):
            nothing = subprocess.DEVNULL
            command = [there, *options, str(path)]
            editor = subprocess.Popen(  # noqa: S603 - an editor from the list
                command, stdin=nothing, stdout=nothing, stderr=nothing, start_new_session=True
            )
            threading.Thread(target=editor.wait, daemon=True).start()  # the user may take his time
            return
    webbrowser.open(path.as_uri())
