"""`init` and `check`: a workbook before anything is sent."""

import io
import os
import shutil
import sqlite3
import stat
import zipfile
from datetime import UTC, datetime

import openpyxl
import pytest
from msoffcrypto.format.ooxml import OOXMLFile

from xlsms import templates
from xlsms.workbook import read_rows, write_cells
from xlsms.workbook.closed import ClosedWorkbook
from xlsms.workbook.identity import GUID_PROPERTY
from xlsms.workbook.renewal import renew
from xlsms_service.app import live
from xlsms_service.app.live import LinkLive, Live

HEADER = ("Name", "Phone", "Message", "Send")


def test_init_makes_a_workbook_that_check_can_read(xlsms, tmp_path):
    run = xlsms("init", "new.xlsx", "--lang", "es")
    assert run.code == 0
    assert "new.xlsx" in run.out
    book = openpyxl.load_workbook("new.xlsx")
    assert book.worksheets[0].title == "Recordatorios"
    assert book.custom_doc_props[GUID_PROPERTY].value == ClosedWorkbook(tmp_path / "new.xlsx").read().guid
    run = xlsms("check", "new.xlsx", "--all", "--json")
    assert run.code == 0
    assert run.figures["totals"]["go"] == 3
    assert {row["alphabet"] for row in run.figures["rows"]} == {"gsm7"}
    assert [file.name for file in tmp_path.iterdir()] == ["new.xlsx"], (
        "check must make nothing, and init leave no draft"
    )


def test_init_speaks_the_users_language(xlsms, monkeypatch):
    monkeypatch.setenv("LANG", "es_ES.UTF-8")
    assert xlsms("init", "a.xlsx").code == 0
    assert openpyxl.load_workbook("a.xlsx").worksheets[0].title == "Recordatorios"


def test_init_adds_the_columns_to_a_workbook_that_is_there_and_changes_nothing_else(xlsms, sheet):
    file = sheet([HEADER, ("Ana", "600000001", "Hi", None)])
    before = [row[:4] for row in openpyxl.load_workbook(file).active.values]
    run = xlsms("init", file)
    assert run.code == 0
    assert "SMS ID" in run.out
    after = list(openpyxl.load_workbook(file).active.values)
    assert [row[:4] for row in after] == before
    assert after[0][4:] == ("Status", "Detail", "Status time", "Reply", "Reply time", "SMS ID")
    content = file.read_bytes()
    run = xlsms("init", file)
    assert run.code == 0
    assert "all the columns" in run.out
    assert file.read_bytes() == content


def test_check_obeys_the_settings_sheet(xlsms, sheet):
    file = sheet([HEADER, ("Ana", "07911 123456", None, "x"), ("Eva", "07911 123457", "Own text", "x")])
    assert xlsms("init", file).code == 0
    write_cells(
        file,
        {("SMS Settings", "B5"): "Hi {Name}", ("SMS Settings", "B6"): "GB", ("SMS Settings", "B7"): "Clinic"},
    )
    run = xlsms("check", file, "--json")
    assert run.code == 0
    assert [(row["number"], row["text"]) for row in run.figures["rows"]] == [
        ("+447911123456", "Hi Ana"),
        ("+447911123457", "Own text"),
    ]
    write_cells(file, {("SMS Settings", "B6"): "Britain"})
    run = xlsms("check", file)
    assert run.code == 2
    assert "SMS Settings!B6" in run.complaint


