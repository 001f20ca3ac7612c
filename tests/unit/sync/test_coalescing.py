"""A burst of changes becomes one write of each workbook, and is measured from its first change."""

import asyncio
from pathlib import Path

import pytest

from tests.unit.sync.table import Desk
from xlsms.errors import Place, TransientError, UserError
from xlsms.model import Role
from xlsms.states import State
from xlsms_service.measuring import Tallies, metric
from xlsms_service.sync.writeback import Writeback

ONE, OTHER = Path("/lists/one.xlsx"), Path("/lists/other.xlsx")


@pytest.fixture
def desk(tmp_path):
    made = Desk(tmp_path)
    made.tallies = Tallies()
    made.writeback = Writeback(made.ledger, made.thread, made.tables.__getitem__, measures=made.tallies)
    yield made
    made.close()


def test_a_workbook_that_was_renamed_is_told_as_that_and_its_states_are_kept(tmp_path):
    desk, told, trouble = Desk(tmp_path), [], [UserError("file-not-found", place=Place(file="one.xlsx"))]
    writeback = Writeback(
        desk.ledger, desk.thread, desk.tables.__getitem__, told=lambda _path, error: told.append(error.line())
    )
    table = desk.table(ONE)
    table.add("600000001")
    desk.take(ONE)
    (claimed,) = desk.claim()

    def gone():
        if trouble:
            raise trouble[0]

    table.before_apply = gone
    desk.move(claimed.id, State.SENT)
    asyncio.run(writeback.flush())
    assert told == [
        (
            "one.xlsx: the workbook was moved, renamed or deleted; its states and replies are kept; "
            "give it its name back, or go on with the new one: xlsms send FILE [workbook-gone]"
        )
    ]
    trouble.clear()
    asyncio.run(writeback.flush())
    assert [row[Role.STATUS] for row in table.rows] == ["Enviado"]
    desk.close()


def run_until(desk, shown):
    async def main():
        task = asyncio.create_task(desk.writeback.run())
        async with asyncio.timeout(60):
            while not shown():
                await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(main())


def test_a_burst_of_changes_is_one_write_of_each_workbook(desk):
    writes = []
    for path in (ONE, OTHER):
        table = desk.table(path)
        for number in range(40):
            table.add(f"6000{number:05}", text=f"hola {path.name}")
        desk.take(path)
        table.before_apply = lambda path=path: writes.append(path)
    claimed = desk.claim()
    assert len(claimed) == 80
    for state in (State.SENT, State.DELIVERED):
        for each in claimed:
            desk.move(each.id, state)
            desk.writeback.wake()
    run_until(
        desk, lambda: desk.tallies.times(metric.CELL_SECONDS) and desk.tallies.times(metric.CELL_SECONDS)[()].count == 2
    )
    assert all(row[Role.STATUS] == "Entregado" for table in desk.tables.values() for row in table.rows)
    assert sorted(writes) == [ONE, OTHER]
    assert desk.tallies.counts(metric.WRITEBACKS) == {("done",): 2}
    assert desk.tallies.counts(metric.WRITEBACK_ROWS) == {(): 80}


def test_what_could_not_be_written_is_measured_from_its_first_change_on(desk):
    clock = [100.0]
    desk.writeback._clock = lambda: clock[0]
    table, trouble = desk.table(ONE), [TransientError("file-open-elsewhere", owner="Ana", application="Excel")]
    table.add("600000001")
    desk.take(ONE)

    def locked():
        clock[0] += 30.0
        if trouble:
            raise trouble.pop()

    table.before_apply = locked
    (claimed,) = desk.claim()
    desk.move(claimed.id, State.SENT)
    desk.writeback.wake()
    run_until(desk, lambda: desk.tallies.counts(metric.WRITEBACKS))

    def again():
        clock[0] += 1.0
        desk.writeback.wake()
        return desk.tallies.times(metric.CELL_SECONDS)

    run_until(desk, again)
    assert table.rows[0][Role.STATUS] == "Enviado"
    assert desk.tallies.counts(metric.WRITEBACKS)["file-open-elsewhere",] == 1
    assert desk.tallies.times(metric.CELL_SECONDS)[()].seconds >= 60.0
