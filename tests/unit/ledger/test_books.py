"""Which file is which workbook."""

from pathlib import Path

import pytest
from sqlalchemy import func, select

from xlsms.errors import UserError
from xlsms_service.ledger import book as books
from xlsms_service.ledger.ledger import Ledger
from xlsms_service.ledger.schema import workbook

A, B = Path("/books/a.xlsx"), Path("/books/b.xlsx")


@pytest.fixture
def ledger(tmp_path):
    with Ledger.open(tmp_path) as opened:
        yield opened


@pytest.fixture
def recognise(ledger):
    def ask(path, guid=None, there=()):
        book = ledger.do_now(
            books.recognise, path=path, guid=guid, language="es", row_ids=[], exists=lambda other: other in there
        )
        ledger.do_now(books.note_version, book.id, "1")
        return book.id

    return ask


def test_a_workbook_keeps_its_number(recognise):
    assert recognise(A, "one") == recognise(A, "one")
    assert recognise(B) == recognise(B)


def test_a_renamed_workbook_is_known_by_its_guid(recognise, ledger):
    first = recognise(A, "one")
    assert recognise(B, "one") == first
    assert ledger.do_now(books.find, B).id == first


def test_a_copy_of_a_workbook_that_is_still_there_is_refused_however_often_it_is_looked_at(recognise, ledger):
    recognise(A, "one")
    for _ in range(2):
        with pytest.raises(UserError) as caught:
            recognise(B, "one", there=[A])
        ledger.do_now(books.note_problem, B, caught.value)
    assert caught.value.code == "workbook-copied"


def test_a_copy_with_a_guid_of_its_own_is_another_workbook(recognise):
    assert recognise(A, "one") != recognise(B, "two", there=[A])


def test_a_note_about_a_problem_becomes_the_workbook_when_it_is_mended(recognise, ledger):
    ledger.do_now(books.note_problem, A, UserError("no-phone-column"))
    recognise(A, "one")
    assert ledger.do_now(lambda c: c.execute(select(func.count()).select_from(workbook)).scalar()) == 1
    assert ledger.do_now(books.find, A).problem is None


def test_a_workbook_that_gets_its_guid_later_is_still_the_same(recognise, ledger):
    first = recognise(A)
    assert recognise(A, "one") == first
    assert recognise(B, "one") == first


def test_another_workbook_saved_under_a_known_name_is_another_one(recognise):
    assert recognise(A, "one") != recognise(A, "two")


def test_a_copy_becomes_the_workbook_when_the_original_is_deleted(recognise, ledger):
    first = recognise(A, "one")
    with pytest.raises(UserError) as caught:
        recognise(B, "one", there=[A])
    ledger.do_now(books.note_problem, B, caught.value)
    assert recognise(B, "one") == first
    assert ledger.do_now(books.find, B).problem is None


def test_a_workbook_put_back_where_another_has_taken_its_place_stands_there_again(recognise, ledger):
    first, second = recognise(A, "one"), recognise(A, "two")
    assert ledger.do_now(books.find, A).id == second
    assert recognise(A, "one", there=[A]) == first
    assert ledger.do_now(books.find, A).id == first
    assert not ledger.do_now(books.get, second).standing