def test_init_asks_before_it_adds_to_a_protected_sheet(xlsms, sheet, monkeypatch):
    file = sheet([HEADER, ("Ana", "600000001", "Hi", None)])
    book = openpyxl.load_workbook(file)
    book.active.protection.sheet = True
    book.save(file)
    content = file.read_bytes()
    assert xlsms("init", file).complaint.endswith("[sheet-protected]")
    monkeypatch.setattr("sys.stdin", Terminal("n\n"))
    run = xlsms("init", file)
    assert (run.code, file.read_bytes()) == (1, content)
    assert "The protection stays" in run.err
    monkeypatch.setattr("sys.stdin", Terminal("y\n"))
    assert xlsms("init", file).code == 0
    assert openpyxl.load_workbook(file).active["E1"].value == "Status"
    assert xlsms("init", file, "--remove", "--yes").code == 0
    assert xlsms("init", file, "--yes").code == 0


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_init_remove_takes_away_what_init_added_and_keeps_a_copy(xlsms, sheet, tmp_path):
    file = sheet([HEADER, ("Ana", "600000001", "Hi", None)])
    before = list(openpyxl.load_workbook(file).active.values)
    assert xlsms("init", file).code == 0
    book = openpyxl.load_workbook(file)
    book.active["E2"] = "Delivered"
    book.save(file)
    content = file.read_bytes()
    run = xlsms("init", file, "--remove")
    assert run.code == 2
    assert "Status (1)" in run.complaint
    assert file.read_bytes() == content
    run = xlsms("init", file, "--remove", "--yes")
    assert run.code == 0
    assert "SMS ID" in run.out
    assert list(openpyxl.load_workbook(file).active.values) == before
    *_, copy = sorted((tmp_path / "data").rglob("*.xlsx"), key=lambda found: found.stat().st_mtime_ns)
    assert copy.read_bytes() == content
    assert "added nothing" in xlsms("init", file, "--remove").out


@pytest.mark.parametrize("suffix", [".xlsx", ".csv"])
def test_init_keeps_the_file_as_its_user_saved_it(xlsms, sheet, tmp_path, suffix):
    if suffix == ".csv":
        file = tmp_path / "list.csv"
        file.write_text("Name,Phone,Message,Send\nAna,600000001,Hi,\n")
    else:
        file = sheet([HEADER, ("Ana", "600000001", "Hi", None)])
    content = file.read_bytes()
    assert xlsms("init", file).code == 0
    assert xlsms("init", file).code == 0
    (copy,) = (tmp_path / "data").rglob(f"*{suffix}")
    assert copy.read_bytes() == content != file.read_bytes()
    for folder in (copy.parent, copy.parents[1], tmp_path / "data"):
        assert os.name != "posix" or stat.S_IMODE(folder.stat().st_mode) == 0o700, folder
    before = sorted((tmp_path / "data").rglob("*"))
    xlsms("check", file)
    assert sorted((tmp_path / "data").rglob("*")) == before, "a check makes no ledger"


def test_check_tells_that_nothing_goes_from_a_conflict_copy(xlsms, sheet):
    file = sheet([HEADER, ("Ana", "600000001", "Hi", "x")])
    copy = file.with_name(f"{file.stem}-DESKTOP-AB12CD3.xlsx")
    shutil.copyfile(file, copy)
    assert xlsms("check", file).code == 0
    run = xlsms("check", copy, "--json")
    assert run.code == 2
    assert run.figures["blocked"]["code"] == "conflict-copy"


@pytest.mark.parametrize("kind", ["xlsx", "csv"])
def test_check_tells_that_a_column_of_the_user_s_own_would_be_written_over(xlsms, sheet, tmp_path, kind):
    rows = [("Name", "Phone", "Message", "Send", "Detail"), ("Ana", "600000001", "Hi", "x", "my own")]
    file = sheet(rows) if kind == "xlsx" else tmp_path / "list.csv"
    if kind == "csv":
        file.write_text("".join(",".join(row) + "\n" for row in rows))
    content = file.read_bytes()
    run = xlsms("check", file, "--json")
    assert (run.code, run.figures["blocked"]["code"]) == (2, "column-of-yours")
    assert run.figures["warnings"] == []
    assert file.read_bytes() == content


def test_check_tells_that_a_sheet_is_too_narrow_for_the_states(xlsms, sheet):
    file = sheet([HEADER, ("Ana", "600000001", "Hi", "x")])
    book = openpyxl.load_workbook(file)
    book.active["XFC9"] = "far away"
    book.save(file)
    content = file.read_bytes()
    run = xlsms("check", file, "--json")
    assert (run.code, run.figures["blocked"]["code"]) == (2, "columns-past-edge")
    assert file.read_bytes() == content


def test_check_tells_that_nothing_goes_from_a_table_without_columns_for_states(xlsms, sheet):
    file = sheet([HEADER, ("Ana", "600000001", "Hi", "x")])
    assert xlsms("check", file).code == 0, "beside a plain range a send adds them"
    book = openpyxl.load_workbook(file)
    book.active.add_table(openpyxl.worksheet.table.Table(displayName="People", ref="A1:D2"))
    book.save(file)
    run = xlsms("check", file, "--json")
    assert (run.code, run.figures["blocked"]["code"]) == (2, "columns-missing")
    assert run.figures["totals"]["go"] == 1
    assert "xlsms init" in xlsms("check", file).complaint
    assert xlsms("init", file).code == 0
    assert xlsms("check", file).code == 0


