"""Anything at all from the network: real PDUs with wrong bytes, cut, joined and split anywhere, and plain noise.

A whole link reads them. Each gives an event or an answer that complains, never an exception, and never is more held
than one frame.
"""

import asyncio
import itertools
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from xlsms.model import Inbound, Receipt, Result
from xlsms_service.connectors.pace import Pace
from xlsms_service.connectors.smpp.link import Link
from xlsms_service.protocols.smpp import pdu as pdus
from xlsms_service.protocols.smpp.constants import Tag
from xlsms_service.protocols.smpp.framing import FRAME_LIMIT, Framer
from xlsms_service.protocols.smpp.pdu import decode, encode
from xlsms_service.protocols.smpp.session import Session, Timers
from xlsms_service.protocols.smpp.state import Role

NOW = datetime(2026, 11, 22, 19, 0, tzinfo=UTC)
REPORT = b"id:7f3a sub:001 dlvrd:001 submit date:2611222026 done date:2611222027 stat:DELIVRD err:000 text:Hola"
PDUS = (
    pdus.BindTransceiverResp(sequence=1, system_id="SMSC", tlvs={0x0210: b"\x34"}),
    pdus.SubmitSmResp(sequence=2, message_id="7f3a"),
    pdus.SubmitSmResp(sequence=3, status=0x58),
    pdus.SubmitSmResp(sequence=4, message_id="x" * 64, tlvs={0x001D: b"ok\0"}),
    pdus.DeliverSm(
        sequence=5, source_addr_ton=1, source_addr="34600111222", destination_addr="5500", esm_class=4,
        short_message=REPORT, tlvs={Tag.RECEIPTED_MESSAGE_ID: b"7f3a\0", Tag.MESSAGE_STATE: b"\2"},
    ),
    pdus.DeliverSm(sequence=6, source_addr="34600111222", data_coding=8, short_message="Sí 😀".encode("utf-16-be")),
    pdus.DeliverSm(sequence=7, source_addr="34600111222", esm_class=0x40, short_message=b"\5\0\3\7\2\1uno"),
    pdus.DeliverSm(sequence=8, tlvs={0x020C: b"\0\7", 0x020E: b"\2", 0x020F: b"\1", Tag.MESSAGE_PAYLOAD: b"x" * 400}),
    pdus.QuerySmResp(sequence=9, message_id="7f3a", final_date="261122202700004+", message_state=2),
    pdus.CancelSmResp(sequence=10),
    pdus.EnquireLink(sequence=11),
    pdus.EnquireLinkResp(sequence=12),
    pdus.GenericNack(sequence=2, status=3),
    pdus.Unbind(sequence=13),
    pdus.Outbind(sequence=14, system_id="SMSC", password="pw"),
    pdus.SubmitSm(sequence=15, destination_addr="34600111222", short_message=b"Hola"),
    pdus.Unknown(sequence=16, command_id=0x103, body=b"data_sm"),
)  # fmt: skip


@st.composite
def mangled(draw):
    """One PDU, whole or with some bytes changed, added or left out; its length may be mended after it or not."""
    octets = bytearray(encode(draw(st.sampled_from(PDUS))))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, max(0, len(octets) - 1)))
        match draw(st.sampled_from(("change", "add", "leave out", "cut", "zero"))):
            case "change" if octets:
                octets[at] = draw(st.integers(0, 255))
            case "add":
                octets[at:at] = draw(st.binary(max_size=8))
            case "leave out":
                del octets[at : at + draw(st.integers(1, 8))]
            case "cut":
                del octets[max(at, 16) :]
            case "zero":
                octets[at : at + 4] = bytes(4)
    if draw(st.booleans()) and len(octets) >= 16:
        octets[:4] = len(octets).to_bytes(4, "big")
    return bytes(octets)


STREAM = st.lists(st.one_of(mangled(), st.binary(max_size=40)), max_size=12).map(b"".join)
CUTS = st.lists(st.integers(0, 1500), max_size=10)


def pieces(stream, cuts):
    edges = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    return [stream[a:b] for a, b in itertools.pairwise(edges)]


