"""Broken and hostile packages: a reason, or the right answer; never another error, never a changed file."""

import errno
import io
import os
import struct
import sys
import tempfile
import zipfile
from pathlib import Path
from unittest.mock import Mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.workbooks import MAIN, members, packed, parts, people, relations, sheet_xml, workbook
from xlsms.errors import UserError, XlsmsError
from xlsms.ooxml import package
from xlsms.ooxml.package import Package
from xlsms.workbook import read_rows, write_cells

GOOD = packed(parts(people()))
STORED = packed(parts(people()), method=zipfile.ZIP_STORED)


def survives(data):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.xlsx")
        path.write_bytes(data)
        reason = None
        try:
            list(read_rows(path))
        except XlsmsError as error:
            reason = error
        assert reason is None or reason.message() != reason.code, "every reason has its words"
        try:
            write_cells(path, {("People", "E2"): "Sent"})
        except XlsmsError:
            assert path.read_bytes() == data
        else:
            assert "xl/workbook.xml" in members(path)
        assert [file.name for file in path.parent.iterdir()] == ["a.xlsx"]


@settings(max_examples=250, deadline=None)
@given(st.sampled_from([GOOD, STORED]), st.data())
def test_flipped_bytes(data, draw):
    broken = bytearray(data)
    for at in draw.draw(st.lists(st.integers(0, len(data) - 1), min_size=1, max_size=4)):
        broken[at] = draw.draw(st.integers(0, 255))
    survives(bytes(broken))


@settings(max_examples=80, deadline=None)
@given(st.integers(0, len(GOOD)), st.binary(max_size=40), st.integers(0, 40))
def test_cut_and_inserted_bytes(at, more, gone):
    survives(GOOD[:at] + more + GOOD[at + gone :])


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(sorted(parts(people()))), st.data())
def test_broken_parts_in_a_sound_package(name, draw):
    made = parts(people())
    part = bytearray(made[name].encode())
    for at in draw.draw(st.lists(st.integers(0, len(part) - 1), min_size=1, max_size=3)):
        part[at : at + draw.draw(st.integers(0, 9))] = draw.draw(
            st.sampled_from(
                [
                    b"",
                    b"<",
                    b">",
                    b'"',
                    b"'",
                    b"/",
                    b"&",
                    b"<row>",
                    b"</row>",
                    b'<c r="',
                    b"\xff",
                    b"99999999",
                    b"A",
                    b"<!--",
                ]
            )
        )
    survives(packed(made | {name: bytes(part)}))


def bomb(part, size):
    made = parts(people().replace("</row></sheetData>", '<c r="E4" t="s"><v>0</v></c></row></sheetData>')) | {
        "xl/_rels/workbook.xml.rels": relations(
            ("rId1", "worksheet", "worksheets/sheet1.xml"), ("rId2", "sharedStrings", "bomb.xml")
        )
    }
    return packed(made | {part: b" " * size})


def test_a_zip_bomb_is_not_inflated(tmp_path):
    path = tmp_path / "a.xlsx"
    path.write_bytes(bomb("xl/bomb.xml", 100 << 20))
    with pytest.raises(UserError, match="file-suspicious"):
        [dict(row.fields) for row in read_rows(path)]
    path.write_bytes(bomb("xl/workbook.xml", 100 << 20))
    with pytest.raises(UserError, match="file-too-large"):
        list(read_rows(path))


def test_a_size_that_lies_is_seen_while_inflating(tmp_path):
    path = tmp_path / "a.xlsx"
    data = packed(parts(people()) | {"xl/worksheets/sheet1.xml": people().encode() + b" " * (64 << 20)})
    # the size of the sheet in local header and directory: 1,000 bytes instead of 64 MiB
    true = struct.pack("<I", len(people().encode()) + (64 << 20))
    path.write_bytes(data.replace(true, struct.pack("<I", 1000)))
    with pytest.raises(UserError, match="file-suspicious"):
        list(read_rows(path))


def test_entities_and_document_types_are_refused(tmp_path):
    laughs = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>'
    for name in ("xl/workbook.xml", "xl/worksheets/sheet1.xml", "_rels/.rels"):
        made = parts(people())
        text = made[name].replace('<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n', "")
        path = tmp_path / "a.xlsx"
        path.write_bytes(packed(made | {name: laughs + text}))
        with pytest.raises(UserError, match="file-suspicious"):
            list(read_rows(path))


def with_copy(part, name):
    """A package in which `name`, as long as that of a part, holds the same as that part."""
    made = parts(people())
    return packed(made | {"#" * len(name): made[part]}).replace(b"#" * len(name), name.encode())


