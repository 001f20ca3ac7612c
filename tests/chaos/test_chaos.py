"""Everything breaks, round after round; at the end the network's own count is held against what the ledger says.

A few minutes in CI. By hand, as long as wanted: `XLSMS_CHAOS_ROUNDS=300 pytest -m chaos -s`, with another world for each
`XLSMS_SEED`.
"""

import asyncio
import os
import random
import time
from collections import Counter

import pytest

from tests.chaos.wire import Weather
from tests.chaos.world import WINDOW, World, number_of, text_of
from xlsms.states import State
from xlsms.text import split
from xlsms_service.simulators.phones import Population

ROUNDS = int(os.environ.get("XLSMS_CHAOS_ROUNDS", "12"))
SEED = int(os.environ.get("XLSMS_SEED", "20260301"))
ROWS = 100  # a round
RECALLS = 0.5  # of the rounds
STORMS = (
    Weather(),
    Weather(lost=0.1),
    Weather(late=0.2),
    Weather(doubled=0.3, late=0.1),
    Weather(cut=0.01),
    Weather(lost=0.03, doubled=0.1, late=0.1, cut=0.005),
)
#: What the network's phones make of a message, by how they behave.
ENDS = {"DELIVRD": State.DELIVERED, "UNDELIV": State.FAILED, "EXPIRED": State.EXPIRED}

pytestmark = pytest.mark.chaos


async def one_round(world, rng):
    """Some rows more, and one thing or several go wrong with them."""
    world.wire.weather = rng.choice(STORMS)
    await world.accept(ROWS)
    await world.moves(rng.randrange(1, ROWS))
    if rng.random() < RECALLS:
        await world.recall(rng.randrange(1, ROWS // 2))
    accident = rng.choice(("kill", "kill", "kill", "network", "cut", "lock", "disk", "clock", "both"))
    match accident:
        case "kill":
            world.kill_service()
        case "network":
            await world.kill_network()
        case "both":
            world.kill_service()
            await world.kill_network()
        case "cut":
            world.done["all links cut"] += 1
            world.wire.cut()
        case "lock":
            await world.lock(rng.choice((0.2, 1.0, 2.0, 11.0)))  # the service waits for 10 seconds
        case "disk":
            await world.fill_disk(rng.uniform(0.5, 2.0))
        case "clock":
            world.set_clock(rng.choice((0, 1, -1, 60, -60, 3600, -3600, 36_000, -36_000)))


async def settled(world, within):
    """The weather clears up and the clock is put right; wait until everything has gone, and no more reports come."""
    world.wire.weather = Weather()
    world.set_clock(0)  # a row that was accepted by the right time is due in the future of a clock that is behind
    until, before, same = time.monotonic() + within, None, 0
    while time.monotonic() < until:
        await asyncio.sleep(1)
        world._lives()
        now = await world.states()
        same = same + 1 if now == before else 0
        before = now
        if not {"queued", "sending"} & set(now) and same >= 8:
            return
    raise AssertionError(f"never done: {before}\n{world.log()}")


def twice(taken):
    return {part: count for part, count in taken.items() if count > 1}


def parts_of(row):
    return range(1, len(split(text_of(row), limit=None).parts) + 1)


def test_chaos(tmp_path):
    rng = random.Random(SEED)
    phones = Population(seed=1)

    async def main():
        async with World(tmp_path, rng) as world:
            for number in range(ROUNDS):
                await one_round(world, rng)
                print(f"round {number + 1}: {await world.states()}", flush=True)
            await settled(world, within=180 + ROUNDS * 10)
            return world, await world.shown(), world.taken()

    began = time.monotonic()
    world, shown, taken = asyncio.run(main())
    whole = {row for row in shown if all(taken[row, part] for part in parts_of(row))}
    some = {row for row, _ in taken}
    uncertain = {row for row, found in shown.items() if found.state == State.UNCERTAIN}
    unseen = uncertain - some - world.wire.seen
    breaks = world.done["service killed"] + world.done["network killed"] + world.done["all links cut"]
    breaks += world.wire.accidents["cut within a PDU"]
    print(
        f"{ROUNDS} rounds, seed {SEED}, {time.monotonic() - began:.0f} s: {len(shown)} rows, {sum(taken.values())} parts"
        f" taken; {dict(world.done)}; on the wire {dict(world.wire.accidents)}; states"
        f" {dict(Counter(found.state for found in shown.values()))}; sent twice {len(twice(taken))}; uncertain"
        f" {len(uncertain)}: {len(uncertain & some)} were taken, {len((uncertain - some) & world.wire.seen)} were on the"
        f" wire, {len(unseen)} were claimed when something died"
    )
    assert twice(taken) == {}, "sent twice"
    assert None not in shown.values(), "lost from the ledger"
    assert {found.state for found in shown.values()} <= {
        "sent",
        "delivered",
        "failed",
        "expired",
        "uncertain",
        "cancelled",
    }
    # Lost: it is said to have gone, and the network never had it.
    gone = {row for row, found in shown.items() if found.state in (State.SENT, State.DELIVERED)}
    assert gone - whole == set(), "not all of it was taken, and nobody says so"
    for row, found in shown.items():
        phone = phones.phone(number_of(row)).behaviour
        allowed = {State.UNCERTAIN, State.FAILED if phone.refusal else State.SENT}
        allowed |= set() if phone.refusal else {ENDS[phone.stat]}
        allowed |= {State.CANCELLED} if row in world.recalled else set()
        assert found.state in allowed, (row, found.state, found.code, phone.name)
    # What was taken back did not leave, and says so where a part of it had.
    for row, found in shown.items():
        if found.state == State.CANCELLED:
            assert (row in some) is (found.code == "recalled-in-part"), (row, found.code)
    # Every uncertain row has its reason: the network had it, or it was on the wire, or with a link that broke.
    assert {shown[row].code for row in uncertain} <= {"answer-lost", "link-lost", "stopped-while-sending"}
    assert len(unseen) <= WINDOW * breaks
