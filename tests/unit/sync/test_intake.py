"""Taking workbooks in and bringing them up to date, on a workbook that lives in memory."""

import asyncio
import itertools
import threading
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import select

from xlsms.errors import TransientError, UserError
from xlsms.model import Role, Row
from xlsms.states import State
from xlsms.workbook.base import Applied, Placed, Reading, Refusal, Sheet, Snapshot, Version
from xlsms_service.ledger import claim, conversation, settlement
from xlsms_service.ledger.ledger import Ledger
from xlsms_service.ledger.schema import message, workbook
from xlsms_service.ledger.settlement import Move
from xlsms_service.planning import Terms
from xlsms_service.sync.intake import Intake
from xlsms_service.sync.thread import WorkbookThread
from xlsms_service.sync.writeback import Writeback

NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
PATH = Path("/books/list.xlsx")


class Table:
    """A workbook in memory: rows as dictionaries, with the manners of the seam."""

    def __init__(self, path=PATH):
        self.path = path
        self.rows = []
        self.saves = 1
        self.guid = None
        self.before_propose = lambda: None
        self.before_apply = lambda: None
        self.after_apply = lambda: None
        self.formulas = set()  # roles whose cells cannot be written

    def add(self, phone, text="hola", mark="x", **cells):
        self.rows.append({Role.PHONE: phone, Role.MESSAGE: text, Role.SEND: mark, Role.ID: None, **cells})
        self.saves += 1
        return self.rows[-1]

    def version(self):
        return Version(size=1, mtime_ns=self.saves, inode=1, directory="d")

    def check_ready(self):
        self.before_propose()

    def read(self, *, marked_only=False):
        return Snapshot(
            path=self.path,
            version=self.version(),
            guid=self.guid,
            language="es",
            sheets=(
                Sheet(name="S", header_row=1, columns={Role.PHONE: "A", Role.REPLY: "H"}, headers={"H": "Respuesta"}),
            ),
            rows=tuple(self._row(number, cells) for number, cells in enumerate(self.rows, 2)),
        )

    def reading(self):
        return nullcontext(Reading.of(self.read()))

    def _row(self, number, cells):
        return Row(
            sheet="S",
            number=number,
            phone=cells[Role.PHONE],
            message=cells[Role.MESSAGE],
            marked=cells[Role.SEND] == "x",
            id=cells[Role.ID],
            status=cells.get(Role.STATUS) or "",
            detail=cells.get(Role.DETAIL) or "",
            values={"Respuesta": cells.get(Role.REPLY)},
        )

    def apply(self, edits):
        self.before_apply()
        before = self.version()
        now = [self._row(number, cells) for number, cells in enumerate(self.rows, 2)]
        done, missing, stale, refused = [], [], [], []
        for edit in edits:
            if edit.id is not None:
                found = [row for row in now if row.id == edit.id]
            else:
                found = [row for row in now if Placed.of(row) == edit.placed]
            if not found:
                (missing if edit.id is not None else stale).append(edit)
                continue
            cells = self.rows[found[0].number - 2]
            for role, value in edit.values.items():
                if role in self.formulas:
                    refused.append(Refusal(edit=edit, role=role, error=UserError("formula")))
                else:
                    cells[role] = value
            done.append(edit)
        self.saves += 1
        self.after_apply()
        return Applied(
            before=before,
            version=self.version(),
            done=tuple(done),
            missing=tuple(missing),
            stale=tuple(stale),
            refused=tuple(refused),
        )


class Desk:
    """Ledger, intake and write-back around tables."""

    def __init__(self, folder, pieces=(1000,), *, ahead=False):
        self.ledger = Ledger.open(folder)
        self.thread = WorkbookThread()
        self.writing = WorkbookThread() if ahead else None
        self.tables = {}
        self.now = NOW
        self.intake = Intake(
            self.ledger,
            self.thread,
            self.tables.__getitem__,
            route=lambda *_: "",
            now=lambda: self.now,
            rng=Random(1),
            pieces=pieces,
            writing=self.writing,
        )
        self.writeback = Writeback(self.ledger, self.thread, self.tables.__getitem__)

    def table(self, path=PATH):
        return self.tables.setdefault(path, Table(path))

    def take(self, path=PATH, **terms):
        return asyncio.run(self.intake.take(path, Terms(**terms)))

    def write_back(self):
        asyncio.run(self.writeback.flush())

    def messages(self):
        return self.ledger.do_now(lambda c: c.execute(select(message).order_by(message.c.id)).all())

    def claim(self, room=1000):
        return self.ledger.do_now(claim.claim, connector="c", routes=[""], room=room, idle=True, now=self.now)

    def move(self, key, state):
        self.ledger.do_now(settlement.move, [Move(message=key, state=state, at=self.now)])

    def close(self):
        self.thread.close()
        if self.writing:
            self.writing.close()
        self.ledger.close()


