"""Draws the pictures of the README and of set-up: `python docs/render.py`.

A sheet before and after a send, as LibreOffice shows it: the workbook of `xlsms demo`, sent for real to the simulated
network. A workbook in its author's own looks before `xlsms init`, and after it with some states.

Needs `soffice`, `pdftoppm` and a font that draws emoji as outlines (Debian: libreoffice-calc, poppler-utils,
fonts-symbola; colour fonts leave gaps in the PDF).
"""

import shutil
import subprocess
import tempfile
from datetime import date, datetime, timedelta
from pathlib import Path

import openpyxl
from openpyxl.styles import Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.table import Table

from xlsms import templates
from xlsms.model import Role
from xlsms.workbook.base import Placed, RowEdit
from xlsms.workbook.closed import ClosedWorkbook
from xlsms_service.cli import main as xlsms
from xlsms_service.cli.people import people

IMAGES = Path(__file__).parent / "images"
ROWS = 9
DOTS = 130  # per inch
MARGIN = 12  # dots around the sheet
_VIOLET = "6D28D9"
_HEADS = ("Name", "Phone", "Message", "Visit", "Owed")
_PATIENTS = (
    ("Ana Ruiz", "600 000 001"),
    ("Bruno Díaz", "600 000 002"),
    ("Carla Vega", "600 000 003"),
    ("David Sanz", "600 000 004"),
    ("Elena Mora", "600 000 005"),
    ("Félix Gil", "600 000 006"),
)
#: What each picture leaves out, so that the rest can be read.
HIDDEN = {
    "before": "GHIJK",
    "after": "CDEFI",
    "live-before": "CDEHI",
    "live-during": "CDEHI",
    "live-after": "CDEHI",
}


def draw(name: str, workbook: Path, folder: Path) -> Path:
    """One picture of the first sheet."""
    book = openpyxl.load_workbook(workbook)
    for sheet in book.worksheets[1:]:
        book.remove(sheet)
    sheet = book.worksheets[0]
    for letter in HIDDEN[name]:
        sheet.column_dimensions[letter].hidden = True
    sheet.oddHeader.center.text = sheet.oddFooter.center.text = ""
    copy = folder / f"{name}.xlsx"
    book.save(copy)
    return picture(name, copy, folder)


def picture(name: str, copy: Path, folder: Path, dots: int = DOTS) -> Path:
    """One picture of the first page of a workbook as it is."""
    profile = f"-env:UserInstallation={(folder / 'profile').as_uri()}"
    convert = ["soffice", profile, "--headless", "--convert-to", "pdf", "--outdir", str(folder), str(copy)]
    subprocess.run(convert, check=True, capture_output=True, timeout=120)  # noqa: S603 (our own words)
    pages = ["pdftoppm", "-r", str(dots), "-f", "1", "-l", "1", "-singlefile"]
    subprocess.run([*pages, str(copy.with_suffix(".pdf")), str(folder / name)], check=True, timeout=60)  # noqa: S603 (our own words)
    left, top, right, bottom = _used(folder / f"{name}.ppm")
    box = {"-x": left - MARGIN, "-y": top - MARGIN, "-W": right - left + 2 * MARGIN, "-H": bottom - top + 2 * MARGIN}
    crop = [str(word) for pair in box.items() for word in pair]
    subprocess.run([*pages, "-png", *crop, str(copy.with_suffix(".pdf")), str(folder / name)], check=True, timeout=60)  # noqa: S603 (our own words)
    return folder / f"{name}.png"


def _used(picture: Path) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of what is not white in a PPM file."""
    _, size, _, pixels = picture.read_bytes().split(b"\n", 3)
    width, height = map(int, size.split())
    white = b"\xff" * (3 * width)
    rows = [pixels[3 * width * y : 3 * width * (y + 1)] for y in range(height)]
    used = [y for y, row in enumerate(rows) if row != white]
    lefts = [(len(rows[y]) - len(rows[y].lstrip(b"\xff"))) // 3 for y in used]
    rights = [len(rows[y].rstrip(b"\xff")) // 3 for y in used]
    return min(lefts), used[0], max(rights), used[-1]


def authored(path: Path) -> Path:
    """A list as somebody may keep it: a table in violet with bands, borders, dates and money."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Recall"
    sheet["A1"] = "Recall list, spring"
    sheet["A1"].font = Font("Georgia", 16, bold=True, color=_VIOLET)
    line = Side("thin", color="C4B5FD")
    for column, (text, width) in enumerate(zip(_HEADS, (18, 15, 46, 13, 11), strict=True), 1):
        sheet.column_dimensions[get_column_letter(column)].width = width
        head = sheet.cell(3, column, text)
        head.font, head.fill = Font("Georgia", 11, bold=True, color="FFFFFF"), PatternFill("solid", start_color=_VIOLET)
    for row, (name, phone) in enumerate(_PATIENTS, 4):
        visit = date(2026, 4, row)
        for column, value in enumerate((name, phone, "Dear {Name}, your visit is on {Visit}", visit, 12.5 * row), 1):
            cell = sheet.cell(row, column, value)
            cell.font, cell.border = Font("Georgia", 11), Border(bottom=line)
            cell.fill = PatternFill("solid", start_color="F5F3FF") if row % 2 else PatternFill()
            cell.number_format = {4: "dd/mm/yyyy", 5: '"€" 0.00'}.get(column, "General")
    table = Table(displayName="Recall", name="Recall", ref=f"A3:E{3 + len(_PATIENTS)}")
    sheet.add_table(table)
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    book.save(path)
    return path


def tell(path: Path) -> None:
    """Some rows marked, and states and replies beside others, as a send would write them."""
    marked = [{Role.SEND: "x"}] * 2
    at = datetime(2026, 3, 30, 9, 41).astimezone()
    states = [
        {Role.STATUS: "Delivered", Role.STATUS_TIME: at, Role.REPLY: "YES", Role.REPLY_TIME: at + timedelta(minutes=2)},
        {Role.STATUS: "Sent", Role.STATUS_TIME: at},
        {Role.STATUS: "Failed", Role.STATUS_TIME: at, Role.DETAIL: "The number is not in use"},
        {Role.STATUS: "Held", Role.STATUS_TIME: at, Role.DETAIL: "This number said stop"},
    ]
    book = ClosedWorkbook(path)
    rows = book.read().rows
    book.apply([RowEdit(values=each, placed=Placed.of(row)) for each, row in zip(states + marked, rows, strict=True)])


def main() -> None:
    """Draw all pictures."""
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        before = folder / "list.xlsx"
        before.write_bytes(templates.new("reminders", "en", people(ROWS, "en", date(2026, 3, 1))))
        xlsms(["demo", "--rows", str(ROWS), "--folder", str(folder / "demo")])
        after = folder / "demo" / "reminders.xlsx"
        drawn = [draw(name, workbook, folder) for name, workbook in (("before", before), ("after", after))]
        own = authored(folder / "recall.xlsx")
        drawn.append(picture("init-before", own, folder))
        xlsms(["init", str(own)])
        tell(own)
        drawn.append(picture("init-after", own, folder, dots=2 * DOTS))
        for image in drawn:
            kept = Path(shutil.copy(image, IMAGES))
            print(kept, kept.stat().st_size)


if __name__ == "__main__":
    main()
