"""A text file (.csv, .tsv) as a workbook of one sheet: states are put into it, and nothing else changes."""

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, tzinfo
from pathlib import Path

from xlsms.errors import Place, TransientError, UserError, XlsmsError
from xlsms.files.backup import Backups
from xlsms.files.kind import check_writable
from xlsms.files.link import resolved
from xlsms.files.lock import check_free
from xlsms.files.swap import create, draft_of, failure, finish, recover, replace
from xlsms.model import Role, Row
from xlsms.ooxml.batch import TEXT_DATE
from xlsms.ooxml.cells import column_number
from xlsms.workbook.base import RESULTS, Applied, Reading, RowEdit, Snapshot, Version
from xlsms.workbook.csvpage import Page
from xlsms.workbook.delimited import Delimited, decoded
from xlsms.workbook.finding import carrier, still_there
from xlsms.workbook.inert import inert
from xlsms.workbook.ours import check_ours
from xlsms.workbook.reading import wall_time
from xlsms.workbook.roles import header, language_of
from xlsms.workbook.writing import ATTEMPTS, Step

__all__ = ["CsvWorkbook", "about", "text_identity"]

_MOST = 256 << 20  # bytes; it is held in memory as a whole
_WAY = "t"  # of taking hashes, as of `fingerprint`: another way needs another letter


@contextmanager
def about(path: Path) -> Iterator[None]:
    """Every error inside names the file."""
    try:
        yield
    except XlsmsError as error:
        at = error.place or Place()
        if at.file is None:
            error.place = Place(file=path.name, sheet=at.sheet, row=at.row, column=at.column, line=at.line)
        raise
    except OSError as error:
        raise failure(error, path) from error


class CsvWorkbook:
    """The `Workbook` seam over a text file. Its one sheet is called like the file, and its cells are all texts.

    `backups` keeps what its user saved before it is written over.
    """

    def __init__(
        self,
        path: Path,
        *,
        zone: tzinfo | None = None,
        backups: Backups | None = None,
        step: Step = lambda _: None,
    ) -> None:
        self.path = resolved(path)
        self._zone = zone
        self._backups = backups
        self._step = step

    def read(self, *, marked_only: bool = False) -> Snapshot:
        """The workbook as it is now; see `Workbook.read`."""
        with about(self.path):
            content, version = _load(self.path)
            page = Page.of(self.path, content)
            rows = tuple(row for row in page.rows() if row.marked or not marked_only)
            return self._snapshot(page, version, rows)

    @contextmanager
    def reading(self) -> Iterator[Reading]:
        """The workbook as it is now, row by row; see `Workbook.reading`. The text is held, its rows are not."""
        with about(self.path):
            content, version = _load(self.path)
            page = Page.of(self.path, content)
            del content
            for _ in page.text.records():  # what is wrong with a row is told before any is given
                pass
            yield Reading(
                snapshot=self._snapshot(page, version, ()),
                ids=lambda: (row.id for row in page.rows() if row.id is not None),
                rows=page.rows,
            )

    def _snapshot(self, page: Page, version: Version, rows: tuple[Row, ...]) -> Snapshot:
        return Snapshot(
            path=self.path,
            version=version,
            guid=None,
            language=language_of(page.heading.headers.values()),
            sheets=(page.sheet,),
            rows=rows,
        )

    def version(self) -> Version:
        """Which bytes the file holds now."""
        with about(self.path):
            return _load(self.path)[1]

    def check(self) -> None:
        """Make sure that rows can be read; raises what `read` would for the file and its headers."""
        with about(self.path):
            for _ in Page.of(self.path, _load(self.path)[0]).text.records():
                pass

    def check_ready(self) -> None:
        """Make sure that `apply` could write now, as far as the file itself decides; changes nothing.

        Raises:
            UserError: the file or its folder is read-only.
            TransientError: the file is open elsewhere.
        """
        with about(self.path):
            check_writable(self.path)
            check_free(self.path)

    def apply(self, edits: Sequence[RowEdit]) -> Applied:
        """Write all edits at once; see `Workbook.apply`."""
        with about(self.path):
            for _ in range(ATTEMPTS):
                recover(self.path, text_identity)
                self.check_ready()
                content, before = _load(self.path)
                self._step("opened")
                work = _Work(Page.of(self.path, content), self._zone)
                work.find(edits)
                self._step("read")
                version = self._put(work.page, before) if work.page.text.changed else before
                if version is not None:
                    return Applied(
                        before=before,
                        version=version,
                        done=tuple(work.done),
                        missing=tuple(work.missing),
                        stale=tuple(work.stale),
                        ambiguous=tuple(work.ambiguous),
                    )
            raise TransientError("file-keeps-changing", path=self.path.name)

    def check_columns(self) -> None:
        """Make sure that states could stand in it; raises what `add_columns` would."""
        with about(self.path):
            _Work(Page.of(self.path, _load(self.path)[0]), self._zone).need(RESULTS)

    def add_columns(self, roles: Iterable[Role] = RESULTS) -> dict[str, tuple[str, ...]]:
        """Add the headers of `roles` that are not there; returns what was added, by sheet."""
        wanted = tuple(roles)
        with about(self.path):
            for _ in range(ATTEMPTS):
                recover(self.path, text_identity)
                self.check_ready()
                content, before = _load(self.path)
                work = _Work(Page.of(self.path, content), self._zone)
                added = work.need(wanted)
                if not added:
                    return {}
                if self._put(work.page, before) is not None:
                    return {work.page.name: added}
            raise TransientError("file-keeps-changing", path=self.path.name)

    def _put(self, page: Page, before: Version) -> Version | None:
        """Write the changes; None, and nothing changed, when the file is no longer the one that was read."""
        draft = draft_of(self.path)

        def keep(original: Path) -> None:
            if self._backups is not None:
                self._backups.save(self.path, original, theirs=before.directory, ours=version.directory)

        try:
            with create(draft) as out:
                self._step("created")
                out.write(page.text.content())
                self._step("written")
            finish(draft, self.path)
            self._step("finished")
            new, version = _load(draft)
            if not _reads_back(page.text, new):  # a defect of ours, seen in time
                raise UserError("sheet-not-writable", reason="the new file does not read back")
            self._step("verified")
            check_free(self.path)
            done = replace(
                self.path, draft, expected=before.directory, identify=text_identity, step=self._step, keep=keep
            )
        finally:
            draft.unlink(missing_ok=True)
        return version if done else None


