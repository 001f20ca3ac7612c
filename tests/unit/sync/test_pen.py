"""Workbooks that another process writes into: what every workbook promises, and nothing lost when that process dies."""

import pickle
import signal
import subprocess
import sys
import threading
from datetime import UTC
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.workbook import test_workbook_contract as contract
from tests.workbooks import people, workbook
from xlsms.errors import Place, TransientError, UserError
from xlsms.model import Role
from xlsms.workbook.base import Applied, Placed, Refusal, RowEdit, Version
from xlsms.workbook.closed import ClosedWorkbook
from xlsms.workbook.identity import new_row_id
from xlsms_service.sync import pen as module
from xlsms_service.sync import pen_child
from xlsms_service.sync import pipe as pipes
from xlsms_service.sync.pen import Errand, Pen, PennedWorkbook, Return, packed, unpacked


@pytest.fixture(scope="module")
def pen():
    made = Pen()
    yield made
    made.close()


class TestPennedWorkbook(contract.TestClosedWorkbook):
    """The whole contract of a closed workbook."""

    @pytest.fixture(autouse=True)
    def _pen(self, pen):
        self.pen = pen

    def open(self, path):
        return PennedWorkbook(path, pen=self.pen, zone=contract.MADRID)


@pytest.fixture
def path(tmp_path):
    return workbook(tmp_path / "people.xlsx", people(4))


def edits_of(path):
    rows = ClosedWorkbook(path).read().rows
    return [RowEdit(placed=Placed.of(row), values={Role.ID: new_row_id(Random(row.number))}) for row in rows]


def ids(path):
    return [row.id for row in ClosedWorkbook(path).read().rows]


def test_a_pen_that_is_killed_is_told_and_the_next_write_starts_another(path, monkeypatch):
    pen = Pen()
    process = pen.start()
    process.send_signal(signal.SIGSTOP)
    edits = edits_of(path)

    def put(pipe, errand):
        pipes.put(pipe, errand)
        process.kill()

    with monkeypatch.context() as patch:
        patch.setattr(module, "put", put)
        with pytest.raises(TransientError) as caught:
            PennedWorkbook(path, pen=pen).apply(edits)
    assert (caught.value.code, caught.value.place.file) == ("desk-ended", "people.xlsx")
    assert ids(path) == [None] * 4
    PennedWorkbook(path, pen=pen).apply(edits)
    pen.close()
    assert ids(path) == [edit.values[Role.ID] for edit in edits]


#: A process with one thread, as the desk is when it begins.
BRANCHING_OFF = """
import os, sys
from pathlib import Path
from xlsms.errors import TransientError
from tests.unit.sync.test_pen import edits_of
from xlsms_service.sync import pen_child
from xlsms_service.sync.fork import Fork
from xlsms_service.sync.pen import Pen, PennedWorkbook

path, pen = Path(sys.argv[1]), Pen()
pen.branch_off(pen_child.main)
copy = pen.start()
edits = edits_of(path)
PennedWorkbook(path, pen=pen).apply(edits[:2])
print(type(copy).__name__, Path(f"/proc/{copy.pid}/comm").read_text().strip(), copy.poll())
copy.kill()
print(copy.wait(60))
try:
    PennedWorkbook(path, pen=pen).apply(edits[2:])
    print(type(pen.start()).__name__)
finally:
    pen.close()
gone = Pen()
gone.branch_off(pen_child.main)
copy = gone.start()
gone.close()
print(copy.poll())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only there a process is copied")
def test_a_pen_that_begins_as_a_copy_writes_ends_and_is_followed_by_another(path):
    command = [sys.executable, "-c", BRANCHING_OFF, str(path)]
    root = Path(__file__).parents[3]
    seen = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=root, check=False)

    assert (seen.stdout.splitlines(), seen.stderr) == (["Fork xlsms-pen None", "-9", "Popen", "0"], "")
    assert ids(path) == [edit.values[Role.ID] for edit in edits_of(path)]


def test_a_copy_is_not_made_where_threads_would_be_missing(monkeypatch):
    monkeypatch.setattr(threading, "active_count", lambda: 2)
    pen = Pen()
    pen.branch_off(pen_child.main)
    process = pen.start()
    pen.close()

    assert isinstance(process, subprocess.Popen)


def test_a_pen_whose_desk_has_died_writes_what_it_has_and_ends(path):
    pen = Pen()
    process = pen.start()
    process.send_signal(signal.SIGSTOP)
    edits = edits_of(path)
    pipes.put(process.stdin, Errand(path=path, zone=None, passwords=(), backups=None, edits=packed(edits)))
    process.stdin.close()
    process.stdout.close()
    process.send_signal(signal.SIGCONT)
    assert process.wait(60) == 0
    assert ids(path) == [edit.values[Role.ID] for edit in edits]


def test_what_cannot_be_written_is_raised_where_it_was_asked_for(path, pen):
    edits = edits_of(path)
    path.with_name("~$people.xlsx").write_bytes(b"\x05Maria" + bytes(159))
    with pytest.raises(TransientError) as caught:
        PennedWorkbook(path, pen=pen).apply(edits)
    assert (caught.value.code, caught.value.place.file) == ("file-open-elsewhere", "people.xlsx")


cells = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.decimals(allow_nan=False), st.text(),
    st.datetimes(timezones=st.just(UTC)),
)  # fmt: skip
lays = st.none() | st.tuples(st.tuples(st.booleans(), st.text()), st.binary())
places = st.builds(
    Placed,
    sheet=st.text(),
    number=st.integers(1, 1_048_576),
    phone=cells,
    message=st.none() | st.text(),
    marked=st.booleans(),
    id=st.none() | st.text(),
    lay=lays,
)
edits_made = st.lists(
    st.builds(
        RowEdit,
        values=st.dictionaries(st.sampled_from(Role), cells),
        id=st.none() | st.text(),
        placed=st.none() | places,
    ),
    max_size=20,
)


@given(edits=edits_made, data=st.data())
def test_edits_and_what_became_of_them_come_through_as_they_were(edits, data):
    there = unpacked(pickle.loads(pickle.dumps(packed(edits))))
    assert there == edits
    assert [list(edit.values) for edit in there] == [list(edit.values) for edit in edits]
    assert [edit.placed and edit.placed.lay for edit in there] == [edit.placed and edit.placed.lay for edit in edits]

    groups = [[], [], [], [], []]
    for edit in there:
        groups[data.draw(st.integers(0, 4))].append(edit)
    error = UserError("cell-formula", place=Place(sheet="S", row=2, column="B"))
    version = Version(size=1, mtime_ns=2, inode=3, directory="d")
    done, missing, stale, ambiguous, waiting = map(tuple, groups)
    applied = Applied(
        before=version,
        version=version,
        done=done,
        missing=missing,
        stale=stale,
        ambiguous=ambiguous,
        waiting=waiting,
        refused=tuple(Refusal(edit=edit, role=Role.STATUS, error=error) for edit in done),
        changed=7,
    )
    here = pickle.loads(pickle.dumps(Return.of(applied, there))).applied_to(edits)
    own = {id(edit) for edit in edits}
    for name in ("done", "missing", "stale", "ambiguous", "waiting"):
        assert getattr(here, name) == getattr(applied, name)
        assert {id(edit) for edit in getattr(here, name)} <= own
    assert [(each.edit, each.role, each.error.code) for each in here.refused] == [
        (edit, Role.STATUS, "cell-formula") for edit in done
    ]
    assert (here.before, here.version, here.changed) == (version, version, 7)
