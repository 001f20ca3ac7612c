"""Lists in formats that are only read: LibreOffice saves them into the watched folder, the service does the rest."""

import pytest

from xlsms.errors import UserError
from xlsms.workbook.opening import open_workbook

pytestmark = pytest.mark.office


def save_as(calc, source, path, **more):
    """The list in another format, with one row hidden and one filtered out."""
    calc.open(path=str(source))
    calc.hide_rows(first=3, last=3)
    calc.save(path=str(path), **more)
    calc.close()
    source.unlink()


@pytest.mark.parametrize("suffix", [".ods", ".xls"])
def test_a_mark_set_later_in_the_results_sends_that_row_again(desk, calc, suffix):
    desk.network(receipt=0.3)
    # Out of the folder before anybody watches it: a list is half written for a moment.
    plain = desk.list("list.xlsx", 4).rename(desk.folder / "plain.xlsx")
    service = desk.service()
    source, results = desk.watched / f"list{suffix}", desk.watched / "list.sms.xlsx"
    save_as(calc, plain, source)
    before = source.read_bytes()
    desk.until(results.exists)
    hidden = {"": 1}  # the row that nobody sees stays, marked as it is
    desk.await_states(results, Delivered=3, **hidden)
    with calc.editing(results):
        place = next(number for number, row in enumerate(calc.read(), 1) if row[0] == "Person 2")
        calc.write(place=f"D{place}", rows=[["x"]])
        calc.save()
    desk.until(lambda: desk.reached()["34600000002"] == 2)
    desk.await_states(results, Delivered=3, **hidden)
    assert desk.reached() == {"34600000000": 1, "34600000002": 2, "34600000003": 1}
    assert source.read_bytes() == before
    assert not service.seen(event="problem")


@pytest.mark.parametrize("suffix", [".ods", ".xls"])
def test_rows_that_libreoffice_hides_or_filters_out_and_errors_are_known(desk, calc, suffix):
    plain, path = desk.list("list.xlsx", 6), desk.folder / f"list{suffix}"
    calc.open(path=str(plain))
    calc.write(place="K1:K7", rows=[["Town"], *[["Vigo" if number % 2 else "Lugo"] for number in range(6)]])
    calc.write_formula(place="L1", formula="Debt")
    calc.write_formula(place="L3", formula="=1/0")
    calc.filter(place="A1:K7", field=10, value="Vigo")
    calc.hide_rows(first=7, last=7)
    calc.save(path=str(path))
    calc.close()
    rows = open_workbook(path).read().rows
    assert [row.hidden for row in rows] == [True, False, True, False, True, True]
    assert [dict(row.problems) for row in rows] == [{}, {"Debt": "cell-error"}, {}, {}, {}, {}]


def test_an_old_workbook_that_libreoffice_encrypted_is_read_with_its_password(desk, calc):
    plain, path = desk.list("list.xlsx", 3), desk.folder / "list.xls"
    save_as(calc, plain, path, Password="secret")
    with pytest.raises(UserError, match="file-encrypted"):
        open_workbook(path).read()
    rows = open_workbook(path, passwords=("secret",)).read().rows
    assert [(row.fields["Name"], row.hidden) for row in rows] == [
        ("Person 0", False), ("Person 1", True), ("Person 2", False),
    ]  # fmt: skip
