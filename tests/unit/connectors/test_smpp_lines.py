"""Several connections behind one SMPP connector, calls by the operator, and questions about what it took."""

import asyncio
import socket
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.port import free_port
from xlsms.errors import TransientError, UserError
from xlsms.model import Concat, Receipt, Result
from xlsms_service.config.secret import Secret
from xlsms_service.connectors.base import Asking, Link, LinkStatus, PartAskedAbout
from xlsms_service.connectors.smpp import SmppConnector, settings_from
from xlsms_service.connectors.smpp.sharing import shares, standing
from xlsms_service.protocols.smpp import pdu as pdus
from xlsms_service.protocols.smpp.constants import Status
from xlsms_service.simulators import Pace, Population, Settings, Smsc

ASKED = PartAskedAbout(network_id="id1", destination="+34600111222", sender="5500")


# --- several connections ---------------------------------------------------------------------------------------------


def test_pair_sends_on_one_connection_and_hears_on_the_other(kit) -> None:
    async def main() -> None:
        async with kit.smsc() as smsc, kit.connected(smsc.port, bind="pair") as (connector, told):
            await smsc.until(smsc.has(pdus.BindReceiver))
            receiver = next(peer for peer in smsc.peers if isinstance(peer.read[0], pdus.BindReceiver))
            assert connector.capabilities.receipts
            connector.submit([kit.part(n) for n in range(3)])
            await told.until(lambda: len(told.results) == 3)
            assert [pdu for pdu in receiver.read if isinstance(pdu, pdus.SubmitSm)] == []
            receiver.send(pdus.DeliverSm(sequence=41, short_message=b"SI"))
            await told.until(lambda: told.items)
            connector.acknowledge([told.items[0].token])
            await smsc.until(smsc.has(pdus.DeliverSmResp))
            assert receiver.read[-1] == pdus.DeliverSmResp(sequence=41)

    asyncio.run(main())


def test_parts_are_dealt_out_to_all_connections_and_one_may_fail(kit) -> None:
    async def main() -> None:
        async with kit.smsc() as smsc, kit.connected(smsc.port, binds=3, window=5) as (connector, told):
            await told.until(lambda: connector.room() == 15)
            smsc.on_submit = lambda peer, pdu: None
            connector.submit([kit.part(n) for n in range(16)])
            await smsc.until(lambda: len(smsc.submits) == 15)
            counts = [sum(isinstance(pdu, pdus.SubmitSm) for pdu in peer.read) for peer in smsc.peers]
            assert counts == [5, 5, 5]
            smsc.peer.transport.abort()
            await told.until(lambda: len(told.results) >= 5)
            assert {o.result for o in told.results} <= {Result.UNCERTAIN, Result.RETURNED}
            assert told.link is Link.UP

    asyncio.run(main())


def test_one_rate_is_for_all_connections(kit) -> None:
    async def main() -> None:
        async with kit.smsc() as smsc, kit.connected(smsc.port, binds=2, rate=10) as (connector, _):
            await smsc.until(smsc.has(pdus.BindTransceiver, 2))
            assert connector.room() <= 1

    asyncio.run(main())


def test_long_texts_go_whole_where_the_operator_cuts_them(kit) -> None:
    async def main() -> None:
        async with kit.smsc() as smsc, kit.connected(smsc.port, long_texts="payload") as (connector, told):
            text = "x" * 306
            halves = [
                kit.part(7, text[:153], concat=Concat(7, 2, 1)),
                kit.part(7, text[153:], concat=Concat(7, 2, 2)),
            ]
            connector.submit(halves)
            await told.until(lambda: len(told.results) == 2)
            [pdu] = smsc.submits
            assert (pdu.short_message, list(pdu.tlvs.values())) == (b"", [text.encode()])
            assert [outcome.network_id for outcome in told.results] == ["id1", "id1"]
            assert {outcome.key for outcome in told.results} == {half.key for half in halves}

    asyncio.run(main())


@given(st.integers(0, 5000), st.lists(st.integers(0, 1000), min_size=1, max_size=20))
def test_shares_are_all_parts_and_fit_where_there_is_room(count: int, rooms: list[int]) -> None:
    dealt = shares(count, rooms)
    assert sum(dealt) == count
    assert all(share >= 0 for share in dealt)
    if count <= sum(rooms):
        assert all(share <= room + 1 for share, room in zip(dealt, rooms, strict=True))


def test_connector_stands_as_its_best_sending_link_and_tells_of_one_that_is_not_up() -> None:
    error = TransientError("link-down")

    def status(link: Link) -> LinkStatus:
        return LinkStatus(connector="c", link=link, error=None if link is Link.UP else error)

    up, down, refused, connecting = map(status, (Link.UP, Link.DOWN, Link.REFUSED, Link.CONNECTING))
    assert standing([up], [True]) == up
    assert standing([down, up], [True, False]) == down
    assert standing([down, refused], [True, True]) == refused
    assert standing([refused, connecting], [True, True]) == connecting
    assert standing([down], [False]) == down
    assert standing([up, refused], [True, False]) == LinkStatus(connector="c", link=Link.UP, error=error)


