"""Wireshark's dissector reads every PDU that we write, field by field, without a warning."""

import itertools
import os
import shutil
import subprocess
from datetime import UTC, datetime

import pytest

from xlsms.model import Concat, Outgoing, PartKey
from xlsms.text import split
from xlsms_service.connectors.base import PartAskedAbout
from xlsms_service.connectors.smpp import SmppSettings
from xlsms_service.connectors.smpp.asking import cancel_of, query_of
from xlsms_service.connectors.smpp.outgoing import SubmitEncoder
from xlsms_service.protocols.smpp import pdu as pdus
from xlsms_service.protocols.smpp.constants import Command
from xlsms_service.protocols.smpp.pdu import encode
from xlsms_service.protocols.smpp.session import Session, Timers

pytestmark = pytest.mark.peer

NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
TEXTS = ("Hola", "Año nuevo: 5 € [hoy] ~ " * 15, "Привет 😀 " * 20, "@", "1234567")
SETTINGS = [
    {"long_texts": form, "data_coding_0": coding, "user_message_reference": numbered, "validity": 90, "sender": sender,
     "absolute_times": numbered}
    for form, coding, numbered, sender in itertools.product(
        ("udh", "sar", "payload"), ("gsm7", "gsm7-packed"), (False, True), ("Clinica", "5500", "+34600000000")
    )
]  # fmt: skip


@pytest.fixture(scope="session")
def tshark():
    found = shutil.which("tshark")
    if found is None or shutil.which("text2pcap") is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("tshark and text2pcap are not on the path")
    return found


def parts(number, text, form):
    cut = split(text)
    if form == "payload" and len(cut.parts) > 1:
        yield Outgoing(key=PartKey(number, 1), destination="+34600111222", text=text, alphabet=cut.alphabet)
        return
    for place, piece in enumerate(cut.parts, 1):
        concat = Concat(number & 0xFF, len(cut.parts), place) if len(cut.parts) > 1 else None
        yield Outgoing(
            key=PartKey(number, place), destination="+34600111222", text=piece, alphabet=cut.alphabet, concat=concat
        )


def submits():
    """What the connector writes, whatever its settings."""
    for number, more in enumerate(SETTINGS, 1):
        encoder = SubmitEncoder(SmppSettings(host="h", **more), lambda: NOW)
        session = Session(now=0, timers=Timers())
        session.bind(pdus.BindTransceiver(sequence=0), 0)
        session.receive(encode(pdus.BindTransceiverResp(sequence=1)), 0)
        session.data_to_send()
        outgoing = [part for text in TEXTS for part in parts(number, text, more["long_texts"])]
        session.send_bodies(Command.SUBMIT_SM, [(encoder.body(part), None) for part in outgoing], 0)
        data = session.data_to_send()
        while data:
            length = int.from_bytes(data[:4], "big")
            yield data[:length]
            data = data[length:]


def others():
    """What the session writes around them."""
    settings = SmppSettings(host="h", sender="Clinica", service_type="CMT")
    encoder = SubmitEncoder(settings, lambda: NOW)
    asked = PartAskedAbout(network_id="7f3a", destination="+34600111222")
    login = {"system_id": "clinic", "password": "pw", "system_type": "t", "address_range": "^34"}
    written = [
        *(kind(sequence=1, **login) for kind in (pdus.BindTransmitter, pdus.BindReceiver, pdus.BindTransceiver)),
        query_of(asked, encoder, settings),
        cancel_of(asked, encoder, settings),
        pdus.DeliverSmResp(sequence=5),
        pdus.EnquireLink(sequence=6),
        pdus.EnquireLinkResp(sequence=7),
        pdus.Unbind(sequence=8),
        pdus.UnbindResp(sequence=9),
        pdus.GenericNack(sequence=10, status=3),
    ]
    return [encode(pdu) for pdu in written]


def dissected(tshark, folder, wires, *fields):
    """One line a PDU with these fields, and what the dissector complains of."""
    dump, capture = folder / "said.txt", folder / "said.pcap"
    dump.write_text("".join("000000 " + " ".join(f"{octet:02x}" for octet in wire) + "\n" for wire in wires))
    subprocess.run(["text2pcap", "-q", "-T", "40000,2775", dump, capture], check=True, capture_output=True)
    asked = [word for field in (*fields, "_ws.malformed", "_ws.expert.message") for word in ("-e", field)]
    command = [tshark, "-r", capture, "-d", "tcp.port==2775,smpp", "-T", "fields", "-E", "separator=|", *asked]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    return [line.split("|") for line in lines]


def test_every_pdu_is_read_without_a_warning(tshark, tmp_path):
    wires = [*submits(), *others()]
    assert len(wires) > 250
    read = dissected(tshark, tmp_path, wires, "smpp.command_id", "smpp.sequence_number")
    assert len(read) == len(wires)
    complaints = [line for line in read if line[2] or line[3]]
    assert complaints == []
    for wire, (command, sequence, *_) in zip(wires, read, strict=True):
        assert int(command, 16) == int.from_bytes(wire[4:8], "big")
        assert int(sequence) == int.from_bytes(wire[12:16], "big")


def test_the_fields_are_what_was_meant(tshark, tmp_path):
    names = ("source_addr", "source_addr_ton", "destination_addr", "dest_addr_ton", "esm.submit.features")
    fields = [f"smpp.{name}" for name in names] + ["smpp.data_coding", "smpp.validity_period_r", "smpp.regdel.receipt"]
    settings = SmppSettings(host="h", sender="Clinica", validity=90)
    encoder = SubmitEncoder(settings, lambda: NOW)
    session = Session(now=0, timers=Timers())
    session.bind(pdus.BindTransceiver(sequence=0), 0)
    session.receive(encode(pdus.BindTransceiverResp(sequence=1)), 0)
    session.data_to_send()
    wires = []
    for part in [*parts(1, TEXTS[0], "udh"), *parts(2, TEXTS[2], "udh")]:
        session.send_bodies(Command.SUBMIT_SM, [(encoder.body(part), None)], 0)
        wires.append(session.data_to_send())
    read = dissected(tshark, tmp_path, wires, *fields)
    assert read[0][:4] == ["Clinica", "0x05", "34600111222", "0x01"]
    assert [int(line[4], 16) for line in read] == [0] + [1] * (len(read) - 1)  # a user data header with each part
    assert [int(line[5], 16) for line in read] == [0] + [8] * (len(read) - 1)
    assert {int(line[7], 16) for line in read} == {1}


def test_a_broken_pdu_is_complained_of(tshark, tmp_path):
    """So that the silence above means something."""
    wire = bytearray(next(iter(submits())))
    wire[3] += 3
    [line] = dissected(tshark, tmp_path, [bytes(wire) + b"\x04\x24\x09"], "smpp.command_id")
    assert line[1] or line[2]
