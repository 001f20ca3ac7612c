"""The engine against a link whose every answer the test decides."""

import asyncio
import itertools
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event, select
from sqlalchemy.exc import OperationalError

from tests.hand import Hand
from xlsms.model import Inbound, MessageId, Priority, Receipt, Result
from xlsms.states import State
from xlsms_service.config import Limit, Route
from xlsms_service.connectors.base import Acknowledgeable, Capabilities, Link, LinkStatus
from xlsms_service.delivery import engine as engine_module
from xlsms_service.delivery import recording
from xlsms_service.delivery.engine import Engine
from xlsms_service.delivery.lane import reference
from xlsms_service.delivery.limit import Limiter
from xlsms_service.delivery.routing import Router
from xlsms_service.ledger import acceptance, link, stranger
from xlsms_service.ledger.acceptance import Draft
from xlsms_service.ledger.ledger import Ledger
from xlsms_service.ledger.schema import inbound, message, waiting_receipt

NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)


def accept(ledger, count, text="hola", parts=1, **more):
    keys = []
    for number in range(count):
        draft = Draft(
            number=f"+346{number:08}", text=text, alphabet="gsm7", parts=parts, fingerprint="f", route="", **more
        )
        keys.append(ledger.do_now(acceptance.accept_text, draft, NOW))
    return keys


def states(ledger):
    return ledger.do_now(
        lambda c: {MessageId(row.id): State(row.state) for row in c.execute(select(message.c.id, message.c.state))}
    )


@dataclass
class Clock:
    """A clock that stands still unless told."""

    now: datetime = NOW


def run(tmp_path, scene, *, connectors=None, routes=(), ledger=None, clock=None, **more):
    """Play `scene(engine, ledger, connectors…)` with an engine around."""

    clock = clock or Clock()

    async def play():
        links = connectors() if connectors else [Hand()]
        opened = ledger or Ledger.open(tmp_path)
        router = Router(routes, [link.name for link in links])
        engine = Engine(
            opened, {link.name: (link, lambda _: []) for link in links}, router, now=lambda: clock.now, **more
        )
        await engine.start()
        try:
            async with asyncio.timeout(60):
                await scene(engine, opened, *links)
        finally:
            await engine.close()
            if ledger is None:
                final = states(opened)
                opened.close()
        return final if ledger is None else None

    return asyncio.run(play())


def test_everything_queued_goes_once_and_never_more_than_the_window_at_a_time(tmp_path):
    async def scene(engine, ledger, link):
        accept(ledger, 35)
        engine.wake()
        done = 0
        while done < 35:
            await link.parts(done + 1)
            assert len(link.open_parts) <= link.window
            now = list(link.open_parts)
            done += len(now)
            link.answer(Result.ACCEPTED, *now)
        assert len({part.key for part in link.submitted}) == len(link.submitted) == 35

    assert set(run(tmp_path, scene).values()) == {State.SENT}


def test_what_is_left_of_its_validity_goes_along_with_each_part(tmp_path):
    async def scene(engine, ledger, link):
        accept(ledger, 1, text="a" * 400, parts=3, expires_at=NOW + timedelta(hours=2))
        accept(ledger, 1)
        engine.wake()
        parts = await link.parts(4)
        assert [part.validity for part in parts] == [timedelta(hours=2)] * 3 + [None]

    run(tmp_path, scene)


class Patient(Hand):
    """A network that waits for send times."""

    capabilities = Capabilities(receipts=True, inbound=True, ahead=timedelta(hours=2))


