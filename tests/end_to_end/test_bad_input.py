"""What can be wrong, tried with the real command: one line says why and where, and the file stays as it was."""

import contextlib
import io
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

import openpyxl
import pytest
import xlwt
from msoffcrypto.format.ooxml import OOXMLFile

from tests.journal import taken
from xlsms.workbook import read_rows

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="mode bits and signals as POSIX has them")

DONE, SOME_NOT, WRONG_USE, NOT_REACHED = range(4)
HEADERS = ("Name", "Phone", "Message", "Send", "Status", "Detail", "Status time", "Reply", "Reply time", "SMS ID")
ROOT = hasattr(os, "geteuid") and os.geteuid() == 0


@dataclass
class Ended:
    """What one run of the command left behind."""

    code: int
    out: str
    err: str

    @property
    def complaint(self):
        """The one line on stderr."""
        assert "Traceback" not in self.out + self.err
        lines = self.err.splitlines()
        assert len(lines) == 1, self.err
        assert re.search(r" \[[a-z0-9-]+\]$", lines[0]), lines
        return lines[0]

    def says(self, code, ending, *words):
        assert self.code == ending, (self.code, self.err)
        assert self.complaint.endswith(f" [{code}]")
        for word in words:
            assert word in self.complaint


def command(*words, **more):
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "COLUMNS": "80", "XLSMS_CONFIG": "", **more.pop("env", {})}
    return [sys.executable, "-m", "xlsms_service", *map(str, words)], {"env": environment, "text": True, **more}


class Network:
    """A simulated SMSC in a process of its own, whose phones all deliver; the journal says what it was given."""

    def __init__(self, folder):
        self.journal = folder / "journal.jsonl"
        phones = folder / "phones.toml"
        phones.write_text("[shares]\n")
        words, more = command(
            "simulate", "smpp", "--port", 0, "--json", "--journal", self.journal, "--phones", phones,
            "--receipt-delay", 0,
        )  # fmt: skip
        self._log = (folder / "network.log").open("w+")
        self._process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=self._log, **more)
        line = self._process.stdout.readline()
        assert line, (folder / "network.log").read_text()
        self.port = json.loads(line)["port"]
        # The pipe must not fill up while nobody reads it.
        self._drain = subprocess.Popen(["cat"], stdin=self._process.stdout, stdout=subprocess.DEVNULL)

    def taken(self):
        return taken(self.journal)

    def close(self):
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(60)
        self._process.stdout.close()
        self._drain.wait(60)
        self._log.close()


class Desk:
    """A folder with workbooks, and settings elsewhere that lead to a network."""

    def __init__(self, folder, network):
        self.files = folder / "desk"
        self.files.mkdir()
        self.settings = folder / "xlsms.toml"
        self.network = network
        self.prefix = []
        self.configure()

    def configure(self, *, language="en", **changes):
        connector = {"port": self.network.port, "password": '"rehearse"', **changes}
        self.settings.write_text(
            f'[service]\ndata = "data"\nlanguage = "{language}"\n\n'
            '[[connector]]\nname = "network"\ntype = "smpp"\nhost = "127.0.0.1"\nsystem_id = "xlsms"\n'
            + "".join(f"{key} = {value}\n" for key, value in connector.items())
        )

    def run(self, *words, **env):
        words, more = command("--config", self.settings, *words, env=env, cwd=self.files)
        ended = subprocess.run([*self.prefix, *words], capture_output=True, timeout=180, check=False, **more)
        return Ended(ended.returncode, ended.stdout, ended.stderr)

    def send(self, name, *words, **env):
        return self.run("send", self.files / name, *words, **env)

    def workbook(self, *rows, headers=HEADERS, name="list.xlsx"):
        """A list of rows below its headers; without rows one that can go."""
        book = openpyxl.Workbook()
        book.active.title = "List"
        for row in (headers, *(rows or [("Ana", 600111222, "Hello {Name}", "x")])):
            book.active.append(row)
        book.save(self.files / name)
        return self.files / name

    def inside(self):
        """Every file with its bytes, its mode and when it was changed; folders by name."""
        return {
            path.name: (path.read_bytes(), path.stat().st_mode, path.stat().st_mtime_ns) if path.is_file() else None
            for path in self.files.rglob("*")
        }

    @contextlib.contextmanager
    def untouched(self):
        """Nothing is sent in here, and no file is changed, made or left behind."""
        before, sent = self.inside(), len(self.network.taken())
        yield
        assert self.inside() == before
        assert len(self.network.taken()) == sent


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    made = Network(tmp_path_factory.mktemp("network"))
    yield made
    made.close()


@pytest.fixture
def desk(tmp_path, network):
    return Desk(tmp_path, network)


# Files that cannot be used, each with the code and what the line names besides it.