def test_check_shows_number_text_parts_and_what_made_it_dear(xlsms, sheet):
    file = sheet(
        [
            HEADER,
            ("Ana", 600000001.0, "Hi {Name}", "x"),
            ("Eva", "0034 600 000 002", "Hi {Name} ş😊", "x"),
            ("Leo", "600000003", "not marked", None),
        ]
    )
    content = file.read_bytes()
    run = xlsms("check", file, "--json")
    assert run.code == 0
    first, second = run.figures["rows"]
    assert (first["number"], first["text"], first["parts"], first["row"]) == ("+34600000001", "Hi Ana", 1, 2)
    assert first["repairs"]
    assert (second["number"], second["alphabet"]) == ("+34600000002", "ucs2")
    assert second["culprits"] == [{"index": 7, "character": "ş"}, {"index": 8, "character": "😊"}]
    assert run.figures["totals"] | {"rows": 2, "go": 2, "parts": 2, "problems": 0} == run.figures["totals"]
    shown = xlsms("check", file)
    assert shown.code == 0
    for text in ("+34600000001", "Hi Ana", "ş (8)", "Rows that go: 2  SMS: 2"):
        assert text in shown.out
    assert "not marked" not in shown.out
    assert file.read_bytes() == content


def test_check_ends_with_one_when_a_marked_row_cannot_go(xlsms, sheet):
    file = sheet([HEADER, ("Ana", "123", "Hi", "x"), ("Eva", "600000002", "Hi", "x"), ("Eva", "600000002", "Hi", "x")])
    run = xlsms("check", file)
    assert run.code == 1
    assert "Sheet!B2" in run.out
    assert "[number-too-short]" in run.out
    assert "[duplicate-in-sheet]" in run.out
    assert "Rows that go: 1  SMS: 1  held: 1  cannot go: 1" in run.out


def test_check_says_when_nothing_is_marked_or_what_is_marked_is_hidden(xlsms, sheet):
    file = sheet([HEADER, ("Ana", "600000001", "Hi", None)])
    assert "No row is marked" in xlsms("check", file).out
    book = openpyxl.load_workbook(file)
    book.active["D2"] = "x"
    book.active.row_dimensions[2].hidden = True
    book.save(file)
    run = xlsms("check", file)
    assert run.code == 0
    assert "so they stay: 1" in run.out


def test_check_says_when_there_is_no_column_for_marks(xlsms, sheet):
    run = xlsms("check", sheet([HEADER[:3], ("Ana", "600000001", "Hi")]))
    assert run.code == 0
    assert "There is no send column" in run.out
    assert "Enviar" in run.out


def test_check_warns_of_marks_that_say_nothing_and_of_texts_that_would_be_lost(xlsms, sheet):
    header = (*HEADER, "Status", "Detail", "Reply", "SMS ID")
    rows = [
        header,
        ("Ana", "600000001", "Hi", "x", "waiting for papers", None, None, None),
        ("Eva", "600000002", "Hi", "maybe", None, "call first", None, None),
        ("Leo", "600000003", "Hi", "no", "Held", "There is no text [text-empty]", None, None),
        ("Mia", "600000004", "Hi", None, None, None, "she said yes", None),
        ("Teo", "600000005", "Hi", None, "what a run wrote", None, "Thanks", "BCDFGHJKMNPQR"),
    ]
    run = xlsms("check", sheet(rows), "--json")
    assert run.code == 0
    marks, lost = run.figures["warnings"]
    assert "Send" in marks
    assert "maybe (rows 3)" in marks
    assert "Status, Detail, Reply" in lost
    assert "(rows 2, 3, 5)" in lost
    shown = xlsms("check", sheet(rows)).out
    assert marks in shown
    assert lost in shown
    clean = [header, ("Ana", "600000001", "Hi", "x", "Held", "There is no text [text-empty]", None, None)]
    assert xlsms("check", sheet(clean), "--json").figures["warnings"] == []