@pytest.fixture
def desk(tmp_path):
    made = Desk(tmp_path)
    yield made
    made.close()


def test_a_marked_row_is_accepted_once_and_its_mark_taken_out(desk):
    row = desk.table().add("600111222")
    assert desk.take().accepted == 1
    assert row[Role.ID]
    assert row[Role.SEND] is None
    assert row[Role.STATUS] == "En cola"
    assert desk.take().accepted == 0
    assert [(each.number, each.text) for each in desk.claim()] == [("+34600111222", "hola")]
    assert desk.claim() == []


def test_rows_without_a_mark_stay_as_they_are(desk):
    row = desk.table().add("600111222", mark="")
    before = dict(row)
    assert desk.take().accepted == 0
    assert row == before


def test_nothing_can_go_before_its_id_is_in_the_workbook(desk):
    table = desk.table()
    table.add("600111222")
    seen = []
    table.before_apply = lambda: seen.append(desk.claim())
    table.after_apply = lambda: seen.append(desk.claim())
    desk.take()
    assert seen == [[], []]
    assert len(desk.claim()) == 1


def test_a_workbook_that_cannot_be_written_sends_nothing_and_is_taken_later(desk):
    table = desk.table()
    row = table.add("600111222")

    def locked():
        raise TransientError("file-open-elsewhere", owner="Ana", application="Excel")

    table.before_apply = locked
    with pytest.raises(TransientError):
        desk.take()
    assert desk.messages() == []
    assert row[Role.ID] is None
    table.before_apply = lambda: None
    assert desk.take().accepted == 1


def test_a_crash_between_the_write_and_the_admission_neither_loses_nor_repeats(desk):
    table = desk.table()
    table.add("600111222")

    class PowerCutError(BaseException):
        pass

    def cut():
        raise PowerCutError

    table.after_apply = cut
    with pytest.raises(PowerCutError):
        desk.take()
    table.after_apply = lambda: None
    assert desk.claim() == []
    desk.take()
    assert len(desk.claim()) == 1
    desk.take()
    assert len(desk.messages()) == 1


def test_a_row_that_changed_under_our_hands_is_left_for_the_next_look(desk):
    table = desk.table()
    row = table.add("600111222")
    table.before_apply = lambda: row.update({Role.MESSAGE: "other"})
    taken = desk.take()
    assert (taken.accepted, taken.changed) == (0, True)
    table.before_apply = lambda: None
    desk.take()
    assert [each.text for each in desk.claim()] == ["other"]


def test_what_cannot_go_says_why_in_the_row_and_goes_when_mended(desk):
    row = desk.table().add("60011")
    taken = desk.take()
    (problem,) = taken.problems
    assert row[Role.STATUS] == "Retenido"
    assert f"[{problem.code}]" in row[Role.DETAIL]
    assert (problem.place.sheet, problem.place.row, problem.place.column) == ("S", 2, "A")
    assert row[Role.ID] is None
    assert row[Role.SEND] == "x"
    row[Role.PHONE] = "600111222"
    assert desk.take().accepted == 1


def test_the_same_text_to_the_same_number_is_held_until_it_is_marked_again(desk):
    table = desk.table()
    table.add("600111222")
    again = table.add("+34 600 111 222")
    taken = desk.take()
    assert (taken.accepted, len(taken.held)) == (1, 1)
    assert again[Role.STATUS] == "Retenido"
    assert len(desk.claim()) == 1
    again[Role.SEND] = "x"
    assert desk.take().accepted == 1
    assert len(desk.claim()) == 1