def test_a_network_that_waits_is_given_what_is_soon_and_nothing_goes_early_over_another(tmp_path, monkeypatch):
    monkeypatch.setattr(engine_module, "_LOOK_AGAIN", 0.005)
    clock, soon = Clock(), NOW + timedelta(hours=1)

    async def scene(engine, ledger, patient, other):
        accept(ledger, 1, state=State.SCHEDULED, not_before=soon, expires_at=soon + timedelta(hours=1))
        accept(ledger, 1, state=State.SCHEDULED, not_before=NOW + timedelta(hours=3))
        engine.wake()
        [part] = await patient.parts(1)
        assert (part.send_at, part.validity) == (soon, timedelta(hours=2))
        # It comes back, and only the other link is left: that one waits for the time itself.
        engine.link_changed(LinkStatus(connector="patient", link=Link.DOWN))
        patient.answer(Result.RETURNED, part.key)
        while State.QUEUED not in states(ledger).values():
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.05)
        assert other.submitted == []
        clock.now = soon
        engine.wake()
        [again] = await other.parts(1)
        assert (again.key, again.send_at) == (part.key, None)
        engine.link_changed(LinkStatus(connector="patient", link=Link.UP))
        clock.now = NOW + timedelta(hours=2)
        engine.wake()
        later = (await patient.parts(2))[1]
        patient.answer(Result.ACCEPTED, later.key, at=clock.now)
        other.answer(Result.ACCEPTED, again.key, at=clock.now)
        while set(states(ledger).values()) != {State.SENT}:
            await asyncio.sleep(0.001)
        codes = ledger.do_now(lambda c: c.execute(select(message.c.code).order_by(message.c.id)).scalars().all())
        assert codes == [None, "waits-at-network"]

    run(tmp_path, scene, connectors=lambda: [Patient("patient"), Hand("other")], clock=clock)


def test_receipts_that_nobody_was_found_for_are_forgotten_after_a_week(tmp_path, monkeypatch):
    monkeypatch.setattr(engine_module, "_LOOK_AGAIN", 0.001)
    monkeypatch.setattr(engine_module, "_STRANGERS", 0.0)
    clock = Clock()

    def kept(ledger):
        return set(ledger.do_now(lambda c: c.execute(select(waiting_receipt.c.network_id)).scalars().all()))

    async def scene(engine, ledger, link):
        for name, days in (("OLD", 0), ("YOUNG", 3)):
            at = NOW + timedelta(days=days)
            told = Receipt(connector=link.name, network_id=name, state="DELIVRD", at=at, recipient="34699999999")
            engine.received(link.name, [Acknowledgeable(told, name)])
        while len(link.acknowledged) < 2:
            await asyncio.sleep(0.001)
        clock.now = NOW + timedelta(days=7)  # not a moment earlier
        await _looks(engine, ledger)
        assert kept(ledger) == {"OLD", "YOUNG"}
        clock.now += timedelta(seconds=1)
        while "OLD" in kept(ledger):
            await asyncio.sleep(0.001)
        assert kept(ledger) == {"YOUNG"}

    async def _looks(engine, ledger):
        """So long that it has looked at the strangers once more."""
        looked = []
        original = stranger.forget
        monkeypatch.setattr(stranger, "forget", lambda *asked: (original(*asked), looked.append(asked)))
        while len(looked) < 2:
            await asyncio.sleep(0.001)

    run(tmp_path, scene, clock=clock)


def test_claimed_is_durable_before_the_first_byte_can_leave(tmp_path):
    seen = []

    class Witness(Hand):
        def submit(self, batch):
            other = Ledger.open(tmp_path)
            seen.extend(states(other)[part.key.message] for part in batch)
            other.close()
            super().submit(batch)

    async def scene(engine, ledger, link):
        accept(ledger, 5)
        engine.wake()
        await link.parts(5)

    run(tmp_path, scene, connectors=lambda: [Witness()])
    assert seen == [State.SENDING] * 5


def test_a_long_text_goes_in_numbered_parts_and_only_the_returned_ones_go_again(tmp_path):
    async def scene(engine, ledger, link):
        accept(ledger, 1, text="a" * 400, parts=3)
        engine.wake()
        one, two, three = await link.parts(3)
        assert [(part.concat.part, part.concat.total) for part in (one, two, three)] == [(1, 3), (2, 3), (3, 3)]
        assert "".join(part.text for part in (one, two, three)) == "a" * 400
        link.answer(Result.ACCEPTED, one.key, three.key)
        link.answer(Result.RETURNED, two.key)
        again = (await link.parts(4))[3]
        assert again == two
        link.answer(Result.ACCEPTED, again.key)

    assert set(run(tmp_path, scene).values()) == {State.SENT}


