"""Replies on their way into the sheet that lists them."""

from datetime import timedelta

import pytest

from tests.unit.sync.table import NOW, Desk
from xlsms.errors import TransientError
from xlsms.states import State
from xlsms.workbook.replies import Appended
from xlsms_service.ledger import conversation
from xlsms_service.sync.writeback import Writeback


@pytest.fixture
def desk(tmp_path):
    made = Desk(tmp_path)
    yield made
    made.close()


def test_a_replies_sheet_gets_each_text_once_and_waits_for_one_that_cannot_be_written(desk):
    appended, trouble = [], [TransientError("file-open-elsewhere", owner="Ana", application="Excel")]

    def append(path, replies):
        if trouble:
            raise trouble.pop()
        appended.extend((path, reply.number, reply.text, reply.sheet, reply.at) for reply in replies)
        version = desk.table().version()
        return Appended(before=version, version=version)

    desk.writeback = Writeback(desk.ledger, desk.thread, desk.tables.__getitem__, append=append)
    desk.table().add("600000001")
    desk.take()
    desk.write_back()
    (claimed,) = desk.claim()
    desk.move(claimed.id, State.SENT)
    for number, text in enumerate(("SI", "mañana")):
        at = NOW + timedelta(minutes=number)
        desk.ledger.do_now(conversation.answered, [], to=claimed.id, text=text, at=at, now=at)
    desk.write_back()
    assert appended == [], "the file was open"
    desk.write_back()
    desk.write_back()
    assert [(each[1], each[2], each[4]) for each in appended] == [
        ("+34600000001", "SI", NOW),
        ("+34600000001", "mañana", NOW + timedelta(minutes=1)),
    ]


def test_replies_wait_for_a_workbook_that_has_no_sheet_for_them(desk):
    answers = [None]
    asked = []

    def append(_path, replies):
        asked.append([reply.text for reply in replies])
        return answers.pop() if answers else Appended(before=desk.table().version(), version=desk.table().version())

    desk.writeback = Writeback(desk.ledger, desk.thread, desk.tables.__getitem__, append=append)
    desk.table().add("600000001")
    desk.take()
    desk.write_back()
    (claimed,) = desk.claim()
    desk.move(claimed.id, State.SENT)
    for text in ("one", "two"):
        desk.ledger.do_now(conversation.answered, [], to=claimed.id, text=text, at=NOW, now=NOW)
        desk.write_back()
    assert asked == [["one"], ["one", "two"]]