def test_a_row_that_somebody_else_took_meanwhile_is_not_told_as_a_duplicate(desk):
    table = desk.table()
    row = table.add("600111222")
    desk.table(Path("/books/other.xlsx")).add("600111222")
    desk.take(Path("/books/other.xlsx"))
    table.before_apply = lambda: row.update({Role.SEND: None})
    taken = desk.take()
    assert (taken.accepted, taken.held, taken.changed) == (0, (), True)


@pytest.fixture(params=[False, True], ids=["in turn", "ahead"])
def pieces(tmp_path, request):
    """A desk that takes in two rows at a time, and with one of its kinds looks at some while others are written."""
    made = Desk(tmp_path, pieces=(2,), ahead=request.param)
    yield made
    made.close()


def test_a_long_list_is_taken_in_piece_by_piece_as_one_campaign(pieces):
    saves = pieces.table().saves
    for number in range(5):
        pieces.table().add(f"60011122{number}", f"text {number}")
    taken = pieces.take()
    assert (taken.accepted, taken.changed, taken.problems) == (5, False, ())
    assert pieces.table().saves - saves == 5 + 3
    assert {each.campaign for each in pieces.messages()} == {1}
    assert taken.book.version is None
    assert pieces.take().accepted == 0


def test_only_the_first_rows_are_taken_in_where_no_more_are_asked_for(pieces):
    for number in range(5):
        pieces.table().add(f"60011122{number}", f"text {number}")
    first = asyncio.run(pieces.intake.take(PATH, Terms(), 3))
    assert (first.accepted, first.more, first.changed) == (3, True, False)
    assert [row[Role.SEND] for row in pieces.table().rows] == [None] * 3 + ["x"] * 2
    assert pieces.ledger.do_now(lambda c: c.execute(select(workbook.c.version)).scalar()) is None  # look again
    rest = asyncio.run(pieces.intake.take(PATH, Terms(), 9))
    assert (rest.accepted, rest.more, rest.changed) == (2, False, False)
    assert pieces.ledger.do_now(lambda c: c.execute(select(workbook.c.version)).scalar()) is not None
    assert sorted(each.text for each in pieces.claim()) == [f"text {number}" for number in range(5)]


def test_a_duplicate_in_a_later_piece_is_held(pieces):
    for _ in range(7):
        pieces.table().add("600111222")
    taken = pieces.take()
    assert taken.accepted == 1
    assert [entry.held.code for entry in taken.held] == ["duplicate-in-sheet"] + ["duplicate-recent"] * 5


def test_a_duplicate_of_what_is_being_written_is_held(tmp_path):
    """The piece before is not admitted while this one is looked at: the ledger does not count it yet."""
    desk = Desk(tmp_path, pieces=(1,), ahead=True)
    for text in ("one", "two", "one", "two"):
        desk.table().add("600111222", text)
    looked_at = threading.Event()
    count = itertools.count(1)

    def looked():
        if next(count) == 3:  # rows are looked at: the third of them while the first is written
            looked_at.set()

    desk.table().before_propose = looked
    desk.table().before_apply = lambda: looked_at.wait(60)
    taken = desk.take()
    assert looked_at.is_set()
    assert taken.accepted == 2
    assert [entry.held.code for entry in taken.held] == ["duplicate-recent"] * 2
    desk.close()


def test_pieces_after_one_that_could_not_be_written_are_not(pieces):
    """Not even those that were looked at meanwhile: what comes after a row that is still marked is not sent first."""
    rows = [pieces.table().add(f"60011122{number}", f"text {number}") for number in range(8)]
    writes = itertools.count(1)

    def apply():
        if next(writes) == 2:
            raise TransientError("file-open-elsewhere", file="list.xlsx")

    pieces.table().before_apply = apply
    taken = pieces.take()
    assert taken.accepted == 2
    assert [problem.code for problem in taken.problems] == ["file-open-elsewhere"]
    assert [row[Role.SEND] for row in rows] == [None] * 2 + ["x"] * 6
    assert len(pieces.messages()) == 2  # the others have been withdrawn
    assert pieces.take().accepted == 6
    assert sorted(each.text for each in pieces.claim()) == [f"text {number}" for number in range(8)]


