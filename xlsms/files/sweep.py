"""What a crash left in a folder is cleared away, also beside workbooks that nobody writes any more."""

import re
from collections.abc import Iterator
from pathlib import Path

from xlsms.files.swap import Identify, all_drafts, is_dead, key_of, recover, tell_left

__all__ = ["sweep"]


def sweep(folder: Path, identify: Identify) -> None:
    """Clear away, or put back, what dead processes left in `folder`.

    Beside a workbook that is still there as `recover` does. Where the workbook has gone or has another name now, what
    we wrote and what we replaced is deleted; a save of somebody that no file holds any more is left and told.
    """
    left = [(draft, match) for draft, match in all_drafts(folder) if is_dead(match)]
    if not left:
        return
    wanted = {match["file"] for _, match in left}
    for path in _files(folder):
        if key_of(path) in wanted:
            recover(path, identify)
            wanted.discard(key_of(path))
    for draft, match in left:
        if match["file"] in wanted:
            _clear(draft, match, identify)


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.iterdir()) if path.is_file())


def _clear(draft: Path, match: re.Match[str], identify: Identify) -> None:
    """A draft whose workbook has gone. Half built it has no fingerprints in its name."""
    known = not match["ours"] or identify(draft) in (match["ours"], match["theirs"])
    if known and not match["old"]:
        draft.unlink(missing_ok=True)
    else:
        tell_left(draft)
