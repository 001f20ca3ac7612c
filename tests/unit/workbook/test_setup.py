"""First set-up: what is missing is added in the looks of what is there, and nothing else of the file changes."""

import io
import random
import re
import zipfile

import openpyxl
import pytest
import python_calamine
import xlsxwriter
from openpyxl.worksheet.table import Table

from tests.workbooks import MAIN, RELATIONS, STRICT, members, packed, people, sheet_xml, text_cell, workbook
from xlsms.errors import UserError
from xlsms.model import Role
from xlsms.workbook.base import Placed, RowEdit
from xlsms.workbook.closed import ClosedWorkbook, add_columns
from xlsms.workbook.own_sheets import OWN
from xlsms.workbook.removal import remove_set_up
from xlsms.workbook.setup import set_up

ADDED = ("Send", "Status", "Detail", "Status time", "Reply", "Reply time", "SMS ID")
HEADS = ("Name", "Phone", "Message", "Visit", "Amount")


def styled(path, kind, *, beside=None):
    """A workbook as its author would make it: fonts, bands, dates, money, a chart below."""
    book = xlsxwriter.Workbook(path)
    sheet = book.add_worksheet("Patients & Co")

    def look(**more):
        return book.add_format({"font_name": "Georgia", "border": 1} | more)

    head = look(bold=True, bg_color="#7030A0")
    if kind == "table":
        columns = [{"header": text} for text in HEADS]
        columns[4] |= {"total_function": "sum"}
        sheet.add_table(2, 0, 7, 4, {"name": "Recall", "total_row": True, "columns": columns})
    for column, text in enumerate(HEADS if kind != "table" else ()):
        sheet.write(2, column, text, head)
    for row in range(3, 7):
        band = {"bg_color": "#F2E6FF"} if row % 2 else {}
        values = (f"Patient {row}", 34600000000 + row, "Hello {Name}", 46000 + row, 12.5)
        formats = ({}, {"num_format": "0"}, {}, {"num_format": "dd/mm/yyyy"}, {"num_format": "0.00", "align": "right"})
        for column, (value, more) in enumerate(zip(values, formats, strict=True)):
            sheet.write(row, column, value, look(**band, **more))
    if kind == "filter":
        sheet.autofilter(2, 0, 6, 4)
    if beside:
        sheet.write(beside, "mine")
    chart = book.add_chart({"type": "column"})
    chart.add_series({"values": ["Patients & Co", 3, 4, 6, 4]})
    sheet.insert_chart("A16", chart)
    book.close()
    return path


def changed(before, after):
    assert set(before) <= set(after), "a part went missing"
    return {name for name in after if before.get(name) != after[name]}


@pytest.fixture(params=["range", "filter", "table"])
def kind(request):
    return request.param


def test_only_the_parts_that_must_change_do(tmp_path, kind):
    path = styled(tmp_path / "a.xlsx", kind)
    before = members(path)
    done = set_up(path)
    assert done.columns == {"Patients & Co": ADDED}
    expected = {
        "[Content_Types].xml",
        "_rels/.rels",
        "docProps/custom.xml",
        "xl/styles.xml",
        "xl/workbook.xml",
        "xl/worksheets/sheet1.xml",
    }
    expected |= {"xl/tables/table1.xml"} if kind == "table" else set()
    assert changed(before, members(path)) == expected


def test_the_new_columns_look_like_the_author_s(tmp_path, kind):
    path = styled(tmp_path / "a.xlsx", kind)
    set_up(path)
    sheet = openpyxl.load_workbook(path).active
    assert [cell.value for cell in sheet[3]][5:] == list(ADDED)
    for row in range(4, 8):
        for letter in "FGHIJKL":
            mine, theirs = sheet[f"{letter}{row}"], sheet[f"E{row}"]
            assert (mine.font.name, mine.fill.bgColor.rgb, mine.border.left.style) == (
                theirs.font.name,
                theirs.fill.bgColor.rgb,
                theirs.border.left.style,
            )
            assert mine.alignment.horizontal != "right"
    assert sheet["I4"].number_format == sheet["K4"].number_format == "dd/mm/yyyy hh:mm"
    assert sheet["H4"].number_format == "General"
    assert sheet["F3"].fill.fgColor.rgb == sheet["E3"].fill.fgColor.rgb
    assert sheet.column_dimensions["L"].hidden
    assert not sheet.column_dimensions["K"].hidden
    assert sheet.column_dimensions["J"].width > 20
    last = 7 if kind == "table" else 10_000
    assert str(sheet.data_validations.dataValidation[0].sqref) == f"F4:F{last}"
    (area,) = sheet.conditional_formatting
    assert str(area.sqref) == f"G4:G{last}"
    assert len(area.rules) == 6
    assert area.rules[0].dxf.fill.bgColor.rgb == "FFD1FAE5"
    assert 'G4="Delivered"' in area.rules[0].formula[0]