def test_of_rows_with_one_id_in_two_pieces_the_one_that_was_sent_is_kept(pieces):
    original = pieces.table().add("600111222")
    pieces.take()
    copy = {**original, Role.PHONE: "600111999"}
    pieces.table().rows[:0] = [
        copy,
        *({Role.PHONE: f"60011133{n}", Role.MESSAGE: "x", Role.SEND: None, Role.ID: None} for n in range(4)),
    ]
    pieces.take()
    assert original[Role.ID]
    assert copy[Role.ID] is None


def test_what_keeps_a_later_piece_from_being_written_leaves_the_earlier_ones_accepted(pieces):
    rows = [pieces.table().add(f"60011122{number}", f"text {number}") for number in range(3)]

    def close():
        raise TransientError("file-open", file="list.xlsx")

    def open_it():
        pieces.table().before_apply = close

    pieces.table().after_apply = open_it
    taken = pieces.take()
    assert taken.accepted == 2
    assert [problem.code for problem in taken.problems] == ["file-open"]
    assert rows[2][Role.SEND] == "x"
    pieces.table().before_apply = pieces.table().after_apply = lambda: None
    assert pieces.take().accepted == 1
    assert sorted(each.text for each in pieces.claim()) == ["text 0", "text 1", "text 2"]


def test_a_duplicate_is_seen_in_another_workbook_too_and_forgotten_after_a_day(desk):
    desk.table().add("600111222")
    desk.take()
    other = Path("/books/other.xlsx")
    desk.table(other).add("600111222")
    assert len(desk.take(other).held) == 1
    desk.move(desk.claim()[0].id, State.SENT)
    third = Path("/books/third.xlsx")
    desk.now += timedelta(hours=25)
    desk.table(third).add("600111222")
    assert desk.take(third).accepted == 1


def test_a_row_marked_again_is_a_new_order_and_shows_the_new_state(desk):
    row = desk.table().add("600111222")
    desk.take()
    (first,) = desk.claim()
    desk.move(first.id, State.SENT)
    desk.move(first.id, State.DELIVERED)
    desk.write_back()
    assert row[Role.STATUS] == "Entregado"
    row[Role.SEND] = "x"
    assert desk.take().accepted == 1
    assert row[Role.STATUS] == "En cola"
    (second,) = desk.claim()
    assert second.id != first.id
    desk.move(second.id, State.FAILED)
    desk.write_back()
    assert row[Role.STATUS] == "Fallido"


def test_text_edited_after_sending_is_not_sent_unless_marked_again(desk):
    row = desk.table().add("600111222")
    desk.take()
    desk.claim()
    row[Role.MESSAGE] = "edited"
    assert desk.take().accepted == 0
    assert desk.claim() == []


def test_a_row_marked_again_while_it_waits_takes_the_first_order_back(desk):
    row = desk.table().add("600111222", "first")
    desk.take()
    row.update({Role.SEND: "x", Role.MESSAGE: "second"})
    desk.take()
    assert [each.text for each in desk.claim()] == ["second"]


def test_a_row_marked_again_while_it_is_being_sent_is_taken_when_that_has_ended(desk):
    row = desk.table().add("600111222")
    desk.take()
    (first,) = desk.claim()
    row[Role.SEND] = "x"
    desk.table().saves += 1
    taken = desk.take()
    assert taken.accepted == 0
    assert taken.book.version is None or taken.book.version != desk.table().read().version.text
    desk.move(first.id, State.SENT)
    assert desk.take().accepted == 1


def test_a_mark_made_by_a_formula_orders_once(desk):
    table = desk.table()
    table.formulas = {Role.SEND}
    row = table.add("600111222")
    desk.take()
    assert row[Role.SEND] == "x"
    assert len(desk.claim()) == 1
    desk.move(desk.messages()[0].id, State.SENT)
    assert desk.take().accepted == 0
    row[Role.SEND] = ""
    desk.take()
    row[Role.SEND] = "x"
    assert desk.take().accepted == 1


