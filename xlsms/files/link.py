"""The file that a name leads to."""

import os
from pathlib import Path

__all__ = ["resolved"]


def resolved(path: str | os.PathLike[str]) -> Path:
    """The file itself where a name is a link to it; links in a circle stay as they are, and opening them tells so."""
    return Path(os.path.realpath(path))
