"""The SMPP connector against a small SMSC in the same loop: what becomes of each part, whatever the network does."""

import asyncio
import contextlib
import socket
from datetime import timedelta

import pytest

from tests.port import free_port
from xlsms.errors import TransientError, UserError
from xlsms.model import Concat, Inbound, PartKey, Receipt, Result
from xlsms_service.config.secret import Secret
from xlsms_service.connectors.backoff import Backoff
from xlsms_service.connectors.base import Link
from xlsms_service.connectors.smpp import SmppConnector
from xlsms_service.protocols.smpp import pdu as pdus
from xlsms_service.protocols.smpp.constants import Status, Tag
from xlsms_service.protocols.smpp.pdu import encode

SHORT = 0.02  # seconds, where a time-out is what the test is about


def accept(peer, pdu: pdus.SubmitSm) -> pdus.Pdu:
    return pdus.SubmitSmResp(sequence=pdu.sequence, message_id=f"n{pdu.sequence}")


def port(server: asyncio.Server) -> int:
    return server.sockets[0].getsockname()[1]


async def listen_only(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        await reader.read()
    writer.close()


def never(peer, pdu: pdus.SubmitSm) -> None:
    return None


# --- the good day ----------------------------------------------------------------------------------------------------


def test_parts_are_accepted_under_the_ids_of_the_network(kit) -> None:
    async def main() -> None:
        async with kit.smsc() as smsc, kit.connected(smsc.port) as (connector, told):
            assert [status.link for status in told.statuses] == [Link.CONNECTING, Link.UP]
            assert connector.room() == 10
            assert told.rooms == 1
            connector.submit([kit.part(1), kit.part(2, "Año")])
            assert told.results == []  # never before submit returns
            await told.until(lambda: len(told.results) == 2)
            assert [(o.key, o.result, o.network_id, o.code) for o in told.results] == [
                (PartKey(1, 1), Result.ACCEPTED, "id1", None),
                (PartKey(2, 1), Result.ACCEPTED, "id2", None),
            ]
            assert connector.room() == 10
            assert told.rooms > 1

    asyncio.run(main())


def test_the_bind_says_what_the_settings_say(kit) -> None:
    async def main() -> None:
        more = {"bind": "transmitter", "system_type": "SMS", "address_range": "^34"}
        async with kit.smsc() as smsc, kit.connected(smsc.port, **more) as (connector, _):
            assert smsc.read == [
                pdus.BindTransmitter(
                    sequence=1, system_id="clinic", password="pw", system_type="SMS", address_range="^34"
                )
            ]
            assert not connector.capabilities.receipts
            assert not connector.capabilities.inbound

    asyncio.run(main())


def test_a_batch_larger_than_the_window_waits_inside(kit) -> None:
    async def main() -> None:
        async with kit.smsc() as smsc, kit.connected(smsc.port, window=3) as (connector, told):
            smsc.on_submit = never
            connector.submit([kit.part(n) for n in range(8)])
            assert connector.room() == 0
            await smsc.until(lambda: len(smsc.submits) == 3)
            # A slow answer blocks only itself.
            smsc.peer.send(accept(None, smsc.submits[1]))
            await smsc.until(lambda: len(smsc.submits) == 4)
            assert [outcome.key.message for outcome in told.results] == [1]
            assert connector.room() == 0
            held = [pdu for pdu in smsc.submits if pdu is not smsc.submits[1]]
            smsc.on_submit = accept
            smsc.peer.send(*[accept(None, pdu) for pdu in held])
            await told.until(lambda: len(told.results) == 8)
            assert sorted(outcome.key.message for outcome in told.results) == list(range(8))
            assert connector.room() == 3

    asyncio.run(main())


def submitted(kit, *parts, **more: object) -> list[pdus.SubmitSm]:
    """What reaches the network for these parts."""

    async def main() -> list[pdus.SubmitSm]:
        async with kit.smsc() as smsc, kit.connected(smsc.port, **more) as (connector, told):
            connector.submit(parts)
            await told.until(lambda: len(told.results) == len(parts))
            return smsc.submits

    return asyncio.run(main())


def test_plain_part_on_the_wire(kit) -> None:
    [pdu] = submitted(kit, kit.part(text="Año 5€", sender="5500"), short_code_ton=3)
    assert pdu == pdus.SubmitSm(
        sequence=2,
        source_addr_ton=3,
        source_addr="5500",
        dest_addr_ton=1,
        dest_addr_npi=1,
        destination_addr="34600111222",
        registered_delivery=1,
        short_message=b"A\x7do 5\x1b\x65",
    )


def test_unicode_part_of_a_long_message_on_the_wire(kit) -> None:
    concat = Concat(reference=0x9A, total=3, part=2)
    part = kit.part(text="ё😀", alphabet="ucs2", concat=concat, receipt=False, validity=timedelta(days=2, minutes=5))
    [pdu] = submitted(kit, part, sender="Clinica", service_type="CMT")
    assert pdu == pdus.SubmitSm(
        sequence=2,
        service_type="CMT",
        source_addr_ton=5,
        source_addr="Clinica",
        dest_addr_ton=1,
        dest_addr_npi=1,
        destination_addr="34600111222",
        esm_class=0x40,
        validity_period="000002000500000R",
        data_coding=8,
        short_message=bytes.fromhex("0500039A0302 0451 D83DDE00"),
    )


def test_wide_reference_and_international_sender_on_the_wire(kit) -> None:
    part = kit.part(text="x", sender="+34911222333", concat=Concat(reference=0x1234, total=2, part=1, wide=True))
    [pdu] = submitted(kit, part)
    assert (pdu.source_addr_ton, pdu.source_addr_npi, pdu.source_addr) == (1, 1, "34911222333")
    assert pdu.short_message == bytes.fromhex("06080412340201") + b"x"


def test_without_a_sender_the_operator_chooses(kit) -> None:
    [pdu] = submitted(kit, kit.part())
    assert (pdu.source_addr_ton, pdu.source_addr_npi, pdu.source_addr) == (0, 0, "")


def test_default_alphabet_is_the_operators(kit) -> None:
    [pdu] = submitted(kit, kit.part(text="Año"), data_coding_0="latin1")
    assert (pdu.data_coding, pdu.short_message) == (0, b"A\xf1o")


# --- refusals --------------------------------------------------------------------------------------------------------


def test_what_cannot_be_carried_is_refused_and_the_rest_goes_on(kit) -> None:
    parts = [
        kit.part(1, "5€"),
        kit.part(2, sender="Ελλάδα"),
        kit.part(3, "x" * 300),
        kit.part(4, "ok"),
        kit.part(5, concat=Concat(reference=300, total=2, part=1)),
        kit.part(6, destination="+" + "3" * 25),
    ]

    async def main() -> None:
        async with kit.smsc() as smsc, kit.connected(smsc.port, data_coding_0="latin1", window=2) as (connector, told):
            connector.submit(parts)
            await told.until(lambda: len(told.results) == len(parts))
            assert [pdu.short_message for pdu in smsc.submits] == [b"ok"]
            assert connector.room() == 2
            refused = {o.key.message: o.facts["field"] for o in told.results if o.result is Result.REFUSED}
            fields = {1: "text", 2: "source_addr", 3: "short_message", 5: "concat", 6: "destination_addr"}
            assert refused == fields
            assert {o.code for o in told.results} == {None, "smsc-cannot-carry"}

    asyncio.run(main())


def test_throttling_returns_the_part_and_slows_the_link(kit) -> None:
    async def main() -> None:
        async with kit.smsc() as smsc, kit.connected(smsc.port) as (connector, told):
            smsc.on_submit = lambda peer, pdu: pdus.SubmitSmResp(sequence=pdu.sequence, status=Status.THROTTLED)
            connector.submit([kit.part()])
            await told.until(lambda: told.results)
            [outcome] = told.results
            assert (outcome.result, outcome.code) == (Result.RETURNED, "smsc-throttled")
            assert outcome.retry_after == timedelta(seconds=1)
            assert told.link is Link.UP
            assert connector.room() == 1

    asyncio.run(main())


def test_a_receiver_refuses_to_send(kit) -> None:
    async def main() -> None:
        async with kit.smsc() as smsc, kit.connected(smsc.port, bind="receiver") as (connector, told):
            assert connector.room() == 0
            connector.submit([kit.part()])
            await told.until(lambda: told.results)
            assert [(o.result, o.code) for o in told.results] == [(Result.REFUSED, "smsc-receives-only")]

    asyncio.run(main())


# --- what is lost ----------------------------------------------------------------------------------------------------


def test_lost_answer_is_uncertain_and_frees_its_slot(kit) -> None:
    async def main() -> None:
        async with kit.smsc() as smsc, kit.connected(smsc.port, window=1, response_timeout=0.5) as (connector, told):
            smsc.on_submit = lambda peer, pdu: None if pdu.sequence == 2 else accept(peer, pdu)
            connector.submit([kit.part(1), kit.part(2)])
            await told.until(lambda: len(told.results) == 2)
            assert [(o.key.message, o.result, o.code) for o in told.results] == [
                (1, Result.UNCERTAIN, "answer-lost"),
                (2, Result.ACCEPTED, None),
            ]
            smsc.peer.send(pdus.SubmitSmResp(sequence=2, message_id="late"))
            connector.submit([kit.part(3)])
            await told.until(lambda: len(told.results) == 3)
            assert told.results[2].key.message == 3
            [late] = told.late
            assert (late.key.message, late.result, late.network_id) == (1, Result.ACCEPTED, "late")

    asyncio.run(main())


def test_dropped_link_leaves_written_parts_uncertain_and_returns_the_rest(kit) -> None:
    async def main() -> None:
        async with kit.smsc() as smsc, kit.connected(smsc.port, window=2) as (connector, told):
            smsc.on_submit = never
            connector.submit([kit.part(n) for n in range(5)])
            await smsc.until(lambda: len(smsc.submits) == 2)
            smsc.peer.transport.abort()
            await told.until(lambda: len(told.results) == 5)
            results = {outcome.key.message: (outcome.result, outcome.code) for outcome in told.results}
            assert results == {
                0: (Result.UNCERTAIN, "link-lost"),
                1: (Result.UNCERTAIN, "link-lost"),
                2: (Result.RETURNED, "link-down"),
                3: (Result.RETURNED, "link-down"),
                4: (Result.RETURNED, "link-down"),
            }
            smsc.on_submit = accept
            await told.until(lambda: [s.link for s in told.statuses].count(Link.UP) == 2)
            connector.submit([kit.part(9)])
            await told.until(lambda: len(told.results) == 6)
            assert told.results[5].result is Result.ACCEPTED

    asyncio.run(main())


def test_parts_of_the_turn_in_which_the_link_is_found_dead_are_returned(kit) -> None:
    async def main() -> None:
        async with kit.smsc() as smsc, kit.connected(smsc.port) as (connector, told):
            connector._lines[0].link.abort()
            connector.submit([kit.part()])
            await told.until(lambda: told.results)
            assert [(o.result, o.code) for o in told.results] == [(Result.RETURNED, "link-down")]
            assert smsc.submits == []

    asyncio.run(main())


def test_link_that_falls_silent_is_given_up_and_made_anew(kit) -> None:
    async def main() -> None:
        async with (
            kit.smsc() as smsc,
            kit.connected(smsc.port, enquire_link=SHORT, response_timeout=0.5) as (_, told),
        ):
            await smsc.until(smsc.has(pdus.EnquireLink, 2))  # answered, so the link stands
            assert [status.link for status in told.statuses] == [Link.CONNECTING, Link.UP]
            smsc.peer.silent = True
            await told.until(lambda: [s.link for s in told.statuses].count(Link.UP) == 2)
            down = next(status for status in told.statuses if status.link is Link.DOWN)
            assert down.error.code == "smsc-silent"
            assert down.retry_in is not None

    asyncio.run(main())


def test_unbind_of_the_network_is_answered_and_the_link_made_anew(kit) -> None:
    async def main() -> None:
        async with kit.smsc() as smsc, kit.connected(smsc.port) as (_, told):
            smsc.peer.send(pdus.Unbind(sequence=77))
            await smsc.until(smsc.has(pdus.UnbindResp))
            await told.until(lambda: [s.link for s in told.statuses].count(Link.UP) == 2)
            assert pdus.UnbindResp(sequence=77) in smsc.read
            assert next(s for s in told.statuses if s.link is Link.DOWN).error.code == "smsc-hung-up"

    asyncio.run(main())


def test_rubbish_ends_the_link_not_the_connector(kit) -> None:
    async def main() -> None:
        async with kit.smsc() as smsc, kit.connected(smsc.port) as (_, told):
            smsc.peer.transport.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            await told.until(lambda: [s.link for s in told.statuses].count(Link.UP) == 2)
            assert next(s for s in told.statuses if s.link is Link.DOWN).error.code == "smsc-garbled"
            assert smsc.has(pdus.GenericNack)()

    asyncio.run(main())


def test_pdu_split_anywhere_and_unknown_ones_between_do_no_harm(kit) -> None:
    async def main() -> None:
        async with kit.smsc() as smsc, kit.connected(smsc.port) as (connector, told):
            smsc.on_submit = never
            connector.submit([kit.part()])
            await smsc.until(lambda: smsc.submits)
            data_sm = encode(pdus.Unknown(sequence=5, command_id=0x103))
            answer = encode(pdus.SubmitSmResp(sequence=2, message_id="7"))
            smsc.peer.transport.write(data_sm + answer[:11])
            await smsc.until(smsc.has(pdus.GenericNack))  # it has read as far as there is
            smsc.peer.transport.write(answer[11:])
            await told.until(lambda: told.results)
            assert told.results[0].network_id == "7"

    asyncio.run(main())


# --- a link that cannot be had ---------------------------------------------------------------------------------------


def test_while_the_network_is_not_there_everything_is_returned(kit) -> None:
    async def main() -> None:
        port = free_port()
        async with kit.connected(port, wait_up=False) as (connector, told):
            await told.until(lambda: told.link is Link.DOWN)
            status = told.statuses[-1]
            assert isinstance(status.error, TransientError)
            assert status.error.code == "smsc-unreachable"
            assert (status.error.facts["host"], status.error.facts["port"]) == ("127.0.0.1", port)
            assert status.retry_in > timedelta(0)
            assert connector.room() == 0
            connector.submit([kit.part(1), kit.part(2)])
            await told.until(lambda: len(told.results) == 2)
            assert {(o.result, o.code) for o in told.results} == {(Result.RETURNED, "link-down")}
            async with kit.smsc(port=port):
                await told.up()

    asyncio.run(main())


@pytest.mark.parametrize("host", ["no-such-host.invalid", "a..b"])
def test_wrong_host_names_are_a_link_that_is_down(kit, host: str) -> None:
    async def main() -> None:
        async with kit.connected(2775, wait_up=False, host=host) as (_, told):
            await told.until(lambda: told.link is Link.DOWN)
            assert told.statuses[-1].error.code == "smsc-unreachable"

    asyncio.run(main())


@pytest.mark.parametrize("status", [Status.BIND_FAILED, Status.WRONG_PASSWORD, Status.WRONG_SYSTEM_ID])
def test_refused_login_is_for_the_user_to_mend_and_is_tried_again(kit, status: Status) -> None:
    async def main() -> None:
        async with kit.smsc() as smsc:
            smsc.bind_status = status
            async with kit.connected(smsc.port, wait_up=False) as (_, told):
                await told.until(lambda: told.link is Link.REFUSED)
                error = told.statuses[-1].error
                assert isinstance(error, UserError)
                assert error.code == "smsc-login-refused"
                assert "clinic" in error.message()
                assert "pw" not in str(error)
                smsc.bind_status = 0
                await told.up()

    asyncio.run(main())


def test_after_a_refused_login_nobody_knocks_again_at_once(kit) -> None:
    """Operators lock out who does."""

    async def main() -> float:
        async with kit.smsc() as smsc:
            smsc.bind_status = Status.WRONG_PASSWORD
            told = kit.Listener()
            connector = SmppConnector("operator", kit.settings(smsc.port), retry=Backoff(first=0.001, limit=0.01))
            await connector.open(told)
            await told.until(lambda: told.link is Link.REFUSED)
            wait = told.statuses[-1].retry_in.total_seconds()
            await connector.close()
            return wait

    assert 30 <= asyncio.run(main()) <= 60


def test_other_refusals_of_a_bind_may_pass_by_themselves(kit) -> None:
    async def main() -> None:
        async with kit.smsc() as smsc:
            smsc.bind_status = Status.ALREADY_BOUND
            async with kit.connected(smsc.port, wait_up=False) as (_, told):
                await told.until(lambda: told.link is Link.DOWN)
                assert told.statuses[-1].error.code == "smsc-bind-refused"

    asyncio.run(main())


def test_bind_without_an_answer_is_given_up(kit) -> None:
    async def main() -> None:
        async with kit.smsc() as smsc:
            smsc.answer = lambda peer, pdu: None
            async with kit.connected(smsc.port, wait_up=False, connect_timeout=SHORT) as (_, told):
                await smsc.until(smsc.has(pdus.BindTransceiver, 2))
                await told.until(lambda: told.link is Link.DOWN)
                assert told.statuses[-1].error.code in {"smsc-silent", "smsc-unreachable"}

    asyncio.run(main())


def test_password_that_cannot_be_had_or_written_is_a_refused_link(kit, monkeypatch) -> None:
    async def main(password: Secret) -> str:
        async with kit.smsc() as smsc, kit.connected(smsc.port, wait_up=False, password=password) as (_, told):
            await told.until(lambda: told.link is Link.REFUSED)
            return told.statuses[-1].error.code

    monkeypatch.delenv("NO_SUCH_VARIABLE", raising=False)
    assert asyncio.run(main(Secret(variable="NO_SUCH_VARIABLE"))) == "secret-not-set"
    assert asyncio.run(main(Secret("密码"))) == "smsc-cannot-carry"


@pytest.mark.parametrize(("steady", "works", "longest"), [(0, False, 0.001), (3600, True, 0.001), (3600, False, 0.016)])
def test_link_that_stood_for_long_or_did_its_work_begins_its_waits_anew(
    kit, monkeypatch, steady: float, works: object, longest: float
) -> None:
    async def main() -> float:
        monkeypatch.setattr("xlsms_service.connectors.smpp.line._STEADY", steady)
        async with kit.smsc() as smsc:
            told = kit.Listener()
            connector = SmppConnector("operator", kit.settings(smsc.port), retry=Backoff(first=0.001, limit=100))
            await connector.open(told)
            for count in range(1, 6):
                await told.until(lambda count=count: [s.link for s in told.statuses].count(Link.UP) == count)
                if works:
                    connector.submit([kit.part(count)])
                    await told.until(lambda count=count: len(told.results) == count)
                smsc.peer.transport.abort()
                await told.until(lambda count=count: [s.link for s in told.statuses].count(Link.DOWN) == count)
            await connector.close()
            return max(status.retry_in.total_seconds() for status in told.statuses if status.retry_in)

    assert longest / 2 <= asyncio.run(main()) <= longest


def test_server_that_never_speaks_is_given_up(kit) -> None:
    async def main() -> None:
        async with (
            await asyncio.start_server(listen_only, "127.0.0.1", 0) as server,
            kit.connected(port(server), wait_up=False, tls=True, verify=False, connect_timeout=SHORT) as (_, told),
        ):
            await told.until(lambda: told.link is Link.DOWN)
            assert told.statuses[-1].error.code == "smsc-unreachable"

    asyncio.run(main())


# --- what comes in ---------------------------------------------------------------------------------------------------


def test_texts_and_receipts_are_answered_only_when_they_are_durable(kit) -> None:
    async def main() -> None:
        async with kit.smsc() as smsc, kit.connected(smsc.port) as (connector, told):
            text = pdus.DeliverSm(sequence=41, source_addr_ton=1, source_addr="34600111222", short_message=b"SI")
            receipt = pdus.DeliverSm(
                sequence=42,
                source_addr_ton=1,
                source_addr="34600111222",
                esm_class=4,
                short_message=b"id:7 sub:001 dlvrd:001 submit date:2611221905 done date:2611221906 stat:DELIVRD err:000 text:-",
            )
            smsc.peer.send(text, receipt)
            await told.until(lambda: len(told.items) == 2)
            inbound, report = (item.item for item in told.items)
            assert isinstance(inbound, Inbound)
            assert (inbound.connector, inbound.sender, inbound.text) == ("operator", "+34600111222", "SI")
            assert isinstance(report, Receipt)
            assert (report.network_id, report.state, report.recipient) == ("7", "DELIVRD", "+34600111222")
            smsc.peer.send(pdus.EnquireLink(sequence=43))
            await smsc.until(smsc.has(pdus.EnquireLinkResp))
            assert not smsc.has(pdus.DeliverSmResp)()
            connector.acknowledge([told.items[1].token])
            await smsc.until(smsc.has(pdus.DeliverSmResp))
            connector.acknowledge([told.items[0].token])
            await smsc.until(smsc.has(pdus.DeliverSmResp, 2))
            answers = [pdu for pdu in smsc.read if isinstance(pdu, pdus.DeliverSmResp)]
            assert answers == [pdus.DeliverSmResp(sequence=42), pdus.DeliverSmResp(sequence=41)]

    asyncio.run(main())


def test_token_of_a_link_that_is_gone_is_ignored(kit) -> None:
    async def main() -> None:
        async with kit.smsc() as smsc, kit.connected(smsc.port) as (connector, told):
            smsc.peer.send(pdus.DeliverSm(sequence=41, short_message=b"SI"))
            await told.until(lambda: told.items)
            smsc.peer.transport.abort()
            await told.until(lambda: [s.link for s in told.statuses].count(Link.UP) == 2)
            connector.acknowledge([told.items[0].token, "rubbish"])
            connector.submit([kit.part()])
            await told.until(lambda: told.results)
            assert not smsc.has(pdus.DeliverSmResp)()

    asyncio.run(main())


def test_delivery_that_cannot_be_read_is_nacked_and_the_link_stays(kit) -> None:
    async def main() -> None:
        async with kit.smsc() as smsc, kit.connected(smsc.port) as (_, told):
            broken = encode(pdus.DeliverSm(sequence=9, tlvs={Tag.MESSAGE_STATE: b"\2"}))
            cut = (len(broken) - 1).to_bytes(4, "big") + broken[4:-1]
            smsc.peer.transport.write(cut + encode(pdus.DeliverSm(sequence=10, short_message=b"hi")))
            await told.until(lambda: told.items)
            await smsc.until(smsc.has(pdus.GenericNack))
            assert pdus.GenericNack(sequence=9, status=Status.BROKEN_TLVS) in smsc.read
            assert told.link is Link.UP

    asyncio.run(main())


# --- leaving ---------------------------------------------------------------------------------------------------------


def test_closing_waits_for_answers_and_takes_leave(kit) -> None:
    async def main() -> None:
        async with kit.smsc() as smsc, kit.connected(smsc.port, window=2) as (connector, told):
            smsc.on_submit = never
            connector.submit([kit.part(n) for n in range(3)])
            await smsc.until(lambda: len(smsc.submits) == 2)
            closing = asyncio.create_task(connector.close(timedelta(seconds=kit.patience)))
            await told.until(lambda: told.results)
            assert [(o.key.message, o.result) for o in told.results] == [(2, Result.RETURNED)]
            connector.submit([kit.part(8)])
            smsc.peer.send(*[accept(None, pdu) for pdu in smsc.submits])
            await closing
            assert {o.key.message: o.result for o in told.results} == {
                0: Result.ACCEPTED,
                1: Result.ACCEPTED,
                2: Result.RETURNED,
                8: Result.RETURNED,
            }
            assert isinstance(smsc.read[-1], pdus.Unbind)
            assert told.link is Link.DOWN
            assert told.statuses[-1].error is None
            await connector.close()

    asyncio.run(main())


def test_what_is_open_when_the_patience_ends_is_uncertain(kit) -> None:
    async def main() -> None:
        async with kit.smsc() as smsc, kit.connected(smsc.port) as (connector, told):
            smsc.on_submit = never
            connector.submit([kit.part()])
            await smsc.until(lambda: smsc.submits)
            await connector.close(timedelta(0))
            assert [(o.result, o.code) for o in told.results] == [(Result.UNCERTAIN, "link-lost")]
            assert [status.link for status in told.statuses] == [Link.CONNECTING, Link.UP, Link.DOWN]

    asyncio.run(main())


def test_closing_gives_up_on_a_network_that_does_not_let_go(kit) -> None:
    async def main() -> None:
        async with kit.smsc() as smsc, kit.connected(smsc.port) as (connector, told):
            smsc.peer.silent = True
            await connector.close(timedelta(seconds=SHORT))
            assert told.link is Link.DOWN

    asyncio.run(main())


def test_closing_a_link_that_is_not_up_and_opening_it_again(kit) -> None:
    async def main() -> None:
        async with kit.smsc() as smsc:
            smsc.answer = lambda peer, pdu: None
            told = kit.Listener()
            connector = SmppConnector("operator", kit.settings(smsc.port), retry=kit.quick())
            await connector.close()
            await connector.open(told)
            await connector.open(told)
            await smsc.until(smsc.has(pdus.BindTransceiver))
            await connector.close(timedelta(seconds=1))
            assert len(smsc.peers) == 1
            del smsc.answer
            await connector.open(told)
            await told.up()
            await connector.close(timedelta(seconds=1))

    asyncio.run(main())


def test_small_writes_are_not_held_back_by_the_system(kit) -> None:
    async def main() -> None:
        async with kit.smsc() as smsc, kit.connected(smsc.port) as (connector, _):
            stream = connector._lines[0].link._transport.get_extra_info("socket")
            assert stream.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)

    asyncio.run(main())
