"""Nothing goes out twice, whoever sends and however many copies lie about."""

import json
import shutil

import pytest

pytestmark = pytest.mark.office

COUNT = 40
WHOLE = {f"346{number:08}": 1 for number in range(COUNT)}


@pytest.fixture
def elsewhere(desk):
    folder = desk.folder / "elsewhere"
    folder.mkdir()
    return folder


def report(desk, process, *codes):
    return json.loads(desk.finish(process, *codes))


def test_two_sends_of_one_file_at_once(desk, elsewhere):
    desk.network(receipt=0.5)
    book = desk.list("list.xlsx", COUNT).rename(elsewhere / "list.xlsx")
    both = [desk.start("send", book, "--wait", "--json") for _ in range(2)]
    reports = [report(desk, process) for process in both]
    assert desk.reached() == WHOLE
    assert desk.states(book) == {"Delivered": COUNT}
    assert [each["states"] for each in reports] == [{"delivered": COUNT}] * 2
    assert sorted(each["handed_over"] for each in reports) in ([False, False], [False, True])


def test_send_while_the_service_is_at_work(desk, elsewhere):
    """Of a file that it watches, and of one elsewhere: the service delivers both."""
    desk.network(receipt=0.5)
    desk.service()
    watched = desk.list("list.xlsx", COUNT)
    other = desk.list("other.tmp", 60).rename(elsewhere / "other.xlsx")
    both = [desk.start("send", book, "--wait", "--json") for book in (watched, other)]
    reports = [report(desk, process, 0, 1) for process in both]
    assert all(each["handed_over"] for each in reports)
    desk.await_states(watched, Delivered=COUNT)
    # The first forty people of the other list have had the same text already.
    desk.await_states(other, Delivered=20, Held=COUNT)
    assert desk.reached() == {f"346{number:08}": 1 for number in range(60)}


def test_copy_of_a_list_that_was_sent(desk, calc):
    """In the folder, saved anew by LibreOffice and with a row marked again: nothing goes out from it."""
    desk.network(receipt=0.2)
    service = desk.service()
    book = desk.list("list.xlsx", COUNT)
    desk.await_states(book, Delivered=COUNT)
    copy = desk.watched / "list (copy).xlsx"
    with calc.editing(book):
        calc.write(place="D2", rows=[["x"]])
        calc.save(path=str(copy))
    service.until(event="problem", file=str(copy))
    (problem,) = service.seen(event="problem", file=str(copy))
    assert problem["error"]["code"] == "workbook-copied"
    before = copy.read_bytes()
    third = desk.list("third.xlsx", COUNT + 1)  # what comes after it is still taken
    desk.await_states(third, Delivered=1, Held=COUNT)
    assert copy.read_bytes() == before
    assert desk.reached() == WHOLE | {f"346{COUNT:08}": 1}


def test_copies_dropped_in_before_anything_went_out(desk):
    desk.network(receipt=0.2)
    book = desk.list("list.xlsx", COUNT)
    copies = [book.with_name(f"copy {number}.xlsx") for number in range(3)]
    for copy in copies:
        shutil.copy(book, copy)
    desk.service()
    books = [book, *copies]
    desk.until(
        lambda: (
            sorted(map(str, map(dict, map(desk.states, books))))
            == [str({"Delivered": COUNT}), *[str({"Held": COUNT})] * 3]
        ),
        why=lambda: [desk.states(each) for each in books],
    )
    assert desk.reached() == WHOLE
