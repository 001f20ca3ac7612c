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
        rows = [
            [name, "'" + number, 46037, 0.5, "Hello {Name}: {Date:dd/MM} at {Time}", "x"] for name, number, _ in PEOPLE
        ]
        calc.delete_rows(at=5, count=3)
        calc.write(place="A5:F9", rows=rows)
        calc.save()
        saved = book.read_bytes()
        service.until(event="problem", file=str(book))
        assert book.read_bytes() == saved
        assert not desk.reached()
    desk.await_states(book, Delivered=4, Failed=1)
    desk.until(lambda: sum(bool(row["Reply"]) for row in desk.rows(book).values()) == 3)
    for name, _, reply in PEOPLE:
        assert desk.rows(book)[name]["Reply"] == reply
    assert set(desk.reached().values()) == {1}
    (problem,) = service.seen(event="problem")  # said once, however long the file is open
    assert problem["error"]["code"] == "file-open-elsewhere"
    with calc.editing(book):
        shown = {row[0]: row for row in calc.read()[4:9]}
    assert {name: row[9] for name, row in shown.items()} == {name: reply for name, _, reply in PEOPLE}
    assert shown["Dan"][6] == "Failed"


def test_saves_while_states_wait_to_be_written(desk, calc):
    """The service waits, then puts the states into what the user has saved last."""
    count = 10
    network = desk.network(
        [f'[[phone]]\nnumber = "+346{number:08}"\nreply = "Reply {number}"\nafter = 3.5' for number in range(count)],
        receipt=3.0,
    )
    service = desk.service()
    book = desk.list("list.xlsx", count, columns=("Note",))
    desk.await_states(book, Sent=count)
    network.hold()
    with calc.editing(book):
        calc.write(place="K3", rows=[["first save"]])
        calc.write(place="A2:A3", rows=[["Zoe"], ["Yan"]])
        calc.save()
        network.go_on()
        desk.until(lambda: len(network.seen(event="receipt")) == count)
        service.until(event="problem", file=str(book))
        calc.write(place="K4", rows=[["second save"]])
        calc.write(place="C5", rows=[["Hello edited"]])
        calc.save()
        desk.until(lambda: service.seen(event="reply"))
        saved = book.read_bytes()
        calc.write(place="K5", rows=[["never saved"]])
    rows = desk.until(lambda: desk.states(book) == {"Delivered": count} and desk.rows(book))
    desk.until(lambda: all(row["Reply"] for row in desk.rows(book).values()))
    rows = desk.rows(book)
    assert book.read_bytes() != saved
    assert list(rows)[:2] == ["Zoe", "Yan"]
    assert [row["Note"] for row in rows.values()][:4] == ["", "first save", "second save", ""]
    assert list(rows.values())[3]["Message"] == "Hello edited"
    assert [row["Reply"] for row in rows.values()] == [f"Reply {number}" for number in range(count)]
    assert set(desk.reached().values()) == {1}, "an edited text is not sent again unasked"


def test_saves_all_the_time_while_the_service_writes_all_the_time(desk, calc):
    """Whoever comes second waits or merges: neither an edit nor a state is lost."""
    count, saves = 80, 12
    desk.network(receipt=0.3, more=("--throttle", "20/s"))
    desk.service()
    book = desk.list("list.xlsx", count, columns=("Note",))
    for number in range(saves):
        seen = book.stat().st_mtime_ns
        with calc.editing(book):
            calc.write(place=f"K{2 + number}", rows=[[f"note {number}"]])
            calc.save()
        desk.until(lambda seen=seen: book.stat().st_mtime_ns != seen)
    desk.await_states(book, Delivered=count)
    notes = [row["Note"] for row in desk.rows(book).values()]
    assert notes == [f"note {number}" if number < saves else "" for number in range(count)]
    assert desk.reached() == {f"346{number:08}": 1 for number in range(count)}


def test_older_version_saved_over_the_newer_one(desk, calc):
    """The states that got lost are written again, and nothing is sent again."""
    count = 6
    network = desk.network(['[[phone]]\nnumber = "+34600000003"\nreply = "YES"'], receipt=3.0)
    desk.service()
    book = desk.list("list.xlsx", count, columns=("Note",))
    desk.await_states(book, Sent=count)
    network.hold()
    older = desk.folder / "older.xlsx"
    older.write_bytes(book.read_bytes())
    network.go_on()
    desk.await_states(book, Delivered=count)
    desk.until(lambda: desk.rows(book)["Person 3"]["Reply"])
    calc.open(path=str(older))
    calc.write(place="K2", rows=[["from yesterday"]])
    calc.save(path=str(book))
    assert desk.states(book) == {"Sent": count}
    calc.close()
    desk.await_states(book, Delivered=count)
    assert desk.rows(book)["Person 3"]["Reply"] == "YES"
    assert desk.rows(book)["Person 0"]["Note"] == "from yesterday"
    assert set(desk.reached().values()) == {1}


def test_list_opened_while_it_is_sent_by_hand(desk, calc):
    """The command says who has the file and ends; what is lacking is written by the next one."""
    count = 6
    network = desk.network(receipt=1.5)
    book = desk.list("list.xlsx", count, columns=("Note",))
    sending = desk.start("send", book, "--wait")
    desk.until(lambda: sum(desk.reached().values()) == count)
    network.hold()
    with calc.editing(book):
        calc.write(place="K2", rows=[["while it was sent"]])
        network.go_on()
        desk.until(lambda: len(network.seen(event="receipt")) == count)
        out, err = sending.communicate(timeout=120)
        assert sending.returncode == 0, out + err
        assert "open in LibreOffice" in err
        assert err.count("\n") == 1
        assert "Not all is settled yet" in out
        calc.save()
    desk.finish(desk.start("send", book))
    assert desk.states(book) == {"Delivered": count}
    assert desk.rows(book)["Person 0"]["Note"] == "while it was sent"
    assert set(desk.reached().values()) == {1}
