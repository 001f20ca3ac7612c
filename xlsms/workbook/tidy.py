"""A folder of workbooks put in order after a crash."""

from pathlib import Path

from xlsms.files.sweep import sweep
from xlsms.ooxml.package import fingerprint

__all__ = ["tidy"]


def tidy(folder: Path) -> None:
    """Clear away what a crash of xlsms left in a folder, and put back what it kept from its place; see `sweep`.

    Raises:
        OSError: the folder cannot be read or changed.
    """
    sweep(folder, fingerprint)