def test_texts_and_receipts_are_acknowledged_only_when_they_are_on_disk(tmp_path, monkeypatch):
    monkeypatch.setattr(recording, "_LEDGER_RETRY", 0.01)
    failures = []

    async def scene(engine, ledger, link):
        def fail_twice(_connection, _cursor, statement, *_):
            if statement.startswith("INSERT INTO inbound") and len(failures) < 2:
                failures.append(link.acknowledged.copy())
                raise OperationalError("disk full", None, Exception("disk full"))

        event.listen(ledger._engine, "before_cursor_execute", fail_twice)
        text = Inbound(connector="hand", sender="34600000001", recipient="777", text="SI", at=NOW)
        link.events.received("hand", [Acknowledgeable(text, "token")])
        while not link.acknowledged:
            await asyncio.sleep(0)
        kept = await ledger.do(lambda c: c.execute(select(inbound.c.text)).scalars().all())
        assert kept == ["SI"]

    run(tmp_path, scene)
    assert failures == [[], []]


def test_a_receipt_in_the_same_breath_as_the_answer_counts(tmp_path):
    async def scene(engine, ledger, link):
        (key,) = accept(ledger, 1)
        engine.wake()
        (part,) = await link.parts(1)
        receipt = Receipt(connector="hand", network_id=f"N{key}.1", state="DELIVRD", at=NOW, recipient="34600000000")
        link.events.received("hand", [Acknowledgeable(receipt, "token")])
        link.answer(Result.ACCEPTED, part.key)
        while states(ledger)[key] is not State.DELIVERED:
            await asyncio.sleep(0)

    run(tmp_path, scene)


def test_the_inbox_is_told_of_texts_that_are_safe_and_not_of_reports(tmp_path):
    came = []

    async def scene(engine, ledger, link):
        (key,) = accept(ledger, 1)
        engine.wake()
        (part,) = await link.parts(1)
        receipt = Receipt(connector="hand", network_id=f"N{key}.1", state="DELIVRD", at=NOW, recipient="34600000000")
        link.events.received("hand", [Acknowledgeable(receipt, "report")])
        link.answer(Result.ACCEPTED, part.key)
        while states(ledger)[key] is not State.DELIVERED:
            await asyncio.sleep(0)
        assert came == []
        text = Inbound(connector="hand", sender="34600000001", recipient="777", text="SI", at=NOW)
        link.events.received("hand", [Acknowledgeable(text, "text")])
        while not came:
            await asyncio.sleep(0)
        assert await ledger.do(lambda c: c.execute(select(inbound.c.text)).scalars().all()) == ["SI"]

    run(tmp_path, scene, came=lambda: came.append(1))


def test_a_text_that_was_planned_as_ucs2_goes_so_though_gsm_would_do(tmp_path):
    async def scene(engine, ledger, link):
        text = "Mañana a las diez " * 10
        draft = Draft(number="+34600000000", text=text, alphabet="ucs2", parts=3, fingerprint="f", route="")
        ledger.do_now(acceptance.accept_text, draft, NOW)
        engine.wake()
        parts = await link.parts(3)
        assert [len(part.text) <= 67 and part.alphabet == "ucs2" for part in parts] == [True] * 3
        assert "".join(part.text for part in parts) == text

    run(tmp_path, scene)


