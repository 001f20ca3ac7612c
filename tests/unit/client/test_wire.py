"""What the client says and what the service reads from it are the same, whatever stands in the cells."""

import json
from datetime import UTC, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlsms.client import wire
from xlsms.errors import PermanentError, Place, TransientError, UncertainError, UserError
from xlsms.model import Role, Row
from xlsms.workbook.base import Placed, RowEdit, Sheet, SheetSettings

zones = st.sampled_from([None, UTC, timezone(timedelta(hours=-5))])
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
cells = (
    st.none() | st.booleans() | st.integers(-(10**15), 10**15) | st.floats(allow_nan=False, allow_infinity=False)
    | texts | st.datetimes(timezones=zones)
)  # fmt: skip


def travel(said):
    return json.loads(json.dumps(said, allow_nan=False))


@given(cells)
def test_a_cell_arrives_as_it_left(value):
    arrived = wire.read_cell(travel(wire.cell(value)))
    assert arrived == value
    assert type(arrived) is type(value)


@given(
    row=st.builds(
        Row,
        sheet=texts,
        number=st.integers(1, 10**6),
        phone=cells,
        message=st.none() | texts.filter(bool),
        marked=st.just(True),
        send_at=cells,
        sender=st.none() | texts.filter(bool),
        id=st.none() | texts.filter(bool),
        status=texts,
        detail=texts,
        hidden=st.booleans(),
        fields=st.dictionaries(texts, texts, max_size=3),
        values=st.dictionaries(texts, cells, max_size=3),
        problems=st.dictionaries(texts, texts, max_size=2),
        lay=st.none(),  # how it lies, which does not travel
    )
)
def test_a_marked_row_arrives_as_it_left(row):
    assert wire.read_row(travel(wire.row(row))) == row


def test_of_a_row_without_a_mark_only_what_tells_who_it_is_travels():
    row = Row(sheet="S", number=2, phone="600", id="X", status="Sent", fields={"Name": "Ana"}, values={"Reply": "SI", "Name": "Ana"})  # fmt: skip
    assert wire.read_row(travel(wire.row(row, reply="Reply"))) == Row(
        sheet="S", number=2, phone="600", id="X", status="Sent", values={"Reply": "SI"}
    )


@given(values=st.dictionaries(st.sampled_from(Role), cells), row_id=st.none() | texts.filter(bool), phone=cells)
def test_an_edit_arrives_as_it_left(values, row_id, phone):
    placed = Placed(sheet="S", number=3, phone=phone, message=None, marked=True, id=row_id)
    edit = RowEdit(id=row_id, placed=placed, values=values)
    assert wire.read_edit(travel(wire.edit(edit))) == edit


def test_a_sheet_arrives_as_it_left():
    sheet = Sheet(
        name="Lista", header_row=3, columns={Role.PHONE: "B"}, headers={"B": "Teléfono"},
        settings=SheetSettings(message="Hola {Nombre}", country="ES"),
    )  # fmt: skip
    assert wire.read_sheet(travel(wire.sheet(sheet))) == sheet


@pytest.mark.parametrize("kind", [UserError, TransientError, PermanentError, UncertainError])
def test_an_error_is_raised_there_as_it_was_here(kind):
    error = kind("duplicate-in-sheet", place=Place(sheet="S", row=4), number="+34600000001", row=2)
    arrived = wire.read_error(travel(wire.error(error, "es")))
    assert type(arrived) is kind
    assert (arrived.line("es"), arrived.place) == (error.line("es"), error.place)
