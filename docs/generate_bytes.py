"""Writes docs/howto/what-xlsms-does-to-your-workbook.md from a real run: `python docs/generate_bytes.py`.

The workbook is the template for appointment reminders, so the run is the same everywhere. A test compares the page with
what this writes.
"""

import difflib
import os
import re
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from xlsms.model import Role, RowId
from xlsms.workbook.base import Applied, Placed, RowEdit
from xlsms.workbook.closed import ClosedWorkbook

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "howto" / "what-xlsms-does-to-your-workbook.md"
TEMPLATE = ROOT / "workbook_templates" / "reminders.en.xlsx"
ID = RowId("BCDFGHJKMNPQD")
QUEUED = datetime(2026, 1, 14, 8, 0, tzinfo=UTC)
ANSWERED = datetime(2026, 1, 14, 8, 7, tzinfo=UTC)
MEANINGS = {
    "opened": "the file is open for reading; nothing is written yet",
    "created": "the new version is being built beside it, hidden",
    "finished": "it is complete, has the rights of the old one, and is on the disk",
    "verified": "it was read back: only the sheet differs, and every cell holds what was meant",
    "compared": "it says in its name what it is made of, in case of a crash; your file is still as it was",
    "exchanged": "the two have changed names in one step; what came out is looked at, and whether there is a lock now",
    "cleared": "what came out was what had been read, so it goes (the service keeps your last versions in `backups`)",
}

TEXT = """\
# What xlsms does to your workbook, byte by byte

<!-- Written by docs/generate_bytes.py from a real run: change the code, not this page. -->

An `.xlsx` is a zip of parts. xlsms writes one of them, the sheet with your list, and of that only the cells in its own
columns. This page shows a run on the template for appointment reminders: a marked row is accepted, and later its reply
comes. Run `python docs/generate_bytes.py` to see the same on your computer.

## The parts, before and after

Each with its size and its checksum (CRC-32). What is the same is so to the last byte: its compressed bytes in the file
are copied as they lie.

| part | size | checksum | accepted | answered |
|---|---:|---|---|---|
{parts}

{same} of {count} parts were copied as they lie, headers and all: {copied} bytes.

## The sheet, when the row is accepted

The mark goes, the state, the time and the row's id come. Everything else in the sheet's {size} bytes stays. One cell a
line, `-` before and `+` after:

```diff
{accepted}
```

`s="…"` is the cell's style: it stays. Text is written into the cell itself (`inlineStr`), so the table of all texts of
the workbook is not touched, and it is never a formula.

## The sheet, when the reply comes

```diff
{answered}
```

The same again changes nothing: the file written twice with the same states is the same file, with the same time.

## The files in the folder, step by step

{steps}

When you save while this goes on, your file stays, and the states are written into it. When Excel or LibreOffice has the
file open, nothing of this begins: xlsms waits. A crash leaves the old file or the new one, and the next start clears
away what is left beside it.
"""


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), "utf-8")
    print(PAGE)


def page() -> str:
    """The page, from a run in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "reminders.xlsx")
        shutil.copyfile(TEMPLATE, path)
        seen: dict[str, list[str]] = {}

        def look(step: str) -> None:
            seen[step] = [_plain(file.name) for file in sorted(path.parent.iterdir())]

        _apply(path, _marked(path), lambda _: None)
        states = [_parts(path)]
        raw = [_raw(path)]
        _apply(path, _accept(path), look)
        states.append(_parts(path))
        _apply(path, _answer(), lambda _: None)
        states.append(_parts(path))
        raw.append(_raw(path))
        again = _apply(path, _answer(), lambda _: None)
        if again.before != again.version:
            raise RuntimeError("the same states changed the file")
    return _page(states, raw, seen)


def _marked(path: Path) -> RowEdit:
    """The user's order, before the run."""
    row = ClosedWorkbook(path, zone=UTC).read().rows[0]
    return RowEdit(placed=Placed.of(row), values={Role.SEND: "x"})


def _accept(path: Path) -> RowEdit:
    row = ClosedWorkbook(path, zone=UTC).read().rows[0]
    values = {Role.ID: ID, Role.SEND: None, Role.STATUS: "Queued", Role.STATUS_TIME: QUEUED}
    return RowEdit(placed=Placed.of(row), values=values)


def _answer() -> RowEdit:
    values = {
        Role.STATUS: "Delivered",
        Role.STATUS_TIME: QUEUED,
        Role.REPLY: "=YES & thanks",
        Role.REPLY_TIME: ANSWERED,
    }
    return RowEdit(id=ID, values=values)


def _apply(path: Path, edit: RowEdit, step: Callable[[str], None]) -> Applied:
    applied = ClosedWorkbook(path, zone=UTC, step=step).apply([edit])
    if applied.done != (edit,) or applied.refused:
        raise RuntimeError("the run did not go as it should")
    return applied


def _parts(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as package:
        return {info.filename: package.read(info) for info in package.infolist()}


def _raw(path: Path) -> dict[str, bytes]:
    """The bytes of each member as they lie, from its local header on."""
    content = path.read_bytes()
    with zipfile.ZipFile(path) as package:
        starts = [info.header_offset for info in package.infolist()]
        ends = [*starts[1:], package.start_dir]
        names = package.namelist()
    return {name: content[start:end] for name, start, end in zip(names, starts, ends, strict=True)}


def _page(states: list[dict[str, bytes]], raw: list[dict[str, bytes]], seen: dict[str, list[str]]) -> str:
    first, *later = states
    same = [name for name in first if raw[0][name] == raw[1][name]]
    (sheet,) = set(first) - set(same)
    lines = [
        f"| `{name}` | {len(part):,} | `{zlib.crc32(part):08x}` | {_mark(part, later[0][name])} "
        f"| {_mark(later[0][name], later[1][name])} |"
        for name, part in first.items()
    ]
    return TEXT.format(
        parts="\n".join(lines),
        same=len(same),
        count=len(first),
        copied=f"{sum(len(raw[0][name]) for name in same):,}",
        size=f"{len(first[sheet]):,}",
        accepted=_difference(first[sheet], later[0][sheet]),
        answered=_difference(later[0][sheet], later[1][sheet]),
        steps="\n".join(_steps(seen)),
    )


def _mark(before: bytes, after: bytes) -> str:
    return "same" if before == after else f"**{len(after):,}, `{zlib.crc32(after):08x}`**"


def _difference(before: bytes, after: bytes) -> str:
    """What differs, one cell a line; the cells of the row around it are left out."""
    old, new = (
        re.sub(r"(?=<(?:c|row|/row|/sheetData)\b)", "\n", part.decode()).splitlines() for part in (before, after)
    )
    lines = difflib.unified_diff(old, new, n=0, lineterm="")
    return "\n".join(line for line in lines if not line.startswith(("---", "+++", "@@")))


def _steps(seen: dict[str, list[str]]) -> list[str]:
    lines = ["| step | files in the folder | |", "|---|---|---|"]
    for step, meaning in MEANINGS.items():
        lines.append(f"| {step} | {', '.join(f'`{name}`' for name in seen[step])} | {meaning} |")
    return lines


def _plain(name: str) -> str:
    """A file's name without what is another one in each run."""
    name = name.replace(f"-{os.getpid()}.", "-PROCESS.")
    name = re.sub(r"PROCESS\.\d+", "PROCESS.N", name)
    return re.sub(r"-p[0-9a-f]{32}-p[0-9a-f]{32}", "-NEW-OLD", name)


if __name__ == "__main__":
    main()
