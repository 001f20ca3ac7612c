"""The quick ways to read are the slow ones: on every generated sheet they tell the same, or leave it to them."""

import contextlib
import re
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.ooxml.test_patch_model import TEXT, sheets, xml_text
from tests.workbooks import MAIN, members, relations, sheet_xml, text_cell, workbook
from xlsms.ooxml.block import NotPlainError, blocks
from xlsms.ooxml.grammar import Grammar
from xlsms.ooxml.shape import Shapes
from xlsms.ooxml.text import OddTableError, Strings, find_strings, some_strings, strings_of
from xlsms.workbook.closed import ClosedWorkbook

ODD = (
    b'<c r="D2"><v>1</v></c>',
    b'<c r="D2" t="s" ><v>1</v></c >',
    b"<c r='D2'><v>1</v></c>",
    b'<c s="1" r="D2"/>',
    b'<c r="d2"/>',
    b'<c r="$D$2"/>',
    b'<c r="ABCD2"/>',
    b"<c><v>1</v></c>",
    b'<x:c r="D2"/>',
    b'<c\nr="D2"/>',
    b"<!-- <c r='D2'/> -->",
    b"<?pi?>",
    b'<c r="D2" t="str"><v><![CDATA[<c r="D3">]]></v></c>',
    b"<v>2 ! 3 ?</v>",
)
ROWS = (
    b'<row r="%d">',
    b'<row r="%d" spans="1:4">',
    b'<row spans="1:4" r="%d">',
    b"<row r='%d'>",
    b'<row r="0%d">',
    b"<row>",
    b'<row r="%d"/><row r="%d1">',
    b'<row r="%d" ht="15" >',
)


@st.composite
def odd_blocks(draw):
    number = draw(st.integers(1, 50))
    lines = []
    for _ in range(draw(st.integers(1, 30))):
        opening = draw(st.sampled_from((*ROWS[:2] * 8, *ROWS)))
        line = opening.replace(b"%d", b"%d" % number) + b'<c r="A%d" t="s"><v>%d</v></c>' % (number, number)
        line += draw(st.sampled_from((*(b"",) * 40, *ODD)))
        lines.append(line + draw(st.sampled_from((*(b"</row>",) * 20, b"</row >", b"</row>\n"))))
        number += draw(st.sampled_from((1, 1, 1, 1, 1, 2, 0, -1)) if len(lines) > 1 else st.just(1))
    return b"".join(lines)


@settings(max_examples=400)
@given(st.lists(odd_blocks(), min_size=1, max_size=4), st.integers(0, 3))
def test_what_the_shapes_accept_is_plain_and_in_order(blocks, last):
    grammar = Grammar(b"")
    shapes = Shapes(b"")
    for block in blocks:  # what one taught must not make the next ones pass
        end = shapes.check(block, last)
        if end is not None:
            numbers = [int(number) for number, _ in grammar.row.findall(block)]
            assert grammar.plain(block)
            assert [last, *numbers] == sorted({last, *numbers})
            assert end == numbers[-1]


@settings(max_examples=200)
@given(
    st.lists(odd_blocks(), min_size=1, max_size=4),
    st.integers(0, 3),
    st.sampled_from(["apart", "between"]),
    st.sampled_from([(b"A",), (b"A", b"C"), (b"B", b"D"), (b"D", b"E")]),
)
def test_what_is_told_during_a_check_is_what_is_told_without(blocks, last, how, letters):
    telling, checking = Shapes(b""), Shapes(b"")
    telling.tell(how, letters)
    for block in blocks:
        assert telling.check(block, last) == checking.check(block, last)
        assert getattr(telling, how)(block, letters) == getattr(checking, how)(block, letters)
        assert getattr(telling, how)(block, (b"A", b"B")) == getattr(checking, how)(block, (b"A", b"B"))


