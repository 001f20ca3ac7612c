"""The SMPP connector against another SMSC that is not ours: that of PyPI's `smpp34`, whose decoder is strict.

As a server it takes texts reliably. Its reports come as we have it send them.
"""

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
import smpp34

from tests.port import free_port
from xlsms.model import Concat, Inbound, Outgoing, PartKey, Receipt, Result
from xlsms.text import split
from xlsms_service.config.secret import Secret
from xlsms_service.connectors.backoff import Backoff
from xlsms_service.connectors.base import Link
from xlsms_service.connectors.smpp import SmppConnector, SmppSettings
from xlsms_service.protocols.smpp import pdu as pdus
from xlsms_service.protocols.smpp.constants import Tag
from xlsms_service.protocols.smpp.text import decode_text

pytestmark = pytest.mark.peer

PATIENCE = 60


class Diary:
    """`Events` that keeps all, and what the SMSC was given."""

    def __init__(self):
        self.up = False
        self.results, self.items, self.taken = [], [], []
        self.esme = None

    def link_changed(self, status):
        self.up = status.link is Link.UP

    def room_changed(self, connector):
        pass

    def outcomes(self, connector, outcomes):
        self.results.extend(outcomes)

    def received(self, connector, items):
        self.items.extend(items)

    async def until(self, fact):
        async with asyncio.timeout(PATIENCE):
            while not fact():
                await asyncio.sleep(0.005)


async def serve(server, diary, judge):
    """Take what comes, until cancelled."""
    while True:
        event = await server.next()
        if isinstance(event, smpp34.Esme):
            diary.esme = event
        elif isinstance(event, smpp34.SubmitSmEvent):
            diary.taken.append(event)
            status = judge(event)
            if status:
                event.reject(status)
            else:
                event.accept(f"m{len(diary.taken)}")


@asynccontextmanager
async def connected(judge=lambda _event: 0, **more):
    diary = Diary()
    port = free_port()
    server = smpp34.Server("127.0.0.1", port, system_id="STRICT")
    await server.start()
    serving = asyncio.create_task(serve(server, diary, judge))
    settings = SmppSettings(host="127.0.0.1", port=port, system_id="clinic", password=Secret("pw"), **more)
    connector = SmppConnector(
        "operator", settings, retry=Backoff(first=0.01, limit=0.1), refused_retry=Backoff(first=0.01, limit=0.1)
    )
    await connector.open(diary)
    try:
        await diary.until(lambda: diary.up and diary.esme is not None)
        yield connector, diary
    finally:
        await connector.close(timedelta(seconds=5))
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
        await server.stop()


def part(number, text="Hola", **more):
    values = {"destination": f"+3460011{number:04}", "alphabet": "gsm7", **more}
    return Outgoing(key=PartKey(number, 1), text=text, **values)


def long_parts(number, text):
    cut = split(text)
    return [
        Outgoing(
            key=PartKey(number, place), destination="+34600111222", text=piece, alphabet=cut.alphabet,
            concat=Concat(reference=number, total=len(cut.parts), part=place),
        )
        for place, piece in enumerate(cut.parts, 1)
    ]  # fmt: skip


def test_texts_are_taken_with_every_field_as_it_was_meant():
    async def main():
        async with connected(window=100, sender="Clinica", validity=90) as (connector, diary):
            connector.submit([part(n, f"Cita {n} ñ€") for n in range(500)])
            await diary.until(lambda: len(diary.results) == 500)
            assert {outcome.result for outcome in diary.results} == {Result.ACCEPTED}
            assert len({outcome.network_id for outcome in diary.results}) == 500
            # It hands them on in an order of its own.
            taken = sorted(diary.taken, key=lambda event: event.destination_addr)
            texts = [decode_text(event.short_message, event.data_coding, "gsm7") for event in taken]
            assert texts == [f"Cita {n} ñ€" for n in range(500)]
            first = taken[0]
            assert (first.source_addr, first.source_addr_ton) == ("Clinica", 5)
            assert (first.destination_addr, first.dest_addr_ton, first.dest_addr_npi) == ("34600110000", 1, 1)
            assert first.registered_delivery == 1

    asyncio.run(main())