def test_table_and_filter_take_in_the_new_columns(tmp_path):
    set_up(styled(tmp_path / "t.xlsx", "table"))
    (table,) = openpyxl.load_workbook(tmp_path / "t.xlsx").active.tables.values()
    assert (table.ref, table.autoFilter.ref) == ("A3:L8", "A3:L7")
    assert [column.name for column in table.tableColumns] == [*HEADS, *ADDED]
    assert [column.id for column in table.tableColumns] == list(range(1, 13))
    set_up(styled(tmp_path / "f.xlsx", "filter"))
    assert openpyxl.load_workbook(tmp_path / "f.xlsx").active.auto_filter.ref == "A3:L7"
    names = re.findall(
        rb"<definedName[^>]*_FilterDatabase[^>]*>([^<]*)<", members(tmp_path / "f.xlsx")["xl/workbook.xml"]
    )
    assert names == [b"'Patients &amp; Co'!$A$3:$L$7"]


def test_states_find_their_place_afterwards(tmp_path, kind):
    path = styled(tmp_path / "a.xlsx", kind)
    set_up(path)
    book = ClosedWorkbook(path)
    row = book.read().rows[1]
    applied = book.apply([RowEdit(values={Role.STATUS: "Delivered", Role.REPLY: "=1+1"}, placed=Placed.of(row))])
    assert (len(applied.done), applied.refused) == (1, ())
    values = (
        python_calamine.CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python(skip_empty_area=False)
    )
    assert values[4][6] == "Delivered"
    assert values[4][9] == "=1+1"


def test_the_same_again_changes_nothing(tmp_path, kind):
    path = styled(tmp_path / "a.xlsx", kind)
    set_up(path)
    content, inode = path.read_bytes(), path.stat().st_ino
    assert set_up(path).nothing
    assert (path.read_bytes(), path.stat().st_ino) == (content, inode), "it is not even written"


def test_the_workbook_gets_a_guid_once_and_keeps_other_properties(tmp_path):
    path = tmp_path / "a.xlsx"
    book = xlsxwriter.Workbook(path)
    book.set_custom_property("Client", "A & B")
    book.add_worksheet().write_row(0, 0, ("Phone", "Message"))
    book.close()
    set_up(path, rng=random.Random(1))
    guid = ClosedWorkbook(path).read().guid
    assert guid
    properties = {each.name: each.value for each in openpyxl.load_workbook(path).custom_doc_props}
    assert properties == {"Client": "A & B", "xlsmsId": guid}
    set_up(path, rng=random.Random(2))
    assert ClosedWorkbook(path).read().guid == guid


@pytest.mark.parametrize(("kind", "cell"), [("table", "F5"), ("filter", "G9"), ("filter", "H3")])
def test_what_stands_beside_a_table_or_filter_is_never_written_over(tmp_path, kind, cell):
    path = styled(tmp_path / "a.xlsx", kind, beside=cell)
    content = path.read_bytes()
    with pytest.raises(UserError) as caught:
        set_up(path)
    assert caught.value.code == "columns-no-room"
    assert path.read_bytes() == content


def test_notes_below_a_table_are_not_in_its_way(tmp_path):
    path = styled(tmp_path / "a.xlsx", "table", beside="F12")
    set_up(path)
    sheet = openpyxl.load_workbook(path).active
    assert sheet["F12"].value == "mine"