@settings(max_examples=400)
@given(odd_blocks(), st.integers(0, 3), st.sampled_from((b"", b"x:")))
def test_rows_alone_pass_only_when_each_has_its_number_and_they_are_in_order(block, last, prefix):
    block = block.replace(b"<row", b"<%brow" % prefix).replace(b"</row", b"</%brow" % prefix)
    numbers = [int(number) for number, _ in Grammar(prefix).row.findall(block)]
    try:
        end = Grammar(prefix).check_rows(block, last)
    except NotPlainError:
        return
    assert len(numbers) == len(re.findall(rb"<%brow\b" % prefix, block))
    assert [last, *numbers] == sorted({last, *numbers})
    assert end == numbers[-1]
    assert b"<!" not in block


@pytest.mark.parametrize("prefix", [b"", b"x:"])
def test_rows_alone_are_not_passed_when_cells_may_fill_areas(prefix):
    grammar = Grammar(prefix)
    row = b'<%srow r="1"><%sc r="A1"><%sf t="array" ref=\'A1:A2\'>B1</%sf></%sc></%srow>'.replace(b"%s", prefix)
    with pytest.raises(NotPlainError):  # other quotes than the quick way knows
        grammar.check_rows(row.replace(b'r="A1"', b"r='A1'"), 0)
    assert grammar.check_rows(b'<%srow r="4" spans="1:2"></%srow>'.replace(b"%s", prefix), 3) == 4
    assert grammar.check_rows(b"\n ", 3) == 3


@pytest.mark.parametrize("ref", [' ref="A1:A2"', '\nref = "A1:A2"', '\tref\r\n="A1:A2"'])
def test_an_area_is_seen_however_its_attribute_is_written(ref):
    row = f'<row r="1"><c r="A1"><f t="array"{ref}>B1</f></c><c s=\'1\' r="A2"/></row>'
    with pytest.raises(NotPlainError):  # so the cells were looked at as well
        Grammar(b"").check_rows(row.encode(), 0)
    text = '<row r="1"><c r="A1" t="str"><v>I prefer ref. 1, href="x"</v></c><c s=\'1\' r="A2"/></row>'
    assert Grammar(b"").check_rows(text.encode(), 0) == 1


def test_rows_that_are_not_like_most_are_known_as_well():
    shapes = Shapes(b"")
    full = b'<row r="%d"><c r="A%d"><v>1</v></c><c r="B%d" t="s"><v>2</v></c><c r="D%d"/></row>'
    short = b'<row r="%d"><c r="B%d" t="s"><v>2</v></c></row>'
    other = b'<row r="%d"><c r="A%d" s="3"/><c r="B%d"><v>9</v></c></row>'
    rows = [short if n % 50 == 7 else other if n % 80 == 9 else full for n in range(1, 900)]
    block = b"".join(row.replace(b"%d", b"%d" % n) for n, row in enumerate(rows, 1))
    assert shapes.check(block, 0) == 899
    assert shapes.check(block.replace(b'<c r="B57"', b'<c r="B58"'), 0) is None


@pytest.mark.parametrize(
    "cell",
    [
        b'<c r="A%d" t="s"><v>7</v></c>',
        b'<c r="A%d" t="inlineStr"><is><t>any text ! ? %d</t></is></c>',
        b'<c r="A%d" s="12" t="inlineStr"><is><t xml:space="preserve"> text </t></is></c>',
        b'<c r="A%d" t="str"><f>B1&amp;C1</f><v>text</v></c>',
        b'<c r="A%d"><f t="shared" si="3"/><v>5</v></c>',
    ],
)
def test_the_usual_sheet_is_accepted_at_a_glance(cell):
    shapes = Shapes(b"")
    row = b'<row r="%d">' + cell.replace(b"any text ! ? %d", b"any text ! ?") + b'<c r="D%d"/></row>'
    block = b"".join(row % (n, n, n) for n in range(3, 900))
    assert shapes.check(block, 2) == 899
    assert shapes.check(block, 3) is None
    assert shapes.check(b'<row r="900" hidden="1"/>\n' + block.replace(b"899", b"901"), 2) is None
    assert shapes.check(b'<row r="900" hidden="1"/>\n', 899) == 900