def test_a_copied_row_loses_the_id_and_is_sent_only_when_marked_again(desk):
    table = desk.table()
    row = table.add("600111222")
    desk.take()
    copy = dict(row) | {Role.PHONE: "600999888", Role.SEND: "x"}
    table.rows.insert(0, copy)
    taken = desk.take()
    assert taken.accepted == 0
    assert copy[Role.ID] is None
    assert copy[Role.SEND] is None
    assert "[row-copied]" in copy[Role.DETAIL]
    assert row[Role.ID] is not None
    copy[Role.SEND] = "x"
    assert desk.take().accepted == 1
    assert {each.number for each in desk.claim()} == {"+34600111222", "+34600999888"}


def test_a_row_pasted_from_another_workbook_leaves_the_original_its_id(desk, tmp_path):
    path, other = tmp_path / "list.xlsx", tmp_path / "other.xlsx"
    path.touch()
    row = desk.table(path).add("600111222")
    desk.take(path)
    desk.table(other).add("600333444", mark="")
    desk.take(other)
    pasted = dict(row) | {Role.SEND: "x"}
    desk.table(other).rows.append(pasted)
    assert desk.take(other).accepted == 0
    assert pasted[Role.ID] is None
    assert "[row-copied]" in pasted[Role.DETAIL]
    (claimed,) = desk.claim()
    desk.move(claimed.id, State.SENT)
    desk.write_back()
    assert row[Role.STATUS] == "Enviado"


def test_an_unmarked_copy_does_not_keep_the_state_of_another_person(desk):
    table = desk.table()
    row = table.add("600111222")
    desk.take()
    copy = dict(row) | {Role.PHONE: "600999888"}
    table.rows.append(copy)
    desk.take()
    assert copy[Role.ID] is None
    assert copy[Role.STATUS] is None
    assert row[Role.STATUS] == "En cola"


def test_an_id_that_the_ledger_does_not_know_is_never_sent(desk):
    for row_id in ("BCDFGHJKMNPQB", "x1"):
        row = desk.table().add("600111222", **{Role.ID: row_id})
        assert "[id-unknown]" not in str(row.get(Role.DETAIL))
        assert desk.take().accepted == 0
        assert "[id-unknown]" in row[Role.DETAIL]
    assert desk.claim() == []


def test_all_rows_without_marks_go_once(desk):
    table = desk.table()
    table.add("600111222", mark="")
    assert desk.take(all_rows=True).accepted == 1
    assert desk.take(all_rows=True).accepted == 0
    table.add("600111223", mark="")
    assert desk.take(all_rows=True).accepted == 1


def test_a_file_without_guid_that_moved_is_known_by_its_rows(desk, monkeypatch):
    table = desk.table()
    row = table.add("600111222")
    desk.take()
    (claimed,) = desk.claim()
    moved = Path("/elsewhere/list.xlsx")
    desk.tables[moved] = table
    table.path = moved
    desk.take(moved)
    desk.move(claimed.id, State.SENT)
    del desk.tables[PATH]
    desk.write_back()
    assert row[Role.STATUS] == "Enviado"


def test_a_copy_of_a_workbook_that_is_still_there_is_refused(desk, tmp_path):
    original = tmp_path / "list.xlsx"
    original.touch()
    desk.tables[original] = Table(original)
    desk.tables[original].add("600111222")
    desk.take(original)
    copy = tmp_path / "copy.xlsx"
    desk.tables[copy] = Table(copy)
    desk.tables[copy].rows = [dict(row) | {Role.SEND: "x"} for row in desk.tables[original].rows]
    with pytest.raises(UserError) as caught:
        desk.take(copy)
    assert caught.value.code == "workbook-copied"


@pytest.fixture
def versions(desk, tmp_path):
    """A workbook, and what a cloud folder called the other version of it."""
    paths = [tmp_path / name for name in ("list.xlsx", "list-PC7.xlsx")]
    for path in paths:
        path.touch()
    return [desk.table(path) for path in paths]


def test_nothing_is_sent_from_a_conflict_copy_even_when_it_is_seen_first(desk, versions):
    original, copy = versions
    for table in versions:
        table.add("600111222")
        table.add("600111333")
    copy.add("600111444")
    with pytest.raises(UserError, match="conflict-copy") as caught:
        desk.take(copy.path)
    assert "list.xlsx" in caught.value.line()
    assert desk.messages() == []
    assert desk.take(original.path).accepted == 2
    with pytest.raises(UserError, match="conflict-copy"):
        desk.take(copy.path)
    assert len(desk.messages()) == 2


