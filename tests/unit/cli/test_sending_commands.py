"""`send`, `text`, `run`, `status`, `connector` and `doctor` against a network in a process of its own."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import openpyxl
import pytest
from prometheus_client import CollectorRegistry, start_http_server

from tests.port import free_port
from xlsms.errors import Place, UserError
from xlsms_service.app import Event
from xlsms_service.cli.connector import reach
from xlsms_service.cli.watching import event_line
from xlsms_service.config import ConnectorSettings
from xlsms_service.ledger.lease import Lease
from xlsms_service.measuring import Tallies
from xlsms_service.measuring.exposition import registry

HEADER = ("Name", "Phone", "Message", "Send", "Status", "Detail", "Status time", "Reply", "Reply time", "SMS ID")


def people(count):
    return [HEADER, *((f"N{index}", f"60000{index:04d}", f"Hi {index}", "x") for index in range(count))]


def test_send_and_wait_brings_every_row_to_its_end(xlsms, sheet, connected, cells):
    file = sheet(people(20))
    run = xlsms("--config", connected, "send", file, "--wait", "--json", "--timeout", "60")
    figures = run.figures
    assert figures["finished"]
    assert sum(figures["states"].values()) == figures["parts"] == 20
    assert run.code == (0 if set(figures["states"]) == {"delivered"} else 1)
    statuses = cells(file, "Status")
    assert statuses.count("Delivered") == figures["states"]["delivered"]
    assert not set(statuses) - {"Delivered", "Failed", "Expired"}
    assert cells(file, "Send") == [None] * 20
    assert len(set(cells(file, "SMS ID"))) == 20
    assert sum(reply is not None for reply in cells(file, "Reply")) == figures["replies"]


def test_a_list_goes_where_standard_input_is_closed(sheet, connected, cells):
    file = sheet(people(2))
    words = (sys.executable, "-m", "xlsms_service", "--config", connected, "send", file, "--wait", "--timeout", "60")
    command = ["sh", "-c", 'exec "$@" <&-', "sh", *map(str, words)]
    closed = subprocess.run(command, check=False, capture_output=True, text=True)
    assert "[unexpected]" not in closed.stderr
    assert all(cells(file, "Status"))


def test_a_workbook_that_is_open_is_told_as_what_it_is_with_and_without_waiting(xlsms, sheet, connected, tmp_path):
    file = sheet(people(1))
    (tmp_path / "~$list.xlsx").write_bytes(b"\x05Maria" + bytes(159))
    before = file.read_bytes()
    run = xlsms("--config", connected, "send", file)
    assert (run.code, "list.xlsx: the file is open in Excel (Maria)" in run.complaint) == (1, True)
    assert run.out.startswith("Nothing was sent: close the workbook and send again")
    run = xlsms("--config", connected, "send", file, "--wait", "--timeout", "0")
    assert (run.code, run.out, run.complaint.endswith("[file-open-elsewhere]")) == (1, "", True)
    assert file.read_bytes() == before


def test_rows_that_cannot_go_say_why_on_the_screen_and_in_the_sheet(xlsms, sheet, connected, cells):
    file = sheet(
        [
            HEADER,
            ("Ana", "600000001", "Good day", "x"),
            ("Eva", "123", "Hi", "x"),
            ("Leo", "600000003", "Hi {Age}", "x"),
        ]
    )
    run = xlsms("--config", connected, "send", file)
    assert run.code == 1
    assert [line.split(":")[0] for line in run.err.splitlines()] == ["Sheet!B3", "Sheet!C4"]
    assert "[number-too-short]" in run.err
    assert "[field-missing]" in run.err
    assert cells(file, "Status")[1:] == ["Held", "Held"]
    assert cells(file, "Status")[0] in ("Sent", "Delivered")
    assert "[number-too-short]" in cells(file, "Detail")[1]


def test_send_tells_of_rows_that_wait_and_of_rows_that_nobody_sees(xlsms, sheet, connected):
    file = sheet(
        [
            ("Phone", "Message", "Send", "Send at"),
            ("600000001", "Later", "x", "2999-01-01 10:00"),
            ("600000002", "Hidden", "x", None),
        ]
    )
    book = openpyxl.load_workbook(file)
    book.active.row_dimensions[3].hidden = True
    book.save(file)
    run = xlsms("--config", connected, "send", file)
    assert run.code == 0
    assert "Rows that wait for their time: 1. They go only while xlsms run" in run.out
    assert "Marked but hidden, so they stay: 1" in run.out
    again = xlsms("--config", connected, "send", file, "--json").figures
    assert (again["states"], again["hidden"]) == ({"scheduled": 1}, 1)


def test_send_says_when_there_is_no_column_for_marks(xlsms, sheet, connected):
    run = xlsms("--config", connected, "send", sheet([("Phone", "Message"), ("600000001", "Hi")]))
    assert "There is no send column" in run.out


def test_a_second_send_sends_nothing_and_says_so(xlsms, sheet, connected):
    file = sheet(people(2))
    said = "Nothing new was sent. What became of earlier rows:"
    first = xlsms("--config", connected, "send", file, "--wait", "--timeout", "60")
    assert (first.code, said in first.out) == (0, False)
    run = xlsms("--config", connected, "send", file)
    assert (run.code, run.out.splitlines()[0]) == (0, said)
    run = xlsms("--config", connected, "send", file, "--json")
    assert run.code == 0
    assert run.figures["parts"] in (0, 2), "it may still be following the first send"
    status = xlsms("--config", connected, "status", "--json").figures
    assert sum(status["states"].values()) == 2


def test_status_tells_of_all_and_of_one_workbook(xlsms, sheet, connected):
    file = sheet(people(3))
    assert xlsms("--config", connected, "send", file, "--wait").code in (0, 1)
    shown = xlsms("--config", connected, "status")
    assert shown.code == 0
    assert "list.xlsx" in shown.out
    assert "rehearsal" in shown.out
    run = xlsms("--config", connected, "status", file, "--json")
    assert sum(run.figures["workbooks"][0]["states"].values()) == 3
    assert not run.figures["running"]
    assert run.figures["links"][0]["connector"] == "rehearsal"


def test_one_text_goes_and_is_followed_to_the_phone(xlsms, connected):
    run = xlsms("--config", connected, "text", "600 000 777", "Hello {there}", "--wait", "--json")
    assert sum(run.figures["states"].values()) == 1
    assert run.figures["file"] is None
    shown = xlsms("--config", connected, "text", "600 000 778", "Hello")
    assert shown.code == 0
    assert "SMS in all" in shown.out


@pytest.mark.parametrize("kind", ["read-only", "locked by LibreOffice", "locked by Excel"])
def test_a_file_that_must_not_be_written_now_is_one_line_and_untouched(xlsms, sheet, connected, kind, tmp_path):
    file = sheet(people(1))
    if kind == "read-only":
        file.chmod(0o444)
    elif kind == "locked by LibreOffice":
        (tmp_path / ".~lock.list.xlsx#").write_text(",Ana,office,01.03.2026 10:00,file:///home/ana;")
    else:
        (tmp_path / "~$list.xlsx").write_bytes(b"\x03Ana" + b" " * 51 + "\x03\0A\0n\0a\0".encode("latin-1"))
    content = file.read_bytes()
    run = xlsms("--config", connected, "send", file)
    assert run.code in (1, 2)
    assert "list.xlsx" in run.complaint
    assert file.read_bytes() == content
    assert xlsms("--config", connected, "status", "--json").figures["states"] == {}


def test_a_wrong_password_is_one_line_and_code_three(xlsms, sheet, connected):
    connected.write_text(connected.read_text().replace("rehearse", "wrong"))
    file = sheet(people(1))
    content = file.read_bytes()
    for words in (["send", file], ["connector", "test", "rehearsal"], ["text", "600000001", "Hi"]):
        run = xlsms("--config", connected, *words)
        assert run.code == 3, words
        assert "[smsc-login-refused]" in run.complaint
        assert "wrong" not in run.complaint, "a password was shown"
    assert file.read_bytes() == content
    doctor = xlsms("--config", connected, "doctor", "--json")
    assert doctor.code == 3
    assert "smsc-login-refused" in doctor.out


def test_a_network_that_is_not_there_is_named(settings):
    port = free_port()
    options = {"host": "127.0.0.1", "port": port, "system_id": "a", "password": "b"}
    there = ConnectorSettings(name="operator", type="smpp", options=options)
    error = asyncio.run(reach(there, timedelta(seconds=0.5)))
    assert error.code == "smsc-unreachable"
    assert str(port) in error.line()


def test_a_key_that_the_connector_does_not_know_is_named_with_its_line(xlsms, connected):
    text = connected.read_text() + "pasword = 'x'\n"
    connected.write_text(text)
    run = xlsms("--config", connected, "connector", "test", "rehearsal")
    assert run.code == 2
    assert run.complaint.startswith(f"{connected}:{len(text.splitlines())}: ")
    assert "[config-unknown-key]" in run.complaint


@pytest.mark.parametrize("wrong", ["pasword = 'x'\n", "[[connector]]\nname = 'b'\ntype = 'modem'\n"])
def test_a_connector_that_cannot_be_used_is_named_wherever_connectors_are(xlsms, connected, wrong):
    connected.write_text(connected.read_text() + wrong)
    for words in (["connector", "list"], ["status"]):
        run = xlsms("--config", connected, *words)
        assert run.code == 0
        assert run.complaint.startswith(f"{connected}:")
    listed = xlsms("--config", connected, "connector", "list", "--json").figures["connectors"]
    assert [each["error"] is None for each in listed].count(False) == 1
    (problem,) = xlsms("--config", connected, "status", "--json").figures["problems"]
    assert problem["code"] in ("config-unknown-key", "connector-type-not-there")


def test_connectors_are_listed_without_their_secrets(xlsms, connected, network):
    run = xlsms("--config", connected, "connector", "list")
    assert run.code == 0
    assert f"127.0.0.1:{network}" in run.out
    assert "rehearse" not in run.out.replace("rehearsal", "")
    assert "password" not in xlsms("--config", connected, "connector", "list", "--json").out
    run = xlsms("--config", connected, "connector", "test", "rehearsal", "--json")
    assert (run.code, run.figures["reached"]) == (0, True)
    assert "lets us in" in xlsms("--config", connected, "connector", "test", "rehearsal").out


def test_doctor_looks_at_everything(xlsms, connected):
    run = xlsms("--config", connected, "doctor", "--json")
    verdicts = {finding["what"]: finding["verdict"] for finding in run.figures["findings"]}
    assert run.code == 0
    assert set(verdicts) > {"Python", "Packages", "Settings", "Data folder", "Ledger", "Connector rehearsal"}
    assert verdicts["Connector rehearsal"] == "ok"
    assert "fail" not in verdicts.values()


def metrics_of(run):
    (found,) = [finding for finding in run.figures["findings"] if finding["what"] == "Metrics"]
    return found["verdict"], found["said"]


def test_doctor_says_whether_the_metrics_are_served(xlsms, settings, tmp_path):
    address = f"127.0.0.1:{free_port()}"
    file = settings(f'metrics = "{address}"\n')
    assert metrics_of(xlsms("--config", file, "doctor", "--json")) == ("ok", f"{address}, while xlsms run runs")
    (tmp_path / "ledger").mkdir(exist_ok=True)
    with Lease(tmp_path / "ledger"):
        verdict, said = metrics_of(xlsms("--config", file, "doctor", "--json"))
        assert (verdict, said) == ("warn", f"{address} does not answer (ConnectError)")
        for found, expected in ((registry(Tallies(), dict), "ok"), (CollectorRegistry(), "fail")):
            served, thread = start_http_server(int(address.split(":")[1]), "127.0.0.1", found)
            try:
                assert metrics_of(xlsms("--config", file, "doctor", "--json"))[0] == expected
            finally:
                served.shutdown()
                served.server_close()
                thread.join()


def test_doctor_says_what_is_wrong_with_folders_and_the_ledger(xlsms, settings, tmp_path):
    data = tmp_path / "ledger"
    data.mkdir(mode=0o755)
    (data / "ledger.sqlite3").write_bytes(b"broken" * 999)
    file = settings('[[watch]]\nfolder = "gone"\n')
    run = xlsms("--config", file, "doctor")
    assert run.code == 2
    assert f"{tmp_path / 'gone'} is not there" in run.out
    assert "ledger-damaged" in run.out
    if os.name == "posix":
        assert "can be read by other users" in run.out


def test_run_sends_what_is_dropped_into_the_folder_until_it_is_told_to_stop(sheet, connected, cells, tmp_path):
    folder = tmp_path / "inbox"
    folder.mkdir()
    connected.write_text(connected.read_text() + '[[watch]]\nfolder = "inbox"\n')
    process = subprocess.Popen(
        [sys.executable, "-m", "xlsms_service", "--config", str(connected), "run", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert json.loads(process.stdout.readline())["event"] == "link"
        sheet(people(4)).replace(folder / "list.xlsx")
        events = []
        while "accepted" not in [event["event"] for event in events]:
            events.append(json.loads(process.stdout.readline()))
        assert events[-1]["accepted"] == 4
        until = time.monotonic() + 120
        while not all(cells(folder / "list.xlsx", "Status")) or "Sent" in cells(folder / "list.xlsx", "Status"):
            assert time.monotonic() < until, cells(folder / "list.xlsx", "Status")
        second = subprocess.run(
            [sys.executable, "-m", "xlsms_service", "--config", str(connected), "run"],
            capture_output=True,
            text=True,
            check=False,
        )
        assert second.returncode == 2
        assert "[service-running]" in second.stderr
    finally:
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert err == ""


@pytest.mark.skipif(os.name != "posix", reason="a shell that ignores Ctrl+C for its children")
def test_run_heeds_ctrl_c_though_a_script_has_started_it_in_the_background(connected, tmp_path):
    (tmp_path / "inbox").mkdir()
    connected.write_text(connected.read_text() + '[[watch]]\nfolder = "inbox"\n')
    words = [sys.executable, "-m", "xlsms_service", "--config", str(connected), "run", "--json"]
    process = subprocess.Popen(
        ["/bin/sh", "-c", 'trap "" INT; exec "$@"', "sh", *words], stdout=subprocess.PIPE, text=True
    )
    try:
        assert json.loads(process.stdout.readline())["event"] == "link"
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 0


@pytest.mark.parametrize("more", [[], ["--json"]])
def test_who_interrupts_a_send_is_told_what_becomes_of_the_rest(connected, sheet, tmp_path, more):
    marked = sheet([["Phone", "Message", "Send"], ["600000001", "Hello", "x"]])
    (tmp_path / "~$list.xlsx").write_bytes(b"\x05Maria" + bytes(159))
    words = [sys.executable, "-m", "xlsms_service", "--config", connected, "send", marked, "--wait", *more]
    process = subprocess.Popen(list(map(str, words)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert "[file-open-elsewhere]" in process.stderr.readline()  # and it waits
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (130, "")
    told = "Stopped. Nothing is lost: what was accepted goes on with xlsms run or the next xlsms send.\n"
    assert out == ("" if more else told)


@pytest.mark.parametrize("folder", ["taken", "taken/below"])
def test_a_demo_that_cannot_make_its_folder_says_so(xlsms, tmp_path, folder):
    (tmp_path / "taken").write_text("a file")
    run = xlsms("demo", "--folder", folder)
    assert run.code == 2
    assert folder in run.complaint
    assert "[new-not-written]" in run.complaint


def test_a_file_is_named_once_in_a_line_of_run():
    named = UserError("file-not-found", place=Place(file="list.xlsx"))
    for error in (named, UserError("file-keeps-changing", path="–")):
        event = Event(kind="problem", at=datetime.now(UTC), path=Path("list.xlsx"), error=error)
        assert event_line(event).plain.count("list.xlsx: ") == 1


def test_the_demo_sends_a_list_and_leaves_the_result(xlsms, tmp_path):
    run = xlsms("demo", "--rows", "12", "--folder", "d", "--json")
    assert run.code == 0
    figures = run.figures
    assert figures["finished"]
    assert figures["problems"] == figures["held"] == []
    assert sum(figures["states"].values()) == 12
    assert {"delivered", "failed", "expired"} <= set(figures["states"])
    sheet = openpyxl.load_workbook(tmp_path / "d" / "reminders.xlsx").worksheets[0]
    rows = list(sheet.iter_rows(min_row=5, max_row=16, values_only=True))
    assert all(row[6] in ("Delivered", "Failed", "Expired") for row in rows)
    assert sum(row[9] is not None for row in rows) == figures["replies"] > 0
    assert list(sheet.iter_rows(min_row=17, values_only=True)) == []
