"""A list that people keep in LibreOffice, and a service that works on it when they are not looking."""

import pytest

pytestmark = pytest.mark.office

PEOPLE = [
    ("Ana", "600 000 001", "YES"),
    ("Ben", "600 000 002", ""),
    ("Cleo", "600 000 003", "NO, please call"),
    ("Dan", "600 000 004", ""),
    ("Eva", "600 000 005", "Who is this? =1+1 🙂"),
]


def phones():
    for _, number, reply in PEOPLE:
        if reply:
            yield f'[[phone]]\nnumber = "+34{number}"\nreply = "{reply}"'
    yield '[[phone]]\nnumber = "+34600000004"\nstate = "UNDELIV"\nerror = "001"'


def test_list_is_made_filled_in_and_saved_with_documented_means(desk, calc):
    """Nothing is written or sent while LibreOffice has the file; then every row is."""
    desk.network(phones())
    service = desk.service()
    book = desk.watched / "reminders.xlsx"
    desk.finish(desk.start("init", book))
    with calc.editing(book):
        rows = [[name, "'" + number, 46037, 0.5, "Hello {Name}: {Date:dd/MM} at {Time}", "x"] for name, number, _ in PEOPLE]
        calc.delete_rows(at=5, count=3)
        calc.write(place="A5:F9", rows=rows)
        calc.save()
        saved = book.read_bytes()
        service.until(event="problem", file=str(book))
        (problem,) = service.seen(event="problem")
        assert problem["error"]["code"] == "file-open-elsewhere"
        assert book.read_bytes() == saved
        assert not desk.reached()
    desk.await_states(book, Delivered=4, Failed=1)
    desk.until(lambda: sum(bool(row["Reply"]) for row in desk.rows(book).values()) == 3)
    for name, _, reply in PEOPLE:
        assert desk.rows(book)[name]["Reply"] == reply
    assert set(desk.reached().values()) == {1}
    with calc.editing(book):
        shown = {row[0]: row for row in calc.read()[4:9]}
    assert {name: row[9] for name, row in shown.items()} == {name: reply for name, _, reply in PEOPLE}
    assert shown["Dan"][6] == "Failed"
