"""Draws the preview and the conversation page: `python -m docs.render_pages`.

A real service with a simulated network, and its pages as Chromium shows them. Needs `chromium` and a font with emoji
(Debian: chromium, fonts-noto-color-emoji).
"""

import subprocess
import tempfile
from datetime import datetime
from pathlib import Path

import openpyxl

from docs.render import IMAGES
from tests.unit.api.conftest import GUID, Office, applied, running
from xlsms.client import Host
from xlsms.states import FINAL
from xlsms.workbook.closed import ClosedWorkbook

_TEXT = "Hello {Name}, you have an appointment on {Day:dd/MM} at {Hour}. Reply YES to confirm or NO to cancel."
_LATE = "Hello {Name} 👋 See you on Wednesday at {Hour}. Will you come? Reply YES or NO 🙏"
_ROWS = (
    ("María García", "600 000 001", "10:30", _TEXT),
    ("José Núñez", "600000102", "11:15", _LATE),
    ("Grace Murphy", "0034 600 000 203", "10:30", _TEXT),
    ("Martín Rojas", "+52 555 550 0007", "10:45", _TEXT),
    ("Ruby Marsh", "6000", "12:00", _TEXT),
    ("Omar Silva", "600000512", "12:30", _TEXT.replace("{Name}", "{Nombr}")),
    ("Nora Kowalski", "600 000 613", "13:00", _TEXT),
)


def _shot(address: str, name: str, height: int, place: Path) -> None:
    """A page as it stands three seconds after it was opened."""
    command = [
        "chromium",
        "--headless=new",
        "--no-sandbox",
        "--hide-scrollbars",
        f"--user-data-dir={place / name}",
        f"--window-size=1200,{height}",
        "--virtual-time-budget=3000",
        "--run-all-compositor-stages-before-draw",
        f"--screenshot={IMAGES / name}.png",
        address,
    ]
    subprocess.run(command, check=True, capture_output=True, timeout=120)  # noqa: S603 (our own words)


def _list(path: Path) -> Path:
    """The workbook of the preview."""
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.append(["Name", "Phone", "Day", "Hour", "Message", "Send"])
    for name, phone, hour, text in _ROWS:
        sheet.append([name, phone, datetime(2026, 12, 2), hour, text, "x"])  # noqa: DTZ001  # a cell knows no zone
    book.save(path)
    return path


def _said(office: Office) -> None:
    """One conversation: a text, its answer, and what was said to that."""
    for count, text in enumerate(("Hello María, see you on 02/12 at 10:30. Reply YES or NO.", "Thank you! 😊"), 1):
        office.client.text("600000001", text)
        while True:
            said = office.client.conversation("600000001").texts
            delivered = any(it.text == text and it.state in FINAL for it in said)
            if delivered and sum(not it.mine for it in said) >= count:
                break


def main() -> None:
    """Draw both."""
    place = Path(tempfile.mkdtemp())
    path = _list(place / "Appointment reminders.xlsx")
    with running(place, language="en") as office:
        book = office.client.register(guid=GUID, path=path, name=path.name, host=Host.EXCEL, language="en")
        plan = office.client.plan(book, ClosedWorkbook(path).read())
        _shot(office.client.preview_page(plan), "preview", 1150, place)
        campaign = office.client.send(plan)
        office.client.written(campaign, applied(campaign))
        _said(office)
        _shot(office.client.conversation_page("600000001"), "conversation", 800, place)


if __name__ == "__main__":
    main()