# --- questions -------------------------------------------------------------------------------------------------------


def answering(smsc, *answers: pdus.Pdu) -> None:
    """Answer questions with these, in turn."""
    usual, waiting = smsc.answer, list(answers)

    def answer(peer, pdu: pdus.Pdu) -> None:
        if isinstance(pdu, pdus.QuerySm | pdus.CancelSm):
            peer.send(type(waiting[0])(**{**fields(waiting[0]), "sequence": pdu.sequence}))
            waiting.pop(0)
        else:
            usual(peer, pdu)

    smsc.answer = answer


def fields(pdu: pdus.Pdu) -> dict[str, object]:
    return {name: getattr(pdu, name) for name in pdu.__dataclass_fields__ if name != "command"}


def test_query_is_answered_as_a_receipt_would(kit) -> None:
    done = (datetime.now(UTC) - timedelta(days=2)).replace(second=0, microsecond=0)

    async def main() -> None:
        async with kit.smsc() as smsc, kit.connected(smsc.port) as (connector, _):
            assert isinstance(connector, Asking)
            answering(
                smsc,
                pdus.QuerySmResp(
                    sequence=1, message_id="id1", final_date=f"{done:%y%m%d%H%M%S}000+", message_state=2, error_code=0
                ),
                pdus.QuerySmResp(sequence=1, status=Status.QUERY_FAILED),
                pdus.GenericNack(sequence=1, status=Status.INVALID_COMMAND),
            )
            receipt = await connector.query(ASKED)
            assert isinstance(receipt, Receipt)
            assert (receipt.network_id, receipt.state, receipt.recipient) == ("id1", "DELIVRD", "+34600111222")
            assert receipt.done_at == done
            assert await connector.query(ASKED) is None
            with pytest.raises(TransientError) as caught:
                await connector.query(ASKED)
            assert caught.value.code == "smsc-says-nothing"
            asked = next(pdu for pdu in smsc.read if isinstance(pdu, pdus.QuerySm))
            assert (asked.message_id, asked.source_addr) == ("id1", "5500")

    asyncio.run(main())


@pytest.mark.parametrize("date", ["00010101000000", "99991231235959", "680101000000000+"])
def test_time_that_cannot_be_is_not_shown(kit, date: str) -> None:
    async def main() -> None:
        async with kit.smsc() as smsc, kit.connected(smsc.port) as (connector, _):
            answering(smsc, pdus.QuerySmResp(sequence=1, message_id="id1", final_date=date, message_state=2))
            receipt = await connector.query(ASKED)
            assert isinstance(receipt, Receipt)
            assert (receipt.state, receipt.done_at) == ("DELIVRD", None)

    asyncio.run(main())


def test_id_that_no_question_can_carry_is_not_known(kit) -> None:
    """SMPP 3.4 ends ids at 64 characters; answers with longer ones are taken."""

    async def main() -> None:
        async with kit.smsc() as smsc, kit.connected(smsc.port) as (connector, _):
            part = PartAskedAbout(network_id="x" * 70, destination="+34600111222")
            assert await connector.query(part) is None
            assert not await connector.cancel(part)
            assert not [pdu for pdu in smsc.read if isinstance(pdu, pdus.QuerySm | pdus.CancelSm)]

    asyncio.run(main())


def test_cancel_names_the_message_and_says_whether_it_is_taken_back(kit) -> None:
    async def main() -> None:
        async with kit.smsc() as smsc, kit.connected(smsc.port, id_form="answer-hex") as (connector, _):
            answering(
                smsc,
                pdus.CancelSmResp(sequence=1),
                pdus.CancelSmResp(sequence=1, status=Status.CANCEL_FAILED),
                pdus.CancelSmResp(sequence=1, status=Status.SYSTEM_ERROR),
                pdus.CancelSmResp(sequence=1, status=Status.QUEUE_FULL),
                pdus.CancelSmResp(sequence=1, status=Status.INVALID_COMMAND),
            )
            part = PartAskedAbout(network_id="255", destination="+34600111222")
            assert await connector.cancel(part)
            assert not await connector.cancel(part)
            for code in ("smsc-in-trouble", "smsc-throttled", "smsc-says-nothing"):
                with pytest.raises(TransientError, match=code):
                    await connector.cancel(part)
            asked = next(pdu for pdu in smsc.read if isinstance(pdu, pdus.CancelSm))
            assert (asked.message_id, asked.destination_addr, asked.dest_addr_ton) == ("ff", "34600111222", 1)

    asyncio.run(main())


@pytest.mark.parametrize("how", ["silence", "cut", "down"])
def test_question_without_an_answer_is_an_error_that_may_pass(kit, how: str) -> None:
    async def main() -> str:
        async with kit.smsc() as smsc, kit.connected(smsc.port, response_timeout=0.05) as (connector, told):
            if how == "down":
                await connector.close(timedelta(0))
            asking = asyncio.create_task(connector.query(ASKED))
            if how == "cut":
                await smsc.until(smsc.has(pdus.QuerySm))
                smsc.peer.transport.abort()
            with pytest.raises(TransientError) as caught:
                await asking
            assert told.results == []
            return caught.value.code

    assert (
        asyncio.run(main())
        in {"silence": {"answer-lost"}, "cut": {"link-lost", "answer-lost"}, "down": {"link-down"}}[how]
    )