TWICE = "two members with one name"
CASES = {
    "a sheet twice": (with_copy("xl/worksheets/sheet1.xml", "xl/worksheets/sheet1.xml"), TWICE),
    "the types twice": (with_copy("[Content_Types].xml", "[Content_Types].xml"), TWICE),
    "names equal but for case": (with_copy("xl/workbook.xml", "XL/WORKBOOK.XML"), TWICE),
    "bytes before": (b"x" + GOOD, "not-a-workbook"),
    "bytes after": (GOOD + b"x", "not-a-workbook"),
    "no end": (GOOD[:-22], "file-incomplete"),
}


@pytest.mark.parametrize("name", CASES)
def test_ambiguous_packages_are_refused(tmp_path, name):
    path = tmp_path / "a.xlsx"
    content, reason = CASES[name]
    path.write_bytes(content)
    for use in (read_rows, lambda path: write_cells(path, {("People", "E2"): "Sent"})):
        with pytest.raises(XlsmsError) as caught:
            list(use(path) or ())
        assert reason in (caught.value.code, caught.value.facts.get("reason"))
    assert path.read_bytes() == content


def test_a_package_of_too_many_members_is_refused(tmp_path):
    path = tmp_path / "a.xlsx"
    path.write_bytes(packed(parts(people()) | {f"x/{number}": "" for number in range(10_000)}))
    with pytest.raises(UserError, match="file-suspicious"):
        list(read_rows(path))


def test_zip64_fields_are_read_and_kept(tmp_path):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        for name, part in parts(people()).items():
            with package.open(zipfile.ZipInfo(name, (2026, 11, 22, 9, 0, 0)), "w", force_zip64=True) as member:
                member.write(part.encode())
    path = tmp_path / "a.xlsx"
    path.write_bytes(out.getvalue())
    before = members(path)
    write_cells(path, {("People", "E2"): "Sent"})
    after = members(path)
    assert [part for part in before if before[part] != after[part]] == ["xl/worksheets/sheet1.xml"]
    with Package.open(path) as package:
        assert len(package.members) == len(before)


@pytest.mark.skipif(sys.platform != "linux", reason="pipes that can be opened by a name")
def test_a_file_whose_size_is_told_as_none_is_read_to_its_end():
    """As on some mounts of clouds. A pipe tells no size either."""
    content = packed(parts(people()))
    reading, writing = os.pipe()
    with open(reading, "rb"), open(writing, "wb") as into:  # noqa: PTH123 - by their handles
        into.write(content)
        into.close()
        with Package.open(Path(f"/dev/fd/{reading}")) as package:
            assert package.length == len(content)


def held(path):
    """Whether this process has a file open."""
    return any(handle.samefile(path) for handle in Path("/proc/self/fd").iterdir() if handle.exists())


@pytest.mark.skipif(sys.platform != "linux", reason="what a process has open is read from /proc")
@pytest.mark.parametrize("in_memory", [True, False], ids=["small", "medium"])
def test_a_file_is_read_as_it_was_when_it_was_opened(tmp_path, monkeypatch, in_memory):
    """Nothing of a save in place comes between, and what is copied does not stand in the way of one."""
    path = workbook(tmp_path / "a.xlsx", people())
    if not in_memory:
        monkeypatch.setattr(package, "_IN_MEMORY", 1000)
    sheet = "/xl/worksheets/sheet1.xml"
    with Package.open(path) as opened:
        assert not held(path)
        path.write_bytes(b"saved over, byte by byte" * 1000)
        assert b"Person 3" in opened.read(opened.part(sheet))


@pytest.mark.skipif(sys.platform != "linux", reason="what a process has open is read from /proc")
@pytest.mark.parametrize("reason", ["very large", "no room", "steady"])
def test_a_file_that_is_not_copied_is_read_where_it_lies(tmp_path, monkeypatch, reason):
    path = workbook(tmp_path / "a.xlsx", people())
    monkeypatch.setattr(package, "_IN_MEMORY", 1000)
    if reason == "very large":
        monkeypatch.setattr(package, "_COPIED", 1001)
    if reason == "no room":
        monkeypatch.setattr(package.shutil, "copyfileobj", Mock(side_effect=OSError(errno.ENOSPC, "full")))
    with Package.open(path, steady=reason == "steady") as opened:
        assert held(path)
        assert b"Person 3" in opened.read(opened.part("/xl/worksheets/sheet1.xml"))
    assert len(list(read_rows(path))) == 3


def test_a_deep_part_is_no_stack_overflow(tmp_path):
    deep = "<a>" * 50_000 + "</a>" * 50_000
    path = workbook(
        tmp_path / "a.xlsx",
        sheet_xml("", after=deep),
        **{"xl__workbook.xml": f'<workbook xmlns="{MAIN}">{deep}</workbook>'},
    )
    with pytest.raises(UserError):
        list(read_rows(path))
