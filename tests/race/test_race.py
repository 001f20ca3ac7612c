"""Other programs save, open and close a workbook between any steps of ours, thousands of times.

Whatever happens: the user's last save is under the name, our states are in it afterwards, and nothing else is left.
`XLSMS_RACE_ROUNDS` is the number of rounds for each kind of file, `XLSMS_RACE_SEED` the seed of the first one.
"""

import os
from random import Random

import pytest

from tests.saves import delete_save, rename_save
from tests.workbooks import members, sheet_xml, text_cell, workbook
from xlsms.errors import TransientError
from xlsms.model import Role
from xlsms.workbook.base import RowEdit
from xlsms.workbook.closed import ClosedWorkbook
from xlsms.workbook.csvbook import CsvWorkbook
from xlsms.workbook.identity import new_row_id

pytestmark = pytest.mark.race

ROUNDS = int(os.environ.get("XLSMS_RACE_ROUNDS", "2000"))
SEED = int(os.environ.get("XLSMS_RACE_SEED", "1"))
STEPS = ["opened", "read", "created", "written", "finished", "verified", "named", "compared", "exchanged", "cleared"]
HEADERS = ("Name", "Phone", "Status", "SMS ID")


def sheet(rows):
    """Rows of (name, id, status)."""
    head = "".join(text_cell(f"{letter}1", text) for letter, text in zip("ABCD", HEADERS, strict=True))
    lines = [f'<row r="1">{head}</row>']
    for number, (name, identity, status) in enumerate(rows, 2):
        cells = text_cell(f"A{number}", name) + f'<c r="B{number}"><v>{34600000000 + int(name.split()[0])}</v></c>'
        cells += (text_cell(f"C{number}", status) if status else "") + text_cell(f"D{number}", identity)
        lines.append(f'<row r="{number}">{cells}</row>')
    return sheet_xml("".join(lines))


def text(rows):
    """The same rows in a text file."""
    lines = [
        ",".join(HEADERS),
        *(f"{name},{34600000000 + int(name.split()[0])},{status},{identity}" for name, identity, status in rows),
    ]
    return "\r\n".join([*lines, ""])


def text_file(path, content):
    path.write_bytes(content.encode())
    return path


#: What a file of the name is opened with, and how a user's program makes one.
KINDS = {"a.xlsx": (ClosedWorkbook, sheet, workbook), "a.csv": (CsvWorkbook, text, text_file)}


class User:
    """Somebody with the workbook in a spreadsheet program: opens it, changes it, saves it, closes it, at any time."""

    def __init__(self, path, chance):
        self.path, self.chance = path, chance
        self.kind, self.content, self.make = KINDS[path.name]
        self.saves = 0
        self.open = None  # the rows as they were read, while it is open
        self.ids = [new_row_id(chance) for _ in range(6)]
        self.saved = [f"{at} first" for at in range(6)]
        self.make(path, self.content(zip(self.saved, self.ids, [""] * 6, strict=True)))

    @property
    def lock(self):
        return self.path.with_name(f".~lock.{self.path.name}#")

    def read(self):
        return [[row.fields["Name"], row.id, row.status] for row in self.kind(self.path).read().rows]

    def act(self):
        """One thing that a user does."""
        if self.open is None:
            if self.chance.random() < 0.5:
                self.lock.write_text("Ana,ana,elsewhere,22.11.2026 09:15,file:///x;")
                self.open = self.read()
            else:  # a program that takes no lock: a script, a sync client
                self.save(self.read())
        elif self.chance.random() < 0.7:
            self.save(self.open)
        else:
            self.close()

    def save(self, rows):
        self.saves += 1
        self.chance.shuffle(rows)
        for row in rows:
            row[0] = f"{row[0].split()[0]} save {self.saves}"
        self.chance.choice([rename_save, delete_save])(self.path, self.content(rows), self.make)
        self.saved = [row[0] for row in rows]

    def close(self):
        self.lock.unlink(missing_ok=True)
        self.open = None


def play(path, seed):
    """One round: a write of ours, and a user who does something before, after and between its steps."""
    chance = Random(seed)
    user = User(path, chance)
    busy = chance.choice([0.02, 0.1, 0.3])
    happened = set()

    def act(step):
        happened.add(step)
        if chance.random() < busy:
            user.act()

    edits = [RowEdit(id=identity, values={Role.STATUS: f"Sent {at}"}) for at, identity in enumerate(user.ids)]
    try:
        user.kind(path, step=act).apply(edits)
    except TransientError:
        happened.add("waited")  # it is open elsewhere, or was saved again and again
    assert path.suffix != ".xlsx" or members(path), "a whole package"
    assert [row[0] for row in user.read()] == user.saved, "the user's last save"
    if user.open is not None:
        if chance.random() < 0.5:
            user.save(user.open)
        user.close()
    user.kind(path).apply(edits)
    now = user.read()
    assert [row[0] for row in now] == user.saved, "the user's last save, still"
    assert {row[1]: row[2] for row in now} == {edit.id: edit.values[Role.STATUS] for edit in edits}
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    return happened, user.saves


@pytest.mark.parametrize("name", KINDS)
def test_the_users_save_always_wins_and_our_states_are_in_it(tmp_path, name):
    happened, saves = set(), 0
    for seed in range(SEED, SEED + ROUNDS):
        try:
            steps, more = play(tmp_path / name, seed)
        except BaseException as error:
            error.add_note(f"XLSMS_RACE_SEED={seed} XLSMS_RACE_ROUNDS=1")
            raise
        happened |= steps
        saves += more
        (tmp_path / name).unlink()
    assert ROUNDS < 100 or (happened == {*STEPS, "waited"} and saves > ROUNDS / 4), "there was something to see"