def test_what_tried_a_sick_link_takes_the_next_of_its_route_at_once(tmp_path):
    clock = Clock()

    async def scene(engine, ledger, sick, well):
        accept(ledger, 5)
        engine.wake()
        for part in await sick.parts(5):
            sick.answer(Result.RETURNED, part.key, code="smsc-in-trouble", retry_after=timedelta(seconds=30))
        for part in await well.parts(5):  # the breaker is open
            well.answer(Result.ACCEPTED, part.key)
        clock.now += timedelta(seconds=2)
        well.window = 0
        (key,) = accept(ledger, 1)
        engine.wake()
        tried = (await sick.parts(6))[5]
        assert tried.key.message == key
        well.window = 5
        sick.answer(Result.RETURNED, tried.key, code="smsc-in-trouble", retry_after=timedelta(seconds=30))
        assert (await well.parts(6))[5].key == tried.key
        well.answer(Result.ACCEPTED, tried.key)

    links = lambda: [Hand("sick"), Hand("well")]  # noqa: E731 - short
    final = run(tmp_path, scene, connectors=links, clock=clock, routes=[Route(use=("sick", "well"))])
    assert set(final.values()) == {State.SENT}


def test_closing_leaves_what_was_not_claimed_queued_and_what_was_not_answered_uncertain(tmp_path):
    async def scene(engine, ledger, link):
        accept(ledger, 30)
        engine.wake()
        await link.parts(10)

    final = list(run(tmp_path, scene).values())
    assert final.count(State.UNCERTAIN) == 10
    assert final.count(State.QUEUED) == 20


def test_answers_that_come_while_others_are_written_down_at_the_end_are_written_too(tmp_path):
    async def scene(engine, ledger, link):
        accept(ledger, 10)
        engine.wake()
        await link.parts(10)
        keys = list(link.open_parts)
        link.answer(Result.ACCEPTED, *keys[:5])

        async def close(drain=None):
            # The recorder is at work on the first five when the rest arrive.
            await asyncio.sleep(0)
            link.answer(Result.ACCEPTED, *keys[5:])

        link.close = close

    assert list(run(tmp_path, scene).values()) == [State.SENT] * 10


def test_a_text_with_line_ends_of_two_characters_goes_as_it_was_counted(tmp_path):
    async def scene(engine, ledger, link):
        accept(ledger, 1, text="a" * 159 + "\r\n")
        engine.wake()
        (part,) = await link.parts(1)
        assert part.text == "a" * 159 + "\n"
        link.answer(Result.ACCEPTED, part.key)

    run(tmp_path, scene)


def test_long_texts_to_one_phone_in_two_equal_lists_have_different_references():
    references = [reference(MessageId(number)) for number in range(1, 5 * 256)]
    assert all(one != other for one, other in zip(references, references[256:], strict=False))
    assert all(one != other for one, other in itertools.pairwise(references))
    assert set(references) == set(range(256))


def test_the_next_connector_takes_over_only_while_the_better_one_is_down(tmp_path):
    async def scene(engine, ledger, first, second):
        accept(ledger, 3)
        engine.wake()
        await first.parts(3)
        first.answer(Result.ACCEPTED, *list(first.open_parts))
        first.events.link_changed(LinkStatus(connector="first", link=Link.DOWN))
        accept(ledger, 2)
        engine.wake()
        await second.parts(2)
        second.answer(Result.ACCEPTED, *list(second.open_parts))
        assert len(first.submitted) == 3

    final = run(tmp_path, scene, connectors=lambda: [Hand("first"), Hand("second")])
    assert set(final.values()) == {State.SENT}


def test_a_send_time_is_waited_for(tmp_path):
    async def scene(engine, ledger, link):
        accept(ledger, 1, state=State.SCHEDULED, not_before=NOW + timedelta(hours=1))
        accept(ledger, 1, state=State.SCHEDULED, not_before=NOW)
        engine.wake()
        await link.parts(1)
        link.answer(Result.ACCEPTED, *list(link.open_parts))

    assert list(run(tmp_path, scene).values()) == [State.SCHEDULED, State.SENT]


def test_held_and_not_admitted_messages_never_go(tmp_path):
    async def scene(engine, ledger, link):
        accept(ledger, 1, state=State.HELD)
        draft = Draft(number="+34600000009", text="x", alphabet="gsm7", parts=1, fingerprint="f", route="")
        ledger.do_now(acceptance.propose, None, [draft], NOW)
        accept(ledger, 1)
        engine.wake()
        await link.parts(1)
        link.answer(Result.ACCEPTED, *list(link.open_parts))

    assert sorted(run(tmp_path, scene).values()) == [State.HELD, State.QUEUED, State.SENT]


