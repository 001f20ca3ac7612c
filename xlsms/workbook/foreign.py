"""A file that is read and never written: its results go into `NAME.sms.xlsx` beside it.

That results file is an ordinary workbook: the rows of the source with their columns, and the result columns. What is
sent is sent from it, states and ids stand in it, and a mark there orders a row again. Each look brings it up to date:
rows that are new in the source are added, rows that were not accepted yet follow the source, and rows that were
accepted stay as they were sent.
"""

import hashlib
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import tzinfo
from pathlib import Path

from xlsms.errors import Place, TransientError, UserError
from xlsms.files.link import resolved
from xlsms.files.lock import check_free
from xlsms.files.scratch import scratch
from xlsms.files.swap import create, draft_of, recover
from xlsms.ooxml.package import fingerprint
from xlsms.workbook.base import Applied, RowEdit, Snapshot, Version
from xlsms.workbook.cell import write
from xlsms.workbook.closed import ClosedWorkbook
from xlsms.workbook.csvbook import about
from xlsms.workbook.identity import SOURCE_PROPERTY
from xlsms.workbook.limited import USUAL, Limits
from xlsms.workbook.results import build, changes, keys_sent
from xlsms.workbook.setting import SETTINGS
from xlsms.workbook.source import Source, read_source
from xlsms.workbook.writing import opened

__all__ = ["RESULTS_SUFFIX", "ForeignWorkbook", "results_path"]

RESULTS_SUFFIX = ".sms.xlsx"
_PRIVATE = 0o600


def results_path(path: Path) -> Path:
    """Where the results of a file go that cannot be written."""
    return path.with_name(path.stem + RESULTS_SUFFIX)


class ForeignWorkbook:
    """The `Workbook` seam over a source and its results file; `path` is the latter, which may not be there yet."""

    def __init__(
        self,
        source: Path,
        *,
        zone: tzinfo | None = None,
        passwords: Sequence[str] = (),
        limits: Limits = USUAL,
    ) -> None:
        self.source = resolved(source)
        self.path = results_path(self.source)
        self._zone, self._passwords, self._limits = zone, passwords, limits

    def read(self, *, marked_only: bool = False) -> Snapshot:
        """The rows as `prepare` would put them, with what is known of them; no file is touched."""
        source = self._source()
        with scratch() as folder:
            trial = folder / self.path.name
            if self.path.exists():
                self._check_ours()
                shutil.copyfile(self.path, trial)
                self._bring_up(trial, source)
            else:
                self._check_name(source)
                trial.write_bytes(build(source, self.source.name))
            snapshot = ClosedWorkbook(trial, zone=self._zone).read(marked_only=marked_only)
        return replace(snapshot, path=self.path)

    def apply(self, edits: Sequence[RowEdit]) -> Applied:
        """Write into the results file; see `Workbook.apply`."""
        self.prepare()
        return ClosedWorkbook(self.path, zone=self._zone).apply(edits)

    def version(self) -> Version:
        """Which bytes the source and the results hold now."""
        with about(self.source):
            status = self.source.stat()
            digest = hashlib.blake2b(self.source.read_bytes(), digest_size=16)
        if self.path.exists():
            digest.update(ClosedWorkbook(self.path).version().directory.encode())
        return Version(
            size=status.st_size, mtime_ns=status.st_mtime_ns, inode=status.st_ino, directory=digest.hexdigest()
        )

    def check(self) -> None:
        """Make sure that rows can be read; raises what `read` would for the file and its headers."""
        self._source()

    def check_ready(self) -> None:
        """Make sure that results could be written now; changes nothing but what a crash left.

        Raises:
            UserError: the results file or the folder is read-only.
            TransientError: the results file is open elsewhere.
        """
        if self.path.exists():
            recover(self.path, fingerprint)  # a crash just after it was made leaves it with two names
            ClosedWorkbook(self.path).check_ready()
        elif not os.access(self.path.parent, os.W_OK):
            raise UserError("file-read-only", place=Place(file=self.path.name))

    def prepare(self) -> Path:
        """Make the results file, or bring it up to date with the source; returns it.

        Raises:
            UserError: the source cannot be used; `results-of-another`, `results-under-old-name`, `results-outdated`.
            TransientError: the results file is open elsewhere.
        """
        source = self._source()
        with about(self.path):
            recover(self.path, fingerprint)
        if not self.path.exists():
            self._check_name(source)
            self._make(build(source, self.source.name))
        self._check_ours()
        self._bring_up(self.path, source)
        return self.path

    def _source(self) -> Source:
        with about(self.source):
            source = read_source(self.source, self._passwords, self._zone, self._limits)
            if source.settings:  # nothing of it reaches the results workbook, from which is sent
                raise UserError("settings-elsewhere", place=Place(sheet=SETTINGS), results=self.path.name)
            return source

    def _make(self, content: bytes) -> None:
        """Put the results file there, whole or not at all, and never over another."""
        draft = draft_of(self.path)
        with about(self.path):
            try:
                with create(draft) as out:
                    out.write(content)
                    out.flush()
                    os.fsync(out.fileno())
                draft.chmod(self.source.stat().st_mode & 0o666 | _PRIVATE)
                try:
                    os.link(draft, self.path)
                except FileExistsError:
                    raise TransientError("file-keeps-changing", path=self.path.name) from None
                except OSError:  # a file system without links
                    draft.rename(self.path)
            finally:
                draft.unlink(missing_ok=True)

    def _bring_up(self, path: Path, source: Source) -> None:
        """Write what the source has and the results lack."""
        for _ in range(2):
            snapshot = ClosedWorkbook(path, zone=self._zone).read()
            cells = changes(source, snapshot, self._zone)
            if not cells:
                return
            check_free(path)
            write(path, cells)
        raise UserError("results-outdated", place=Place(file=self.source.name), results=self.path.name, what="rows")

    def _check_ours(self) -> None:
        """The results must be those of this file, or of one that has gone."""
        name = _source_of(self.path)
        if name == self.source.name or (name and not self.path.with_name(name).exists()):
            return
        place = Place(file=self.source.name)
        raise UserError("results-of-another", place=place, results=self.path.name, source=name or "?")

    def _check_name(self, source: Source) -> None:
        """A file that was renamed must not send its rows a second time: look for results whose source has gone."""
        for orphan in _orphans(self.source.parent):
            snapshot = ClosedWorkbook(orphan, zone=self._zone).read()
            if keys_sent(snapshot, source, self._zone):
                place = Place(file=self.source.name)
                raise UserError(
                    "results-under-old-name", place=place, results=orphan.name, source=_source_of(orphan) or "?"
                )


def _source_of(results: Path) -> str | None:
    """The name of the file whose results these are."""
    with opened(results) as book:
        name = book.custom_properties.get(SOURCE_PROPERTY)
    return Path(name).name if name else None


def _orphans(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.name.endswith(RESULTS_SUFFIX) and not path.name.startswith(("~$", ".")):
            try:
                name = _source_of(path)
            except UserError:
                continue
            if name and not path.with_name(name).exists():
                yield path
