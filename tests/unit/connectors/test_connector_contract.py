"""What every connector promises, whatever stands behind it. A new connector adds one line to `WAYS`."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest

from xlsms.model import Inbound, Outcome, PartKey, Receipt, Result
from xlsms_service.connectors.base import Connector, Link, Measured
from xlsms_service.connectors.simulator import SimulatorConnector, SimulatorSettings
from xlsms_service.connectors.smpp import SmppConnector
from xlsms_service.simulators.rehearsal import rehearsal


@asynccontextmanager
async def smpp(kit) -> AsyncIterator[Connector]:
    async with kit.smsc() as smsc:
        yield SmppConnector("way", kit.settings(smsc.port), retry=kit.quick())


@asynccontextmanager
async def simulator(kit) -> AsyncIterator[Connector]:
    yield SimulatorConnector("way", SimulatorSettings(haste=1000), rehearsal, clock=lambda: datetime.now(UTC))


WAYS = [smpp, simulator]


@pytest.fixture(params=WAYS, ids=lambda way: way.__name__)
def way(request, kit) -> Callable[[], AbstractAsyncContextManager[Connector]]:
    return lambda: request.param(kit)


def test_opening_returns_at_once_and_twice_is_once(kit, way) -> None:
    async def main() -> None:
        async with way() as connector:
            told = kit.Listener()
            await connector.open(told)
            await connector.open(told)
            await told.up()
            assert [status.connector for status in told.statuses] == ["way"] * len(told.statuses)
            assert [status.link for status in told.statuses].count(Link.UP) == 1
            assert connector.room() > 0
            assert told.rooms > 0
            await connector.close(timedelta(seconds=1))

    asyncio.run(main())


def test_each_part_has_one_outcome_with_a_time_and_a_reason(kit, way) -> None:
    async def main() -> None:
        async with way() as connector:
            told = kit.Listener()
            await connector.open(told)
            await told.up()
            count = 3 * connector.room() + 1
            connector.submit([kit.part(n) for n in range(count)])
            await told.until(lambda: len(told.results) == count)
            await connector.close(timedelta(seconds=1))
            assert sorted(outcome.key.message for outcome in told.results) == list(range(count))
            for outcome in told.results:
                assert outcome.at.tzinfo is not None
                assert (outcome.code is None) is (outcome.result is Result.ACCEPTED)

    asyncio.run(main())


def test_after_close_there_is_no_room_and_everything_is_returned(kit, way) -> None:
    async def main() -> None:
        async with way() as connector:
            told = kit.Listener()
            await connector.open(told)
            await told.up()
            await connector.close(timedelta(seconds=1))
            await connector.close(timedelta(seconds=1))
            assert told.link is Link.DOWN
            assert connector.room() == 0
            connector.submit([kit.part(7)])
            await told.until(lambda: told.results)
            [outcome] = told.results
            assert isinstance(outcome, Outcome)
            assert (outcome.key, outcome.result) == (PartKey(7, 1), Result.RETURNED)

    asyncio.run(main())


def test_submitting_nothing_and_acknowledging_what_is_unknown_do_no_harm(kit, way) -> None:
    async def main() -> None:
        async with way() as connector:
            told = kit.Listener()
            await connector.open(told)
            await told.up()
            connector.submit([])
            connector.acknowledge([object(), None])
            connector.submit([kit.part()])
            await told.until(lambda: told.results)
            await connector.close(timedelta(seconds=1))

    asyncio.run(main())


def test_what_it_cannot_carry_is_refused(kit, way) -> None:
    async def main() -> None:
        async with way() as connector:
            told = kit.Listener()
            await connector.open(told)
            await told.up()
            connector.submit([kit.part(destination="+" + "3" * 80)])
            await told.until(lambda: told.results)
            assert told.results[0].result is Result.REFUSED
            await connector.close(timedelta(seconds=1))

    asyncio.run(main())


def test_receipts_follow_and_can_be_acknowledged(kit) -> None:
    async def main() -> None:
        async with simulator(kit) as connector:
            assert connector.capabilities.receipts
            told = kit.Listener()
            await connector.open(told)
            await told.up()
            connector.submit([kit.part(n, destination=f"+3460011{n:04}") for n in range(5)])

            def ids() -> set[str]:
                return {i.item.network_id for i in told.items if isinstance(i.item, Receipt)}

            await told.until(lambda: {o.network_id for o in told.results if o.network_id} == ids() != set())
            assert all(isinstance(item.item, Receipt | Inbound) for item in told.items)
            connector.acknowledge([item.token for item in told.items])
            await connector.close(timedelta(seconds=1))

    asyncio.run(main())


def test_a_connector_says_how_much_of_it_is_in_use(kit, way) -> None:
    async def main() -> None:
        async with way() as connector:
            assert isinstance(connector, Measured)
            assert connector.reading().window == 0
            told = kit.Listener()
            await connector.open(told)
            await told.up()
            free = connector.reading()
            assert free.window > 0
            assert free.used == 0
            connector.submit([kit.part(n) for n in range(3)])
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            assert connector.reading().used == 3
            await told.until(lambda: len(told.results) == 3)
            assert connector.reading() == free
            await connector.close(timedelta(seconds=1))

    asyncio.run(main())
