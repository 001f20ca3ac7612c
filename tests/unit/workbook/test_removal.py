"""First set-up undone: what it added goes, and every part that was there before is as it was."""

import re
import shutil
import zipfile

import openpyxl
import pytest
import xlsxwriter

from tests.unit.workbook.test_setup import ADDED, HEADS, rebuilt, styled
from tests.workbooks import MAIN, members, people, sheet_xml, text_cell, workbook
from xlsms.errors import UserError
from xlsms.files.backup import Backups
from xlsms.model import Role
from xlsms.templates import new
from xlsms.workbook import write_cells
from xlsms.workbook.base import Placed, RowEdit
from xlsms.workbook.closed import ClosedWorkbook
from xlsms.workbook.own_sheets import OWN
from xlsms.workbook.removal import remove_set_up
from xlsms.workbook.setup import set_up

SHEET = "xl/worksheets/sheet1.xml"


@pytest.fixture(params=["range", "filter", "table"])
def kind(request):
    return request.param


def without_hints(xml):
    """A sheet without `spans`, which only tell readers in advance how wide a row is."""
    return re.sub(rb' spans="[0-9:]+"', b"", xml)


def untouched(path, code):
    """The removal is refused for this reason and the file is as it was."""
    content = path.read_bytes()
    with pytest.raises(UserError) as caught:
        remove_set_up(path, contents=True)
    assert caught.value.code == code
    assert path.read_bytes() == content
    return caught.value


def test_every_part_is_as_it_was(tmp_path, kind):
    path = styled(tmp_path / "a.xlsx", kind)
    before = members(path)
    set_up(path, own_sheets=True)
    done = remove_set_up(path)
    assert done.columns == {"Patients & Co": ADDED}
    assert done.sheets == OWN
    after = members(path)
    assert list(after) == list(before)
    assert {name for name in before if after[name] != before[name]} <= {SHEET, "xl/styles.xml"}
    assert without_hints(after[SHEET]) == without_hints(before[SHEET])
    assert remove_set_up(path).nothing


@pytest.mark.parametrize(
    "written",
    [
        "'O''Brien &amp; &lt;Söhne&gt; \"q\"'!$A$1:$C$3",
        "'O''Brien &amp; &lt;Söhne> &quot;q&quot;'!$A$1:$C$3",
        "<![CDATA['O''Brien & <Söhne> \"q\"'!$A$1:$C$3]]>",
    ],
)
def test_the_name_of_a_filtered_sheet_stays_as_it_is_written(tmp_path, written):
    path = tmp_path / "a.xlsx"
    book = xlsxwriter.Workbook(path)
    sheet = book.add_worksheet('O\'Brien & <Söhne> "q"')
    for number, row in enumerate([HEADS[:3], ["Ana", "600000001", "Hi"], ["Eva", "600000002", "Hi"]]):
        sheet.write_row(number, 0, row)
    sheet.autofilter(0, 0, 2, 2)
    book.close()
    main = members(path)["xl/workbook.xml"].decode()
    main = re.sub("(FilterDatabase[^>]*>).*?(</definedName>)", lambda found: found[1] + written + found[2], main)
    rebuilt(path, "xl/workbook.xml", main)
    set_up(path)
    assert b"!$A$1:$J$3</definedName>" in members(path)["xl/workbook.xml"]
    remove_set_up(path)
    kept = members(path)["xl/workbook.xml"].decode()
    if "CDATA" in written:
        assert "'O''Brien &amp; &lt;Söhne> \"q\"'!$A$1:$C$3</definedName>" in kept
    else:
        assert kept == main


def test_formats_that_were_appended_are_used_again(tmp_path, kind):
    path = styled(tmp_path / "a.xlsx", kind)
    set_up(path, own_sheets=True)
    once = members(path)
    remove_set_up(path)
    set_up(path, own_sheets=True)
    assert members(path)["xl/styles.xml"] == once["xl/styles.xml"]


