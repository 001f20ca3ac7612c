"""What was taken and never reported on is asked about, and what the network says counts as a report."""

import asyncio
import logging
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from tests.hand import NOW, Hand
from xlsms.errors import TransientError
from xlsms.model import Receipt, Result
from xlsms.states import State
from xlsms_service.delivery import asking
from xlsms_service.delivery.engine import Engine
from xlsms_service.delivery.routing import Router
from xlsms_service.ledger import acceptance, settlement
from xlsms_service.ledger.acceptance import Draft
from xlsms_service.ledger.ledger import Ledger
from xlsms_service.ledger.schema import message


class Knowing(Hand):
    """A network that answers questions, as it is told to."""

    ask_after = timedelta(minutes=30)
    cancels = False

    def __init__(self):
        super().__init__()
        self.asked = []
        self.says = "ENROUTE"

    async def query(self, part):
        self.asked.append(part)
        if self.says == "nothing":
            raise TransientError("answer-lost")
        if self.says == "unknown":
            return None
        return Receipt(
            connector=self.name, network_id=part.network_id, state=self.says, at=NOW, recipient=part.destination
        )

    async def cancel(self, part):
        raise NotImplementedError


def play(tmp_path, monkeypatch, scene):
    for wait in ("_APART", "_LOOK", "_AGAIN"):
        monkeypatch.setattr(asking, wait, 0.001)
    clock = [NOW]

    async def main():
        with Ledger.open(tmp_path) as ledger:
            link = Knowing()
            engine = Engine(ledger, {"hand": (link, lambda _: [])}, Router([], ["hand"]), now=lambda: clock[0])
            draft = Draft(
                number="+34600111222", text="x", alphabet="gsm7", parts=1, fingerprint="f", route="", sender="Us"
            )
            await ledger.do(acceptance.accept_text, draft, NOW)
            await engine.start()
            try:
                async with asyncio.timeout(60):
                    [part] = await link.parts(1)
                    link.answer(Result.ACCEPTED, part.key)
                    await scene(link, clock, ledger)
            finally:
                await engine.close()

    asyncio.run(main())


async def state(ledger):
    return await ledger.do(lambda c: State(c.execute(select(message.c.state)).scalar_one()))


async def some_looks(ledger):
    for _ in range(60):
        await asyncio.sleep(0.002)
        await ledger.do(lambda _: None)


@pytest.mark.parametrize(
    ("says", "ends"), [("DELIVRD", State.DELIVERED), ("UNDELIV", State.FAILED), ("EXPIRED", State.EXPIRED)]
)
def test_what_the_network_says_counts_as_a_report(tmp_path, monkeypatch, says, ends):
    async def scene(link, clock, ledger):
        await some_looks(ledger)
        assert link.asked == [], "it has not been silent for long"
        link.says = says
        clock[0] += timedelta(minutes=31)
        while await state(ledger) is not ends:
            await asyncio.sleep(0.001)
        [asked] = link.asked
        assert (asked.network_id, asked.destination, asked.sender) == ("N1.1", "+34600111222", "Us")

    play(tmp_path, monkeypatch, scene)


@pytest.mark.parametrize("says", ["ENROUTE", "unknown"])
def test_what_is_still_open_is_asked_about_again_after_twice_the_time(tmp_path, monkeypatch, says):
    async def scene(link, clock, ledger):
        link.says = says
        for minutes, asked in ((31, 1), (50, 1), (61, 2), (100, 2), (121, 3), (12_000, 3)):
            clock[0] = NOW + timedelta(minutes=minutes)
            await some_looks(ledger)
            assert (minutes, len(link.asked)) == (minutes, asked)
        assert await state(ledger) is State.SENT

    play(tmp_path, monkeypatch, scene)


def test_a_network_that_gives_no_answer_is_left_alone_for_a_while(tmp_path, monkeypatch):
    async def scene(link, clock, ledger):
        link.says = "nothing"
        clock[0] += timedelta(minutes=31)
        await some_looks(ledger)
        assert len(link.asked) == 1
        assert await state(ledger) is State.SENT

    play(tmp_path, monkeypatch, scene)


@pytest.mark.parametrize("trouble", ["network", "ledger"])
def test_what_keeps_it_from_asking_is_a_line_with_a_code(tmp_path, monkeypatch, caplog, trouble):
    def fail(*_):
        raise OperationalError("SELECT", None, Exception("database is locked"))

    async def scene(link, clock, ledger):
        link.says = "nothing"
        if trouble == "ledger":
            monkeypatch.setattr(settlement, "silent", fail)
        clock[0] += timedelta(hours=1)
        while not told():
            await asyncio.sleep(0)

    def told():
        return {record.code: record for record in caplog.records if record.name == asking.__name__}

    with caplog.at_level(logging.INFO, asking.__name__):
        play(tmp_path, monkeypatch, scene)
    code, record = told().popitem()
    assert code == {"network": "log-not-asked", "ledger": "log-ledger-again"}[trouble]
    assert record.exc_info is None
