"""The process behind `Pen`: writes what it is given on standard input, until nobody can give any more."""

import sys
from contextlib import suppress
from typing import IO

from xlsms.workbook.opening import FileWorkbook
from xlsms_service.sync.fork import do_or_log
from xlsms_service.sync.garbage import collect, collect_rarely
from xlsms_service.sync.pen import Errand, Return, unpacked
from xlsms_service.sync.pipe import ends, get, put

__all__ = ["main"]


def _write(errand: Errand) -> Return:
    workbook = FileWorkbook(errand.path, zone=errand.zone, passwords=lambda: errand.passwords, backups=errand.backups)
    edits = unpacked(errand.edits)
    try:
        return Return.of(workbook.apply(edits), edits)
    except Exception as error:  # noqa: BLE001 - raised where the errand came from
        return Return(error=error)


def _serve(errands: IO[bytes], said: IO[bytes]) -> None:
    with suppress(EOFError, BrokenPipeError):
        while True:
            put(said, _write(get(errands)))
            collect()


def main() -> None:
    """Errands on standard input, what became of them on standard output."""
    errands, said = ends()
    collect_rarely()
    _serve(errands, said)


if __name__ == "__main__":
    sys.exit(not do_or_log(main))
