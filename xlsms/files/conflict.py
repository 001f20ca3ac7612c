"""Conflict copies: what cloud folders make of a workbook that was changed in two places at once.

    Dropbox         `list (Ana's conflicted copy 2026-11-22).xlsx`, in the language of the computer
    OneDrive        `list-DESKTOP-AB12CD3.xlsx`: the computer's name
    Google Drive    `list (1).xlsx`
    Nextcloud       `list (conflicted copy 2026-11-22 091500).xlsx`
    Syncthing       `list.sync-conflict-20261122-091500-ABCDEFG.xlsx`

A name alone proves little: a second download is called `list (1).xlsx` too. So this tells only what a name says;
whether both are the same workbook is seen by what is in them.
"""

import re
from pathlib import Path

__all__ = ["original_of"]

_NAMES = (
    # "copie en conflit de", "in Konflikt stehende Kopie" and others: a word for conflict and one for copy
    re.compile(r"(?P<stem>.+?) ?\((?=[^()]*(?:conflict|conflicto|conflit|konflikt|conflitto))[^()]*\)", re.IGNORECASE),
    re.compile(r"(?P<stem>.+)\.sync-conflict-\d{8}-\d{6}-[A-Z0-9]{7}"),
    re.compile(r"(?P<stem>.+?) ?\(\d{1,3}\)"),
    # a computer's name: at most 15 capital letters, digits and hyphens; a counter after it from the second copy on
    re.compile(r"(?P<stem>.+?)-(?=[A-Z0-9-]*[A-Z])[A-Z0-9][A-Z0-9-]{0,14}(?:-\d{1,2})?"),
)


def original_of(path: Path) -> Path | None:
    """The workbook beside `path` that it is a conflict copy of by its name; None when there is none."""
    for pattern in _NAMES:
        match = pattern.fullmatch(path.stem)
        if match is not None:
            original = path.with_name(match["stem"] + path.suffix)
            if original.is_file():
                return original
    return None