def test_another_list_with_such_a_name_is_sent(desk, versions):
    original, other = versions
    original.add("600111222")
    other.add("600111333")
    assert desk.take(original.path).accepted == 1
    assert desk.take(other.path).accepted == 1


def test_a_conflict_copy_whose_rows_were_all_changed_is_known_by_its_guid(desk, versions):
    original, copy = versions
    original.guid = copy.guid = "5f0c"
    original.add("600111222")
    copy.add("600111333")
    with pytest.raises(UserError, match="conflict-copy"):
        desk.take(copy.path)
    copy.guid = "another"
    assert desk.take(copy.path).accepted == 1


def test_states_follow_their_rows_and_a_deleted_row_is_let_go(desk):
    table = desk.table()
    rows = [table.add(f"6001112{number}", f"text {number}") for number in range(10, 20)]
    desk.take()
    claimed = desk.claim()
    table.rows.reverse()
    del table.rows[0]
    for each in claimed:
        desk.move(each.id, State.FAILED if each.number.endswith("15") else State.SENT)
    desk.write_back()
    assert {row[Role.PHONE]: row[Role.STATUS] for row in rows[:-1]} == {
        f"6001112{number}": "Fallido" if number == 15 else "Enviado" for number in range(10, 19)
    }
    desk.table().before_apply = lambda: pytest.fail("nothing is lacking any more")
    desk.write_back()


def test_an_older_version_of_the_file_gets_its_states_again(desk):
    table = desk.table()
    rows = [table.add(f"60011122{number}") for number in range(3)]
    desk.take()
    for claimed in desk.claim():
        desk.move(claimed.id, State.SENT)
    desk.write_back()
    older = [dict(row) for row in rows]
    for sent in desk.messages():
        desk.move(sent.id, State.DELIVERED)
    desk.write_back()
    older[2][Role.STATUS] = "called her"
    table.rows[:] = older
    desk.take()
    desk.write_back()
    assert [row[Role.STATUS] for row in table.rows] == ["Entregado", "Entregado", "called her"]


def test_a_reply_lost_through_a_save_of_older_rows_is_written_again(desk):
    """The older rows show the same state, so only the empty cell tells."""
    table = desk.table()
    lost, emptied = table.add("600111222"), table.add("600111333")
    desk.take()
    for claimed in desk.claim():
        desk.move(claimed.id, State.DELIVERED)
    desk.write_back()
    older = dict(lost)
    query = message.update().values(reply="Sí", reply_at=NOW, version=message.c.version + 1)
    desk.ledger.do_now(lambda c: c.execute(query))
    desk.write_back()
    assert (lost[Role.REPLY], emptied[Role.REPLY]) == ("Sí", "Sí")
    table.rows[0] = older
    emptied |= {Role.STATUS: None, Role.REPLY: None}  # by hand: that is the user's will
    desk.take()
    desk.write_back()
    assert [(row[Role.STATUS], row[Role.REPLY]) for row in table.rows] == [("Entregado", "Sí"), (None, None)]
    table.before_apply = lambda: pytest.fail("nothing is lacking any more")
    desk.take()
    desk.write_back()


def test_a_save_during_our_write_is_read_again(desk):
    table = desk.table()
    table.add("600111222")
    desk.take()
    (claimed,) = desk.claim()
    desk.move(claimed.id, State.SENT)
    table.before_apply = lambda: table.add("600111333")
    desk.write_back()
    known = desk.ledger.do_now(lambda c: c.exec_driver_sql("SELECT version FROM workbook").scalar())
    assert known != table.read().version.text


def test_a_crash_while_a_row_marked_again_is_taken_sends_neither_twice_nor_what_was_taken_back(desk):
    table = desk.table()
    row = table.add("600111222")
    desk.take()
    (first,) = desk.claim()
    desk.move(first.id, State.SENT)
    row.update({Role.SEND: "x", Role.MESSAGE: "again"})

    class PowerCutError(BaseException):
        pass

    def cut():
        raise PowerCutError

    table.before_apply = cut
    with pytest.raises(PowerCutError):
        desk.take()
    table.before_apply = lambda: None
    row[Role.SEND] = None
    desk.take()
    assert desk.claim() == []
    row.update({Role.SEND: "x", Role.MESSAGE: "third"})
    desk.take()
    assert [each.text for each in desk.claim()] == ["third"]
    desk.take()
    assert desk.claim() == []


