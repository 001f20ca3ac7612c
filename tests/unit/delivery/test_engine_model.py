"""A state machine: whatever links, answers, reports, crashes, people and the clock do, the promises hold.

No part is handed over twice, none is lost, and no state says more than the network really did: the machine keeps the
truth of every part beside the engine, which only sees what comes over the seam.
"""

import asyncio
import shutil
from datetime import timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select

from tests.hand import CODES, NOW, Hand
from xlsms.model import MessageId, Outcome, Receipt, Result
from xlsms.states import State
from xlsms_service.config import Limit, Route
from xlsms_service.connectors.base import Acknowledgeable, Link, LinkStatus
from xlsms_service.delivery import lane
from xlsms_service.delivery.engine import Engine
from xlsms_service.delivery.limit import Limiter
from xlsms_service.delivery.routing import Router
from xlsms_service.ledger import acceptance, stop, uncertain
from xlsms_service.ledger.acceptance import Draft
from xlsms_service.ledger.ledger import Ledger
from xlsms_service.ledger.schema import message
from xlsms_service.ledger.uncertain import Verdict
from xlsms_service.protocols.smpp.receipt import candidates


class Truth:
    """What really became of each part; the engine is never told but over the seam."""

    def __init__(self):
        self.last = {}  # part -> how its last submit ended, as far as we were told
        self.taken = {}  # part -> the Outgoing that the network took
        self.answered = set()  # parts of which we were told that they were taken
        self.reported = {}  # part -> words that were reported of it


class Network(Hand):
    """A link that keeps account of the truth; `truth` is shared by all links of a test."""

    def __init__(self, name, truth, *, is_up=True):
        super().__init__(name, window=4)
        self.truth = truth
        self.is_up = is_up
        self.given_up = {}  # parts whose answer may still come late, over this connection

    def up(self):
        self.events.link_changed(LinkStatus(connector=self.name, link=Link.UP if self.is_up else Link.DOWN))
        self.events.room_changed(self.name)

    def room(self):
        return super().room() if self.is_up else 0

    def submit(self, batch):
        for part in batch:
            assert self.truth.last.get(part.key, Result.RETURNED) is Result.RETURNED, "it may have left before"
            self.truth.last[part.key] = Result.UNCERTAIN
        super().submit(batch)
        if not self.is_up:
            self.answer(Result.RETURNED, *(part.key for part in batch))

    def takes(self, key):
        self.truth.taken.setdefault(key, self.open_parts.get(key) or self.given_up.get(key))

    def answer(self, result, *keys, **more):
        for key in keys:
            self.truth.last[key] = result
            if result is Result.ACCEPTED:
                self.takes(key)
                self.truth.answered.add(key)
        super().answer(result, *keys, **more)

    def lose(self, keys, *, took):
        """No answer comes: whether the network took them is its secret."""
        for key in keys:
            if took:
                self.takes(key)
            self.given_up[key] = self.open_parts[key]
        self.answer(Result.UNCERTAIN, *keys)

    def turn(self, *, is_up, took):
        if self.is_up and not is_up:
            self.is_up = False
            self.lose(list(self.open_parts), took=took)
            self.given_up.clear()
        self.is_up = is_up
        self.up()

    def late(self, key, result):
        self.given_up.pop(key)
        name = f"N{key.message}.{key.part}" if result is Result.ACCEPTED else None
        told = Outcome(key=key, result=result, at=NOW, network_id=name, code=CODES.get(result))
        self.events.outcomes_late(self.name, [told])

    def report(self, key, word, *, quotes, at):
        part = self.truth.taken[key]
        self.truth.reported.setdefault(key, []).append(word)
        receipt = Receipt(
            connector=self.name, network_id=f"N{key.message}.{key.part}", state=word, at=at,
            recipient=part.destination, quoted=part.text[:20] if quotes else "",
        )  # fmt: skip
        self.events.received(self.name, [Acknowledgeable(receipt, key)])


