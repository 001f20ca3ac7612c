"""Whatever links, answers, crashes and the clock do, no message goes twice and none is lost."""

import asyncio
import shutil
from collections import defaultdict
from datetime import timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from tests.hand import NOW, Hand
from xlsms.model import MessageId, Result
from xlsms.states import State
from xlsms_service.config import Limit, Route
from xlsms_service.connectors.base import Link, LinkStatus
from xlsms_service.delivery import lane
from xlsms_service.delivery.engine import Engine
from xlsms_service.delivery.limit import Limiter
from xlsms_service.delivery.routing import Router
from xlsms_service.ledger import acceptance, stop
from xlsms_service.ledger.acceptance import Draft
from xlsms_service.ledger.ledger import Ledger
from xlsms_service.ledger.schema import message


class Network(Hand):
    """A link that keeps account of what may have left; `left` is shared by all links of a test."""

    def __init__(self, name, left, *, is_up=True):
        super().__init__(name, window=4)
        self.left = left
        self.is_up = is_up

    def up(self):
        self.events.link_changed(
            LinkStatus(connector=self.name, link=Link.UP if self.is_up else Link.DOWN),
        )
        self.events.room_changed(self.name)

    def room(self):
        return super().room() if self.is_up else 0

    def submit(self, batch):
        for part in batch:
            assert self.left.get(part.key, Result.RETURNED) is Result.RETURNED, "it may have left before"
            self.left[part.key] = Result.UNCERTAIN
        super().submit(batch)
        if not self.is_up:
            self.answer(Result.RETURNED, *(part.key for part in batch))

    def answer(self, result, *keys, **more):
        for key in keys:
            self.left[key] = result
        super().answer(result, *keys, **more)

    def turn(self, *, is_up):
        if self.is_up and not is_up:
            self.is_up = False
            self.answer(Result.UNCERTAIN, *self.open_parts)
        self.is_up = is_up
        self.up()


class World:
    """A ledger that outlives its engines, a clock that stands still unless told, and what was accepted."""

    def __init__(self, folder):
        self.folder = folder
        self.now = NOW
        self.left = {}
        self.parts = {}

    async def start(self):
        self.links = [Network("first", self.left), Network("second", self.left)]
        self.ledger = Ledger.open(self.folder)
        names = [link.name for link in self.links]
        routes = [Route(prefix="+34", use=("second",)), Route(prefix="+44", use=("second", "first"))]
        self.engine = Engine(
            self.ledger,
            {link.name: (link, lambda _: []) for link in self.links},
            Router(routes, names),
            now=lambda: self.now,
            limiter=Limiter([Limit(interval=timedelta(seconds=1), burst=3, prefix="+44")]),
        )
        await self.engine.start()

    async def crash(self):
        """Nothing takes leave: the engine's tasks end where they are, and what was with a link may have left."""
        tasks = [*self.engine._feeders, self.engine._recorder, *self.engine._notes]
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
        for task in [*self.engine._feeders, self.engine._recorder]:
            if task.done():
                task.result()  # what stopped it

    async def play(self, step, *how):
        match step:
            case "accept":
                count, parts, prefix, priority = how
                for number in range(count):
                    draft = Draft(
                        number=f"{prefix}{number:08}", text="a" * 153 * parts if parts > 1 else "a", alphabet="gsm7",
                        parts=parts, fingerprint="f", route=self.engine._router.key(prefix), priority=priority,
                    )  # fmt: skip
                    self.parts[await self.ledger.do(acceptance.accept_text, draft, self.now)] = parts
            case "answer":
                index, result, count, code = how
                link = self.links[index]
                link.answer(result, *list(link.open_parts)[:count], code=code if result is Result.RETURNED else None)
            case "link":
                index, is_up = how
                self.links[index].turn(is_up=is_up)
            case "crash":
                await self.crash()
                await self.start()
            case "stop":
                await self.ledger.do(stop.press, self.now)
                await self.quiet()
                before = [len(link.submitted) for link in self.links]
                await self.quiet()
                assert before == [len(link.submitted) for link in self.links]
            case "resume":
                await self.ledger.do(stop.release)
            case "tick":
                self.now += timedelta(seconds=how[0])
        await self.quiet()

    async def drain(self):
        """The weather clears up."""
        await self.ledger.do(stop.release)
        for link in self.links:
            link.turn(is_up=True)
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


_index = st.integers(0, 1)
_steps = st.one_of(
    st.tuples(
        st.just("accept"), st.integers(1, 6), st.integers(1, 3), st.sampled_from(["+34", "+44", "+52"]),
        st.integers(0, 2),
    ),
    st.tuples(
        st.just("answer"), _index, st.sampled_from(Result), st.integers(1, 4),
        st.sampled_from(["link-down", "smsc-throttled", "smsc-in-trouble"]),
    ),
    st.tuples(st.just("link"), _index, st.booleans()),
    st.tuples(st.just("crash")),
    st.tuples(st.just("stop")),
    st.tuples(st.just("resume")),
    st.tuples(st.just("tick"), st.integers(1, 100)),
)  # fmt: skip


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    """A ledger to copy: making one takes longer than a scene."""
    folder = tmp_path_factory.mktemp("empty")
    Ledger.open(folder).close()
    return folder / "ledger.sqlite3"


@settings(max_examples=60, deadline=None)
@given(steps=st.lists(_steps, max_size=20))
@example(
    steps=[
        ("accept", 6, 1, "+44", 1),
        ("answer", 1, Result.UNCERTAIN, 4, ""),
        ("accept", 6, 1, "+34", 1),
        ("answer", 1, Result.UNCERTAIN, 4, ""),
    ]
)
@example(steps=[("accept", 3, 3, "+34", 1), ("answer", 1, Result.RETURNED, 2, "smsc-throttled"), ("crash",)])
@example(
    steps=[
        ("accept", 1, 3, "+34", 1),
        ("answer", 1, Result.ACCEPTED, 1, ""),
        ("answer", 1, Result.RETURNED, 2, "link-down"),
    ]
)
def test_no_message_goes_twice_and_none_is_lost(tmp_path_factory, empty, steps):
    folder = tmp_path_factory.mktemp("world")
    shutil.copy(empty, folder)

    async def scene():
        world = World(folder)
        await world.start()
        async with asyncio.timeout(60):
            for step in steps:
                await world.play(*step)
            await world.drain()
        states = await world.states()
        await world.engine.close()
        world.ledger.close()
        return world, states

    gather, lane._GATHER = lane._GATHER, 0.0
    try:
        world, states = asyncio.run(scene())
    finally:
        lane._GATHER = gather
    assert set(states) == set(world.parts), "none is lost"
    fates = defaultdict(list)
    for key, fate in world.left.items():
        fates[key.message].append(fate)
    for key, state in states.items():
        if Result.REFUSED in fates[key]:
            # A part may have been refused after another one's answer was lost.
            assert state in (State.FAILED, State.UNCERTAIN)
        elif state is State.SENT:
            assert fates[key] == [Result.ACCEPTED] * world.parts[key]
        else:
            # Claimed when the service crashed, before or after its bytes left.
            assert state is State.UNCERTAIN