def test_a_table_filled_from_a_source_is_left_alone(tmp_path):
    path = styled(tmp_path / "a.xlsx", "table")
    table = members(path)["xl/tables/table1.xml"]
    rebuilt(path, "xl/tables/table1.xml", table.replace(b"totalsRowCount", b'tableType="queryTable" totalsRowCount'))
    with pytest.raises(UserError, match="table-external"):
        set_up(path)


def rebuilt(path, name, content):
    out = io.BytesIO()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for each in old.namelist():
            new.writestr(each, content if each == name else old.read(each))
    path.write_bytes(out.getvalue())


def test_the_user_s_own_list_colours_and_widths_stay(tmp_path):
    before = '<cols><col min="1" max="2" width="30" customWidth="1"/><col min="3" max="16384" width="7"/></cols>'
    after = (
        '<conditionalFormatting sqref="B1:B9"><cfRule type="expression" priority="7"><formula>B1=1</formula></cfRule>'
        '</conditionalFormatting><dataValidations count="1"><dataValidation type="list" sqref="D2:D9">'
        '<formula1>"a,b"</formula1></dataValidation></dataValidations><pageMargins left="1" right="1" top="1" '
        'bottom="1" header="0" footer="0"/>'
    )
    rows = '<row r="1">' + text_cell("A1", "Phone") + text_cell("B1", "Message") + text_cell("D1", "Send") + "</row>"
    path = workbook(tmp_path / "a.xlsx", sheet_xml(rows, before=before, after=after))
    set_up(path)
    xml = members(path)["xl/worksheets/sheet1.xml"].decode()
    assert after.partition("<dataValidations")[0] in xml
    assert xml.count("<dataValidation ") == 1, "a list of the user's own is enough"
    assert re.findall(r'priority="(\d+)"', xml) == ["7", "8", "9", "10", "11", "12", "13"]
    sheet = openpyxl.load_workbook(path).active
    ranges = re.findall(r'<col min="(\d+)" max="(\d+)"', xml)
    assert ranges == [("1", "2"), ("3", "4"), *((str(at), str(at)) for at in range(5, 11)), ("11", "16384")]
    assert sheet["E1"].value == "Status"


def test_a_list_of_the_user_s_own_may_take_its_values_from_another_sheet(tmp_path):
    """Excel keeps such a list apart from the others; two lists in one cell are damage to it."""
    rows = '<row r="1">' + text_cell("A1", "Phone") + text_cell("B1", "Message") + text_cell("D1", "Send") + "</row>"
    after = (
        '<extLst><ext uri="{CCE6A557-97BC-4b89-ADB6-D9C93CAAB3DF}" xmlns:x14="http://schemas.microsoft.com/office/'
        'spreadsheetml/2009/9/main"><x14:dataValidations xmlns:xm="http://schemas.microsoft.com/office/excel/2006/main" '
        'count="1"><x14:dataValidation type="list"><x14:formula1><xm:f>Lists!$A$1:$A$2</xm:f></x14:formula1>'
        "<xm:sqref>D2:D9 F4</xm:sqref></x14:dataValidation></x14:dataValidations></ext></extLst>"
    )
    path = workbook(tmp_path / "a.xlsx", sheet_xml(rows, after=after))
    set_up(path)
    xml = members(path)["xl/worksheets/sheet1.xml"].decode()
    assert "<dataValidation " not in xml
    assert after in xml


@pytest.mark.parametrize(
    "odd",
    [
        lambda xml: xml.replace("<", "<x:").replace("<x:/", "</x:").replace("<x:?", "<?").replace("xmlns=", "xmlns:x="),
        lambda xml: re.sub(r'<c r="[A-Z]+\d+"', "<c", xml),
        lambda xml: xml.replace('r="', "r='").replace('" t="inlineStr"', "' t='inlineStr'").replace('"><v', "'><v"),
        lambda xml: "\ufeff" + xml,
    ],
    ids=["prefixed", "no references", "single quotes", "BOM"],
)
def test_odd_but_legal_sheets(tmp_path, odd):
    xml = people().replace("Status time", "Other")
    xml = odd(xml.replace(' xmlns:r="' + RELATIONS + '"', "")).replace("<row r='1\">", "<row r='1'>")
    xml = re.sub(r"<row r='(\d+)\">", r"<row r='\1'>", xml)
    path = workbook(tmp_path / "a.xlsx", xml)
    assert set_up(path).columns == {"People": ("Status time",)}
    assert ClosedWorkbook(path).read().sheets[0].missing == ()
    assert set_up(path).nothing