def test_init_names_a_language_without_templates(xlsms):
    run = xlsms("init", "a.xlsx", "--lang", "fr")
    assert run.code == 2
    assert "fr" in run.complaint
    assert "[template-language]" in run.complaint


def test_check_shows_as_many_rows_as_asked_and_every_one_that_cannot_go(xlsms, sheet):
    rows = [(f"N{index}", 600000000 + index, "Hi {Name}", "x") for index in range(9)] + [("Bad", "1", "Hi", "x")]
    run = xlsms("check", sheet([HEADER, *rows]), "--rows", "2")
    assert run.code == 1
    assert ("N1" in run.out, "Hi N2" in run.out) == (True, False)
    assert "7 more that can go" in run.out
    assert "[number-too-short]" in run.out


def test_check_cannot_be_tricked_into_steering_the_terminal(xlsms, sheet):
    file = sheet([HEADER, ("Ana", "600000001", "a _x001b_[2J \u202e b [red]c[/red]", "x")])
    run = xlsms("check", file)
    assert "\x1b" not in run.out
    assert "\u202e" not in run.out
    assert "[red]c[/red]" in run.out


def zip_bomb(file):
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("[Content_Types].xml", b"<a>" + b" " * 200_000_000)


def lock(path, password):
    locked = io.BytesIO()
    OOXMLFile(io.BytesIO(path.read_bytes())).encrypt(password, locked)
    path.write_bytes(locked.getvalue())


def test_a_password_is_taken_from_the_variable_that_is_named(xlsms, sheet, monkeypatch):
    file = sheet([HEADER, ("Ana", "600000001", "Hi", "x")])
    lock(file, "secret")
    command = ("check", file, "--json", "--password-env", "LIST_PASSWORD")
    assert "[secret-not-set]" in xlsms(*command).complaint
    monkeypatch.setenv("LIST_PASSWORD", "wrong")
    assert "[file-password-wrong]" in xlsms(*command).complaint
    monkeypatch.setenv("LIST_PASSWORD", "secret")
    run = xlsms(*command)
    assert (run.code, run.figures["totals"]["go"]) == (0, 1)
    assert "secret" not in run.out


def test_a_workbook_with_a_password_is_set_up_with_it(xlsms, sheet, monkeypatch):
    file = sheet([HEADER, ("Ana", "600000001", "Hi", "x")])
    lock(file, "secret")
    before = file.read_bytes()
    assert "--password-env" in xlsms("init", file).complaint
    monkeypatch.setenv("LIST_PASSWORD", "secret")
    run = xlsms("init", file, "--password-env", "LIST_PASSWORD")
    assert run.code == 0, run.complaint
    assert file.read_bytes() == before
    results = file.with_name(f"{file.stem}.sms.xlsx")
    assert results.name in run.out
    assert [row.phone for row in read_rows(results)] == ["600000001"]


BAD_FILES = {
    "no-phone-column": lambda make, _: make([("Name", "Message", "Send"), ("Ana", "Hi", "x")]),
    "two-columns": lambda make, _: make([("Phone", "Mobile", "Message"), ("600000001", "600000002", "Hi")]),
    "sheet-empty": lambda make, _: make([]),
    "not-a-workbook": lambda _, path: path.write_text("Name;Phone\n"),
    "file-damaged": lambda _, path: path.write_bytes(
        bytes.fromhex("d0cf11e0a1b11ae1") + bytes(512) + "Workbook".encode("utf-16-le") + bytes(512)
    ),
    "file-encrypted": lambda make, path: lock(make([HEADER, ("Ana", "600000001", "Hi", "x")]), "secret"),
    "zip-bomb": lambda _, path: zip_bomb(path),
}


@pytest.mark.parametrize("command", ["check", "send", "init"])
@pytest.mark.parametrize("kind", BAD_FILES)
def test_a_file_that_cannot_be_used_is_one_line_and_untouched(xlsms, sheet, tmp_path, kind, command):
    file = tmp_path / "list.xlsx"
    BAD_FILES[kind](sheet, file)
    content = file.read_bytes()
    run = xlsms(command, file)
    assert run.code in (1, 2)
    assert "list.xlsx" in run.complaint or "Sheet" in run.complaint
    if kind != "zip-bomb":
        assert f"[{kind}]" in run.complaint
    assert file.read_bytes() == content
    assert not [each for each in tmp_path.iterdir() if each.name.startswith(".")], "a draft was left behind"