def test_definitions_of_columns_that_were_one_are_one_again(tmp_path):
    cols = '<cols><col min="1" max="2" width="30" customWidth="1"/><col min="3" max="16384" width="7"/></cols>'
    rows = '<row r="1">' + text_cell("A1", "Phone") + text_cell("B1", "Message") + "</row>"
    path = workbook(tmp_path / "a.xlsx", sheet_xml(rows, before='<dimension ref="A1:B1"/>' + cols))
    before = members(path)
    set_up(path)
    assert before[SHEET] != members(path)[SHEET]
    remove_set_up(path)
    assert members(path)[SHEET] == before[SHEET]


def test_what_stands_in_the_columns_goes_only_when_that_is_said(tmp_path, kind):
    path = styled(tmp_path / "a.xlsx", kind)
    set_up(path)
    book = ClosedWorkbook(path, backups=Backups(folder=tmp_path / "kept", keep=1))
    edits = [RowEdit(values={Role.STATUS: "Delivered"}, placed=Placed.of(row)) for row in book.read().rows[:2]]
    book.apply(edits)
    content = path.read_bytes()
    with pytest.raises(UserError) as caught:
        remove_set_up(path)
    assert caught.value.code == "removal-holds"
    assert "Status (2)" in str(caught.value)
    assert path.read_bytes() == content
    backups = Backups(folder=tmp_path / "kept", keep=1, always=True)
    remove_set_up(path, contents=True, backups=backups)
    assert "Status" not in [cell.value for cell in openpyxl.load_workbook(path).active[3]]
    (kept,) = backups.kept(path)
    assert kept.read_bytes() == content, "also what we had written ourselves"


@pytest.mark.parametrize(
    ("sheet", "cell"),
    [("SMS Replies", "C2"), ("SMS Settings", "B6"), ("SMS Rules", "A5")],
    ids=["reply", "set", "rule"],
)
def test_what_stands_in_our_sheets_goes_only_when_that_is_said(tmp_path, sheet, cell):
    path = styled(tmp_path / "a.xlsx", "range")
    set_up(path, own_sheets=True)
    write_cells(path, {(sheet, cell): "GB"})
    with pytest.raises(UserError, match=rf"{sheet} \(1\)"):
        remove_set_up(path)
    assert sheet in remove_set_up(path, contents=True).sheets


def test_columns_that_were_there_before_stay(tmp_path):
    path = tmp_path / "a.xlsx"
    book = xlsxwriter.Workbook(path)
    sheet = book.add_worksheet("People")
    sheet.write_row(0, 0, ("Phone", "Message", "Send", "Status"))
    sheet.write_row(1, 0, ("600000001", "Hi", "x", "Sent"))
    book.close()
    before = members(path)
    set_up(path)
    remove_set_up(path)
    assert without_hints(members(path)[SHEET]) == without_hints(before[SHEET])


def test_an_added_column_that_is_called_something_else_now_is_its_users(tmp_path):
    path = workbook(tmp_path / "a.xlsx", people().replace("Reply time", "Other").replace("Status time", "More"))
    set_up(path)
    write_cells(path, {("People", "K1"): "Notes"})
    done = remove_set_up(path)
    assert done.columns == {"People": ("Reply time",)}
    assert done.kept == {"People": ("Notes",)}
    assert openpyxl.load_workbook(path).active["K1"].value == "Notes"


def test_a_column_that_was_deleted_is_no_longer_looked_for(tmp_path):
    path = workbook(tmp_path / "a.xlsx", people().replace("Reply time", "Other"))
    set_up(path)
    xml = members(path)["xl/workbook.xml"]
    rebuilt(path, "xl/workbook.xml", xml.replace(b"'People'!$K$1", b"'People'!#REF!"))
    done = remove_set_up(path)
    assert done.columns == {}
    assert b"_xlsms" not in members(path)["xl/workbook.xml"]