def with_styles(path, styles):
    workbook(path, people().replace("Reply time", "Other"))
    rels = members(path)["xl/_rels/workbook.xml.rels"].replace(
        b"</Relationships>",
        f'<Relationship Id="rId9" Type="{RELATIONS}/styles" Target="styles.xml"/></Relationships>'.encode(),
    )
    rebuilt(path, "xl/_rels/workbook.xml.rels", rels)
    with zipfile.ZipFile(path, "a") as package:
        package.writestr("xl/styles.xml", styles)
    return path


def test_a_prefixed_stylesheet_without_formats_for_conditions(tmp_path):
    styles = (
        f'<x:styleSheet xmlns:x="{MAIN}"><x:fonts count="1"><x:font/></x:fonts><x:fills count="1"><x:fill/></x:fills>'
        '<x:borders count="1"><x:border/></x:borders><x:cellXfs count="1"><x:xf/></x:cellXfs><x:tableStyles count="0"/>'
        "</x:styleSheet>"
    )
    path = with_styles(tmp_path / "a.xlsx", styles)
    set_up(path)
    xml = members(path)["xl/styles.xml"].decode()
    assert xml.index("<x:cellXfs") < xml.index('<x:dxfs count="6">') < xml.index("<x:tableStyles")
    assert '<x:cellXfs count="2"><x:xf/><x:xf numFmtId="22"' in xml


def test_no_fill_of_ours_is_one_of_the_two_that_excel_has_for_itself(tmp_path):
    styles = (
        f'<styleSheet xmlns="{MAIN}"><fonts count="1"><font/></fonts><fills count="1"><fill><patternFill/></fill></fills>'
        '<borders count="1"><border/></borders><cellXfs count="1"><xf/></cellXfs></styleSheet>'
    )
    path = with_styles(tmp_path / "a.xlsx", styles)
    set_up(path, own_sheets=True)
    xml = members(path)["xl/styles.xml"].decode()
    ((count, inside),) = re.findall(r'<fills count="(\d+)">(.*?)</fills>', xml)
    fills = re.findall(r"<fill>.*?</fill>", inside)
    assert fills[:2] == ["<fill><patternFill/></fill>", '<fill><patternFill patternType="gray125"/></fill>']
    assert len(fills) == int(count)
    assert 'fillId="1"' not in xml


def test_an_empty_stylesheet_is_as_good_as_none(tmp_path):
    path = with_styles(tmp_path / "a.xlsx", f'<styleSheet xmlns="{MAIN}" xml:space="preserve"/>')
    assert set_up(path).columns == {"People": ("Reply time",)}
    page = openpyxl.load_workbook(path).worksheets[0]
    column = next(cell for cell in page[1] if cell.value == "Reply time")
    assert page.column_dimensions[column.column_letter].number_format == "m/d/yy h:mm"


def test_a_stylesheet_with_no_cell_format_is_told_of(tmp_path):
    path = with_styles(tmp_path / "a.xlsx", f'<styleSheet xmlns="{MAIN}"><cellXfs count="0"/></styleSheet>')
    with pytest.raises(UserError, match="damaged"):
        set_up(path)


SHEET = "xl/worksheets/sheet1.xml"
RULE = '</sheetData><conditionalFormatting sqref="A1"><cfRule type="expression" priority="{}"><formula>1</formula></cfRule>'
ODD_NUMBERS = {
    "priority of a rule": (SHEET, "</sheetData>", RULE.format("first") + "</conditionalFormatting>"),
    "width of a column": (SHEET, "<sheetData>", '<cols><col min="1" max="all" width="9"/></cols><sheetData>'),
    "id of a sheet": ("xl/workbook.xml", 'sheetId="1"', 'sheetId="one"'),
    "id of a format": ("xl/styles.xml", "<numFmts/>", '<numFmts><numFmt numFmtId="x" formatCode="0"/></numFmts>'),
    "id of a property": ("docProps/custom.xml", 'pid="2" name="xlsmsId"', 'pid="two" name="mine"'),
}


