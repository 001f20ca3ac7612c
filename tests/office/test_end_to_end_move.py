"""Rows, columns, sheets and files that move while messages are on their way: every state finds its person."""

import pytest

pytestmark = pytest.mark.office

COUNT = 12
RECEIPT = 5.0  # seconds until the phones have the message: long enough for the file to say that all is sent
HEADERS = ["Name", "Phone", "Message", "Send", "Status", "Detail", "Status time", "Reply", "Reply time", "SMS ID"]


def phones():
    """Phones that tell who they are; every fourth fails instead."""
    for number in range(COUNT + 1):
        fate = (
            'state = "UNDELIV"\nerror = "001"'
            if number % 4 == 3
            else f'reply = "This is {number}"\nafter = {RECEIPT + 1}'
        )
        yield f'[[phone]]\nnumber = "+346{number:08}"\n{fate}'


def expected(number):
    return ("Failed", "") if number % 4 == 3 else ("Delivered", f"This is {number}")


def sent(desk, network, book):
    """Wait until the network has all, and the file says so; then it stands still until it is let go on."""
    desk.await_states(book, Sent=COUNT)
    network.hold()
    assert not network.seen(event="receipt"), "the phones were too quick for this test"


def check(desk, book, gone=(), more=()):
    """Every person who is still listed has the state and the reply of the phone beside the name."""
    there = [number for number in range(COUNT) if number not in gone] + list(more)
    desk.until(
        lambda: (
            [(row["Status"], row["Reply"]) for _, row in sorted(desk.rows(book).items())]
            == [expected(number) for number in sorted(there, key=lambda number: f"Person {number}")]
        ),
        why=lambda: f"states and replies in {desk.rows(book)}",
    )
    for name, row in desk.rows(book).items():
        assert row["Phone"].endswith(f"{name.removeprefix('Person '):0>2}")
    assert set(desk.reached().values()) == {1}


def test_rows_sorted_inserted_and_deleted_between_sending_and_receipt(desk, calc):
    network = desk.network(phones(), receipt=RECEIPT)
    desk.service()
    book = desk.list("list.xlsx", COUNT)
    sent(desk, network, book)
    with calc.editing(book):
        calc.sort(place=f"A1:J{COUNT + 1}", field=1, descending=True)
        names = [row[0] for row in calc.read()]
        for gone in ("Person 5", "Person 7"):
            calc.delete_rows(at=names.index(gone) + 1)
            names.remove(gone)
        calc.insert_rows(at=4, count=2)
        calc.write(place="A4:D4", rows=[[f"Person {COUNT}", f"'6{COUNT:08}", "Hello to a newcomer", "x"]])
        calc.insert_rows(at=2)
        calc.save()
    network.go_on()
    check(desk, book, gone=(5, 7), more=(COUNT,))
    assert [row for row in desk.rows(book) if row not in names] == [f"Person {COUNT}"]
    assert next(iter(desk.rows(book))) == f"Person {COUNT - 1}", "the user's order stays"


def test_rows_sorted_while_the_file_is_open_when_the_receipts_come(desk, calc):
    network = desk.network(phones(), receipt=RECEIPT)
    desk.service()
    book = desk.list("list.xlsx", COUNT)
    sent(desk, network, book)
    with calc.editing(book):
        calc.sort(place=f"A1:J{COUNT + 1}", field=1, descending=True)
        network.go_on()
        desk.until(lambda: len(network.seen(event="receipt")) == COUNT)
        calc.save()
        assert desk.states(book) == {"Sent": COUNT}, "nothing is written while it is open"
    check(desk, book)


def test_columns_moved_and_inserted_sheet_and_file_renamed(desk, calc):
    network = desk.network(phones(), receipt=RECEIPT)
    desk.service()
    book = desk.list("list.xlsx", COUNT)
    sent(desk, network, book)
    with calc.editing(book):
        calc.insert_columns(at=4, count=2)  # status to id stand in G:L now
        calc.write(place="E1:F2", rows=[["City", "Note"], ["Soria", "=not a formula"]])
        calc.move(place="H1:H13", to="N1")  # detail
        calc.move(place="L1:L13", to="H1")  # id
        calc.move(place="B1:B13", to="L1")  # phone
        calc.rename_sheet(name="People & co")
        calc.save()
    network.go_on()
    renamed = book.with_name("list of March.xlsx")
    book.rename(renamed)
    check(desk, renamed)
    assert not book.exists()
    with calc.editing(renamed):
        cells = calc.read()
    assert cells[0] == [
        "Name",
        "",
        *HEADERS[2:4],
        "City",
        "Note",
        "Status",
        "SMS ID",
        "Status time",
        "Reply",
        "Reply time",
        "Phone",
        "",
        "Detail",
    ]
    assert cells[1][4:7] == ["Soria", "=not a formula", "Delivered"]
    assert cells[4][13] != ""


def test_file_renamed_and_sorted_while_the_service_is_off(desk, calc):
    network = desk.network(phones(), receipt=RECEIPT)
    service = desk.service()
    book = desk.list("list.xlsx", COUNT)
    sent(desk, network, book)
    service.end()
    network.go_on()
    renamed = book.with_name("another name.xlsx")
    with calc.editing(book):
        calc.sort(place=f"A1:J{COUNT + 1}", field=1, descending=True)
        calc.save()
    book.rename(renamed)
    desk.until(lambda: len(network.seen(event="receipt")) == COUNT)
    assert desk.states(renamed) == {"Sent": COUNT}
    desk.service()
    check(desk, renamed)