@pytest.mark.parametrize(
    "odd",
    [
        b'<row r="901"><c r="A902"/></row>',
        b'<row r="901"><c r="D901"/><c r="A901"/></row>',
        b'<row r="901"><c r="A901"/><c r="A901"/></row>',
        b'<row r="901"><c r="A901"><v>1</v></row>',
        b'<row r="901"><c r="A901" t="str"><v><![CDATA[x]]></v></c></row>',
        b'<row r="901"><c r="A901"><f t="array" ref="A901:A902">B1</f><v>1</v></c></row>',
        b'<row r="901"><c r="A901"',
    ],
)
def test_an_odd_row_is_left_to_the_thorough_check(odd):
    shapes = Shapes(b"")
    usual = b"".join(b'<row r="%d"><c r="A%d"><v>1</v></c><c r="D%d"/></row>' % (n, n, n) for n in range(1, 900))
    assert shapes.check(usual, 0) == 899
    assert not shapes.areas
    assert shapes.check(odd, 899) is None
    assert shapes.check(usual.replace(b"1", b"9"), 899) is None
    assert shapes.areas


@settings(max_examples=100, deadline=None)
@given(sheets())
def test_a_sheet_passes_as_plain_as_ever(sheet):
    """Whatever the shapes say, the answer for the sheet is that of the thorough check."""
    xml, _ = sheet
    for kind, data in blocks((xml.encode(),)) if "<x:" not in xml and "<ss:" not in xml else ():
        if kind == "rows":
            grammar = Grammar(b"")
            numbers = [int(number) for number, _ in grammar.row.findall(data)]
            thorough = grammar.plain(data) and [0, *numbers] == sorted({0, *numbers})
            refused = True
            with contextlib.suppress(NotPlainError):
                grammar.check(data, 0)
                refused = False
            assert thorough is not refused


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(TEXT, st.booleans()), max_size=12),
    st.sets(st.integers(0, 14)),
    st.integers(1, 40),
    st.sampled_from(["", "<!-- <si> -->", "\n", "<?pi?>", "<si/>", "<si><t/></si>", "<si\n><t>y</t></si>"]),
    st.integers(1, 50),
)
def test_a_few_strings_are_those_of_the_whole_table(texts, wanted, size, between, stretch):
    inside = between.join(
        f"<si><r><t>{xml_text(text)}</t></r><rPh><t>x</t></rPh></si>" if rich else f"<si><t>{xml_text(text)}</t></si>"
        for text, rich in texts
    )
    data = f'<?xml version="1.0"?><sst xmlns="{MAIN}">{inside}</sst>'.encode()
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("xlsms.ooxml.text._STRETCH", stretch)
        patch.setattr("xlsms.ooxml.text._BLOCK", 100)
        some = some_strings(pieces, wanted)
    table = Strings([data])
    assert some is None or some == {number: table[number] for number in wanted}
    assert some is not None or between[:2] in ("<!", "<?", "<s")


@pytest.mark.parametrize("end", ["</si\n>", "</si >", "</si\t >"])
@pytest.mark.parametrize("at", [0, 1, 2])
def test_a_string_whose_end_tag_has_blanks_ends_there(end, at):
    hint = "<rPh sb='0' eb='1'><t>PH</t></rPh >"
    texts = [f"<si><t>{text}</t>{hint if text == 'b' else ''}</si>" for text in "abc"]
    texts[at] = texts[at].replace("</si>", end)
    data = [f'<?xml version="1.0"?><sst xmlns="{MAIN}">{"".join(texts)}</sst>'.encode()]
    table = Strings(data)
    assert [table[number] for number in range(len(table))] == ["a", "b", "c"]
    for wanted in ({0}, {1}, {2}, {0, 1, 2}):
        assert some_strings(data, wanted) in (None, {number: "abc"[number] for number in wanted})
    assert find_strings(data, {"a", "b", "c"}) in (None, dict(enumerate("abc")))
    with contextlib.suppress(OddTableError):
        assert len([string for some in strings_of(data) for string in some]) == len(texts)


