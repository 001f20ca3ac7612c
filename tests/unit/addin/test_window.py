"""The window of the preview for Excel, on a screen in memory."""

import os
import shutil
import subprocess

import pytest

from xlsms.addin import window
from xlsms.addin.commands.box import Box, Choice, Line, Way, shorten

LINES = tuple(
    Line(
        sheet="People",
        row=row,
        column="B" if row == 3 else None,
        cells=(str(row), f"+3460000000{row}", f"Hello {row}\nSee you", "1", "no number" if row == 3 else ""),
        remark="no number" if row == 3 else "",
        wrong=row == 3,
    )
    for row in (2, 3, 4)
)
BOX = Box(
    title="SMS: preview",
    head="Messages that go: 2",
    columns=("Row", "Number", "Message", "SMS", "Remark"),
    lines=LINES,
    ways={Way.SEND: "Send 2", Way.CELL: "Go to the cell", Way.PAGE: "Open in the browser", Way.CLOSE: "Close"},
)


@pytest.fixture(scope="module")
def screen():
    pytest.importorskip("tkinter")
    if shutil.which("Xvfb") is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("Xvfb is not here")
    reading, writing = os.pipe()
    command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1024x700x24", "-nolisten", "tcp"]
    server = subprocess.Popen(command, pass_fds=[writing], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.close(writing)
    with os.fdopen(reading) as told:
        number = told.readline().strip()
    assert number, "Xvfb has not started"
    before = os.environ.get("DISPLAY")
    os.environ["DISPLAY"] = f":{number}"
    yield
    if before is None:
        del os.environ["DISPLAY"]
    else:
        os.environ["DISPLAY"] = before
    server.terminate()
    server.wait(60)


@pytest.fixture
def shown(screen, monkeypatch):
    """Shows the box and does something as soon as its window waits for the user."""

    def show(act):
        real = window.Window.run

        def run(self):
            self.root.after(50, lambda: act(self))
            return real(self)

        monkeypatch.setattr(window.Window, "run", run)
        return window.show(BOX)

    return show


@pytest.mark.parametrize("way", [Way.SEND, Way.PAGE, Way.CLOSE])
def test_a_button_is_the_answer(shown, way):
    assert shown(lambda it: it.buttons[way].invoke()) == Choice(way=way)


def test_the_first_row_that_cannot_go_is_selected_and_leads_to_its_cell(shown):
    said = []

    def act(it):
        said.append(it.remark["text"].rstrip("\n"))
        it.buttons[Way.CELL].invoke()

    assert shown(act) == Choice(way=Way.CELL, line=LINES[1])
    assert said == ["no number\nHello 3\nSee you"]


def test_another_row_is_chosen_and_entered(shown):
    def act(it):
        it.rows.selection_set("2")
        it.root.update()
        it.rows.focus_force()
        it.rows.event_generate("<Return>")

    assert shown(act) == Choice(way=Way.CELL, line=LINES[2])


def test_closing_it_or_escape_sends_nothing(shown):
    def escape(it):
        it.root.focus_force()
        it.root.event_generate("<Escape>")

    assert shown(escape) == Choice(way=Way.CLOSE)
    assert shown(lambda it: it.root.tk.call(*it.root.protocol("WM_DELETE_WINDOW").split())) == Choice(way=Way.CLOSE)


def test_without_a_screen_there_is_no_window(monkeypatch):
    monkeypatch.delenv("DISPLAY", raising=False)
    assert window.show(BOX) is None


def test_a_line_is_cut_where_it_must_be():
    assert shorten("a\r\nb", 10) == "a ⏎ b"
    assert shorten("abcdef", 4) == "abc…"