def test_a_crash_after_a_formula_marked_row_was_written_sends_it_once(desk):
    table = desk.table()
    table.formulas = {Role.SEND}
    table.add("600111222")

    class PowerCutError(BaseException):
        pass

    def cut():
        raise PowerCutError

    table.after_apply = cut
    with pytest.raises(PowerCutError):
        desk.take()
    table.after_apply = lambda: None
    for _ in range(3):
        desk.take()
    assert len(desk.claim()) == 1
    desk.take()
    assert desk.claim() == []


def test_an_older_version_with_an_old_order_is_held_as_a_duplicate(desk):
    row = desk.table().add("600111222")
    desk.take()
    old = dict(row)
    desk.move(desk.claim()[0].id, State.SENT)
    row[Role.SEND] = "x"
    before = dict(row) | {Role.ID: old[Role.ID]}
    desk.take()
    desk.move(desk.claim()[0].id, State.SENT)
    row.clear()
    row.update(before)
    assert desk.take().accepted == 0
    assert desk.claim() == []


def test_a_row_whose_id_cannot_be_written_does_not_go_and_says_so(desk):
    table = desk.table()
    table.formulas = {Role.ID}
    row = table.add("600111222")
    taken = desk.take()
    assert taken.accepted == 0
    assert [problem.code for problem in taken.problems] == ["formula"]
    assert row[Role.STATUS] == "Retenido"
    assert desk.claim() == []


def test_a_copy_in_a_folder_where_all_rows_go_is_not_sent_by_itself(desk):
    table = desk.table()
    row = table.add("600111222", mark="")
    desk.take(all_rows=True)
    table.rows.append(dict(row) | {Role.PHONE: "600999888"})
    desk.take(all_rows=True)
    desk.now += timedelta(hours=36)
    assert desk.take(all_rows=True).accepted == 0
    table.rows[-1][Role.SEND] = "x"
    desk.move(desk.claim()[0].id, State.SENT)
    assert desk.take(all_rows=True).accepted == 1


def test_two_copies_taken_in_at_once_send_once(desk):
    paths = [Path("/books/one.xlsx"), Path("/books/two.xlsx")]
    for path in paths:
        desk.table(path).add("600111222")

    async def both():
        other = Intake(
            desk.ledger, WorkbookThread(), desk.tables.__getitem__, route=lambda *_: "", now=lambda: NOW, rng=Random(2)
        )
        await asyncio.gather(desk.intake.take(paths[0], Terms()), other.take(paths[1], Terms()))
        other._thread.close()

    asyncio.run(both())
    assert len(desk.claim()) == 1
    desk.write_back()
    shown = sorted(desk.table(path).rows[0][Role.STATUS] for path in paths)
    assert shown in (["En cola", "Retenido"], ["Enviando", "Retenido"])


def test_a_failure_after_the_swap_loses_no_row(desk):
    table = desk.table()
    table.add("600111222")

    def late():
        raise TransientError("disk-full")

    table.after_apply = late
    with pytest.raises(TransientError):
        desk.take()
    table.after_apply = lambda: None
    desk.take()
    assert len(desk.claim()) == 1


def test_a_workbook_that_is_open_elsewhere_costs_no_proposals(desk):
    table = desk.table()
    table.add("600111222")

    def locked():
        raise TransientError("file-open-elsewhere", owner="Ana", application="Excel")

    table.before_propose = locked
    with pytest.raises(TransientError):
        desk.take()
    assert desk.messages() == []


def test_a_late_receipt_for_the_first_order_does_not_overwrite_the_state_of_the_second(desk):
    row = desk.table().add("600111222")
    desk.take()
    (first,) = desk.claim()
    desk.move(first.id, State.SENT)
    row[Role.SEND] = "x"
    desk.take()
    (second,) = desk.claim()
    desk.move(second.id, State.FAILED)
    desk.move(first.id, State.DELIVERED)
    desk.write_back()
    assert row[Role.STATUS] == "Fallido"