def test_check_knows_what_was_sent_lately(xlsms, sheet, connected):
    file = sheet([HEADER, ("Ana", "600000001", "Hi", "x")])
    assert xlsms("--config", connected, "send", file).code == 0
    again = sheet([HEADER, ("Ana", "600000001", "Hi", "x")], "again.xlsx")
    run = xlsms("--config", connected, "check", again, "--json")
    assert run.code == 1
    assert run.figures["rows"][0]["held"]["code"] == "duplicate-recent"


def test_a_ledger_that_is_damaged_is_said_and_left_alone(xlsms, sheet, settings, tmp_path):
    (tmp_path / "ledger").mkdir()
    (tmp_path / "ledger" / "ledger.sqlite3").write_bytes(b"not a database at all" * 100)
    run = xlsms("--config", settings(), "check", sheet([HEADER, ("Ana", "600000001", "Hi", "x")]))
    assert run.code == 2
    assert "[ledger-damaged]" in run.complaint
    with pytest.raises(sqlite3.DatabaseError):
        sqlite3.connect(tmp_path / "ledger" / "ledger.sqlite3").execute("PRAGMA schema_version")


def test_a_copy_is_held_back_until_it_is_made_a_workbook_of_its_own(xlsms, connected, tmp_path):
    rows = [(f"N{index}", f"60000{index:04d}", None, None, f"Hello {index}", "x") for index in range(50, 53)]
    original, copy = tmp_path / "list.xlsx", tmp_path / "copy.xlsx"
    original.write_bytes(templates.new("reminders", "en", rows))
    assert xlsms("--config", connected, "send", original, "--wait").code == 0
    shutil.copy(original, copy)
    book = openpyxl.load_workbook(copy)
    book.worksheets[0]["F5"] = "x"
    book.worksheets[0]["E5"] = "Something else"
    book.save(copy)
    content = copy.read_bytes()
    run = xlsms("--config", connected, "check", copy, "--json")
    assert (run.code, run.figures["blocked"]["code"]) == (2, "workbook-copied")
    run = xlsms("--config", connected, "send", copy)
    assert run.code == 2
    assert "[workbook-copied]" in run.complaint
    assert copy.read_bytes() == content
    assert xlsms("--config", connected, "check", original).code == 0
    run = xlsms("init", copy, "--new-identity")
    assert run.code == 0
    assert "workbook-copied" not in xlsms("--config", connected, "check", copy).err
    assert "Rows emptied: 3" in run.out
    (kept,) = (found for found in (tmp_path / "data" / "backups").rglob("*.xlsx") if found.read_bytes() == content)
    assert str(kept) in run.out.replace("\n", "")
    assert len(list(kept.parent.glob("*.xlsx"))) == 1
    guids = {ClosedWorkbook(file).read().guid for file in (original, copy)}
    assert len(guids) == 2
    assert None not in guids
    sheet = openpyxl.load_workbook(copy).worksheets[0]
    assert [sheet[f"{letter}6"].value for letter in "GHIJKL"] == [None] * 6
    assert sheet["A5"].value == "N50"
    run = xlsms("--config", connected, "send", copy, "--json")
    assert (run.code, run.figures["parts"]) == (0, 1)


def test_renewal_changes_one_part_beside_the_sheet(tmp_path):
    file = tmp_path / "a.xlsx"
    file.write_bytes(templates.new("reminders", "en"))
    with zipfile.ZipFile(file) as package:
        before = {name: package.read(name) for name in package.namelist()}
    assert renew(file) == 0
    with zipfile.ZipFile(file) as package:
        after = {name: package.read(name) for name in package.namelist()}
    assert {name for name in before if before[name] != after[name]} == {"docProps/custom.xml"}
    assert [each.name for each in tmp_path.iterdir()] == ["a.xlsx"]


def test_a_workbook_that_never_had_a_guid_is_renewed_by_its_rows(xlsms, sheet):
    file = sheet([(*HEADER, "Status", "SMS ID"), ("Ana", "600000001", "Hi", None, "Sent", "BCDFGHJKMNPQR")])
    assert "Rows emptied: 1" in xlsms("init", file, "--new-identity").out
    assert list(openpyxl.load_workbook(file).active.values)[1] == ("Ana", "600000001", "Hi", None, None, None)


