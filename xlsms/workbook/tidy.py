"""A folder of workbooks put in order after a crash."""

from pathlib import Path

from xlsms.files.kind import is_zip
from xlsms.files.sweep import sweep
from xlsms.ooxml.package import fingerprint
from xlsms.workbook.csvbook import text_identity

__all__ = ["tidy"]


def tidy(folder: Path) -> None:
    """Clear away what a crash of xlsms left in a folder, and put back what it kept from its place; see `sweep`.

    Raises:
        OSError: the folder cannot be read or changed.
    """
    sweep(folder, _identity)


def _identity(path: Path) -> str:
    """What tells a content from another, as those who write such files name it."""
    return fingerprint(path) if is_zip(path) else text_identity(path)