def test_a_workbook_renamed_before_another_takes_its_name_keeps_its_states(desk, tmp_path):
    old, moved = tmp_path / "list.xlsx", tmp_path / "old.xlsx"
    old.touch()
    row = desk.table(old).add("600111222")
    desk.take(old)
    (claimed,) = desk.claim()
    desk.tables[moved] = desk.tables.pop(old)
    moved.touch()
    desk.table(old).add("600333444")
    desk.take(old)
    desk.move(claimed.id, State.SENT)
    desk.write_back()
    desk.take(moved)
    desk.write_back()
    assert row[Role.STATUS] == "Enviado"


def test_more_replies_than_a_cell_holds_keep_the_newest(desk):
    row = desk.table().add("600111222")
    desk.take()
    (claimed,) = desk.claim()
    reply = "\n".join(f"{number} " + "x" * 1000 for number in range(60))
    desk.ledger.do_now(conversation.answered, [], to=claimed.id, text=reply, at=NOW, now=NOW)
    desk.write_back()
    assert len(row[Role.REPLY]) < 32767
    assert row[Role.REPLY].startswith("…")
    assert row[Role.REPLY].endswith("59 " + "x" * 1000)


class Lists(RuleBasedStateMachine):
    """People edit, sort, copy and mark; power fails; the service looks. Nothing goes twice, nothing is lost."""

    @initialize(ahead=st.booleans())
    def begin(self, ahead):
        import tempfile

        self.folder = tempfile.TemporaryDirectory()
        self.desk = Desk(Path(self.folder.name), pieces=(1, 2), ahead=ahead)
        self.table = self.desk.table()
        self.count = 0
        self.orders = {}  # text -> how often someone ordered it
        self.gone = {}  # text -> how often it went

    def teardown(self):
        if hasattr(self, "desk"):
            self.desk.close()
            self.folder.cleanup()

    @rule()
    def write_a_row(self):
        self.count += 1
        text = f"text {self.count}"
        self.table.add(f"6{self.count:08}", text)
        self.orders[text] = 1

    @rule(power_cut=st.sampled_from([None, None, "before", "after"]))
    def look(self, power_cut):
        class PowerCutError(BaseException):
            pass

        def cut():
            raise PowerCutError

        if power_cut:
            setattr(self.table, f"{power_cut}_apply", cut)
        try:
            self.desk.take()
        except PowerCutError:
            pass
        finally:
            self.table.before_apply = self.table.after_apply = lambda: None

    @rule(room=st.integers(1, 5), state=st.sampled_from([State.SENT, State.FAILED, State.QUEUED]))
    def send(self, room, state):
        for each in self.desk.claim(room):
            if state is not State.QUEUED:
                self.gone[each.text] = self.gone.get(each.text, 0) + 1
            self.desk.move(each.id, state)

    @rule()
    def write_back(self):
        self.desk.write_back()

    @rule(seed=st.integers(0, 99))
    def shuffle(self, seed):
        Random(seed).shuffle(self.table.rows)
        self.table.saves += 1

    @precondition(lambda self: self.table.rows)
    @rule(at=st.integers(0, 99))
    def copy_a_row(self, at):
        self.table.rows.append(dict(self.table.rows[at % len(self.table.rows)]))
        self.table.saves += 1

    @precondition(lambda self: self.table.rows)
    @rule(at=st.integers(0, 99))
    def mark_again_what_has_ended(self, at):
        row = self.table.rows[at % len(self.table.rows)]
        if row.get(Role.STATUS) in ("Enviado", "Fallido") and row[Role.SEND] is None:
            row[Role.SEND] = "x"
            self.table.saves += 1
            self.orders[row[Role.MESSAGE]] += 1

    @invariant()
    def never_more_than_ordered(self):
        for text, times in getattr(self, "gone", {}).items():
            assert times <= self.orders[text]

    @invariant()
    def every_state_stands_beside_its_own_text(self):
        if not hasattr(self, "desk"):
            return
        texts = {(each.row_id): each.text for each in self.desk.messages()}
        for row in self.table.rows:
            if row[Role.ID] in texts:
                assert texts[row[Role.ID]] == row[Role.MESSAGE]


TestLists = Lists.TestCase
TestLists.settings = settings(
    max_examples=25,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