ROUTED = """
[[connector]]
name = "cheap"
type = "smpp"
price = { "+34" = 0.045 }
[[connector]]
name = "dear"
type = "smpp"
price = { "+34" = 0.08, "+346" = 0.02 }
[[route]]
country = "ES"
use = ["cheap", "dear"]
order = "price"
[[route]]
sender = "Clinica"
use = ["dear"]
"""


def test_check_says_which_way_each_row_takes_why_and_what_it_costs(xlsms, sheet, settings):
    file = sheet(
        [
            ["Teléfono", "Mensaje", "Enviar", "Remitente"],
            ["600111222", "hola " * 40, "x", None],
            ["910000000", "hola", "x", None],
            ["910000001", "hola", "x", "Clinica"],
            ["+44 7912 345678", "hola", "x", None],
        ]
    )
    config = settings(ROUTED)
    run = xlsms("--config", config, "check", file, "--json")
    rows, totals = run.figures["rows"], run.figures["totals"]
    assert [row["use"] for row in rows] == [["dear", "cheap"], ["cheap", "dear"], ["dear"], ["cheap", "dear"]]
    assert [(row["price"], row["cost"]) for row in rows] == [
        ("0.02", "0.04"),
        ("0.045", "0.045"),
        ("0.08", "0.08"),
        (None, None),
    ]
    assert [row["route"] and (row["route"]["country"], row["route"]["sender"]) for row in rows] == [
        ("ES", None),
        ("ES", None),
        (None, "Clinica"),
        None,
    ]
    assert (totals["cost"], totals["unpriced"]) == ("0.165", 1)
    shown = xlsms("--config", config, "check", file).out
    for said in ("dear › cheap", "ES · cheapest first", "no route of its own", "cost: 0.165", "without a price: 1"):
        assert said in shown


@pytest.mark.parametrize(
    ("link", "breaker", "said"), [("down", "closed", "cheap: down"), ("up", "open", "cheap: left alone after failures")]
)
def test_check_says_which_connector_is_passed_over_for_its_health(
    xlsms, sheet, settings, tmp_path, link, breaker, said
):
    file = sheet([["Teléfono", "Mensaje", "Enviar"], ["910000000", "hola", "x"]])
    config = settings(ROUTED)
    figures = {"code": None, "window": 10, "used": 0, "limit": None, "second": 0.0, "minute": 0.0, "throttled": 0}
    links = (
        LinkLive(connector="cheap", link=link, breaker=breaker, **figures),
        LinkLive(connector="dear", link="up", breaker="closed", **figures),
    )
    (tmp_path / "ledger").mkdir()
    live.write(tmp_path / "ledger", Live(at=datetime.now(UTC), links=links))
    row = xlsms("--config", config, "check", file, "--json").figures["rows"][0]
    assert (row["use"], row["now"], row["unfit"]) == (["cheap", "dear"], "dear", ["cheap"])
    assert row["cost"] == "0.08"
    assert said in " ".join(xlsms("--config", config, "check", file).out.split())


def test_check_says_nothing_of_ways_and_prices_that_are_not_set_up(xlsms, sheet, settings):
    file = sheet([["Teléfono", "Mensaje", "Enviar"], ["600111222", "hola", "x"]])
    run = xlsms("--config", settings(), "check", file, "--json")
    assert (run.figures["rows"][0]["use"], run.figures["totals"]["cost"]) == ([], None)
    shown = xlsms("--config", settings(), "check", file).out
    assert "Route" not in shown
    assert "cost" not in shown.casefold()


def test_check_shows_what_is_hidden_in_texts_names_and_complaints(xlsms, sheet):
    hidden = "\u202e\u200b\u2066\u00ad"
    file = sheet(
        [
            ("Name", "Phone", "Message", "Sender", "Send"),
            ("Ana", "600000001", f"{hidden}Hi", None, "x"),
            ("Eva", "600000002", f"Hi {{Na{hidden}me}}", None, "x"),
            ("Leo", "600000003", "Hi", f"C{hidden}", "x"),
        ]
    )
    run = xlsms("check", file)
    for said in (run.out, run.err):
        assert not set(hidden) & set(said)
    assert all(f"U+{ord(character):04X}" in run.out + run.err for character in hidden)
    assert run.code == 1
