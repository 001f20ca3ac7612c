"""What the launcher hands over, read back; and what becomes of what goes wrong."""

import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlsms.addin import Host, Invocation, Verb, notice
from xlsms.addin.invocation import invocation
from xlsms.addin.run import run
from xlsms.addin.verb import BUTTONS, Need, needs
from xlsms.errors import UserError


def test_everything_the_launcher_says_is_read():
    environment = {
        "XLSMS_HOST": "excel",
        "XLSMS_LANGUAGE": "es",
        "XLSMS_HWND": "-131072",
        "XLSMS_BOOK": "C%3A%5CLists%5C100%25 %26 more%3D2.xlsx",
        "XLSMS_NAME": "100%25 %26 more%3D2.xlsx",
        "XLSMS_SHEET": "a%C3%B1o",
        "XLSMS_SELECTED": "Range",
        "XLSMS_SELECTION": "5:9,12:12",
        "XLSMS_CELL": "C5",
        "XLSMS_NEWS": "C%3A%5Cxlsms%5C1-2.news",
    }
    assert invocation(["send"], environment) == Invocation(
        verb=Verb.SEND,
        host=Host.EXCEL,
        language="es",
        window=0xFFFE0000,
        book="C:\\Lists\\100% & more=2.xlsx",
        name="100% & more=2.xlsx",
        sheet="año",
        selected="Range",
        rows=((5, 9), (12, 12)),
        cell="C5",
        news=Path("C:\\xlsms\\1-2.news"),
    )


def test_what_is_not_said_is_not_there():
    assert invocation(["help"], {"XLSMS_BOOK": ""}) == Invocation(verb=Verb.HELP)


@pytest.mark.parametrize("arguments", [[], ["send", "x"], ["sned"], ["SEND"], ["send; rm"], ["--help"]])
def test_one_known_verb_and_nothing_else(arguments):
    with pytest.raises(UserError, match="addin-verb"):
        invocation(arguments, {})


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("3:3", ((3, 3),)),
        ("12:12,5:9", ((5, 9), (12, 12))),
        ("1:4,5:5,3:9", ((1, 9),)),
        ("1:1048576", ((1, 1048576),)),
        ("", ()),
        ("A1", ()),
        ("1:2,", ()),
        ("0:2", ()),
        ("1:2;3:4", ()),
    ],
)
def test_rows(text, rows):
    assert invocation(["mark"], {"XLSMS_SELECTION": quote(text)}).rows == rows


@pytest.mark.parametrize(
    ("name", "value"),
    [("CELL", "=C5"), ("CELL", "c5"), ("HWND", "0"), ("HWND", "x"), ("HWND", "9" * 40), ("NEWS", "/etc/passwd")],
)
def test_what_cannot_be_meant_is_nothing(name, value):
    assert invocation(["mark"], {f"XLSMS_{name}": value}) == Invocation(verb=Verb.MARK)


@given(
    st.sampled_from(sorted(Verb)),
    st.dictionaries(
        st.sampled_from(["BOOK", "NAME", "SHEET", "SELECTED", "SELECTION", "HWND", "CELL", "NEWS"]), st.text()
    ),
)
def test_no_environment_is_an_error(verb, values):
    environment = {f"XLSMS_{name}": quote(value) for name, value in values.items()}
    read = invocation([verb], environment)
    for name in ("BOOK", "NAME", "SHEET"):
        assert getattr(read, name.lower()) == (values.get(name) or None)


class Commands:
    """What was asked for, and what was said."""

    def __init__(self, error=None):
        self.error, self.asked, self.told = error, [], []
        self.COMMANDS = dict.fromkeys(Verb, self._do)

    def _do(self, request):
        self.asked.append(request)
        if self.error:
            raise self.error

    def complain(self, request, error):
        self.told.append(error.code)


def test_a_command_is_run():
    commands = Commands()
    assert run(["send"], {"XLSMS_BOOK": "a.xlsx"}, commands) == 0
    assert commands.asked == [Invocation(verb=Verb.SEND, book="a.xlsx")]