class World:
    """A ledger that outlives its engines, a clock that stands still unless told, and what was accepted."""

    def __init__(self, folder):
        self.folder = folder
        self.now = NOW
        self.truth = Truth()
        self.parts = {}
        self.by_hand = set()

    async def start(self):
        self.links = [Network("first", self.truth), Network("second", self.truth)]
        self.ledger = Ledger.open(self.folder)
        names = [link.name for link in self.links]
        routes = [Route(prefix="+34", use=("second",)), Route(prefix="+44", use=("second", "first"))]
        self.engine = Engine(
            self.ledger,
            {link.name: (link, candidates) for link in self.links},
            Router(routes, names),
            now=lambda: self.now,
            limiter=Limiter([Limit(interval=timedelta(seconds=1), burst=3, prefix="+44")]),
        )
        await self.engine.start()

    async def crash(self):
        """Nothing takes leave: the engine's tasks end where they are, and what was with a link may have left."""
        tasks = [*self.engine._feeders, self.engine._recording, *self.engine._notes]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.ledger.close()

    async def quiet(self):
        """Let the engine do what it can do now."""
        for _ in range(4):
            self.engine.wake()
            for _ in range(5):
                await self.ledger.do(lambda _: None)
                await asyncio.sleep(0)
        for task in [*self.engine._feeders, self.engine._recording]:
            if task.done():
                task.result()  # what stopped it

    async def accept(self, count, parts, prefix, priority, letter):
        for number in range(count):
            text = f"{letter}: see you at nine" if parts == 1 else letter * 153 * parts
            draft = Draft(
                number=f"{prefix}{number % 2:08}", text=text, alphabet="gsm7", parts=parts, fingerprint="f",
                route=self.engine._router.key(prefix), priority=priority,
            )  # fmt: skip
            self.parts[await self.ledger.do(acceptance.accept_text, draft, self.now)] = parts

    async def drain(self):
        """The weather clears up."""
        await self.ledger.do(stop.release)
        for link in self.links:
            link.turn(is_up=True, took=False)
        for _ in range(400):
            await self.quiet()
            for link in self.links:
                link.answer(Result.ACCEPTED, *link.open_parts)
            self.now += timedelta(minutes=2)
            if not {State.QUEUED, State.SENDING} & set((await self.states()).values()):
                return
        raise AssertionError(f"never done: {await self.states()}")

    async def states(self):
        rows = await self.ledger.do(lambda c: c.execute(select(message.c.id, message.c.state)).all())
        return {MessageId(row.id): State(row.state) for row in rows}