def chart_of(book, sheet):
    chart = book.add_chart({"type": "column"})
    chart.add_series({"values": ["List", 3, 6, 8, 6]})
    sheet.insert_chart("A16", chart)


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda book, sheet: sheet.write_formula("N1", "=IF(G5=1,2,3)"), id="cell"),
        pytest.param(lambda book, sheet: sheet.write_formula("N1", "=COUNTA($G:$G)"), id="whole column"),
        pytest.param(lambda book, sheet: book.add_worksheet("X").write_formula("A1", "=List!H4"), id="other sheet"),
        pytest.param(lambda book, sheet: sheet.write_formula("N1", "=COUNTA(A:Z)-COUNTA(H:H)"), id="wider, and not"),
        pytest.param(lambda book, sheet: book.define_name("Done", "=List!$G$4:$G$9"), id="name"),
        pytest.param(
            lambda book, sheet: sheet.conditional_format(
                "A4:A9", {"type": "formula", "criteria": '=$G4="Sent"', "format": book.add_format({"bold": True})}
            ),
            id="condition",
        ),
        pytest.param(chart_of, id="chart"),
        pytest.param(lambda book, sheet: sheet.write_formula("N1", "=ROWS(SMS_Replies[Text])"), id="table of replies"),
        pytest.param(lambda book, sheet: sheet.write_formula("N1", "='SMS Report'!B5"), id="report"),
        pytest.param(lambda book, sheet: sheet.write_url("N1", "internal:'SMS Replies'!A1"), id="link"),
    ],
)
def test_what_refers_to_it_is_named_and_nothing_is_done(tmp_path, make):
    path = tmp_path / "a.xlsx"
    book = xlsxwriter.Workbook(path)
    sheet = book.add_worksheet("List")
    sheet.write_row("A3", HEADS)
    sheet.write_row("A4", ("Ana", "600000001", "Hi", 1, 2))
    book.add_worksheet("Y").write_formula("A1", '="G4 SMS Replies!"&List!$A$4&LOG10(100)')
    make(book, sheet)
    book.close()
    set_up(path, own_sheets=True)
    assert untouched(path, "removal-referred").facts["where"]


@pytest.mark.parametrize("own_sheets", [True, False])
@pytest.mark.parametrize("calculated", [True, False])
def test_what_reaches_over_more_than_the_columns_stays_and_is_calculated(tmp_path, own_sheets, calculated):
    path = tmp_path / "a.xlsx"
    book = xlsxwriter.Workbook(path)
    sheet = book.add_worksheet("List")
    sheet.write_row("A1", HEADS)
    sheet.write_row("A2", ("Ana", "600000001", "Hi", 1, 2))
    sheet.merge_range("A9:C9", "")
    other = book.add_worksheet("S")
    other.write_formula("A1", "=COUNTA(List!A:Z)", None, 10)
    other.write_formula("A2", "=COUNTA(List!1:1)", None, 5)
    other.write_url("A3", "internal:'List'!A1:Z9")
    other.conditional_format("A1", {"type": "formula", "criteria": "=SUM(List!$A$2:$Z$2)>2"})
    book.define_name("all", "=List!$A$1:$Z$100")
    book.close()
    rebuilt(path, "xl/workbook.xml", members(path)["xl/workbook.xml"].replace(b' fullCalcOnLoad="1"', b""))
    before = members(path)
    set_up(path, own_sheets=own_sheets)
    if calculated:  # as Excel leaves it when it saves
        rebuilt(path, "xl/workbook.xml", members(path)["xl/workbook.xml"].replace(b' fullCalcOnLoad="1"', b""))
    assert remove_set_up(path).columns == {"List": ADDED}
    after = members(path)
    assert {name for name in before if after[name] != before[name]} <= {SHEET, "xl/styles.xml", "xl/workbook.xml"}
    assert without_hints(after[SHEET]) == without_hints(before[SHEET])
    fresh = own_sheets and not calculated  # what the formulas show is from before the set-up
    assert after["xl/workbook.xml"].replace(b' fullCalcOnLoad="1"', b"") == before["xl/workbook.xml"]
    assert (b'fullCalcOnLoad="1"' in after["xl/workbook.xml"]) is not fresh


def test_a_pivot_table_needs_the_columns_by_name(tmp_path):
    path = styled(tmp_path / "a.xlsx", "range")
    set_up(path)
    source = (
        f'<c xmlns="{MAIN}"><cacheSource><worksheetSource ref="A3:Z9" sheet="Patients &amp; Co"/></cacheSource></c>'
    )
    with zipfile.ZipFile(path, "a") as package:
        package.writestr("xl/pivotCache/pivotCacheDefinition1.xml", source)
    untouched(path, "removal-referred")


