"""Whether a workbook is the second version of another that a cloud folder made: nothing is ever sent from it."""

from collections.abc import Callable
from pathlib import Path

from xlsms.errors import Place, UserError, XlsmsError
from xlsms.files.conflict import original_of
from xlsms.workbook.base import Snapshot
from xlsms_service.sync import order

__all__ = ["check_conflict"]


def check_conflict(snapshot: Snapshot, read: Callable[[Path], Snapshot]) -> None:
    """Make sure that a workbook is no conflict copy; `read` reads the one that it would be a copy of.

    Raises:
        UserError: `conflict-copy`; its name is that of one, and it holds what the workbook beside it holds.
    """
    original = original_of(snapshot.path)
    if original is None:
        return
    try:
        other = read(original)
    except XlsmsError:  # not a workbook that is sent from: nothing goes twice
        return
    if _same_workbook(snapshot, other):
        raise UserError("conflict-copy", place=Place(file=snapshot.path.name), original=original.name)


def _same_workbook(one: Snapshot, other: Snapshot) -> bool:
    """Whether two files are versions of one workbook: by their GUID, else by a row that stands in both."""
    if one.guid or other.guid:
        return one.guid == other.guid
    if set(order.ids(one.rows)) & set(order.ids(other.rows)):
        return True
    rows = [{(row.phone, row.message) for row in it.rows if row.phone not in (None, "")} for it in (one, other)]
    return bool(rows[0] & rows[1])