@pytest.mark.parametrize("name", ODD_NUMBERS)
def test_a_number_that_is_none_is_told_of_a_damaged_file(tmp_path, name):
    styles = f'<styleSheet xmlns="{MAIN}"><numFmts/><cellXfs><xf/></cellXfs></styleSheet>'
    path = with_styles(tmp_path / "a.xlsx", styles)
    if name == "id of a property":
        set_up(path)
    part, right, wrong = ODD_NUMBERS[name]
    xml = members(path)[part].decode()
    assert xml.count(right) == 1
    rebuilt(path, part, xml.replace(right, wrong))
    content = path.read_bytes()
    with pytest.raises(UserError, match="file-damaged"):
        set_up(path, own_sheets=True)
    assert path.read_bytes() == content


def test_every_cell_format_added_goes_to_the_end(tmp_path):
    path = styled(tmp_path / "a.xlsx", "range")
    before = members(path)["xl/styles.xml"]
    set_up(path)
    after = members(path)["xl/styles.xml"]

    def formats(xml):
        return re.findall(rb"<xf .*?(?:/>|</xf>)", xml.partition(b"<cellXfs")[2].partition(b"</cellXfs>")[0])

    assert formats(after)[: len(formats(before))] == formats(before)
    assert len(formats(after)) > len(formats(before))
    assert f'<cellXfs count="{len(formats(after))}"'.encode() in after


def test_a_save_in_between_wins_and_is_set_up_instead(tmp_path):
    path = styled(tmp_path / "a.xlsx", "range")
    other = styled(tmp_path / "b.xlsx", "filter")
    saves = [other.read_bytes()]

    def step(name):
        if name == "compared" and saves:
            path.write_bytes(saves.pop())

    set_up(path, step=step)
    assert openpyxl.load_workbook(path).active.auto_filter.ref == "A3:L7", "the user's newer file has the columns"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a.xlsx", "b.xlsx"]


def test_sheets_of_our_own_are_added_behind_and_nothing_else_changes(tmp_path, kind):
    path = styled(tmp_path / "a.xlsx", kind)
    before = members(path)
    assert set_up(path, own_sheets=True).sheets == OWN
    after = members(path)
    small = {"[Content_Types].xml", "_rels/.rels", "xl/_rels/workbook.xml.rels", "xl/workbook.xml", "xl/styles.xml"}
    assert {name for name in before if before[name] != after[name]} <= small | {
        "xl/worksheets/sheet1.xml",
        "xl/tables/table1.xml",
    }
    assert {"xl/worksheets/sheet2.xml", "xl/drawings/drawing2.xml", "xl/charts/chart2.xml"} <= set(after) - set(before)
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == ["Patients & Co", *OWN]
    tables = [table for sheet in book for table in sheet.tables.values()]
    assert len({table.id for table in tables}) == len({table.name for table in tables}) == len(tables)
    status = "Recall[Status]" if kind == "table" else "'Patients & Co'!$G$4:$G$1048576"
    assert book["SMS Report"]["B5"].value == f"=COUNTIF({status},$A5)"
    assert book["SMS Report"]["A5"].fill.fgColor.rgb == "00D1FAE5"
    assert book["SMS Report"]["A5"].font.name == "Calibri"
    assert len(book["SMS Report"]._charts) == 1
    assert book.calculation.fullCalcOnLoad
    assert sum(view.tabSelected or 0 for sheet in book for view in sheet.views.sheetView) == 1, "a group of tabs"
    content = path.read_bytes()
    assert set_up(path, own_sheets=True).nothing
    assert path.read_bytes() == content


@pytest.mark.parametrize("language", ["en", "es"])
def test_hints_are_no_longer_than_excel_takes(tmp_path, language):
    """Excel asks to repair a workbook in which a hint has a title of more than 32 characters, or a text of 255."""
    path = styled(tmp_path / "a.xlsx", "range")
    set_up(path, language, own_sheets=True)
    sheets = openpyxl.load_workbook(path).worksheets
    hints = [hint for sheet in sheets for hint in sheet.data_validations.dataValidation]
    assert len(hints) == 2, "of the mark, and of the ways to match"
    assert all(len(hint.promptTitle) <= 32 and len(hint.prompt) <= 255 for hint in hints)