@pytest.fixture
def kept(tmp_path, monkeypatch):
    settings = tmp_path / "xlsms.toml"
    settings.write_text('[service]\ndata = "data"\n')
    monkeypatch.setenv("XLSMS_CONFIG", str(settings))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path / "data" / "xlsms-addin.log"


def test_what_a_person_can_mend_is_told(kept):
    commands = Commands(UserError("no-phone-column", sheets="List"))
    assert (run(["send"], {}, commands), commands.told) == (1, ["no-phone-column"])
    assert not kept.exists()


def test_a_surprise_is_told_in_a_line_and_kept_in_a_file(kept):
    commands = Commands(ZeroDivisionError())
    assert (run(["send"], {}, commands), commands.told) == (1, ["unexpected"])
    assert "ZeroDivisionError" in kept.read_text()
    assert kept.stat().st_mode & 0o077 == 0


def test_where_it_cannot_be_kept_beside_the_ledger_it_is_kept_for_a_while(kept, tmp_path):
    (tmp_path / "data").touch()
    assert run(["send"], {}, Commands(ZeroDivisionError())) == 1
    assert "ZeroDivisionError" in (tmp_path / "xlsms-addin.log").read_text()


@pytest.mark.skipif(sys.platform == "win32", reason="links are made by administrators there")
def test_a_log_is_not_written_through_a_link_of_somebody(kept, tmp_path):
    kept.parent.mkdir()
    kept.symlink_to(tmp_path / "precious")
    assert run(["send"], {}, Commands(ZeroDivisionError())) == 1
    assert not (tmp_path / "precious").exists()


def test_when_excel_cannot_be_reached_the_system_tells(kept):
    commands = Commands(UserError("no-phone-column", sheets="List"))
    commands.complain = None
    told = []
    assert run(["send"], {"XLSMS_LANGUAGE": "es"}, commands, told.append) == 1
    assert told == [UserError("no-phone-column", sheets="List").line("es")]
    assert "no-phone-column" in kept.read_text()


def test_when_the_commands_cannot_be_loaded_the_system_tells(kept, monkeypatch):
    monkeypatch.setitem(sys.modules, "xlsms.addin.commands", None)
    told = []
    assert run(["help"], {}, tell=told.append) == 1
    assert "[unexpected]" in told[0]
    assert str(kept) in told[0]


def test_what_nobody_asked_for_is_told_to_nobody(kept):
    commands = Commands(UserError("no-phone-column", sheets="List"))
    commands.complain = None
    told = []
    assert run(["update"], {}, commands, told.append) == 1
    assert told == []


def test_a_box_of_the_system_is_given_the_text_as_an_argument(monkeypatch):
    shown = []
    text = '"; do shell script "rm" --no'
    assert notice.show(text, "darwin", shown.append)
    assert shown[0][0] == "/usr/bin/osascript"
    assert shown[0][3:] == [text, "SMS"]
    assert text not in shown[0][2]
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")
    assert notice.show(text, "linux", shown.append)
    assert f"--text={text}" in shown[1]
    monkeypatch.setattr("shutil.which", lambda name: None)
    assert not notice.show(text, "linux", shown.append)
    assert len(shown) == 2


def test_an_add_in_of_another_version_is_told_apart(kept):
    assert run(["fly"], {}, Commands()) == 2
    assert "addin-verb" in kept.read_text()


def test_every_verb_says_what_it_needs():
    assert all(isinstance(needs(verb), Need) for verb in Verb)
    assert needs(Verb.MARK) is Need.ROWS
    assert needs(Verb.PREVIEW) is Need.BOOK
    assert set(Verb) - set(BUTTONS) == {Verb.UPDATE, Verb.LISTEN}


def test_a_click_imports_nothing_heavy():
    code = "import sys, xlsms.addin.run; print(*sys.modules)"
    out = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"xlwings", "httpx", "openpyxl", "xlsms_service", "xlsms.ooxml"} & set(out)
