"""Owner files as Excel and LibreOffice write them."""

import pytest

from xlsms.errors import TransientError
from xlsms.files.lock import check_free, find_lock, is_side_file


def excel(name):
    """165 bytes: length and name in the ANSI code page to offset 55, then length and name in UTF-16."""
    narrow = name.encode("cp1252", "replace")
    wide = name.encode("utf-16-le")
    return bytes([len(narrow)]) + narrow.ljust(54) + len(name).to_bytes(2, "little") + wide.ljust(108, b" ")


@pytest.mark.parametrize("name", ["Ana Pérez", "x", "Żaneta"])
def test_excel_names_its_user(tmp_path, name):
    path = tmp_path / "a.xlsx"
    (tmp_path / "~$a.xlsx").write_bytes(excel(name))
    lock = find_lock(path)
    assert (lock.owner, lock.application) == (name, "Excel")


def test_excel_with_the_ansi_name_only(tmp_path):
    (tmp_path / "~$a.xlsx").write_bytes(excel("José")[:55])
    assert find_lock(tmp_path / "a.xlsx").owner == "José"


@pytest.mark.parametrize(
    ("content", "owner"),
    [
        ("Ana Pérez,ana,pc7,22.11.2026 09:15,file:///home/ana/.config;", "Ana Pérez"),
        ("Pérez\\, Ana,ana,pc7,22.11.2026 09:15,file:///x;", "Pérez, Ana"),
        (",root,server,22.11.2026 09:15,file:///x;", "root@server"),
        ("", ""),
    ],
)
def test_libreoffice_names_its_user(tmp_path, content, owner):
    (tmp_path / ".~lock.a.xlsx#").write_text(content, encoding="utf-8")
    lock = find_lock(tmp_path / "a.xlsx")
    assert (lock.owner, lock.application) == (owner, "LibreOffice")


@pytest.mark.parametrize("content", [b"", b"\xff", b"\x36" + b"x" * 20, b"\0" * 200, bytes(range(200))])
def test_an_owner_file_with_anything_in_it_is_still_a_lock(tmp_path, content):
    (tmp_path / "~$a.xlsx").write_bytes(content)
    with pytest.raises(TransientError, match="file-open-elsewhere"):
        check_free(tmp_path / "a.xlsx")


def test_no_lock(tmp_path):
    (tmp_path / "~$b.xlsx").touch()
    check_free(tmp_path / "a.xlsx")


@pytest.mark.parametrize("name", ["~$a.xlsx", ".~lock.a.xlsx#", ".~xlsms-00000000-1.1.tmp", "lu12ab.tmp", "8A3F.tmp"])
def test_side_files_are_no_workbooks(name):
    assert is_side_file(name)
    assert not is_side_file("a.xlsx")