def test_names_that_are_taken_are_numbered(tmp_path):
    path = tmp_path / "a.xlsx"
    book = xlsxwriter.Workbook(path)
    book.add_worksheet("Mine").add_table(
        0, 0, 2, 1, {"name": "SMS_Replies", "columns": [{"header": "A"}, {"header": "B"}]}
    )
    book.add_worksheet("People").write_row(0, 0, ("Phone", "Message"))
    book.add_worksheet("sms report").write(0, 0, "the user's own")
    book.define_name("SMS_Replies_2", "=Mine!$A$1")
    book.close()
    assert set_up(path, own_sheets=True).sheets == ("SMS Replies", "SMS Settings", "SMS Rules")
    sheets = openpyxl.load_workbook(path)
    assert list(sheets["SMS Replies"].tables) == ["SMS_Replies_3"]
    assert sheets["sms report"]["A1"].value == "the user's own"


def test_a_report_over_several_sheets_has_a_column_each(tmp_path):
    path = tmp_path / "a.xlsx"
    book = xlsxwriter.Workbook(path)
    for name in ("Total", "Ana's"):
        book.add_worksheet(name).write_row(0, 0, ("Teléfono", "Mensaje", "Estado", "Nombre"))
    book.close()
    set_up(path, own_sheets=True)
    report = openpyxl.load_workbook(path)["SMS Report"]
    assert [cell.value for cell in report[4]][:4] == ["Estado", "Total 2", "Ana's", "Total"]
    assert report["C5"].value == "=COUNTIF('Ana''s'!$C$2:$C$1048576,$A5)"
    assert report["D5"].value == "=SUM(B5:C5)"
    assert report["A5"].value == "Entregado"


@pytest.mark.parametrize("header", ["Status ", " Status", "Status\n", "@Status", "Status'", '"Status"', "[Status]"])
def test_a_column_of_a_table_that_formulas_cannot_simply_name_is_counted_by_its_cells(tmp_path, header):
    """Excel removes formulas that it cannot read, and calls the workbook damaged."""
    path = tmp_path / "a.xlsx"
    book = xlsxwriter.Workbook(path)
    columns = [{"header": text} for text in ("Phone", "Send", header, "Reply")]
    book.add_worksheet("L").add_table(0, 0, 2, 3, {"name": "List", "columns": columns})
    book.close()
    set_up(path, own_sheets=True)
    report = openpyxl.load_workbook(path)["SMS Report"]
    assert report["B5"].value == "=COUNTIF('L'!$C$2:$C$1048576,$A5)"
    assert report["B17"].value == '=COUNTIF(List[Reply],"?*")'


def test_a_strict_workbook_names_its_id_in_the_strict_way(tmp_path):
    path = workbook(tmp_path / "a.xlsx", people())
    for name, part in members(path).items():
        main = part.replace(MAIN.encode(), STRICT.encode())
        rebuilt(
            path, name, main.replace(RELATIONS.encode(), b"http://purl.oclc.org/ooxml/officeDocument/relationships")
        )
    set_up(path)
    after = members(path)
    assert b'"http://purl.oclc.org/ooxml/officeDocument/relationships/customProperties"' in after["_rels/.rels"]
    assert b'xmlns="http://purl.oclc.org/ooxml/officeDocument/customProperties"' in after["docProps/custom.xml"]
    assert not any(b"schemas.openxmlformats.org/officeDocument" in after[name] for name in after)
    assert ClosedWorkbook(path).read().guid
    remove_set_up(path)
    assert "docProps/custom.xml" not in members(path)


def test_a_package_without_a_folder_for_its_workbook_takes_sheets(tmp_path):
    path = workbook(tmp_path / "a.xlsx", people())
    here = {name.removeprefix("xl/"): part for name, part in members(path).items()}
    here["[Content_Types].xml"] = here["[Content_Types].xml"].replace(b"/xl/", b"/")
    here["_rels/.rels"] = here["_rels/.rels"].replace(b"xl/", b"")
    path.write_bytes(packed(here))
    assert set_up(path, own_sheets=True).sheets == OWN
    assert python_calamine.CalamineWorkbook.from_path(path).sheet_names == ["People", *OWN]
    assert not any(name.startswith("/") for name in members(path))