@pytest.mark.parametrize("form", ["udh", "sar", "payload"])
@pytest.mark.parametrize("text", ["Año nuevo: 5 € [hoy] ~ " * 15, "Привет 😀, до завтра! " * 12], ids=["gsm7", "ucs2"])
def test_long_texts_are_taken_in_every_form(form, text):
    async def main():
        async with connected(long_texts=form, user_message_reference=True) as (connector, diary):
            sent = long_parts(7, text)
            connector.submit(sent)
            await diary.until(lambda: len(diary.results) == len(sent))
            assert {outcome.result for outcome in diary.results} == {Result.ACCEPTED}
            pieces = {}
            for event in diary.taken:
                tlvs = {tlv.tag: tlv.value for tlv in event.tlvs}
                assert tlvs[smpp34.TLV_USER_MESSAGE_REFERENCE] == b"\0\7"
                octets = event.short_message or tlvs[smpp34.TLV_MESSAGE_PAYLOAD]
                header = octets[0] + 1 if event.esm_class & 0x40 else 0
                place = octets[5] if header else tlvs.get(smpp34.TLV_SAR_SEGMENT_SEQNUM, b"\1")[0]
                pieces[place] = decode_text(octets[header:], event.data_coding, "gsm7")
                assert (smpp34.TLV_SAR_MSG_REF_NUM in tlvs) is (form == "sar")
            assert "".join(pieces[place] for place in sorted(pieces)) == text

    asyncio.run(main())


def test_refusals_and_throttling_are_told_apart():
    answers = {1: smpp34.ESME_RINVDSTADR, 2: smpp34.ESME_RTHROTTLED, 3: smpp34.ESME_RMSGQFUL, 4: smpp34.ESME_RSYSERR}

    async def main():
        async with connected(lambda event: answers.get(int(event.destination_addr[-4:]), 0)) as (connector, diary):
            connector.submit([part(n) for n in range(5)])
            await diary.until(lambda: len(diary.results) == 5)
            told = {outcome.key.message: (outcome.result, outcome.code) for outcome in diary.results}
            assert told == {
                0: (Result.ACCEPTED, None),
                1: (Result.REFUSED, "smsc-refused-number"),
                2: (Result.RETURNED, "smsc-throttled"),
                3: (Result.RETURNED, "smsc-throttled"),
                4: (Result.RETURNED, "smsc-in-trouble"),
            }

    asyncio.run(main())


def test_reports_and_texts_come_in_and_are_acknowledged():
    report = b"id:m1 sub:001 dlvrd:001 submit date:2603010930 done date:2603010931 stat:DELIVRD err:000 text:Hola"

    async def main():
        async with connected() as (connector, diary):
            tlvs = [
                smpp34.Tlv(smpp34.TLV_RECEIPTED_MESSAGE_ID, b"m1\0"),
                smpp34.Tlv(smpp34.TLV_MESSAGE_STATE, b"\x02"),
            ]
            asked = [
                diary.esme.deliver_sm("5500", report, source_addr="34600111222", source_addr_ton=1, esm_class=4),
                diary.esme.deliver_sm(
                    "5500", b"", source_addr="34600111222", source_addr_ton=1, esm_class=4, tlvs=tlvs
                ),
                diary.esme.deliver_sm("5500", b"S\x01", source_addr="34600111222", source_addr_ton=1),
            ]
            answers = asyncio.gather(*asked)
            await diary.until(lambda: len(diary.items) == 3)
            connector.acknowledge([entry.token for entry in diary.items])
            async with asyncio.timeout(PATIENCE):
                assert all(answer.is_success for answer in await answers)
            receipts = [entry.item for entry in diary.items if isinstance(entry.item, Receipt)]
            assert [(receipt.network_id, receipt.state) for receipt in receipts] == [("m1", "DELIVRD")] * 2
            assert [entry.item.text for entry in diary.items if isinstance(entry.item, Inbound)] == ["S£"]

    asyncio.run(main())


def test_its_decoder_reads_what_we_write():
    ours = pdus.SubmitSm(
        sequence=7, service_type="CMT", source_addr_ton=5, source_addr="Clinica", dest_addr_ton=1, dest_addr_npi=1,
        destination_addr="34600111222", esm_class=0x40, priority_flag=1, validity_period="000000013000000R",
        registered_delivery=1, data_coding=8, short_message=b"\5\0\3\7\2\1\0A",
        tlvs={Tag.USER_MESSAGE_REFERENCE: b"\0\7"},
    )  # fmt: skip
    wire = pdus.encode(ours)
    theirs = smpp34.decode(wire)
    assert theirs.encode() == wire
    for name in ("service_type", "source_addr", "destination_addr", "esm_class", "validity_period", "short_message"):
        assert getattr(theirs, name) == getattr(ours, name)
