"""Shared strings in a file are those in memory, and the file has no name that could stay behind."""

import errno
import gc
import io
import os
import tempfile
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.ooxml.test_patch_model import TEXT
from tests.unit.ooxml.test_search import ALIKE, prefixed, table
from tests.workbooks import MAIN, relations, sheet_xml, workbook
from xlsms.errors import UserError
from xlsms.ooxml import textfile
from xlsms.ooxml.canonical import canonical_strings
from xlsms.ooxml.text import OddTableError, Strings
from xlsms.ooxml.textfile import FiledStrings
from xlsms.workbook import read_rows


@pytest.fixture(autouse=True)
def _small_pages(monkeypatch):
    monkeypatch.setattr(textfile, "_PAGE", 3)
    monkeypatch.setattr(textfile, "_HELD", 2)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.one_of(TEXT, st.sampled_from(ALIKE)), max_size=20),
    st.booleans(),
    st.booleans(),
    st.sampled_from(["", "\n "]),
    st.booleans(),
    st.randoms(),
)
def test_each_string_is_the_one_in_memory(texts, rich, space, between, named, random):
    data = table(texts, rich=rich, space=space, between=between)
    data = prefixed(data.decode()).encode() if named else data
    whole, filed = Strings([data]), FiledStrings([data[:50], data[50:]])
    assert len(filed) == len(whole) == len(texts)
    numbers = [*range(-2, len(texts) + 2)] * 2
    random.shuffle(numbers)
    assert [filed[number] for number in numbers] == [whole[number] for number in numbers]
    assert [whole[number] for number in range(len(texts))] == texts


@pytest.mark.parametrize(
    "inside",
    [
        "<!-- <si> -->",
        "<![CDATA[x]]>",
        "<?x?>",
        "<si/>",
        "<si a='b'><t>x</t></si>",
        "<si><t>\0</t></si>",
        "<si><t>\1</t></si>",
    ],
)
def test_what_only_expat_should_read_is_not_filed(inside):
    with pytest.raises(OddTableError):
        FiledStrings([table(["a", "b"], between=inside)])


ODD = ["<!-- <si> -->", "<?x?>", "<si a='b'><t>x</t></si>", "<si ><t>x</t></si >"]


def test_a_disk_that_becomes_full_within_a_page_is_told(monkeypatch):
    class Full(io.FileIO):
        def write(self, page):
            return super().write(page[:5])

    monkeypatch.setattr(textfile.tempfile, "TemporaryFile", lambda **_: Full(os.devnull, "w"))
    with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)):
        FiledStrings([table(["a longer text"])])


@pytest.mark.parametrize("between", ODD)
def test_what_only_expat_should_read_is_filed_when_it_has_been_read(between):
    texts = ["a", "<b> & 'c'", "_x0041_", "d\re", "f"]
    strings = FiledStrings(canonical_strings([table(texts, between=between)]))
    expected = [text for each in texts for text in (each, "x")][:-1] if "<t>" in between else texts
    assert [strings[number] for number in range(len(strings))] == expected


@pytest.mark.parametrize("odd", ["<si><t>b</t></si>", "<y:si/>"])
def test_a_table_of_which_not_all_has_its_prefix_is_left_to_expat(odd):
    string = "<x:si><x:t>a</x:t></x:si>"
    data = f'<x:sst xmlns:x="{MAIN}" xmlns:y="urn:other">{string}{odd}{string}</x:sst>'.encode()
    with pytest.raises(OddTableError):
        FiledStrings([data])


def test_a_string_that_no_cell_could_hold_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("xlsms.ooxml.text._LONGEST", 300_000)
    monkeypatch.setattr("xlsms.ooxml.book._HELD", 1000)
    head = '<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c></row>'
    path = workbook(
        tmp_path / "a.xlsx",
        sheet_xml(head + '<row r="2"><c r="A2"><v>34600000001</v></c></row>'),
        **{
            "xl/_rels/workbook.xml.rels": relations(
                ("rId1", "worksheet", "worksheets/sheet1.xml"), ("rId2", "sharedStrings", "sharedStrings.xml")
            ),
            "xl/sharedStrings.xml": table(["Phone", "x" * 1_000_000]),
        },
    )
    with pytest.raises(UserError, match="file-too-large"):
        list(read_rows(path))


@pytest.mark.parametrize("between", ["", "<!-- <si> -->"])
def test_rows_read_the_same_from_a_large_table(tmp_path, monkeypatch, between):
    texts = ["Phone", "Name", *(f"Ana {number} & Zoë" for number in range(20))]
    cells = "".join(
        f'<row r="{row + 2}"><c r="A{row + 2}"><v>{34600000000 + row}</v></c><c r="B{row + 2}" t="s"><v>{row + 2}</v></c></row>'
        for row in range(20)
    )
    head = '<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c></row>'
    path = workbook(
        tmp_path / "a.xlsx",
        sheet_xml(head + cells),
        **{
            "xl/sharedStrings.xml": table(texts, between=between),
            "xl/_rels/workbook.xml.rels": relations(
                ("rId1", "worksheet", "worksheets/sheet1.xml"), ("rId2", "sharedStrings", "sharedStrings.xml")
            ),
        },
    )
    monkeypatch.setattr("xlsms.ooxml.book._HELD", 0)
    before = set(tmp_path.iterdir())
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    rows = list(read_rows(path))  # they outlive the open file
    assert [row.fields["Name"] for row in rows] == texts[2:]
    assert set(tmp_path.iterdir()) == before
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda row: row.values["Name"], rows * 20)) == texts[2:] * 20
    del rows
    gc.collect()  # a file that is not closed would be told here