def test_a_formula_over_a_column_of_the_table_is_named(tmp_path):
    path = styled(tmp_path / "a.xlsx", "table")
    with zipfile.ZipFile(path) as package:
        sheet = package.read(SHEET)
    formula = b'<row r="14"><c r="B14"><f>COUNTIF(Recall[[#Data],[Status time]],1)</f><v>0</v></c></row></sheetData>'
    rebuilt(path, SHEET, sheet.replace(b"</sheetData>", formula))
    set_up(path)
    error = untouched(path, "removal-referred")
    assert (error.place.sheet, error.place.row, error.place.column) == ("Patients & Co", 14, "B")
    rebuilt(path, SHEET, members(path)[SHEET].replace(b"[Status time]", b"[Visit]"))
    assert remove_set_up(path).columns


def test_a_formula_in_an_added_column_is_named(tmp_path):
    path = styled(tmp_path / "a.xlsx", "table")
    set_up(path)
    xml = members(path)[SHEET]
    assert xml.count(b'<c r="F5" s="') == 1
    rebuilt(path, SHEET, re.sub(rb'(<c r="F5" s="[0-9]+")/>', rb'\1><f>"x"</f></c>', xml))
    error = untouched(path, "removal-formula")
    assert (error.place.row, error.place.column) == (5, "F")


def test_columns_with_the_users_own_behind_them_stay(tmp_path):
    path = styled(tmp_path / "a.xlsx", "range")
    set_up(path)
    write_cells(path, {("Patients & Co", "M3"): "Notes"})
    untouched(path, "removal-not-last")


def test_a_column_without_a_header_among_ours_stays(tmp_path):
    path = styled(tmp_path / "a.xlsx", "range")
    set_up(path)
    write_cells(
        path, {("Patients & Co", "L3"): None, ("Patients & Co", "L5"): "mine", ("Patients & Co", "M3"): "SMS ID"}
    )
    xml = members(path)["xl/workbook.xml"]
    assert xml.count(b"!$L$3<") == 1
    rebuilt(path, "xl/workbook.xml", xml.replace(b"!$L$3<", b"!$M$3<"))
    untouched(path, "removal-not-last")


def test_columns_in_a_filter_that_reaches_further_stay(tmp_path):
    path = styled(tmp_path / "a.xlsx", "filter")
    set_up(path)
    xml = members(path)[SHEET]
    assert xml.count(b'<autoFilter ref="A3:L7"') == 1
    rebuilt(path, SHEET, xml.replace(b'<autoFilter ref="A3:L7"', b'<autoFilter ref="A3:M7"'))
    untouched(path, "removal-not-last")


def test_an_array_that_reaches_into_the_columns_is_named(tmp_path):
    path = styled(tmp_path / "a.xlsx", "range")
    set_up(path)
    xml = members(path)[SHEET]
    array = rb'\1<f t="array" ref="E5:F5">1</f>\2'
    rebuilt(path, SHEET, re.sub(rb'(<c r="E5" s="[0-9]+">)(<v>12.5</v></c>)', array, xml))
    assert "E5:F5" in str(untouched(path, "removal-occupied"))


def test_a_property_that_its_user_has_added_since_stays(tmp_path):
    path = styled(tmp_path / "a.xlsx", "range")
    set_up(path)
    part = "docProps/custom.xml"
    mine = re.sub(
        rb'pid="\d+" name="[^"]*"',
        b'pid="9" name="Mine"',
        re.search(rb"<property .*</property>", members(path)[part])[0],
    )
    rebuilt(path, part, members(path)[part].replace(b"</Properties>", mine + b"</Properties>"))
    remove_set_up(path)
    assert re.findall(rb'name="([^"]*)"', members(path)[part]) == [b"Mine"]


