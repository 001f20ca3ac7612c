"""Reads, sets up and writes real workbooks with bytes and parts broken at random, in a process with little memory.

`hostile_child.py FOLDER CORPUS SEED ROUNDS` tells each round and its file before it begins, and then whether it was
read, written and set up; a round that takes longer than a minute ends the process.
"""

import resource
import signal
import sys
import zipfile
from pathlib import Path
from random import Random

from tests.unit.ooxml.fuzz_child import LIMIT, PATIENCE, PIECES
from tests.workbooks import packed
from xlsms.errors import XlsmsError
from xlsms.workbook import read_rows, write_cells
from xlsms.workbook.setup import set_up
from xlsms.workbook.writing import opened

_LARGEST = 300_000  # bytes of a file that is taken: larger ones take longer than they teach


def files(corpus):
    """The workbooks that are mutated, always in one order."""
    return sorted(file for file in corpus.rglob("*.xls[xm]") if file.stat().st_size <= _LARGEST)


def broken_records(chance, content):
    """Some bytes changed, put in or taken out, more often in the zip's own records than elsewhere."""
    data = bytearray(content)
    for _ in range(chance.randint(1, 6)):
        records = [at for mark in (b"PK\1\2", b"PK\3\4", b"PK\5\6") if (at := data.find(mark)) >= 0]
        near = records and chance.random() < 0.6
        at = min(chance.choice(records) + chance.randrange(46), len(data) - 1) if near else chance.randrange(len(data))
        data[at : at + chance.choice([0, 1, 1, 4])] = chance.randbytes(chance.choice([1, 1, 1, 4]))
    return bytes(data)


def broken_parts(chance, content, path):
    """Pieces that mean something put into parts, and stretches taken out or doubled; None for what is no zip."""
    path.write_bytes(content)
    try:
        with zipfile.ZipFile(path) as package:
            made = {name: package.read(name) for name in package.namelist()}
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, zipfile.zlib.error):
        return None
    sheets = [name for name in made if "sheet" in name.lower() and made[name]]
    for _ in range(chance.randint(1, 3)):
        name = chance.choice(sheets or list(made)) if chance.random() < 0.7 else chance.choice(list(made))
        part = made[name]
        at = chance.randrange(len(part) + 1)
        end = at + chance.choice([0, 1, 9, 200])
        made[name] = part[:at] + chance.choice([*PIECES, part[at:end] * 2]) + part[end:]
    return packed(made)


def mutant(corpus, seed, path):
    """The file and the content of a round."""
    chance = Random(seed)
    file = chance.choice(files(corpus))
    content = file.read_bytes()
    made = broken_parts(chance, content, path) if chance.random() < 0.6 else None
    return file, broken_records(chance, content) if made is None else made


def survive(path):
    """Whatever is asked of the file gives a result, or our own error and an untouched file."""

    def name():
        with opened(path) as book:
            return book.sheets[0].name if book.sheets else "Sheet1"

    done = []
    for ask in (
        lambda: [dict(row.fields) for row in read_rows(path)] and None,
        lambda: write_cells(path, {(name(), "AZ2"): "Sent"}),
        lambda: set_up(path) and None,
    ):
        before, reason = path.read_bytes(), None
        try:
            ask()
        except XlsmsError as error:
            reason = error
        done.append(reason is None)
        assert reason is None or (reason.message() != reason.code and path.read_bytes() == before), reason
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    return done


def main():
    folder, corpus, seed, rounds = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    path = folder / "a.xlsx"
    soft = resource.getrlimit(resource.RLIMIT_AS)[1]
    for now in range(seed, seed + rounds):
        file, content = mutant(corpus, now, path)
        print(now, file.name, end=" ", flush=True)
        path.write_bytes(content)
        resource.setrlimit(resource.RLIMIT_AS, (LIMIT, soft))
        signal.alarm(PATIENCE)
        done = survive(path)
        signal.alarm(0)
        resource.setrlimit(resource.RLIMIT_AS, (soft, soft))
        print(*done)


if __name__ == "__main__":
    main()
