"""The dialog of the preview in a real LibreOffice whose windows wait for somebody to press their buttons."""

import contextlib
import os
import subprocess
import sys
import threading
import time
from urllib.parse import quote

import pytest

from tests.office.conftest import until
from tests.office.live import Live
from tests.office.test_live_commands import Ears, user  # noqa: F401  # a fixture
from xlsms.addin.commands.voice import AppVoice
from xlsms.addin.verb import Verb

pytestmark = pytest.mark.office


@pytest.fixture(scope="module")
def live(tmp_path_factory):
    office = Live(tmp_path_factory.mktemp("profile"), boxes=True)
    yield office
    office.end()


class Eyes(Ears):
    """Who also sees the dialog of the program itself."""

    def look(self, box):
        import xlwings as xw

        self.box = box
        return AppVoice(xw.apps.active).look(box)


class Hand(threading.Thread):
    """Waits for the dialog and presses one of its buttons, as assistive technology does."""

    def __init__(self, live, title, button, when=lambda: True):
        super().__init__(daemon=True)
        self.live, self.title, self.button, self.when, self.seen = live, title, button, when, ()
        self.start()

    def run(self):
        toolkit = self.live.link.service("com.sun.star.awt.Toolkit")
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with contextlib.suppress(Exception):  # a window that is just coming or going has not all of its parts
                parts = self._parts(toolkit)
                if self.button in parts and self.when():
                    parts[self.button].doAccessibleAction(0)
                    self.seen = tuple(parts)
                    return
            time.sleep(0.1)
        self.live.kill()  # whoever waits for the dialog is let go, and the test fails

    def _parts(self, toolkit):
        for at in range(toolkit.TopWindowCount):
            window = toolkit.getTopWindow(at)
            if window is not None and window.isVisible() and window.AccessibleContext.AccessibleName == self.title:
                context = window.AccessibleContext
                found = [context.getAccessibleChild(at) for at in range(context.AccessibleChildCount)]
                named = [getattr(part, "AccessibleContext", None) for part in found]
                return {part.AccessibleName: part for part in named if hasattr(part, "AccessibleName")}
        return {}


def press(person, live, button, title="SMS: preview", when=lambda: True):
    hand = Hand(live, title, button, when)
    person.press(Verb.PREVIEW)
    hand.join(60)
    assert hand.seen, "nobody saw the dialog"
    return hand.seen


def wrong_number(sheet):
    sheet["B3"] = "12"


def test_a_problem_leads_back_to_its_cell_and_what_was_shown_is_sent(user, desk, live):  # noqa: F811
    person = user(3, change=wrong_number)
    person.ears = Eyes()
    seen = press(person, live, "Go to the cell")  # the first that cannot go is selected
    assert any(part.startswith("Messages that go: 2 (2 SMS).") for part in seen), seen
    selected = live.document(person.path).CurrentController.Selection.RangeAddress
    assert (selected.StartColumn, selected.StartRow) == (1, 2)
    press(person, live, "Close")
    press(person, live, "Open in the browser")
    assert "/preview#" in person.ears.shown[-1]
    assert not desk.reached()
    press(person, live, "Send 2")
    assert "2 messages are on their way" in person.ears.said[-1]
    person.refresh_until(lambda: list(person.states().values()).count("Delivered") == 2)
    assert desk.reached() == {"34600000000": 1, "34600000002": 1}


def test_what_changed_behind_the_dialog_does_not_go(user, desk, live):  # noqa: F811
    person = user(2)
    person.ears = Eyes()
    real = person.ears.look

    def look(box):
        choice = real(box)
        person.sheet.getCellRangeByName("C2").String = "Something else"
        return choice

    person.ears.look = look
    press(person, live, "Send 2")
    assert "Not sent, because their row changed meanwhile: 1" in person.ears.said[-1]
    until(desk.reached)
    assert desk.reached() == {"34600000001": 1}


def test_states_go_on_arriving_behind_the_dialog(user, desk, live):  # noqa: F811
    person = user(3)
    person.ears = Eyes()
    person.press(Verb.SEND)
    person.sheet.getCellRangeByName("D2").String = "x"  # one more, to have something to show
    given = {"HOST": "calc", "OFFICE": live.pipe, "BOOK": live.document(person.path).URL, "NAME": person.path.name}
    environment = {**os.environ, **{f"XLSMS_{name}": quote(value, safe="") for name, value in given.items()}}
    listening = subprocess.Popen([sys.executable, "-I", "-m", "xlsms.addin", "listen"], env=environment)
    try:
        press(person, live, "Close", when=lambda: set(person.states().values()) == {"Delivered"})
        assert set(person.states().values()) == {"Delivered"}
        live.close_all()
        assert listening.wait(60) == 0
    finally:
        listening.kill()
        listening.wait()
    assert desk.reached() == {f"346{n:08}": 1 for n in range(3)}


def test_more_rows_than_a_dialog_shows_well_are_shown_in_a_page(user, live):  # noqa: F811
    person = user(21)
    person.ears = Eyes()
    person.press(Verb.PREVIEW)
    assert "/preview#" in person.ears.shown[-1]
    assert not hasattr(person.ears, "box")
