"""Draws the pictures of the README: `python docs/render.py`.

A sheet before and after a send, as LibreOffice shows it: the workbook of `xlsms demo`, sent for real to the simulated
network. Needs `soffice`, `pdftoppm` and a font that draws emoji as outlines (Debian: libreoffice-calc, poppler-utils,
fonts-symbola; colour fonts leave gaps in the PDF).
"""

import shutil
import subprocess
import tempfile
from datetime import date
from pathlib import Path

import openpyxl

from xlsms import templates
from xlsms_service.cli import main as xlsms
from xlsms_service.cli.people import people

IMAGES = Path(__file__).parent / "images"
ROWS = 9
DOTS = 130  # per inch
MARGIN = 12  # dots around the sheet
#: What each picture leaves out, so that the rest can be read.
HIDDEN = {"before": "GHIJK", "after": "CDEFI"}


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
    profile = f"-env:UserInstallation={(folder / 'profile').as_uri()}"
    convert = ["soffice", profile, "--headless", "--convert-to", "pdf", "--outdir", str(folder), str(copy)]
    subprocess.run(convert, check=True, capture_output=True, timeout=120)  # noqa: S603 (our own words)
    pages = ["pdftoppm", "-r", str(DOTS), "-f", "1", "-l", "1", "-singlefile"]
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


def main() -> None:
    """Draw both pictures."""
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        before = folder / "list.xlsx"
        before.write_bytes(templates.new("reminders", "en", people(ROWS, "en", date(2026, 3, 1))))
        xlsms(["demo", "--rows", str(ROWS), "--folder", str(folder / "demo")])
        after = folder / "demo" / "reminders.xlsx"
        for name, workbook in (("before", before), ("after", after)):
            picture = shutil.copy(draw(name, workbook, folder), IMAGES)
            print(picture, Path(picture).stat().st_size)


if __name__ == "__main__":
    main()
