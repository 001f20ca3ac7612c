"""Rows copied, dragged down, edited and pasted, files put in each other's place: nobody gets a text unasked."""

import re

import pytest

pytestmark = pytest.mark.office


def row_of(calc, name):
    """The number of a person's row, and what is shown in it."""
    return next((number, row) for number, row in enumerate(calc.read(), 1) if row[0] == name)


def test_rows_dragged_down_and_copied_are_held_until_they_are_marked(desk, calc):
    desk.network(receipt=0.2)
    desk.service()
    book = desk.list("list.xlsx", 3)
    desk.await_states(book, Delivered=3)
    ids = {name: row["SMS ID"] for name, row in desk.rows(book).items()}
    with calc.editing(book):
        calc.fill_down(place="A4:J6")  # two more people: names and numbers count up, the id is copied
        calc.copy(place="A3:J3", to="A9")
        calc.write(place="A9:D9", rows=[["Copied", "600000009", "Hello copied", "x"]])
        assert [row[9] for row in calc.read()[3:6]] == [ids["Person 2"]] * 3
        assert calc.read()[4][1] != calc.read()[3][1]
        calc.save()
    desk.until(lambda: "row-copied" in desk.rows(book)["Copied"]["Detail"])
    rows = desk.rows(book)
    assert {name: row["SMS ID"] for name, row in rows.items() if row["SMS ID"]} == ids
    assert {name: row["Status"] for name, row in rows.items() if row["Status"] == "Delivered"} == dict.fromkeys(
        ids, "Delivered"
    )
    assert set(desk.reached().values()) == {1}
    assert len(desk.reached()) == 3
    with calc.editing(book):
        place, row = row_of(calc, "Copied")
        assert row[3] == "", "the mark that was copied is taken out"
        calc.write(place=f"D{place}", rows=[["x"]])
        calc.save()
    desk.until(lambda: desk.rows(book)["Copied"]["Status"] == "Delivered")
    assert desk.reached() == {f"346{number:08}": 1 for number in (0, 1, 2, 9)}
    assert len({row["SMS ID"] for row in desk.rows(book).values() if row["SMS ID"]}) == 4


def test_rows_edited_after_sending_and_ids_that_nobody_gave(desk, calc):
    desk.network(receipt=0.2)
    desk.service()
    book = desk.list("list.xlsx", 3)
    desk.await_states(book, Delivered=3)
    with calc.editing(book):
        calc.write(place="C2", rows=[["Edited, not marked"]])
        calc.write(place="C3:D3", rows=[["Edited and marked", "x"]])
        calc.write(place="A5:D5", rows=[["Stranger", "600000008", "Hello", "x"]])
        calc.write(place="J5", rows=[["BCDFGHJKMNPQB"]])
        calc.save()
    desk.until(lambda: desk.reached()["34600000001"] == 2)
    desk.until(lambda: "id-unknown" in desk.rows(book)["Stranger"]["Detail"])
    desk.until(lambda: desk.rows(book)["Person 1"]["Status"] == "Delivered")
    assert desk.reached() == {"34600000000": 1, "34600000001": 2, "34600000002": 1}
    assert desk.rows(book)["Person 0"]["Message"] == "Edited, not marked"
    with calc.editing(book):
        place, _ = row_of(calc, "Stranger")
        calc.write(place=f"J{place}", rows=[[""]])  # adopted: without the id it is a new row
        calc.write(place=f"D{place}", rows=[["x"]])
        calc.save()
    desk.until(lambda: desk.rows(book)["Stranger"]["Status"] == "Delivered")
    assert desk.reached()["34600000008"] == 1


def test_a_list_whose_place_another_took_and_gave_back(desk, calc):
    desk.network(receipt=0.2)
    service = desk.service()
    book = desk.list("list.xlsx", 3)
    desk.await_states(book, Delivered=3)
    aside = book.rename(desk.folder / "aside.xlsx")
    other = desk.list("list.xlsx", 5)
    desk.await_states(other, Delivered=2, Held=3)
    other.rename(desk.folder / "other.xlsx")
    calc.open(path=str(aside))
    calc.write(place="C3:D3", rows=[["Once more", "x"]])
    calc.save()
    calc.close()
    aside.rename(book)
    desk.until(lambda: desk.reached()["34600000001"] == 2)
    desk.await_states(book, Delivered=3)
    assert desk.reached() == {f"346{number:08}": 1 + (number == 1) for number in range(5)}
    assert not service.seen(event="problem")
    assert all(re.fullmatch("[B-Z]{13}", row["SMS ID"]) for row in desk.rows(book).values())