def test_simulated_network_is_asked_and_takes_back_what_no_phone_has(kit) -> None:
    async def main() -> None:
        smsc = Smsc(Population.of("off", pace=Pace(expiry=3600, jitter=0)), Settings())
        async with smsc.serve() as server, kit.connected(server.port) as (connector, told):
            connector.submit([kit.part(1)])
            await told.until(lambda: told.results)
            part = PartAskedAbout(network_id=told.results[0].network_id, destination="+34600111222")
            assert (await connector.query(part)).state == "ENROUTE"
            assert await connector.cancel(part)
            assert not await connector.cancel(part)
            assert (await connector.query(part)).state == "DELETED"
            await told.until(lambda: told.items)
            assert told.items[0].item.state == "DELETED"
            assert await connector.query(PartAskedAbout(network_id="x", destination="+34600111222")) is None

    asyncio.run(main())


# --- the operator calls ----------------------------------------------------------------------------------------------

AGREED = {"outbind_system_id": "smsc", "outbind_password": Secret("call")}


@asynccontextmanager
async def listening(kit, **more: object):
    port = free_port()
    async with kit.connected(1, wait_up=False, outbind=f"127.0.0.1:{port}", **{**AGREED, **more}) as (connector, told):
        await told.until(lambda: told.link is Link.CONNECTING)
        while not connector._door.port:
            await asyncio.sleep(0)
        yield connector, told, port


def test_operator_calls_is_bound_to_and_may_call_again(kit) -> None:
    async def main() -> None:
        smsc = Smsc(Population(), Settings())
        async with listening(kit) as (connector, told, port), smsc.serve() as server:
            for count in (1, 2):
                await server.call("127.0.0.1", port, system_id="smsc", password="call")
                await told.until(lambda count=count: [s.link for s in told.statuses].count(Link.UP) == count)
                connector.submit([kit.part(count)])
                await told.until(lambda count=count: len(told.results) == count)
                assert told.results[-1].result is Result.ACCEPTED
                server.drop()
                ups = len(told.statuses)
                await told.until(lambda ups=ups: told.link is Link.CONNECTING and len(told.statuses) > ups)
                while not connector._door._waiting:
                    await asyncio.sleep(0)

    asyncio.run(main())


@pytest.mark.parametrize(
    "said",
    [
        pdus.encode(pdus.Outbind(sequence=1, system_id="smsc", password="wrong")),
        pdus.encode(pdus.EnquireLink(sequence=1)),
        pdus.encode(pdus.Outbind(sequence=1, system_id="smsc", password="call")) + b"\0",
        b"GET / HTTP/1.1\r\n\r\n",
    ],
)
def test_stranger_is_hung_up_on_and_never_hears_our_password(kit, said: bytes) -> None:
    async def main() -> None:
        async with listening(kit) as (_, told, port):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(said)
            with suppress(ConnectionError):
                assert await reader.read() == b""
            writer.close()
            assert told.link is Link.CONNECTING

    asyncio.run(main())


def test_caller_from_elsewhere_or_silent_is_hung_up_on(kit) -> None:
    async def main(said: bytes, **more: object) -> None:
        async with listening(kit, **more) as (_, told, port):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(said)
            with suppress(ConnectionError):
                assert await reader.read() == b""
            writer.close()
            assert told.link is Link.CONNECTING

    asyncio.run(main(pdus.encode(pdus.Outbind(sequence=1, system_id="smsc", password="call")), host="127.0.0.2"))
    asyncio.run(main(b"", connect_timeout=0.02))


def test_port_that_is_taken_is_told(kit) -> None:
    async def main() -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            where = f"127.0.0.1:{taken.getsockname()[1]}"
            async with kit.connected(1, wait_up=False, outbind=where) as (_, told):
                await told.until(lambda: told.link is Link.DOWN)
                assert told.statuses[-1].error.code == "smsc-cannot-call"

    asyncio.run(main())


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"outbind": "somewhere"}, "config-expects-address"),
        ({"outbind": "0.0.0.0:70000"}, "config-expects-address"),
        ({"outbind": "0.0.0.0:3550", "tls": True}, "smsc-outbind-plain"),
    ],
)
def test_settings_of_a_door_that_cannot_be_are_refused(options: dict[str, object], code: str) -> None:
    with pytest.raises(UserError) as caught:
        settings_from({"host": "h", **options})
    assert caught.value.code == code


def test_connector_may_be_closed_while_it_waits_for_a_call(kit) -> None:
    async def main() -> None:
        async with listening(kit) as (connector, told, _):
            assert isinstance(connector, SmppConnector)
            await connector.close(timedelta(0))
            assert told.link is Link.DOWN

    asyncio.run(main())