def _load(path: Path) -> tuple[bytes, Version]:
    """The content of a file, and its version."""
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            if status.st_size > _MOST:
                raise UserError("file-too-large")
            content = file.read()
    except FileNotFoundError as error:
        raise UserError("file-not-found") from error
    version = Version(size=len(content), mtime_ns=status.st_mtime_ns, inode=status.st_ino, directory=_hash(content))
    return content, version


def _hash(content: bytes) -> str:
    return _WAY + hashlib.blake2b(content, digest_size=16).hexdigest()


def text_identity(path: Path) -> str:
    """What tells one content of a text file from another; never raises."""
    try:
        return _hash(path.read_bytes())
    except OSError:
        return "none"


def _reads_back(old: Delimited, content: bytes) -> bool:
    """Whether only the changed fields differ, and hold what they should."""
    text, encoding = decoded(content)
    if encoding.mark != old.encoding.mark:
        return False
    new = Delimited(text, encoding, old.delimiter)
    return len(new.rows) == len(old.rows) and all(
        after.end == before.end
        and (after.values == old.expected(number) if number in old.changed else after.body == before.body)
        for number, (before, after) in enumerate(zip(old.rows, new.rows, strict=True), 1)
    )


class _Work:
    """The edits of one `apply`, placed in the page as it is now."""

    def __init__(self, page: Page, zone: tzinfo | None) -> None:
        self.page, self._zone = page, zone
        self._columns = {role: column_number(letters) for role, letters in page.heading.columns.items()}
        self.done: list[RowEdit] = []
        self.missing: list[RowEdit] = []
        self.stale: list[RowEdit] = []
        self.ambiguous: list[RowEdit] = []

    def find(self, edits: Sequence[RowEdit]) -> None:
        """Find the row of each edit and take up its cells."""
        carriers: dict[str, list[Row]] = {edit.id.strip().upper(): [] for edit in edits if edit.id is not None}
        if carriers and Role.ID in self._columns:
            place = self._columns[Role.ID] - 1
            for number in self.page.numbers:
                values = self.page.text.rows[number - 1].values
                identity = values[place].strip().upper() if place < len(values) else ""
                row = self.page.row(number) if identity in carriers else None
                if row is not None:
                    carriers[identity].append(row)
        for edit in edits:
            if edit.id is not None:
                meant = carrier(edit, carriers[edit.id.strip().upper()])
                if isinstance(meant, Row):
                    self._take(edit, meant.number)
                else:
                    (self.missing if meant == "missing" else self.ambiguous).append(edit)
            else:
                self._by_place(edit)

    def _by_place(self, edit: RowEdit) -> None:
        number = edit.placed.number if edit.placed else 0
        if still_there(edit, self.page.row(number) if number in self.page.numbers else None):
            self._take(edit, number)
        else:
            self.stale.append(edit)

    def _take(self, edit: RowEdit, number: int) -> None:
        values = self.page.text.rows[number - 1].values
        changes = self.page.text.changed.get(number, {})
        if any(role in RESULTS and role not in self._columns and value for role, value in edit.values.items()):
            self.need(RESULTS)
        for role, value in edit.values.items():
            column = self._columns.get(role)
            if column is None:
                continue
            new = self._stored(value)
            old = values[column - 1] if column <= len(values) else ""
            if column in changes or new != old:
                self.page.text.put(number, column, new)
        self.done.append(edit)

    def _stored(self, value: object) -> str:
        """A value as text that no program takes for a formula, in letters that the file's encoding has."""
        if value is None:
            return ""
        if isinstance(value, bool):
            return str(value).upper()
        if isinstance(value, datetime):
            return wall_time(value, self._zone).strftime(TEXT_DATE)
        if isinstance(value, str):
            return inert(self.page.text.encoding.fitting(value.replace("\0", "")))
        return repr(value)

    def need(self, roles: Iterable[Role]) -> tuple[str, ...]:
        """Add the columns of `roles` that are not there, on the right of everything; returns their headers."""
        text, found = self.page.text, self.page.heading
        lacking = [role for role in roles if role not in self._columns]
        if not lacking:
            return ()
        if Role.ID in lacking:
            check_ours(self.page.name, found.columns, found.headers, self.page.results())
        language = language_of(found.headers.values())
        below = (enumerate(record.values, 1) for record in text.rows[found.row - 1 :])
        right = max(column for fields in below for column, field in fields if field)
        self._columns |= {role: right + nth for nth, role in enumerate(lacking, 1)}
        for role in lacking:
            text.put(found.row, self._columns[role], header(role, language))
        text.widen(right + len(lacking))
        return tuple(header(role, language) for role in lacking)