def test_a_locked_structure_gets_no_sheets(tmp_path):
    path = workbook(tmp_path / "a.xlsx", people())
    xml = members(path)["xl/workbook.xml"].replace(b"<sheets>", b'<workbookProtection lockStructure="1"/><sheets>')
    rebuilt(path, "xl/workbook.xml", xml)
    assert set_up(path, own_sheets=True).sheets == ()


def test_ids_of_relations_are_free_ones(tmp_path):
    path = workbook(tmp_path / "a.xlsx", people())
    rels = members(path)["xl/_rels/workbook.xml.rels"].replace(b'"rId1"', b'"rId4"')
    rebuilt(path, "xl/_rels/workbook.xml.rels", rels)
    rebuilt(path, "xl/workbook.xml", members(path)["xl/workbook.xml"].replace(b'"rId1"', b'"rId4"'))
    set_up(path, own_sheets=True)
    ids = re.findall(rb' Id="([^"]*)"', members(path)["xl/_rels/workbook.xml.rels"])
    assert len(ids) == len(set(ids)) == 6, "the sheet, four of ours, and the styles"
    assert openpyxl.load_workbook(path).sheetnames == ["People", *OWN]


def test_relations_are_told_one_by_one_where_the_package_has_no_ending_for_them(tmp_path):
    path = workbook(tmp_path / "a.xlsx", people())
    told = b'<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    each = b'<Override PartName="/%s" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    there = b"".join(each % name.encode() for name in members(path) if name.endswith(".rels"))
    types = members(path)["[Content_Types].xml"]
    rebuilt(path, "[Content_Types].xml", types.replace(told, there))
    before = members(path)
    set_up(path, own_sheets=True)
    after = members(path)
    added = [name.encode() for name in set(after) - set(before) if name.endswith(".rels")]
    assert len(added) == 5, "of four sheets with tables, and of a drawing"
    assert all(after["[Content_Types].xml"].count(each % name) == 1 for name in added)
    remove_set_up(path)
    assert members(path)["[Content_Types].xml"].count(b".rels") == there.count(b".rels")


def test_the_name_of_a_part_that_is_gone_and_still_told_of_is_not_taken(tmp_path):
    """Excel takes a package for damaged that tells the type of one part twice."""
    path = workbook(tmp_path / "a.xlsx", people())
    types = members(path)["[Content_Types].xml"]
    gone = b'<Override PartName="/xl/worksheets/Sheet2.xml" ContentType="application/xml"/></Types>'
    rebuilt(path, "[Content_Types].xml", types.replace(b"</Types>", gone))
    set_up(path, own_sheets=True)
    after = members(path)
    told = re.findall(rb'PartName="([^"]*)"', after["[Content_Types].xml"].lower())
    assert len(told) == len(set(told))
    assert "xl/worksheets/sheet2.xml" not in after
    assert openpyxl.load_workbook(path).sheetnames == ["People", *OWN]


@pytest.mark.parametrize("kind", ["range", "table"])
def test_a_protected_sheet_is_asked_about_and_its_new_cells_can_be_filled_in(tmp_path, kind):
    path = styled(tmp_path / "a.xlsx", kind)
    xml = members(path)["xl/worksheets/sheet1.xml"]
    lock = b'</sheetData><sheetProtection password="CC1A" sheet="1" objects="1" scenarios="1"/>'
    rebuilt(path, "xl/worksheets/sheet1.xml", xml.replace(b"</sheetData>", lock))
    before = path.read_bytes()
    with pytest.raises(UserError) as caught:
        set_up(path)
    assert (caught.value.code, caught.value.place.sheet) == ("sheet-protected", "Patients & Co")
    assert path.read_bytes() == before
    set_up(path, protected=True)
    assert lock in members(path)["xl/worksheets/sheet1.xml"], "with its password"
    sheet = openpyxl.load_workbook(path).active
    assert {sheet[f"{letter}5"].protection.locked for letter in "FGHIJKL"} == {False}
    assert {sheet[f"{letter}5"].protection.locked for letter in "ABCDE"} == {True}
    assert sheet["F3"].protection.locked, "a header is no place to write in"
    assert sheet["F5"].font.name == "Georgia"
    assert sheet["I5"].number_format == "dd/mm/yyyy hh:mm"
    assert not sheet.column_dimensions["F"].protection.locked, "rows to come"
    assert set_up(path).nothing


