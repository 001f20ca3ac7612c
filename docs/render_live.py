"""Draws the open workbook before, during and after a send: `python -m docs.render_live`.

A real LibreOffice with the workbook open, a real service and a simulated network; the commands are those of the menu,
and each picture is of what stands in the open sheet at that moment. Needs what `docs/render.py` needs, and
`python3-uno`.
"""

import os
import shutil
import tempfile
import time
from datetime import date
from pathlib import Path

from docs.render import IMAGES, draw
from tests.office.conftest import Desk
from tests.office.live import Live
from xlsms import templates
from xlsms.addin import commands
from xlsms.addin.calc.link import properties
from xlsms.addin.commands import desk as at_desk
from xlsms.addin.invocation import Host, Invocation
from xlsms.addin.verb import Verb
from xlsms.states import FINAL, read_label
from xlsms.workbook.live import Attachment, LiveWorkbook
from xlsms_service.cli.people import people

ROWS = 9
PHONES = [f'[[phone]]\nnumber = "+34600000{n:03}"\nreply = "YES"' for n in (1, 4, 6)]


class Yes:
    """A user who says yes."""

    def ask(self, text: str) -> bool:
        """Print the question and say yes."""
        print(text)
        return True

    def say(self, text: str) -> None:
        """Print it."""
        print(text)

    warn = show = say

    def status(self, text: str | None) -> None:
        """The status bar is not in the picture."""


def _copy(live: Live, path: Path, name: str) -> Path:
    """What stands in the open sheet now, as a file beside."""
    copy = path.with_name(f"{name}-now.xlsx")
    live.document(path).storeToURL(copy.as_uri(), properties(FilterName="Calc MS Excel 2007 XML"))
    return copy


def main() -> None:
    """Draw the three pictures."""
    place = Path(tempfile.mkdtemp())
    desk, live = Desk(place), Live(place / "office")
    try:
        desk.network(PHONES, receipt=4.0)
        desk.service()
        os.environ["XLSMS_CONFIG"] = str(desk.settings)
        path = desk.watched / "reminders.xlsx"
        path.write_bytes(templates.new("reminders", "en", people(ROWS, "en", date(2026, 3, 1))))
        live.open(path)
        for module in (commands, at_desk, commands.marking, commands.telling):
            module.voice_of = lambda _: Yes()  # type: ignore[attr-defined]
        request = Invocation(verb=Verb.SEND, host=Host.CALC, book=str(path), name=path.name)
        book = LiveWorkbook(Attachment(fullname=str(path)))
        moments = {"live-before": _copy(live, path, "live-before")}
        commands.COMMANDS[Verb.SEND](request)
        for name in ("live-during", "live-after"):
            until = time.monotonic() + 60
            while time.monotonic() < until:
                commands.COMMANDS[Verb.UPDATE](request)
                rows = book.read().rows
                final = [read_label(row.status) in FINAL for row in rows]
                replies = sum(bool(row.fields["Reply"]) for row in rows)
                if (name == "live-during" and any(row.status == "Sent" for row in rows)) or (all(final) and replies):
                    break
                time.sleep(0.3)
            moments[name] = _copy(live, path, name)
        for name, copy in moments.items():
            drawn = draw(name, copy, place)
            kept = Path(shutil.copy(drawn, IMAGES))
            print(kept, kept.stat().st_size)
    finally:
        live.end()
        desk.end()
        shutil.rmtree(place)


if __name__ == "__main__":
    main()