@pytest.mark.parametrize(
    ("before", "meanwhile", "after"),
    [
        ("", "", ""),
        ("", '<calcPr calcId="7" fullCalcOnLoad="1"/>', '<calcPr calcId="7"/>'),
        ('<calcPr calcId="7"/>', "", '<calcPr calcId="7"/>'),
        ('<calcPr calcId="7" fullCalcOnLoad="0"/>', "", '<calcPr calcId="7" fullCalcOnLoad="0"/>'),
        ('<calcPr calcId="7" fullCalcOnLoad="1"/>', "", '<calcPr calcId="7" fullCalcOnLoad="1"/>'),
        ("", '<calcPr calcId="7"/>', '<calcPr calcId="7"/>'),
    ],
)
def test_the_workbook_is_calculated_as_it_was_before_the_report_came(tmp_path, before, meanwhile, after):
    path = workbook(tmp_path / "a.xlsx", people())
    part = "xl/workbook.xml"
    rebuilt(path, part, members(path)[part].replace(b"</workbook>", before.encode() + b"</workbook>"))
    first = members(path)[part].replace(before.encode(), b"")
    set_up(path, own_sheets=True)
    if meanwhile:
        rebuilt(path, part, re.sub(rb"<calcPr [^>]*/>", meanwhile.encode(), members(path)[part]))
    remove_set_up(path)
    assert b"".join(re.findall(rb"<calcPr [^>]*/>", members(path)[part])) == after.encode()
    assert members(path)[part].replace(after.encode(), b"") == first


@pytest.mark.parametrize(
    "mine",
    [b'type="expression" dxfId="0"><formula>1=1</formula>', b'type="uniqueValues" dxfId="0">'],
    ids=["formula", "none"],
)
def test_colours_that_its_user_has_added_to_ours_stay(tmp_path, mine):
    path = styled(tmp_path / "a.xlsx", "range")
    set_up(path)
    rule = b'<cfRule priority="99" ' + mine + b"</cfRule>"
    xml = members(path)[SHEET]
    rebuilt(path, SHEET, xml.replace(b"</conditionalFormatting>", rule + b"</conditionalFormatting>"))
    remove_set_up(path)
    assert rule in members(path)[SHEET]


def test_drop_downs_and_colours_that_were_there_before_stay(tmp_path):
    """Those of a template are like ours, and were not added by the set-up that is undone."""
    path = tmp_path / "list.xlsx"
    path.write_bytes(new("reminders", "en"))
    with zipfile.ZipFile(path) as package:
        (part,) = [name for name in package.namelist() if b">Reply time<" in package.read(name)]
    rebuilt(path, part, members(path)[part].replace(b">Reply time<", b">Other<"))
    before = members(path)
    set_up(path)
    assert sum(remove_set_up(path).columns.values(), ()) == ("Reply time",)
    sheets = [name for name in before if name.startswith("xl/worksheets/")]
    for name in sheets:
        assert without_hints(members(path)[name]) == without_hints(before[name]), name


def test_merged_cells_in_the_columns_are_named(tmp_path):
    path = styled(tmp_path / "a.xlsx", "range")
    set_up(path)
    xml = members(path)[SHEET]
    merged = b'</sheetData><mergeCells count="1"><mergeCell ref="G5:H5"/></mergeCells>'
    rebuilt(path, SHEET, xml.replace(b"</sheetData>", merged))
    assert "G5:H5" in str(untouched(path, "removal-occupied"))


@pytest.mark.parametrize("kind", ["filter", "table"])
def test_a_filter_on_an_added_column_is_told(tmp_path, kind):
    path = styled(tmp_path / "a.xlsx", kind)
    set_up(path)
    part = "xl/tables/table1.xml" if kind == "table" else SHEET
    filtered = rb'\1><filterColumn colId="6"><filters><filter val="Sent"/></filters></filterColumn></autoFilter>'
    rebuilt(path, part, re.sub(rb"(<autoFilter [^>]*)/>", filtered, members(path)[part]))
    untouched(path, "removal-filtered")
    rebuilt(path, part, members(path)[part].replace(b'colId="6"', b'colId="1"'))
    assert remove_set_up(path).columns


def test_sorting_by_an_added_column_is_forgotten(tmp_path):
    path = styled(tmp_path / "a.xlsx", "table")
    set_up(path)
    part = "xl/tables/table1.xml"
    state = rb'\g<0><sortState ref="A4:L7"><sortCondition ref="G4:G7"/></sortState>'
    rebuilt(path, part, re.sub(rb"<autoFilter [^>]*/>", state, members(path)[part]))
    remove_set_up(path)
    assert b"sortState" not in members(path)[part]


