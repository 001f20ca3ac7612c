"""The last versions of a workbook that its user saved, kept before xlsms writes over them.

Only what somebody else saved is kept: a version that xlsms wrote itself holds the same rows with older states.
"""

import contextlib
import hashlib
import logging
import os
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from xlsms.journal import note

__all__ = ["Backups"]

_log = logging.getLogger(__name__)
_OURS = "written"  # the fingerprint of what we wrote last
_FINGERPRINT = 8  # letters of it in a name


@dataclass(frozen=True, slots=True, kw_only=True)
class Backups:
    """Keeps the last `keep` versions of each workbook under `folder`, which only its owner can look into."""

    folder: Path
    keep: int
    always: bool = False  #: also what xlsms wrote itself: for changes that take something away

    def place(self, path: Path) -> Path:
        """The folder for the workbook at `path`, told apart from others of its name."""
        key = hashlib.blake2b(os.fsencode(path), digest_size=4).hexdigest()
        return self.folder / f"{path.stem}-{key}"

    def kept(self, path: Path) -> list[Path]:
        """The versions of the workbook at `path`, oldest first."""
        with contextlib.suppress(OSError):
            return sorted(file for file in self.place(path).iterdir() if file.suffix and not file.name.startswith("."))
        return []

    def save(self, path: Path, original: Path, *, theirs: str, ours: str) -> None:
        """Keep `original`, which held the content `theirs` and is replaced at `path` by our `ours`.

        The name tells when it was saved, in UTC. What cannot be kept is logged: a full disk must not stop the states.
        """
        try:
            self._save(path, original, theirs=theirs, ours=ours)
        except OSError as error:
            note(_log, logging.WARNING, "log-no-backup", file=path, reason=error.strerror or "")

    def _save(self, path: Path, original: Path, *, theirs: str, ours: str) -> None:
        if self.keep < 1:
            return
        place = self.place(path)
        for folder in (self.folder.parent, self.folder, place):  # those made on the way get the usual mode
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for left in place.glob(".*.tmp"):  # half a copy, from a crash
            left.unlink(missing_ok=True)
        written = place / _OURS
        if self.always or not written.exists() or written.read_text("ascii", "replace") != theirs:
            moment = datetime.fromtimestamp(original.stat().st_mtime, UTC)
            target = place / f"{moment:%Y-%m-%dT%H-%M-%SZ}-{theirs[:_FINGERPRINT]}{path.suffix}"
            # a file that still stands in its place gets no second name: a crash now would leave it with two
            _keep(original, target, link=original != path)
            others = [file for file in self.kept(path) if file != target]  # it may be dated before them
            for old in others[: -(self.keep - 1) or None]:
                old.unlink(missing_ok=True)
        written.write_text(ours, "ascii")


def _keep(original: Path, target: Path, *, link: bool) -> None:
    """With `link` another name for the same bytes where that can be, else a copy that is whole or not there."""
    if target.exists():
        return
    if link:
        with contextlib.suppress(OSError):  # another disk, or a file system without links
            target.hardlink_to(original)
            return
    draft = target.with_name(f".{target.name}.tmp")
    try:
        shutil.copy2(original, draft)
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
