"""Programs that a test needs beside Python."""

import os
import shutil

__all__ = ["lacks"]


def lacks(*programs: str) -> bool:
    """Whether one is not here, so that a test may be left out; where CI is set, none may, and the test fails instead."""
    return not os.environ.get("CI") and not all(map(shutil.which, programs))