def test_a_protected_sheet_that_lacks_nothing_is_not_asked_about(tmp_path):
    path = styled(tmp_path / "a.xlsx", "range")
    set_up(path)
    xml = members(path)["xl/worksheets/sheet1.xml"]
    rebuilt(path, "xl/worksheets/sheet1.xml", xml.replace(b"</sheetData>", b'</sheetData><sheetProtection sheet="1"/>'))
    assert set_up(path).nothing


@pytest.mark.parametrize("add", [set_up, add_columns])
@pytest.mark.parametrize("in_table", [True, False])
def test_a_column_of_the_user_s_own_is_not_taken_for_ours(tmp_path, add, in_table):
    path = tmp_path / "a.xlsx"
    book = openpyxl.Workbook()
    book.active.append(["Phone", "Message", "Send", "Parts"])
    book.active.append(["+34600000001", "Hi", "x", None])
    book.active.append(["+34600000002", "Hi", "x", 12.5])
    if in_table:
        book.active.add_table(Table(displayName="People", ref="A1:D3"))
    book.active["D9"] = "below the table" if in_table else None
    book.save(path)
    content = path.read_bytes()
    with pytest.raises(UserError) as caught:
        add(path)
    assert (caught.value.code, caught.value.place.row, caught.value.place.column) == ("column-of-yours", 3, "D")
    assert path.read_bytes() == content


@pytest.mark.parametrize("add", [set_up, add_columns])
def test_nothing_is_put_beyond_the_last_column_of_a_sheet(tmp_path, add):
    path = tmp_path / "a.xlsx"
    book = openpyxl.Workbook()
    book.active.append(["Phone", "Message", "Send"])
    book.active.append(["+34600000001", "Hi", "x"])
    book.active["XFA9"] = "far away"
    book.save(path)
    content = path.read_bytes()
    with pytest.raises(UserError) as caught:
        add(path)
    assert caught.value.code == "columns-past-edge"
    assert caught.value.facts["last"] == "XFA"
    assert path.read_bytes() == content


@pytest.mark.parametrize(
    ("area", "formula", "ours"),
    [("E2:E4", "LEN($E2)&gt;3", True), ("A2:A4", '$A2="Sent"', True), ("A2:E4", '$E2="Sent"', False)],
    ids=["of something else", "elsewhere", "of states"],
)
def test_colours_are_added_where_no_others_tell_the_states(tmp_path, area, formula, ours):
    rule = f'<cfRule type="expression" priority="1"><formula>{formula}</formula></cfRule>'
    theirs = f'</sheetData><conditionalFormatting sqref="{area}">{rule}</conditionalFormatting>'
    path = workbook(tmp_path / "a.xlsx", people().replace("</sheetData>", theirs))
    set_up(path)
    assert members(path)["xl/worksheets/sheet1.xml"].count(b"<conditionalFormatting ") == 1 + ours


def test_a_table_at_the_edge_of_a_sheet_has_no_room(tmp_path):
    path = tmp_path / "a.xlsx"
    book = xlsxwriter.Workbook(path)
    columns = [{"header": text} for text in ("Phone", "Message", "Send")]
    book.add_worksheet().add_table(0, 16_377, 3, 16_379, {"columns": columns})  # four columns to the edge
    book.close()
    content = path.read_bytes()
    with pytest.raises(UserError, match="columns-no-room"):
        set_up(path)
    assert path.read_bytes() == content


def test_the_last_column_of_a_sheet_may_be_taken(tmp_path):
    path = tmp_path / "a.xlsx"
    book = openpyxl.Workbook()
    book.active.append(["Phone", "Message", "Send"])
    book.active["XEX9"] = "far away"  # six columns to the edge
    book.save(path)
    set_up(path)
    assert openpyxl.load_workbook(path).active["XFD1"].value == "SMS ID"