class Paper(asyncio.Transport):
    """Takes all that is written."""

    def __init__(self):
        super().__init__()
        self.written = bytearray()
        self.closing = False

    def write(self, data):
        self.written += data

    def is_closing(self):
        return self.closing

    def close(self):
        self.closing = True

    def abort(self):
        self.closing = True

    def pause_reading(self):
        pass

    def resume_reading(self):
        pass

    def get_write_buffer_size(self):
        return 0


class Owner:
    """Who the link tells."""

    def __init__(self):
        self.results, self.lates, self.items = [], [], []

    def bound(self):
        pass

    def room_grew(self):
        pass

    def outcomes(self, outcomes):
        self.results += outcomes

    def late(self, outcomes):
        self.lates += outcomes

    def received(self, items):
        self.items += items


@settings(
    max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(stream=STREAM, cuts=CUTS, bound=st.booleans(), options=st.sampled_from([
    {}, {"unmarked_receipts": True, "id_form": "answer-hex"}, {"data_coding_0": "gsm7-packed", "id_form": "receipt-hex"},
    {"data_coding_0": "ascii", "receipt_zone": "Europe/Madrid"},
]))  # fmt: skip
@example(stream=encode(PDUS[4])[:-1] + b"\xff", cuts=[1, 17, 40], bound=True, options={})
@example(stream=bytes.fromhex("FFFFFFF0"), cuts=[], bound=True, options={})
def test_a_link_reads_anything(kit, stream, cuts, bound, options):
    async def main():
        owner, paper = Owner(), Paper()
        link = Link(
            "operator", kit.settings(2775, **options), owner, bind=pdus.BindTransceiver, password="pw",
            clock=lambda: NOW, pace=Pace(None, 0),
        )  # fmt: skip
        link.connection_made(paper)
        if bound:
            link.data_received(encode(pdus.BindTransceiverResp(sequence=1)))
            link.submit([kit.part(number) for number in range(1, 9)])
            await asyncio.sleep(0)
        for piece in pieces(stream, cuts):
            link.data_received(piece)
            assert link._session._framer.pending < FRAME_LIMIT
            for item in owner.items:
                assert isinstance(item.item, Receipt | Inbound)
            for item in owner.items:
                link.acknowledge([item.token])
            owner.items.clear()
            await asyncio.sleep(0)
        link.connection_lost(None)
        await asyncio.sleep(0)
        assert link.ended.done()
        # Whatever came, each part has one outcome, and what we said can be read.
        assert sorted(outcome.key.message for outcome in owner.results) == (list(range(1, 9)) if bound else [])
        assert all(outcome.result in Result for outcome in owner.results)
        for frame in Framer().feed(bytes(paper.written)):
            decode(frame)

    asyncio.run(main())


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(stream=STREAM, cuts=CUTS)
def test_the_network_s_end_of_a_session_reads_anything(stream, cuts):
    session = Session(Role.SMSC, now=0, timers=Timers())
    for number, piece in enumerate(pieces(stream, cuts)):
        session.receive(piece, number)
        assert session._framer.pending < FRAME_LIMIT
        session.data_to_send()
    session.abandon()


@pytest.mark.parametrize("length", [16, 17, 65_535, 65_536])
def test_no_more_than_a_frame_is_held_however_slowly_it_comes(length):
    framer, frames = Framer(), []
    stream = length.to_bytes(4, "big") + bytes(length - 4)
    for at in range(0, length, 977):
        frames += framer.feed(stream[at : at + 977])
        assert framer.pending < FRAME_LIMIT
    assert frames == [stream]
    assert framer.pending == 0


def test_a_length_that_lies_is_refused_before_anything_is_gathered():
    session = Session(Role.ESME, now=0, timers=Timers())
    session.receive((FRAME_LIMIT + 1).to_bytes(4, "big") + bytes(12), 0)
    assert session.closed
    assert session._framer.pending == 0
    session.receive(bytes(1 << 20), 1)
    assert session._framer.pending == 0