def test_a_workbook_that_tells_nothing_is_not_guessed_at(tmp_path):
    path = styled(tmp_path / "a.xlsx", "range")
    assert remove_set_up(path).nothing
    set_up(path)
    xml = members(path)["xl/workbook.xml"]
    rebuilt(path, "xl/workbook.xml", re.sub(rb"<definedNames>.*</definedNames>", b"", xml))
    untouched(path, "removal-unknown")


def test_a_workbook_made_from_a_template_keeps_the_columns_it_came_with(tmp_path):
    path = tmp_path / "list.xlsx"
    path.write_bytes(new("reminders", "en"))
    untouched(path, "removal-unknown")


@pytest.mark.parametrize("more", ["", "<!-- odd -->"])
def test_columns_that_a_send_added_go_as_well(tmp_path, more):
    rows = f'<row r="1">{text_cell("A1", "Phone")}{text_cell("B1", "Send")}</row>{more}'
    rows += f'<row r="2"><c r="A2"><v>34600000001</v></c>{text_cell("B2", "x")}</row>'
    path = workbook(tmp_path / "a.xlsx", sheet_xml(rows, before='<dimension ref="A1:B2"/>'))
    before = members(path)
    (row,) = ClosedWorkbook(path).read().rows
    sent = RowEdit(values={Role.STATUS: "Sent", Role.ID: "BCDFGHJKMNPQX"}, placed=Placed.of(row))
    assert len(ClosedWorkbook(path).apply([sent]).done) == 1
    changed = [name for name, content in members(path).items() if content != before[name]]
    assert sorted(changed) == ["xl/workbook.xml", SHEET]
    ClosedWorkbook(path).apply([RowEdit(id="BCDFGHJKMNPQX", values={Role.STATUS: "Delivered"})])
    assert [name for name, content in members(path).items() if content != before[name]] == changed
    with pytest.raises(UserError, match="removal-holds"):
        remove_set_up(path)
    done = remove_set_up(path, contents=True)
    assert done.columns == {"People": ("Status", "Detail", "Status time", "Reply", "Reply time", "SMS ID")}
    after = members(path)
    assert after["xl/workbook.xml"] == before["xl/workbook.xml"]
    assert after[SHEET].replace(b"A1:H2", b"A1:B2") == before[SHEET]


def test_columns_are_added_to_a_workbook_whose_names_cannot_be_written(tmp_path):
    path = tmp_path / "a.xlsx"
    rows = f'<row r="1">{text_cell("A1", "Phone")}</row><row r="2"><c r="A2"><v>34600000001</v></c></row>'
    xml = members(workbook(path, sheet_xml(rows)))["xl/workbook.xml"]
    rebuilt(path, "xl/workbook.xml", b'<?xml version="1.0" encoding="ISO-8859-1"?>' + xml[xml.index(b"<workbook") :])
    (row,) = ClosedWorkbook(path).read().rows
    ClosedWorkbook(path).apply([RowEdit(values={Role.STATUS: "Sent"}, placed=Placed.of(row))])
    assert ClosedWorkbook(path).read().rows[0].status == "Sent"
    untouched(path, "sheet-not-writable")


def test_names_and_tabs_behind_our_sheets_move_up(tmp_path):
    path = styled(tmp_path / "a.xlsx", "range")
    set_up(path, own_sheets=True)
    main = members(path)["xl/workbook.xml"]
    count = main.count(b"<sheet ")
    # the first tab is dragged behind ours, as its user may do, and shown
    first = re.search(rb"<sheet [^>]*/>", main)[0]
    main = main.replace(first, b"").replace(b"</sheets>", first + b"</sheets>")
    main = re.sub(rb'localSheetId="(\d+)"', lambda m: b'localSheetId="%d"' % ((int(m[1]) - 1) % count), main)
    mine = b'<definedName name="Mine" localSheetId="%d">1</definedName></definedNames>' % (count - 1)
    main = main.replace(b"</definedNames>", mine)
    main = re.sub(
        rb'(<workbookView [^>]*)activeTab="0"|<workbookView ', rb'<workbookView activeTab="%d" ' % (count - 1), main
    )
    rebuilt(path, "xl/workbook.xml", main)
    assert remove_set_up(path).columns
    after = members(path)["xl/workbook.xml"]
    assert b'<definedNames><definedName name="Mine" localSheetId="0">1</definedName></definedNames>' in after
    assert b'activeTab="0"' in after