def test_an_urgent_text_overtakes_a_long_campaign_on_a_slow_link(tmp_path):
    async def scene(engine, ledger, link):
        drafts = [
            Draft(number=f"+346{n:08}", text="x", alphabet="gsm7", parts=1, fingerprint="f", route="", row_id=f"R{n}")
            for n in range(500)
        ]
        ledger.do_now(acceptance.propose, None, drafts, NOW)
        ledger.do_now(acceptance.admit, [draft.row_id for draft in drafts], now=NOW, since=NOW)
        engine.wake()
        await link.parts(10)
        (urgent,) = accept(ledger, 1, priority=Priority.URGENT)
        engine.wake()
        # One answer comes, the rest of the window stays taken: half of it will not be free for long.
        link.answer(Result.ACCEPTED, next(iter(link.open_parts)))
        assert (await link.parts(11))[10].key.message == urgent

    run(tmp_path, scene)


def test_after_lost_answers_the_next_connector_takes_over_until_one_message_shows_that_the_link_works(tmp_path):
    clock = Clock()

    async def scene(engine, ledger, first, second):
        accept(ledger, 5)
        engine.wake()
        await first.parts(5)
        first.answer(Result.UNCERTAIN, *list(first.open_parts))
        accept(ledger, 5)
        engine.wake()
        await second.parts(5)
        second.answer(Result.ACCEPTED, *list(second.open_parts))
        clock.now += timedelta(seconds=1)
        while ledger.do_now(link.links)[0].breaker != "half-open":
            engine.wake()
            await asyncio.sleep(0)
        second.window = 0
        accept(ledger, 5)
        engine.wake()
        assert len(await first.parts(6)) == 6
        first.answer(Result.ACCEPTED, *list(first.open_parts))
        await first.parts(10)
        first.answer(Result.ACCEPTED, *list(first.open_parts))
        while ledger.do_now(link.links)[0].breaker != "closed":
            await asyncio.sleep(0)

    final = list(run(tmp_path, scene, connectors=lambda: [Hand("first"), Hand("second")], clock=clock).values())
    assert (final.count(State.UNCERTAIN), final.count(State.SENT)) == (5, 10)


def test_what_waits_for_its_turn_at_a_limit_goes_at_its_moment(tmp_path):
    clock = Clock()

    async def scene(engine, ledger, link):
        accept(ledger, 3)
        engine.wake()
        await link.parts(1)
        for count in (2, 3):
            link.answer(Result.ACCEPTED, *list(link.open_parts))
            clock.now += timedelta(seconds=10)
            engine.wake()
            assert len(await link.parts(count)) == count
        link.answer(Result.ACCEPTED, *list(link.open_parts))

    limiter = Limiter([Limit(interval=timedelta(seconds=10))])
    assert set(run(tmp_path, scene, clock=clock, limiter=limiter).values()) == {State.SENT}


def test_a_clock_that_is_put_back_makes_nothing_wait_for_the_same_moment_again(tmp_path):
    clock = Clock()

    async def scene(engine, ledger, hand):
        await ledger.do(lambda c: [acceptance.accept_text(c, draft, NOW) for draft in [_one()]])
        engine.wake()
        [sent] = await hand.parts(1)
        clock.now += timedelta(hours=10)
        hand.answer(Result.RETURNED, sent.key, code="smsc-throttled", retry_after=timedelta(seconds=1), at=clock.now)
        engine.wake()
        for _ in range(20):  # it looks at the clock when it is woken, and each second
            await ledger.do(lambda _: None)
        await until(ledger, State.QUEUED)
        clock.now = NOW
        engine.wake()
        assert len(await hand.parts(2)) == 2
        hand.answer(Result.ACCEPTED, sent.key)

    async def until(ledger, state):
        while set(await ledger.do(lambda c: c.execute(select(message.c.state)).scalars().all())) != {state}:
            await asyncio.sleep(0)

    def _one():
        return Draft(number="+34600000000", text="hola", alphabet="gsm7", parts=1, fingerprint="f", route="")

    run(tmp_path, scene, clock=clock)


