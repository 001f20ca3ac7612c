import io
import json
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager, suppress
from datetime import UTC, datetime

import pytest
import typer
from rich.console import Console

from xlsms.errors import UserError
from xlsms_service.cli.session import Session
from xlsms_service.cli.simulate import simulate
from xlsms_service.cli.simulate_view import LiveView
from xlsms_service.protocols.smpp.framing import Framer
from xlsms_service.protocols.smpp.pdu import (
    BindTransceiver,
    BindTransceiverResp,
    SubmitSm,
    SubmitSmResp,
    decode,
    encode,
)
from xlsms_service.simulators import Counters, Event, IdForm, Network

RUN = """
import sys
from xlsms.errors import UserError
from xlsms_service.cli.session import Session
from xlsms_service.cli.simulate import simulate
simulate(args=["smpp", *sys.argv[1:]], obj=Session(UserError("unexpected")))
"""


@contextmanager
def started(*options):
    process = subprocess.Popen(
        [sys.executable, "-c", RUN, "--port", "0", *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def submit_one(port):
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall(encode(BindTransceiver(sequence=1, system_id="xlsms", password="rehearse")))
        connection.sendall(encode(SubmitSm(sequence=2, destination_addr="34600111222", short_message=b"Hello")))
        framer, heard = Framer(), []
        while not any(isinstance(decode(frame), SubmitSmResp) for frame in heard):
            heard += framer.feed(connection.recv(65536))
        return [pdu.status for pdu in map(decode, heard) if isinstance(pdu, BindTransceiverResp | SubmitSmResp)]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_tells_and_ends_with_a_summary(tmp_path, number):
    phones, journal = tmp_path / "phones.toml", tmp_path / "journal.jsonl"
    phones.write_text('[[phone]]\nnumber = "+34600111222"\nreply = "SI"\nafter = 0\nreceipt_after = 0\n')
    with started("--json", "--phones", str(phones), "--journal", str(journal)) as process:
        listening = json.loads(process.stdout.readline())
        assert listening["event"] == "listening"
        assert submit_one(listening["port"]) == [0, 0]
        events = [json.loads(process.stdout.readline()) for _ in range(5)]
        assert {event["event"] for event in events} == {"bind", "taken", "receipt", "reply", "leave"}
        process.send_signal(number)
        rest, errors = process.communicate(timeout=60)
        summary = json.loads(rest.splitlines()[-1])
        assert (process.returncode, errors) == (0, "")
    assert summary["event"] == "summary"
    assert (summary["messages"], summary["replies"], summary["links"]) == (1, 1, 0)
    assert json.loads(journal.read_text("utf-8"))["text"] == "Hello"


def test_it_ends_without_a_word_when_nobody_reads_it_any_more():
    with started("--json") as process:
        port = json.loads(process.stdout.readline())["port"]
        process.stdout.close()
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
            connection.sendall(encode(BindTransceiver(sequence=1, system_id="xlsms", password="rehearse")))
            while connection.recv(65536):
                pass
        assert (process.wait(60), process.stderr.read()) == (0, "")
        process.stdout = None


def test_it_prints_the_lines_to_paste_and_a_table():
    import tomllib

    with started("--system-id", "office") as process:
        lines = []
        while not lines or not lines[-1].startswith("password"):
            lines.append(process.stdout.readline())
        (connector,) = tomllib.loads("".join(lines[1:]))["connector"]
        assert (connector["type"], connector["system_id"], connector["password"]) == ("smpp", "office", "rehearse")
        with socket.create_connection((connector["host"], connector["port"]), timeout=60):
            pass
        process.send_signal(signal.SIGTERM)
        rest, _ = process.communicate(timeout=60)
    assert "messages" in rest


def run(*options):
    command = typer.main.get_command(simulate)
    return command.main(["smpp", *options], standalone_mode=False, obj=Session(UserError("unexpected")))


@pytest.mark.parametrize(
    "options",
    [
        ("--id-form", "octal"),
        ("--id-form", "uuid/decimal"),
        ("--throttle", "fast"),
        ("--throttle", "2/10"),
        ("--throttle", "0/s"),
        ("--lose-answers", "2.5"),
        ("--lose-answers", "often"),
        ("--lose-answers", "0,1"),
        ("--early-receipts", "nan"),
    ],
)
def test_options_that_make_no_sense_are_refused_with_an_example(options):
    with pytest.raises(UserError) as caught:
        run(*options)
    assert caught.value.code == "simulate-wrong-option"
    assert options[0] in caught.value.remedy


def test_each_option_turns_its_own_knob(monkeypatch, capsys):
    seen = []

    async def serve(smsc, host, *_):
        seen.append((smsc.network, host))

    monkeypatch.setattr("xlsms_service.cli.simulate._serve", serve)
    given = {
        "--host": "0.0.0.0",
        "--id-form": "hex/decimal",
        "--throttle": "1/10",
        "--lose-answers": "0.25",
        "--slow-answers": "2,4",
        "--early-receipts": "1",
        "--duplicate-receipts": "3",
        "--drop-after": "7",
    }
    run("--json", "--drop-unanswered", *(word for option in given.items() for word in option))
    network = Network(
        response_id=IdForm.HEX,
        receipt_id=IdForm.DECIMAL,
        throttle_every=10,
        lose_answers=0.25,
        slow_answers=frozenset({2, 4}),
        early_receipts=frozenset({1}),
        duplicate_receipts=frozenset({3}),
        drop_after=7,
        drop_unanswered=True,
    )
    assert seen == [(network, "0.0.0.0")]
    assert json.loads(capsys.readouterr().out)["event"] == "summary"


def test_a_taken_port_is_said():
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(UserError) as caught:
        run("--port", str(taken.getsockname()[1]))
    assert caught.value.code == "simulate-port-taken"


def test_a_journal_that_cannot_be_written_is_said(tmp_path):
    with pytest.raises(UserError) as caught:
        run("--port", "0", "--journal", str(tmp_path / "no" / "journal"))
    assert caught.value.code == "simulate-journal-unwritable"


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_certificate_that_cannot_be_used_is_said(tmp_path, content):
    path = tmp_path / "server.pem"
    if content is not None:
        path.write_text(content)
    with pytest.raises(UserError) as caught:
        run("--port", "0", "--certificate", str(path))
    assert caught.value.code == "simulate-certificate-unusable"


def shown(*events):
    console = Console(width=100, record=True, file=io.StringIO())
    view = LiveView(console)
    for kind, facts in events:
        view.show(Event(kind=kind, at=datetime(2026, 3, 29, 12, tzinfo=UTC), **facts))
    console.print(view.render(Counters(messages=1234)))
    return console.export_text()


def test_the_view_shows_the_last_state_of_each_message():
    message = {"phone": "34600111222", "text": "Hello", "network_id": "7"}
    text = shown(
        ("taken", message),
        ("receipt", message | {"state": "DELIVRD"}),
        ("reply", {"phone": "34600111222", "text": "SI"}),
    )
    assert "1,234" in text
    assert text.count("Hello") == 1
    assert "DELIVRD" in text
    assert "SI" in text


def test_the_view_shows_foreign_text_as_text_and_a_bounded_number_of_lines():
    text = shown(*[("taken", {"phone": str(n), "text": f"[red]x{n}\x1b[2J", "network_id": str(n)}) for n in range(100)])
    assert "[red]x99" in text
    assert "\x1b" not in text
    assert "[red]x1 " not in text
    assert text.count("[red]") < 20
