"""The engine against a link whose every answer the test decides."""

import asyncio
import itertools
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event, select
from sqlalchemy.exc import OperationalError

from xlsms.model import Inbound, MessageId, Outcome, Receipt, Result
from xlsms.states import State
from xlsms_service.connectors.base import Acknowledgeable, Capabilities, Link, LinkStatus
from xlsms_service.delivery import engine as engine_module
from xlsms_service.delivery.engine import Engine
from xlsms_service.delivery.lane import reference
from xlsms_service.delivery.routing import Router
from xlsms_service.ledger import acceptance
from xlsms_service.ledger.acceptance import Draft
from xlsms_service.ledger.ledger import Ledger
from xlsms_service.ledger.schema import inbound, message

NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)


class Hand:
    """A connector whose answers are given by hand."""

    capabilities = Capabilities(receipts=True, inbound=True)

    def __init__(self, name="hand", window=10):
        self.name = name
        self.window = window
        self.open_parts = {}
        self.submitted = []
        self.acknowledged = []
        self.arrived = asyncio.Event()

    async def open(self, events):
        self.events = events
        self.up()

    def up(self):
        events = self.events
        events.link_changed(LinkStatus(connector=self.name, link=Link.UP))
        events.room_changed(self.name)

    def room(self):
        return self.window - len(self.open_parts)

    def submit(self, batch):
        assert len(batch) <= self.room() or not self.open_parts
        for part in batch:
            assert part.key not in self.open_parts
            self.open_parts[part.key] = part
        self.submitted += batch
        self.arrived.set()

    def acknowledge(self, tokens):
        self.acknowledged += tokens

    async def close(self, drain=None):
        self.answer(Result.UNCERTAIN, *self.open_parts)

    async def parts(self, count):
        """Wait until this many parts were submitted in all."""
        while len(self.submitted) < count:
            self.arrived.clear()
            await self.arrived.wait()
        return self.submitted

    def answer(self, result, *keys, retry_after=None):
        outcomes = [
            Outcome(
                key=key,
                result=result,
                at=NOW,
                network_id=f"N{key.message}.{key.part}" if result is Result.ACCEPTED else None,
                code={Result.ACCEPTED: None, Result.RETURNED: "link-down"}.get(result, "answer-lost"),
                retry_after=retry_after,
            )
            for key in keys
        ]
        for key in keys:
            del self.open_parts[key]
        if outcomes:
            self.events.outcomes(self.name, outcomes)
            self.events.room_changed(self.name)


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


def run(tmp_path, scene, *, connectors=None, routes=(), ledger=None):
    """Play `scene(engine, ledger, connectors…)` with an engine around."""

    async def play():
        links = connectors() if connectors else [Hand()]
        opened = ledger or Ledger.open(tmp_path)
        router = Router(routes, [link.name for link in links])
        engine = Engine(opened, {link.name: (link, lambda _: []) for link in links}, router, now=lambda: NOW)
        await engine.start()
        try:
            async with asyncio.timeout(20):
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
    monkeypatch.setattr(engine_module, "_LEDGER_RETRY", 0.01)
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


@pytest.mark.parametrize("known", [Link.REFUSED, Link.DOWN])
def test_waiting_for_a_link_ends_when_all_have_said_no(tmp_path, known):
    class No(Hand):
        def up(self):
            self.events.link_changed(LinkStatus(connector=self.name, link=known))

    async def scene(engine, ledger, link):
        assert not await engine.wait_for_link(timedelta(seconds=10))

    run(tmp_path, scene, connectors=lambda: [No()])