def test_what_was_not_sent_in_its_time_expires_though_the_link_never_comes_up(tmp_path):
    class Never(Hand):
        def up(self):
            self.events.link_changed(LinkStatus(connector=self.name, link=Link.CONNECTING))

    clock = Clock()
    changes = []

    async def scene(engine, ledger, link):
        accept(ledger, 1, expires_at=NOW + timedelta(hours=1))
        clock.now += timedelta(hours=2)
        engine.wake()
        while not changes:
            await asyncio.sleep(0)

    final = run(tmp_path, scene, connectors=lambda: [Never()], clock=clock, changed=lambda: changes.append(1))
    assert list(final.values()) == [State.EXPIRED]


def test_a_lost_answer_is_sent_again_only_where_that_was_asked_for(tmp_path):
    clock = Clock()

    async def scene(engine, ledger, link):
        accept(ledger, 1)
        engine.wake()
        await link.parts(1)
        link.answer(Result.UNCERTAIN, *list(link.open_parts))
        while State.SENDING in states(ledger).values():
            await asyncio.sleep(0)
        clock.now += timedelta(hours=1)
        engine.wake()
        await link.parts(2)
        link.answer(Result.ACCEPTED, *list(link.open_parts))

    assert list(run(tmp_path, scene, clock=clock, resend=True).values()) == [State.SENT]


def test_many_receipts_are_written_down_in_pieces_and_all_acknowledged(tmp_path, monkeypatch):
    monkeypatch.setattr(recording, "_WRITTEN_AT_ONCE", 10)
    commits = []

    async def scene(engine, ledger, link):
        texts = [
            Inbound(connector="hand", sender="34600000001", recipient="777", text=str(n), at=NOW) for n in range(95)
        ]
        event.listen(ledger._engine, "commit", commits.append)
        link.events.received("hand", [Acknowledgeable(text, text.text) for text in texts])
        while len(link.acknowledged) < 95:
            await asyncio.sleep(0)
        assert link.acknowledged == [text.text for text in texts]

    run(tmp_path, scene)
    assert len(commits) >= 10


def test_however_much_waits_no_more_is_held_in_memory_than_is_under_way(tmp_path):
    most = Counter()

    class Quick(Hand):
        def submit(self, batch):
            super().submit(batch)
            asyncio.get_running_loop().call_soon(lambda: self.answer(Result.ACCEPTED, *self.open_parts))

    async def scene(engine, ledger, link):
        rows = [
            Draft(number=f"+346{n:08}", text="x", alphabet="gsm7", parts=1, fingerprint="f", route="", row_id=f"R{n}")
            for n in range(1000)
        ]
        ledger.do_now(acceptance.propose, None, rows, NOW)
        ledger.do_now(acceptance.admit, [row.row_id for row in rows], now=NOW, since=NOW)
        (lane,) = engine._lanes.values()
        engine.wake()
        while len(link.submitted) < 1000 or link.open_parts:
            await asyncio.sleep(0)
            most["answered"] = max(most["answered"], len(lane.answered))
            most["open"] = max(most["open"], len(lane._open))
            most["works"] = max(most["works"], ledger._writer._jobs.qsize())

    assert set(run(tmp_path, scene, connectors=lambda: [Quick(window=20)]).values()) == {State.SENT}
    assert 0 < most["open"] <= 20
    assert most["answered"] <= 20 * 4, "what was answered while the last was written down"
    assert most["works"] <= 4


@pytest.mark.parametrize("known", [Link.REFUSED, Link.DOWN])
def test_waiting_for_a_link_ends_when_all_have_said_no(tmp_path, known):
    class No(Hand):
        def up(self):
            self.events.link_changed(LinkStatus(connector=self.name, link=known))

    async def scene(engine, ledger, link):
        assert not await engine.wait_for_link(timedelta(seconds=10))

    run(tmp_path, scene, connectors=lambda: [No()])
