"""How other programs save a workbook, step by step, without the programs."""

from tests.workbooks import workbook

LOCK = ".~lock.a.xlsx#"
ANA = "Ana Pérez,ana,pc7,22.11.2026 09:15,file:///x;"


def rename_save(path, sheet, make=workbook):
    """As LibreOffice and most programs save: a new file moved over the old one."""
    make(path.with_name("lu1234.tmp"), sheet).replace(path)


def delete_save(path, sheet, make=workbook):
    """As old Excels save: the old file moved away, the new one put in its place, the old one deleted."""
    new = make(path.with_name("8A3F2B10"), sheet)
    old = path.rename(path.with_name("8A3F2B11.tmp"))
    new.rename(path)
    old.unlink()


def in_place_save(path, sheet):
    """As scripts save: into the same file."""
    content = workbook(path.with_name("scratch"), sheet)
    path.write_bytes(content.read_bytes())
    content.unlink()
