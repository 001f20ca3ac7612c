"""One statement for many rows: each of them is there, however many are put into one run of it."""

import pytest
from sqlalchemy import Column, Integer, MetaData, String, Table, bindparam, create_engine, insert, select

from xlsms_service.ledger.many import Many

TABLE = Table("thing", MetaData(), Column("id", Integer, primary_key=True), Column("name", String))
NAMES = ("id", "name")
STATEMENTS = {
    "values": insert(TABLE),
    "a select": insert(TABLE).from_select(
        NAMES, select(bindparam("id", type_=Integer), bindparam("name", type_=String)), include_defaults=False
    ),
}


@pytest.mark.parametrize("statement", STATEMENTS.values(), ids=STATEMENTS)
@pytest.mark.parametrize("count", [0, 1, 9, 10, 11, 99, 100, 101, 213])
def test_all_rows_are_inserted(statement, count):
    rows = [(number, f"thing {number} VALUES '?'") for number in range(count)]
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        TABLE.create(connection)
        Many(statement, NAMES).run(connection, rows)
        assert list(map(tuple, connection.execute(select(TABLE).order_by(TABLE.c.id)))) == rows
    engine.dispose()
