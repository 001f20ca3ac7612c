"""What an SMPP link does to its transport, seen through a transport that only writes down."""

import asyncio
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from xlsms.errors import TransientError
from xlsms.model import Inbound, Result
from xlsms_service.connectors.base import Acknowledgeable
from xlsms_service.connectors.pace import Pace
from xlsms_service.connectors.smpp.link import Delivery, Link
from xlsms_service.protocols.smpp import pdu as pdus
from xlsms_service.protocols.smpp.constants import Status, Tag
from xlsms_service.protocols.smpp.framing import Framer
from xlsms_service.protocols.smpp.pdu import decode, encode

NOW = datetime(2026, 11, 22, 19, 0, tzinfo=UTC)


class Paper(asyncio.Transport):
    """Keeps each write apart."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[bytes] = []
        self.reading: list[str] = []
        self.unread = 0
        self.aborted = False

    def write(self, data: bytes) -> None:
        assert not self.aborted
        self.writes.append(data)

    def is_closing(self) -> bool:
        return self.aborted

    def close(self) -> None:
        self.aborted = True

    def abort(self) -> None:
        self.aborted = True

    def pause_reading(self) -> None:
        self.reading.append("pause")

    def resume_reading(self) -> None:
        self.reading.append("resume")

    def get_write_buffer_size(self) -> int:
        return self.unread


def bound(kit, *, pace: Pace | None = None, **more: object) -> tuple[Link, Paper, object]:
    """A link that has been bound, with nothing in its books."""
    told = kit.Listener()

    class Owner:
        bound = staticmethod(lambda: None)
        outcomes = staticmethod(told.results.extend)
        late = staticmethod(told.late.extend)
        received = staticmethod(told.items.extend)
        room_grew = staticmethod(lambda: None)

    link = Link(
        "operator",
        kit.settings(2775, **more),
        Owner(),
        bind=pdus.BindTransceiver,
        password="pw",
        clock=lambda: NOW,
        pace=pace or Pace(None, 0),
    )
    paper = Paper()
    link.connection_made(paper)
    link.data_received(encode(pdus.BindTransceiverResp(sequence=1)))
    paper.writes.clear()
    return link, paper, told


async def turn() -> None:
    """One turn of the loop, with what it leads to."""
    for _ in range(3):
        await asyncio.sleep(0)


def pdus_in(data: bytes) -> list[pdus.Pdu]:
    return [decode(frame) for frame in Framer().feed(data)]


def test_all_of_one_turn_goes_out_in_one_write(kit) -> None:
    async def main() -> None:
        link, paper, told = bound(kit)
        link.data_received(encode(pdus.DeliverSm(sequence=5)))
        link.submit([kit.part(1)])
        link.submit([kit.part(2), kit.part(3)])
        link.acknowledge([told.items[0].token])
        assert paper.writes == []
        await turn()
        [data] = paper.writes
        kinds = [type(pdu) for pdu in pdus_in(data)]
        assert sorted(kinds, key=str) == [pdus.DeliverSmResp, *[pdus.SubmitSm] * 3]

    asyncio.run(main())


def test_answers_and_what_they_make_room_for_go_out_in_one_write(kit) -> None:
    async def main() -> None:
        link, paper, told = bound(kit, window=2)
        link.submit([kit.part(n) for n in range(4)])
        await turn()
        first = pdus_in(b"".join(paper.writes))
        paper.writes.clear()
        link.data_received(b"".join(encode(pdus.SubmitSmResp(sequence=pdu.sequence)) for pdu in first))
        assert len(paper.writes) == 1
        assert len(pdus_in(paper.writes[0])) == 2
        assert len(told.results) == 2

    asyncio.run(main())


def test_parts_wait_while_the_peer_reads_slowly_and_are_safe_there(kit) -> None:
    async def main() -> None:
        link, paper, told = bound(kit)
        link.pause_writing()
        link.submit([kit.part(1)])
        await turn()
        assert paper.writes == []
        link.resume_writing()
        assert len(paper.writes) == 1
        link.pause_writing()
        link.submit([kit.part(2)])
        await turn()
        link.connection_lost(None)
        assert [(o.key.message, o.result) for o in told.results] == [(1, Result.UNCERTAIN), (2, Result.RETURNED)]

    asyncio.run(main())


def test_peer_that_never_reads_is_cut_off(kit) -> None:
    async def main() -> None:
        link, paper, _ = bound(kit)
        paper.unread = 5 << 20
        link.data_received(encode(pdus.EnquireLink(sequence=9)))
        assert paper.aborted

    asyncio.run(main())


def test_reading_stops_while_too_many_octets_are_not_yet_durable(kit) -> None:
    heavy = encode(pdus.DeliverSm(sequence=7, tlvs={Tag.MESSAGE_PAYLOAD: bytes(60_000)}))

    async def main() -> None:
        link, paper, told = bound(kit)
        while not paper.reading:
            link.data_received(heavy)
        assert (8 << 20) / 61_000 < len(told.items) < (8 << 20) / 59_000
        for item in told.items:
            link.acknowledge([item.token])
        assert paper.reading == ["pause", "resume"]

    asyncio.run(main())


def test_answers_that_come_while_nothing_is_read_are_not_late(kit) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        real, ahead = loop.time, [0.0]
        loop.time = lambda: real() + ahead[0]
        link, paper, told = bound(kit, response_timeout=10)
        link.submit([kit.part(1)])
        await turn()
        [submit] = pdus_in(b"".join(paper.writes))
        link.data_received(encode(pdus.DeliverSm(sequence=5)) * 5000)
        assert paper.reading == ["pause"]
        ahead[0] = 100.0  # the ledger cannot be written for that long, and the answer waits with the system
        link.submit([])
        await turn()
        await asyncio.sleep(0.001)
        assert told.results == []
        for item in told.items:
            link.acknowledge([item.token])
        await turn()
        link.data_received(encode(pdus.SubmitSmResp(sequence=submit.sequence, message_id="1")))
        assert [outcome.result for outcome in told.results] == [Result.ACCEPTED]
        link.submit([kit.part(2)])
        await turn()
        ahead[0] += 11
        link.submit([])
        await turn()
        await asyncio.sleep(0.001)
        assert [outcome.result for outcome in told.results[1:]] == [Result.UNCERTAIN]

    asyncio.run(main())


def test_reading_stops_while_too_much_is_not_yet_durable(kit) -> None:
    async def main() -> None:
        link, paper, told = bound(kit)
        for first in range(0, 6000, 1000):
            burst = [encode(pdus.DeliverSm(sequence=first + n, short_message=b"x")) for n in range(1000)]
            link.data_received(b"".join(burst))
        assert paper.reading == ["pause"]
        assert len(told.items) == 6000
        assert isinstance(told.items[0], Acknowledgeable)
        assert isinstance(told.items[0].item, Inbound)
        for item in told.items:
            assert isinstance(item.token, Delivery)
            link.acknowledge([item.token])
        assert paper.reading == ["pause", "resume"]

    asyncio.run(main())


def test_outbind_of_a_network_that_we_are_binding_to_is_ignored(kit) -> None:
    async def main() -> None:
        link, paper, told = bound(kit)
        link.data_received(encode(pdus.Outbind(sequence=3, system_id="SMSC")))
        assert told.results == told.items == []
        assert not paper.aborted

    asyncio.run(main())


def test_pace_lets_no_more_go_than_it_allows(kit) -> None:
    async def main() -> None:
        now = asyncio.get_running_loop().time()
        link, paper, _ = bound(kit, pace=Pace(2, now), window=100)
        assert link.room() == 1
        link.submit([kit.part(n) for n in range(5)])
        await turn()
        assert [len(pdus_in(data)) for data in paper.writes] == [1]
        assert link.room() == 0

    asyncio.run(main())


# --- anything at all -------------------------------------------------------------------------------------------------

STATUS = st.sampled_from([0, 0, 0, 0x58, 0x14, 8, 0x0B, 0x400])
STEP = st.one_of(
    st.tuples(st.just("submit"), st.integers(1, 6)),
    st.tuples(st.just("answer"), st.tuples(st.integers(0, 30), STATUS)),
    st.tuples(st.just("nack"), st.integers(0, 30)),
    st.tuples(st.just("deliver"), st.binary(max_size=30)),
    st.tuples(st.just("bytes"), st.binary(max_size=30)),
    st.tuples(st.just("slow"), st.booleans()),
    st.tuples(st.just("turn"), st.none()),
    st.tuples(st.just("unbind"), st.none()),
)


def received(what: str, value: object) -> bytes:
    """The octets of a step in which the network says something."""
    if what == "bytes":
        return value
    if what == "answer":
        return encode(pdus.SubmitSmResp(sequence=value[0], status=value[1], message_id="7"))
    if what == "nack":
        return encode(pdus.GenericNack(sequence=value))
    if what == "unbind":
        return encode(pdus.Unbind(sequence=1))
    return encode(pdus.DeliverSm(sequence=1, short_message=value))


async def play(kit, link: Link, script: list) -> int:
    """Go through the steps; gives how many parts were submitted."""
    submitted = 0
    for what, value in script:
        if what == "submit":
            link.submit([kit.part(submitted + n, f"part {submitted + n}.") for n in range(value)])
            submitted += value
        elif what == "slow":
            (link.pause_writing if value else link.resume_writing)()
        elif what == "turn":
            await turn()
        else:
            link.data_received(received(what, value))
    await turn()
    return submitted


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(STEP, max_size=25), st.integers(1, 5), st.sampled_from([None, 1, 50]))
def test_whatever_happens_each_part_has_one_outcome_and_a_returned_one_never_left(kit, script, window, rate) -> None:
    async def main() -> None:
        pace = Pace(rate, asyncio.get_running_loop().time())
        link, paper, told = bound(kit, window=window, pace=pace)
        submitted = await play(kit, link, script)
        link.connection_lost(None)
        assert link.ended.done()
        assert sorted(outcome.key.message for outcome in told.results) == list(range(submitted))
        wire = b"".join(paper.writes)
        for outcome in told.results:
            left = f"part {outcome.key.message}.".encode() in wire
            assert left is (outcome.code != "link-down")

    asyncio.run(main())


def question(number: int) -> pdus.CancelSm:
    return pdus.CancelSm(sequence=0, message_id=f"id{number}", destination_addr="34600111222")


def test_questions_keep_to_the_window_and_go_before_the_parts(kit) -> None:
    async def main() -> None:
        link, paper, _ = bound(kit, window=2)
        link.submit([kit.part(1)])
        await turn()
        asked = [asyncio.create_task(link.ask(question(n))) for n in range(3)]
        await turn()
        assert link.room() == 0
        link.submit([kit.part(2)])
        await turn()
        assert [type(pdu) for pdu in pdus_in(b"".join(paper.writes))] == [pdus.SubmitSm, pdus.CancelSm]
        for sequence in range(2, 6):
            link.data_received(encode(pdus.SubmitSmResp(sequence=sequence, message_id=f"a{sequence}")))
            link.data_received(encode(pdus.CancelSmResp(sequence=sequence)))
            await turn()
        kinds = [type(pdu) for pdu in pdus_in(b"".join(paper.writes))]
        assert kinds == [pdus.SubmitSm, *[pdus.CancelSm] * 3, pdus.SubmitSm]
        assert {type(await each) for each in asked} == {pdus.CancelSmResp}

    asyncio.run(main())


def test_questions_keep_to_the_pace_and_a_throttled_one_slows_the_link(kit) -> None:
    async def main() -> None:
        now = asyncio.get_running_loop().time()
        pace = Pace(20, now)
        link, paper, _ = bound(kit, window=50, pace=pace)
        asked = [asyncio.create_task(link.ask(question(n))) for n in range(10)]
        await turn()
        assert 1 <= len(pdus_in(b"".join(paper.writes))) <= 3
        link.data_received(encode(pdus.CancelSmResp(sequence=2, status=Status.THROTTLED)))
        assert pace.rate == 10
        for each in asked:
            each.cancel()

    asyncio.run(main())


@pytest.mark.parametrize("how", ["lost", "retired"])
def test_a_question_that_waits_for_its_turn_hears_that_the_link_is_gone(kit, how: str) -> None:
    async def main() -> None:
        link, _, _ = bound(kit, window=1)
        link.submit([kit.part(1)])
        await turn()
        asked = asyncio.create_task(link.ask(question(1)))
        await turn()
        link.retire() if how == "retired" else link.connection_lost(None)
        with pytest.raises(TransientError, match="link-down"):
            await asked
        with pytest.raises(TransientError, match="link-down"):
            await link.ask(question(2))

    asyncio.run(main())


def test_the_largest_window_is_filled_and_never_more_whatever_the_order_of_the_answers(kit) -> None:
    async def main() -> None:
        link, paper, told = bound(kit, window=1000)
        link.submit([kit.part(n) for n in range(2500)])
        under_way: set[int] = set()
        slow = None
        while len(told.results) < 2499:
            await turn()
            went = [pdu.sequence for pdu in pdus_in(b"".join(paper.writes))]
            paper.writes.clear()
            under_way.update(went)
            assert len(under_way) <= 1000
            assert link.room() == 1000 - len(under_way)
            slow = slow or went[0]  # its answer comes last of all, and holds one place
            answered = sorted(under_way - {slow}, reverse=True)[:700]
            under_way.difference_update(answered)
            answers = [encode(pdus.SubmitSmResp(sequence=each, message_id=f"{each:x}")) for each in answered]
            link.data_received(b"".join(answers))
        link.data_received(encode(pdus.SubmitSmResp(sequence=slow, message_id="late")))
        assert {each.key.message for each in told.results} == {kit.part(n).key.message for n in range(2500)}
        assert len(told.results) == 2500
        assert link.in_flight == 0
        assert link.room() == 1000

    asyncio.run(main())
