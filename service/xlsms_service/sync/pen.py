"""A process of its own that writes into workbooks, so that the rows to come are read and planned meanwhile.

The desk starts one; it runs `pen_child`. It knows no ledger: it is given edits, and says what became of them. Whatever
ends it, in the middle of whatever it does, the file is the one before or the one after, as when a write fails.
"""

import pickle
import subprocess
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import tzinfo
from itertools import repeat
from pathlib import Path
from typing import Any

from xlsms.errors import Place, TransientError, XlsmsError
from xlsms.files.backup import Backups
from xlsms.model import CellValue, Role, RowId
from xlsms.workbook.base import Applied, Placed, Refusal, RowEdit
from xlsms.workbook.opening import FileWorkbook, Passwords
from xlsms_service.sync.fork import Fork, can_fork
from xlsms_service.sync.garbage import command
from xlsms_service.sync.pipe import get, put, wait_for

__all__ = ["Errand", "Pen", "PennedWorkbook", "Return", "packed", "unpacked"]

_GROUPS = ("done", "missing", "stale", "ambiguous", "waiting")

#: Edits as the pen is given them, those with the same roles together: their places among all, the roles, by role the
#: values, the ids, and the fields of what they know their rows by. Objects cost as much to be sent as the writing.
_Packed = list[tuple[list[int], tuple[Role, ...], list[tuple[CellValue, ...]], Sequence[RowId | None], list[Any]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """What is to be written, and into which workbook."""

    path: Path
    zone: tzinfo | None
    passwords: Sequence[str]
    backups: Backups | None
    edits: _Packed


@dataclass(frozen=True, slots=True, kw_only=True)
class Return:
    """What became of it. Edits are named by their place among those given."""

    applied: Applied | None = None  #: without any edit
    groups: Mapping[str, Sequence[int]] | None = None
    refused: Sequence[tuple[int, Role, XlsmsError]] = ()
    error: Exception | None = None

    @classmethod
    def of(cls, applied: Applied, edits: Sequence[RowEdit]) -> "Return":
        """What is said of `edits` that were `applied`."""
        nth = {id(edit): number for number, edit in enumerate(edits)}
        return cls(
            applied=replace(applied, done=(), missing=(), stale=(), ambiguous=(), waiting=(), refused=()),
            groups={name: [nth[id(edit)] for edit in getattr(applied, name)] for name in _GROUPS},
            refused=[(nth[id(each.edit)], each.role, each.error) for each in applied.refused],
        )

    def applied_to(self, edits: Sequence[RowEdit]) -> Applied:
        """The same, told of the edits themselves; raises what the pen could not do."""
        if self.error is not None:
            raise self.error
        if self.applied is None or self.groups is None:
            raise RuntimeError("the pen said nothing")
        done, missing, stale, ambiguous, waiting = (tuple(edits[nth] for nth in self.groups[name]) for name in _GROUPS)
        return replace(
            self.applied,
            done=done,
            missing=missing,
            stale=stale,
            ambiguous=ambiguous,
            waiting=waiting,
            refused=tuple(Refusal(edit=edits[nth], role=role, error=error) for nth, role, error in self.refused),
        )


class Pen:
    """The process, as seen from the thread that has things written. It is started anew if it ended."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | Fork | None = None

    def branch_off(self, work: Callable[[], None]) -> None:
        """Start it as a copy of this process, if that can be, which does the `work` of `pen_child`.

        It need not import what this process has imported. If it ends, another is started as ever.
        """
        if can_fork():
            with suppress(OSError):  # then it is started when it is needed
                self._process = Fork(work, "xlsms-pen")

    def start(self) -> subprocess.Popen[bytes] | Fork:
        """Start it, if it does not run; returns before it is ready."""
        if self._process is None or self._process.poll() is not None:
            self._process = subprocess.Popen(  # noqa: S603 - ours
                command("xlsms_service.sync.pen_child"),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            )
        return self._process

    def write(self, errand: Errand) -> Return:
        """Have something written.

        Raises:
            TransientError: `desk-ended`; it was killed, or had no memory left.
        """
        try:
            process = self.start()
            put(process.stdin, errand)
            said: Return = get(process.stdout)
        except (EOFError, OSError, ValueError, pickle.UnpicklingError) as error:  # ValueError: the pipe is closed
            self.close()
            raise TransientError("desk-ended", place=Place(file=errand.path.name)) from error
        return said

    def close(self) -> None:
        """Let it come to the end of what it is writing, and end it. Idempotent."""
        process, self._process = self._process, None
        if process is None:
            return
        with suppress(OSError):
            if process.stdin:
                process.stdin.close()
        wait_for(process)


class PennedWorkbook(FileWorkbook):
    """A `FileWorkbook` that is read here and written by a pen."""

    def __init__(
        self,
        path: Path,
        *,
        pen: Pen,
        zone: tzinfo | None = None,
        passwords: Passwords = tuple,
        backups: Backups | None = None,
    ) -> None:
        super().__init__(path, zone=zone, passwords=passwords, backups=backups)
        self._pen = pen

    def apply(self, edits: Sequence[RowEdit]) -> Applied:
        """Write all edits at once; see `Workbook.apply`."""
        errand = Errand(
            path=self.path,
            zone=self._zone,
            passwords=tuple(self._passwords()),
            backups=self._backups,
            edits=packed(edits),
        )
        return self._pen.write(errand).applied_to(edits)


def packed(edits: Sequence[RowEdit]) -> _Packed:
    """Edits in few objects."""
    alike: dict[tuple[Role, ...], list[int]] = {}
    for nth, edit in enumerate(edits):
        alike.setdefault(tuple(edit.values), []).append(nth)
    groups: _Packed = []
    for roles, places in alike.items():
        cells, ids, placed = zip(*(edits[nth] for nth in places), strict=True)
        columns = list(zip(*(each.values() for each in cells), strict=True))
        groups.append((places, roles, columns, ids, [place and tuple(place) for place in placed]))
    return groups


def unpacked(groups: _Packed) -> list[RowEdit]:
    """The edits again."""
    edits: dict[int, RowEdit] = {}
    for places, roles, columns, ids, placed in groups:
        rows = zip(*columns, strict=True) if columns else repeat((), len(places))
        cells: list[dict[Role, CellValue]] = [dict(zip(roles, values, strict=True)) for values in rows]
        edits.update(zip(places, map(RowEdit, cells, ids, [at and Placed(*at) for at in placed]), strict=True))
    return [edits[nth] for nth in range(len(edits))]