def test_cells_of_our_sheets_leave_the_calculation_chain(tmp_path):
    path = styled(tmp_path / "a.xlsx", "range")
    set_up(path, own_sheets=True)
    ids = re.findall(rb'<sheet [^>]*sheetId="(\d+)"', members(path)["xl/workbook.xml"])
    chain = b'<c r="B5" i="%s"/><c r="A1" i="1"/><c r="A2"/><c r="B6" i="%s"/><c r="B7"/>' % (ids[2], ids[2])
    space = b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    with_chain(path, b'<calcChain xmlns="%s">%s</calcChain>' % (space, chain))
    copy = tmp_path / "b.xlsx"
    shutil.copyfile(path, copy)
    remove_set_up(path)
    assert b'<c r="A1" i="1"/><c r="A2"/></calcChain>' in members(path)["xl/calcChain.xml"]
    rebuilt(copy, "xl/calcChain.xml", b'<calcChain xmlns="%s"><c r="B5" i="%s"/></calcChain>' % (space, ids[2]))
    remove_set_up(copy)
    assert "xl/calcChain.xml" not in members(copy)
    assert b"calcChain" not in members(copy)["[Content_Types].xml"] + members(copy)["xl/_rels/workbook.xml.rels"]


def with_chain(path, content):
    parts = members(path)
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/calcChain"
    rels = parts["xl/_rels/workbook.xml.rels"].replace(
        b"</Relationships>", f'<Relationship Id="c" Type="{kind}" Target="calcChain.xml"/></Relationships>'.encode()
    )
    rebuilt(path, "xl/_rels/workbook.xml.rels", rels)
    types = parts["[Content_Types].xml"].replace(
        b"</Types>", b'<Override PartName="/xl/calcChain.xml" ContentType="application/xml"/></Types>'
    )
    rebuilt(path, "[Content_Types].xml", types)
    with zipfile.ZipFile(path, "a") as package:
        package.writestr("xl/calcChain.xml", content)


@pytest.mark.parametrize(
    "odd",
    [
        lambda xml: xml.replace("<", "<x:").replace("<x:/", "</x:").replace("<x:?", "<?").replace("xmlns=", "xmlns:x="),
        lambda xml: re.sub(r'<c r="[A-Z]+\d+"', "<c", xml),
        lambda xml: "\ufeff" + xml,
    ],
    ids=["prefixed", "no references", "BOM"],
)
def test_odd_but_legal_sheets(tmp_path, odd):
    relations = ' xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
    path = workbook(tmp_path / "a.xlsx", odd(people().replace("Status time", "Other").replace(relations, "")))
    before = members(path)[SHEET]
    set_up(path)
    assert remove_set_up(path).columns == {"People": ("Status time",)}
    assert members(path)[SHEET] == before


def test_a_save_in_between_wins(tmp_path):
    path = styled(tmp_path / "a.xlsx", "range")
    set_up(path)
    write_cells(path, {("Patients & Co", "A4"): "Somebody else"})
    newer = path.read_bytes()
    write_cells(path, {("Patients & Co", "A4"): "Somebody"})
    saves = [newer]

    def step(name):
        if name == "compared" and saves:
            path.write_bytes(saves.pop())

    remove_set_up(path, step=step)
    sheet = openpyxl.load_workbook(path).active
    assert (sheet["A4"].value, sheet["F3"].value) == ("Somebody else", None)
    assert [each.name for each in tmp_path.iterdir()] == ["a.xlsx"]


def test_a_sheet_whose_header_row_is_gone_is_told(tmp_path):
    path = tmp_path / "a.xlsx"
    book = xlsxwriter.Workbook(path)
    for name in ("One", "Two"):
        book.add_worksheet(name).write_row(0, 0, ("Phone", "Message"))
    book.close()
    set_up(path)
    write_cells(path, {("Two", "A1"): "Something else"})
    assert untouched(path, "no-phone-column").place.sheet == "Two"