def no_phone_column(desk):
    desk.workbook(("Ana", "Hello", "x"), headers=("Name", "Message", "Send"))


def two_phone_columns(desk):
    desk.workbook(("Ana", 600111222, 600333444, "Hello", "x"), headers=("Name", "Phone", "Mobile", "Message", "Send"))


def empty_sheet(desk):
    openpyxl.Workbook().save(desk.files / "list.xlsx")


def text_file(desk):
    (desk.files / "list.xlsx").write_text("Name,Phone\nAna,600111222\n")


def cut_off(desk):
    path = desk.workbook()
    path.write_bytes(path.read_bytes()[:-300])


def encrypted(desk):
    path = desk.workbook()
    locked = io.BytesIO()
    OOXMLFile(io.BytesIO(path.read_bytes())).encrypt("secret", locked)
    path.write_bytes(locked.getvalue())


def old_excel(desk):
    """By its bytes, whatever its name."""
    book = xlwt.Workbook()
    book.add_sheet("List")
    book.save(str(desk.files / "list.xlsx"))


def bomb(desk):
    """A workbook whose sheet is a thousand times larger than it is packed."""
    path = desk.workbook()
    with zipfile.ZipFile(path) as book:
        parts = {name: book.read(name) for name in book.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
        for name, content in parts.items():
            tail = b" " * (64 << 20) if name.endswith("sheet1.xml") else b""
            book.writestr(name, content + tail)


def not_there(desk):
    pass


def folder(desk):
    (desk.files / "list.xlsx").mkdir()


def template(desk):
    path = desk.workbook()
    with zipfile.ZipFile(path) as book:
        parts = {name: book.read(name) for name in book.namelist()}
    types = "[Content_Types].xml"
    parts[types] = parts[types].replace(b"sheet.main+xml", b"template.main+xml")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
        for name, content in parts.items():
            book.writestr(name, content)


BAD_FILES = {
    no_phone_column: ("no-phone-column", "List"),
    two_phone_columns: ("two-columns", "list.xlsx List!C1: B1 (Phone) and C1 (Mobile)"),
    empty_sheet: ("sheet-empty", "Sheet"),
    text_file: ("not-a-workbook", "list.xlsx"),
    cut_off: ("file-incomplete", "list.xlsx"),
    encrypted: ("file-encrypted", "list.xlsx"),
    old_excel: ("sheet-empty", "List"),
    bomb: ("file-suspicious", "list.xlsx"),
    not_there: ("file-not-found", "list.xlsx"),
    folder: ("file-is-folder", "list.xlsx"),
    template: ("file-is-template", "list.xlsx"),
}


@pytest.mark.parametrize("what", ["check", "send"])
@pytest.mark.parametrize("make", BAD_FILES, ids=lambda make: make.__name__)
def test_a_file_that_cannot_be_used_is_refused_in_one_line(desk, make, what):
    make(desk)
    code, named = BAD_FILES[make]
    with desk.untouched():
        ended = desk.run(what, desk.files / "list.xlsx")
    ended.says(code, WRONG_USE, "list.xlsx", named)
    assert ended.out == ""


@pytest.mark.parametrize("make", [no_phone_column, encrypted, not_there], ids=lambda make: make.__name__)
def test_the_line_is_spanish_where_the_settings_say_so(desk, make):
    make(desk)
    english = desk.send("list.xlsx").complaint
    desk.configure(language="es")
    with desk.untouched():
        ended = desk.send("list.xlsx")
    ended.says(BAD_FILES[make][0], WRONG_USE)
    assert ended.complaint != english
    assert re.search(r" (el|la|no|una|está) ", ended.complaint)


@pytest.mark.corpus
@pytest.mark.parametrize("pattern", ["*pass_protected.xlsx", "*encryptSHA1.xlsx"])
def test_workbooks_that_excel_encrypted_are_refused(desk, pattern):
    if "XLSMS_CORPUS" not in os.environ:
        pytest.skip("needs real workbooks in $XLSMS_CORPUS")
    (path,) = Path(os.environ["XLSMS_CORPUS"]).glob(pattern)
    shutil.copy(path, desk.files / "list.xlsx")
    with desk.untouched():
        ended = desk.send("list.xlsx")
    ended.says("file-encrypted", WRONG_USE, "list.xlsx")


# Files that somebody holds, or that must not be written. They can be read, so `check` shows its preview and says it too.

OWNER = "Ana Pérez"
LOCKS = {
    "Excel": (
        "~$list.xlsx",
        bytes([len(OWNER)]) + OWNER.encode("cp1252").ljust(54) + bytes([len(OWNER), 0]) + OWNER.encode("utf-16-le"),
    ),
    "LibreOffice": (
        ".~lock.list.xlsx#",
        f"{OWNER},ana,office-pc,01.03.2026 10:00,file:///home/ana/.config/libreoffice/4;".encode(),
    ),
}


@pytest.mark.parametrize("what", ["check", "send"])
@pytest.mark.parametrize("application", LOCKS)
def test_a_file_that_is_open_elsewhere_says_where_and_with_whom(desk, application, what):
    desk.workbook()
    name, content = LOCKS[application]
    (desk.files / name).write_bytes(content)
    with desk.untouched():
        ended = desk.run(what, desk.files / "list.xlsx")
    ended.says("file-open-elsewhere", SOME_NOT, "list.xlsx: ", f"{application} (Ana Pérez)")


@pytest.mark.parametrize("what", ["check", "send"])
def test_a_read_only_file_is_not_sent_from(desk, what):
    desk.workbook().chmod(0o444)
    with desk.untouched():
        ended = desk.run(what, desk.files / "list.xlsx")
    ended.says("file-read-only", WRONG_USE, "list.xlsx")


@pytest.fixture
def bound_desk(desk):
    """A desk whose owner is bound by mode bits; root is once its capability to pass them by is taken away."""
    if ROOT:
        if not shutil.which("setpriv"):
            pytest.skip("mode bits do not bind root, and setpriv is not here to make them")
        bits = "-dac_override,-dac_read_search"
        desk.prefix = ["setpriv", f"--inh-caps={bits}", f"--bounding-set={bits}"]
    return desk


@pytest.mark.parametrize("what", ["check", "send"])
def test_a_folder_that_cannot_be_written_is_not_sent_from(bound_desk, what):
    bound_desk.workbook()
    bound_desk.files.chmod(0o555)
    try:
        with bound_desk.untouched():
            ended = bound_desk.run(what, bound_desk.files / "list.xlsx")
    finally:
        bound_desk.files.chmod(0o755)
    ended.says("file-read-only", WRONG_USE, "list.xlsx")


@pytest.mark.parametrize("what", ["check", "send"])
def test_a_file_that_may_not_be_read_says_so(bound_desk, what):
    path = bound_desk.workbook()
    path.chmod(0)
    try:
        ended = bound_desk.run(what, path)
        assert [found.name for found in bound_desk.files.iterdir()] == ["list.xlsx"]
    finally:
        path.chmod(0o644)
    ended.says("file-not-readable", WRONG_USE, "list.xlsx")


def test_settings_that_may_not_be_read_say_so(bound_desk):
    bound_desk.workbook()
    bound_desk.settings.chmod(0)
    with bound_desk.untouched():
        ended = bound_desk.send("list.xlsx")
    ended.says("config-unreadable", WRONG_USE, "xlsms.toml")


def test_a_data_folder_that_cannot_be_written_says_so(bound_desk):
    bound_desk.workbook()
    bound_desk.settings.parent.chmod(0o555)
    try:
        with bound_desk.untouched():
            ended = bound_desk.send("list.xlsx")
    finally:
        bound_desk.settings.parent.chmod(0o755)
    ended.says("ledger-folder", WRONG_USE, "data")


# Rows that cannot go: the others do, and the row is told why.

BAD_ROWS = {
    "no number": ((None, "Hello"), "number-empty", "B3"),
    "not a number": (("ask Luis", "Hello"), "number-character", "B3"),
    "too short": ((12345, "Hello"), "number-too-short", "B3"),
    "missing field": ((600333444, "Hola {Nombr}"), "field-missing", "C3"),
    "no text": ((600333444, None), "text-empty", "C3"),
    "over the limit": ((600333444, "Hello " * 400), "text-too-long", "C3"),
}


@pytest.mark.parametrize("case", BAD_ROWS)
def test_a_row_that_cannot_go_is_told_why_and_the_others_go(desk, network, case):
    (phone, message), code, cell = BAD_ROWS[case]
    path = desk.workbook(
        ("Ana", 600111222, "Hello {Name}", "x"), ("Luis", phone, message, "x"), ("Eva", 600555666, "Hello {Name}", "x")
    )
    with desk.untouched():
        checked = desk.run("check", path, "--json")
    assert (checked.code, checked.err) == (SOME_NOT, "")
    plan = json.loads(checked.out)
    assert [row["problem"] and (row["problem"]["code"], row["problem"]["place"]) for row in plan["rows"]] == [
        None, (code, f"List!{cell}"), None,
    ]  # fmt: skip

    before = len(network.taken())
    ended = desk.send("list.xlsx")
    ended.says(code, SOME_NOT, f"List!{cell}: ")
    rows = list(read_rows(path))
    assert rows[1].status == "Held"
    assert {rows[0].status, rows[2].status} <= {"Sent", "Delivered"}
    assert [row.marked for row in rows] == [False, True, False]
    assert f"[{code}]" in rows[1].fields["Detail"]
    assert [each["text"] for each in network.taken()[before:]] == ["Hello Ana", "Hello Eva"]
    assert [found.name for found in desk.files.iterdir()] == ["list.xlsx"]


# Networks that cannot be reached, and settings that cannot be used. `check` needs no network.


def test_a_wrong_password_sends_nothing(desk):
    path = desk.workbook()
    desk.configure(password='"guess"')
    with desk.untouched():
        ended = desk.send("list.xlsx")
        assert desk.run("check", path).code == DONE
    ended.says("smsc-login-refused", NOT_REACHED, "xlsms")
    assert "guess" not in ended.out + ended.err


def test_a_network_that_is_not_there_sends_nothing(desk):
    desk.workbook()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, and nobody listens
        port = taken.getsockname()[1]
        desk.configure(port=port)
        with desk.untouched():
            ended = desk.send("list.xlsx")
    ended.says("smsc-unreachable", NOT_REACHED, str(port))


def test_a_program_that_is_no_smsc_sends_nothing(desk):
    desk.workbook()
    with socket.create_server(("127.0.0.1", 0)) as other:  # takes the call and says nothing
        desk.configure(port=other.getsockname()[1], connect_timeout=1)
        with desk.untouched():
            ended = desk.send("list.xlsx")
    assert ended.code == NOT_REACHED
    assert " [smsc-" in ended.complaint


def test_a_password_that_the_environment_lacks_is_named(desk):
    desk.workbook()
    desk.configure(password='{env = "XLSMS_TEST_SECRET"}')
    with desk.untouched():
        ended = desk.send("list.xlsx")
    ended.says("secret-not-set", WRONG_USE, "xlsms.toml:11: ", "XLSMS_TEST_SECRET")
    assert desk.send("list.xlsx", XLSMS_TEST_SECRET="rehearse").code == DONE


BROKEN_SETTINGS = {
    "no toml": ('[service]\nlanguage = "en"\ncountry = ES\n', "config-broken", "xlsms.toml:3: "),
    "unknown key": ('[service]\nlanguage = "en"\ncuntry = "ES"\n', "config-unknown-key", "xlsms.toml:3: "),
    "unknown table": ('[service]\nlanguage = "en"\n\n[servise]\n', "config-unknown-table", "xlsms.toml:4: "),
    "unknown country": ('[service]\ncountry = "Spain"\n', "config-expects-country", "xlsms.toml:2: "),
    "a key of a connector": (
        '[[connector]]\nname = "o"\ntype = "smpp"\nhost = "127.0.0.1"\nprot = 2775\n', "config-unknown-key", "xlsms.toml:5: ",
    ),
    "a type to come": ('[[connector]]\nname = "o"\ntype = "modem"\n', "connector-type-not-there", "xlsms.toml:3: "),
    "no connector": ('[service]\nlanguage = "en"\ndata = "data"\n', "no-connector", "connector"),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN_SETTINGS)
def test_settings_that_cannot_be_used_name_their_line(desk, case):
    text, code, named = BROKEN_SETTINGS[case]
    desk.workbook()
    desk.settings.write_text(text)
    with desk.untouched():
        ended = desk.send("list.xlsx", XDG_DATA_HOME=str(desk.settings.parent))
    ended.says(code, WRONG_USE, named)


def test_a_broken_file_of_settings_stops_a_check_too(desk):
    path = desk.workbook()
    desk.settings.write_text("[service\n")
    with desk.untouched():
        ended = desk.run("check", path)
    ended.says("config-broken", WRONG_USE, "xlsms.toml:1: ")


def test_settings_that_are_not_there_are_named(desk):
    desk.workbook()
    desk.settings.unlink()
    with desk.untouched():
        ended = desk.send("list.xlsx")
    ended.says("config-not-found", WRONG_USE, "xlsms.toml")


def test_a_ledger_that_is_none_is_named_and_left_alone(desk):
    desk.workbook()
    ledger = desk.settings.parent / "data" / "ledger.sqlite3"
    ledger.parent.mkdir()
    ledger.write_bytes(b"not a database, though somebody may want it back" * 100)
    before = ledger.read_bytes()
    with desk.untouched():
        ended = desk.send("list.xlsx")
    ended.says("ledger-damaged", WRONG_USE, "ledger.sqlite3")
    assert ledger.read_bytes() == before


def test_what_is_right_goes(desk, network):
    """So that all of the above can fail."""
    path = desk.workbook()
    before = len(network.taken())
    ended = desk.send("list.xlsx")
    assert (ended.code, ended.err) == (DONE, "")
    assert len(network.taken()) == before + 1
    (row,) = read_rows(path)
    assert row.status in ("Sent", "Delivered")
