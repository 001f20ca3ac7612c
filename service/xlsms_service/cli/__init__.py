"""The command line: `xlsms …`. Wiring only; the work is done below."""

import sys
from collections.abc import Sequence

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 1 some rows could not go, 2 wrong use, 3 not reached."""
    try:
        from xlsms_service.cli.entry import run  # noqa: PLC0415 (what it imports may not be installed)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] in ("xlsms", "xlsms_service"):
            raise
        sys.stderr.write(f"xlsms: the package {error.name} is missing. Install it: pip install 'xlsms[service]'\n")
        return 2
    return run(list(sys.argv[1:] if arguments is None else arguments))