def test_a_string_without_an_end_is_left_to_the_whole_reading(monkeypatch):
    monkeypatch.setattr("xlsms.ooxml.text._LONGEST", 1000)
    monkeypatch.setattr("xlsms.ooxml.text._BLOCK", 100)
    short = [b"<sst>", *[b"<si><t>abc</t></si>"] * 500, b"</sst>"]
    assert some_strings(short, {499}) == {499: "abc"}
    read = []
    endless = (read.append(piece) or piece for piece in [b"<sst><si><t>", *[b"abc"] * 50_000])
    assert some_strings(endless, {1}) is None
    assert len(read) < 1000
    assert some_strings([b"<sst>", *[b" " * 90] * 50_000], {1}) is None


def test_a_sheet_of_many_forms_is_given_up_rather_than_learnt_for_ever():
    shapes = Shapes(b"")
    for number in range(1, 200):
        kind = b'<c r="A%d" t="%c"/>' % (number, 97 + number % 26)
        assert shapes.check(b'<row r="%d">%b</row>' % (number, kind), number - 1) in (number, None)
    assert shapes._lessons <= 32
    assert shapes._pattern.groups == 1


def shared(path, marks, texts):
    """A workbook whose marks and names are shared strings."""
    lines = [
        '<row r="1">'
        + "".join(text_cell(f"{c}1", t) for c, t in zip("ABC", ("Name", "Phone", "Send"), strict=True))
        + "</row>"
    ]
    for row, (mark, kind) in enumerate(marks, 2):
        cell = {"s": f'<c r="C{row}" t="s"><v>{mark}</v></c>', "n": f'<c r="C{row}"><v>{mark}</v></c>', "": ""}[kind]
        lines.append(
            f'<row r="{row}"><c r="A{row}" t="s"><v>{row % 5}</v></c><c r="B{row}"><v>{row}</v></c>{cell}</row>'
        )
    table = "".join(f"<si><t>{text}</t></si>" for text in texts)
    return workbook(
        path,
        sheet_xml("".join(lines)),
        **{
            "xl__sharedStrings.xml": f'<sst xmlns="{MAIN}">{table}</sst>',
            "xl/_rels/workbook.xml.rels": relations(
                ("rId1", "worksheet", "worksheets/sheet1.xml"), ("rId2", "sharedStrings", "sharedStrings.xml")
            ),
        },
    )


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 5), st.sampled_from(["s", "n", "", ""])), max_size=20),
    st.permutations(["x", "no", "yes", "sí", "", "send"]),
    st.booleans(),
)
def test_the_marked_rows_are_those_of_a_full_reading(marks, texts, crowded):
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        if crowded:
            patch.setattr("xlsms.ooxml.hits._MOST", 100)
        workbook = ClosedWorkbook(shared(Path(folder, "a.xlsx"), marks, texts))
        sparse = workbook.read(marked_only=True).rows
        full = [row for row in workbook.read().rows if row.marked]
        assert [(row.number, dict(row.fields)) for row in sparse] == [(row.number, dict(row.fields)) for row in full]


def test_shared_strings_are_not_held_for_a_sparse_reading(tmp_path, monkeypatch):
    path = shared(tmp_path / "a.xlsx", [(0, "s"), (1, "s")], ["x", "no", "c", "d", "e"])
    monkeypatch.setattr("xlsms.ooxml.book.Strings", None)
    (row,) = ClosedWorkbook(path).read(marked_only=True).rows
    assert (row.number, row.fields["Name"]) == (2, "c")


@pytest.mark.parametrize("marked_only", [True, False])
@pytest.mark.parametrize("cell", ['t="s"><v>2</v>', 't="s"><f>A1</f><v>2</v>', 't="s"><v> 2 </v>'])
def test_fields_can_be_read_when_the_file_is_long_closed(tmp_path, marked_only, cell):
    path = shared(tmp_path / "a.xlsx", [(1, "n")], ["a", "b", "c", "d", "e"])
    sheet = members(path)["xl/worksheets/sheet1.xml"].replace(b't="s"><v>2</v>', cell.encode())
    workbook(
        path, sheet, **{name.replace("/", "__"): part for name, part in members(path).items() if "sheet1" not in name}
    )
    (row,) = ClosedWorkbook(path).read(marked_only=marked_only).rows
    assert row.fields["Name"] == "c"