class Machine(RuleBasedStateMachine):
    """The rules: each is something that may happen at any time."""

    folders = None  #: gives a folder with an empty ledger

    @initialize()
    def begin(self):
        self.runner = asyncio.Runner()
        self.world = World(self.folders())
        self.runner.run(self.world.start())

    def do(self, act):
        async def step():
            async with asyncio.timeout(60):
                done = act()
                if done is not None:
                    await done
                await self.world.quiet()

        self.runner.run(step())

    @property
    def links(self):
        return self.world.links

    @rule(
        count=st.integers(1, 6), parts=st.integers(1, 3), prefix=st.sampled_from(["+34", "+44", "+52"]),
        priority=st.integers(0, 2), letter=st.sampled_from("ab"),
    )  # fmt: skip
    def accept(self, **draft):
        self.do(lambda: self.world.accept(**draft))

    @rule(
        index=st.integers(0, 1), result=st.sampled_from(Result), count=st.integers(1, 4), took=st.booleans(),
        code=st.sampled_from(["link-down", "smsc-throttled", "smsc-in-trouble"]),
    )  # fmt: skip
    def answer(self, index, result, count, took, code):
        """In the order of the submits or not; what was reported already can only have been taken."""
        link = self.links[index]
        keys = list(link.open_parts)[:count] if took else list(link.open_parts)[-count:]
        known = [key for key in keys if key in link.truth.taken]

        def answer():
            if result is Result.UNCERTAIN:
                link.lose(keys, took=took)
            else:
                link.answer(Result.ACCEPTED, *known)
                rest = [key for key in keys if key not in known]
                link.answer(result, *rest, code=code if result is Result.RETURNED else None)

        self.do(answer)

    @precondition(lambda self: any(link.given_up for link in self.links))
    @rule(data=st.data(), result=st.sampled_from([Result.REFUSED, Result.RETURNED]))
    def late_answer(self, data, result):
        link = next(link for link in self.links if link.given_up)
        key = data.draw(st.sampled_from(sorted(link.given_up, key=lambda key: (key.message, key.part))))
        self.do(lambda: link.late(key, Result.ACCEPTED if key in link.truth.taken else result))

    @rule(data=st.data(), word=st.sampled_from(["DELIVRD", "DELIVRD", "UNDELIV", "ENROUTE"]), quotes=st.booleans())
    def report(self, data, word, quotes):
        """Of anything that the network has, or takes by this: before the answer, after it, again, otherwise."""
        truth = self.world.truth
        may = {key: link for link in self.links for key in link.open_parts}
        keys = sorted({*may, *truth.taken}, key=lambda key: (key.message, key.part))
        if not keys:
            return
        key = data.draw(st.sampled_from(keys))
        if key in may:
            may[key].takes(key)
            by = may[key]
        else:
            row = self.runner.run(self.world.ledger.do(lambda c: c.execute(
                select(message.c.connector).where(message.c.id == key.message)).scalar_one()))  # fmt: skip
            by = next(link for link in self.links if link.name == row)
        self.do(lambda: by.report(key, word, quotes=quotes, at=self.world.now))

    @rule(index=st.integers(0, 1), is_up=st.booleans(), took=st.booleans())
    def link(self, index, is_up, took):
        self.do(lambda: self.links[index].turn(is_up=is_up, took=took))

    @rule(took=st.booleans())
    def crash(self, took):
        if took:
            for link in self.links:
                for key in link.open_parts:
                    link.takes(key)

        async def again():
            await self.world.crash()
            await self.world.start()

        self.do(again)

    @rule()
    def stop(self):
        async def press():
            await self.world.ledger.do(stop.press, self.world.now)
            await self.world.quiet()
            before = [len(link.submitted) for link in self.links]
            await self.world.quiet()
            assert before == [len(link.submitted) for link in self.links]

        self.do(press)

    @rule()
    def resume(self):
        self.do(lambda: self.world.ledger.do(stop.release))

    @rule(seconds=st.sampled_from([1, 10, 100, -5, 3600, -3600]))
    def time_passes(self, seconds):
        """Also backwards, when somebody sets the clock."""
        self.world.now += timedelta(seconds=seconds)
        self.do(self.world.engine._look_at_strangers)

    @rule(verdict=st.sampled_from([Verdict.DELIVERED, Verdict.FAILED, Verdict.CANCELLED]))
    def somebody_knows(self, verdict):
        async def settle():
            found = await self.world.ledger.do(uncertain.uncertain)
            if found:
                key = found[0].message
                self.world.by_hand.add(key)
                await self.world.ledger.do(uncertain.settle, [key], verdict, self.world.now, timedelta(days=2))

        self.do(settle)

    @invariant()
    def nothing_is_lost_and_no_state_says_more_than_is_true(self):
        states = self.runner.run(self.world.states())
        assert set(states) == set(self.world.parts), "none is lost"
        for key, state in states.items():
            if key not in self.world.by_hand:
                self.hold(key, state)

    def hold(self, key, state):
        truth = self.world.truth
        parts = {part: words for part, words in truth.reported.items() if part.message == key}
        taken = {part for part in truth.taken if part.message == key}
        if state is State.DELIVERED:
            assert [part.part for part in parts if "DELIVRD" in parts[part]], "nobody said so"
            assert len([part for part in parts if "DELIVRD" in parts[part]]) == self.world.parts[key]
        if state is State.SENT:
            assert len(taken) == self.world.parts[key], "the network does not have it"
        if state is State.FAILED:
            refused = [part for part, last in truth.last.items() if part.message == key and last is Result.REFUSED]
            late = [part for part, last in truth.last.items() if part.message == key and part not in truth.taken]
            assert refused or late or any("UNDELIV" in words for words in parts.values()), "nobody said so"

    def teardown(self):
        if not hasattr(self, "world"):
            return

        async def end():
            async with asyncio.timeout(60):
                await self.world.drain()
            states = await self.world.states()
            await self.world.engine.close()
            self.world.ledger.close()
            return states

        states = self.runner.run(end())
        self.runner.close()
        truth = self.world.truth
        for key, state in states.items():
            parts = [part for part in truth.last if part.message == key]
            told = [part for part in parts if part in truth.answered]
            # What was answered and reported, in whatever order, has found its message.
            reported = all("DELIVRD" in truth.reported.get(part, ()) for part in told)
            if reported and len(told) == self.world.parts[key] and key not in self.world.by_hand:
                assert state is State.DELIVERED
            assert state not in (State.QUEUED, State.SENDING), "left behind"


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    """A ledger to copy: making one takes longer than a scene."""
    folder = tmp_path_factory.mktemp("empty")
    Ledger.open(folder).close()
    return folder / "ledger.sqlite3"


def test_the_promises_hold(tmp_path_factory, empty):
    def folder():
        made = tmp_path_factory.mktemp("world")
        shutil.copy(empty, made)
        return made

    gather, lane._GATHER = lane._GATHER, 0.0
    Machine.folders = staticmethod(folder)
    try:
        run_state_machine_as_test(Machine, settings=settings(max_examples=40, stateful_step_count=25, deadline=None))
    finally:
        lane._GATHER = gather
