"""What slow answers cost: 5 % of them take a second, and the rest must not wait for them.

    python -m tests.benchmarks.slow_answers [--rate 9500] [--window 1000] [--binds 1] [--seconds 4] [--rounds 3]

A part that is answered after a second holds its slot of the window for that second. At R parts a second with a share s
of answers that take t seconds, R·s·t slots are held; the window has to be that, and what the rest needs. So the largest
window, 1,000, carries 20,000 parts a second less what the quick ones need, over one connection; the default run asks
for 9,500: 475 slots. More needs more connections: `--binds 20 --rate 0` has 20,000 slots and goes as fast as it can.

The SMSC is a process of its own, and answers the 20th, 40th … submit a second late. Disturbed and undisturbed rounds take
turns; each counts the outcomes after its first two seconds, when as many slow answers come as go out. The last line is
JSON.
"""

import argparse
import asyncio
import json
import multiprocessing
import statistics
from datetime import UTC, datetime

from tests.benchmarks.smpp_link import ANSWER, HEAD, TEXT
from xlsms.model import Outgoing, PartKey
from xlsms_service.connectors.base import Link
from xlsms_service.connectors.smpp import SmppConnector, SmppSettings
from xlsms_service.protocols.smpp import pdu as pdus
from xlsms_service.protocols.smpp.constants import Command
from xlsms_service.protocols.smpp.framing import Framer
from xlsms_service.protocols.smpp.pdu import decode, encode

SLOW = 1.0  # seconds
WARM = 2.0  # seconds until a round is counted


class Peer(asyncio.Protocol):
    """One connection of the SMSC; the nth submit of all is slow where `every` divides n, and none when it is 0."""

    taken = 0

    def __init__(self, every) -> None:
        self.every = every
        self.framer = Framer()

    def connection_made(self, transport) -> None:
        self.transport = transport
        self.loop = asyncio.get_running_loop()

    def data_received(self, data: bytes) -> None:
        answers, slow = [], []
        for frame in self.framer.feed(data):
            _, command, _, sequence = HEAD.unpack_from(frame)
            if command != Command.SUBMIT_SM:
                answers.append(encode(pdus.response_to(decode(frame))))
                continue
            Peer.taken += 1
            answer = ANSWER.pack(ANSWER.size, Command.SUBMIT_SM_RESP, 0, sequence, b"%08d\0" % Peer.taken)
            late = self.every.value and Peer.taken % self.every.value == 0
            (slow if late else answers).append(answer)
        self.transport.write(b"".join(answers))
        if slow:
            self.loop.call_later(SLOW, self.transport.write, b"".join(slow))


def serve(port, every) -> None:
    async def main() -> None:
        server = await asyncio.get_running_loop().create_server(lambda: Peer(every), "127.0.0.1", 0)
        port.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(main())


class Feeder:
    """Delivery's part, as small as can be: fills the room and counts the outcomes."""

    def __init__(self, connector: SmppConnector) -> None:
        self.connector = connector
        self.sent = self.ended = 0
        self.filling = False
        self.up = asyncio.Event()
        self.part = Outgoing(key=PartKey(0, 1), destination="+34600111222", text=TEXT, alphabet="gsm7")

    def link_changed(self, status) -> None:
        if status.link is Link.UP:
            self.up.set()

    def room_changed(self, connector: str) -> None:
        if self.filling:
            self.fill()

    def fill(self) -> None:
        room = self.connector.room()
        if room:
            self.connector.submit([self.part] * room)
            self.sent += room

    def outcomes(self, connector: str, outcomes) -> None:
        self.ended += len(outcomes)

    def received(self, connector: str, items) -> None:
        pass


async def measured(port: int, asked) -> float:
    """Outcomes a second, once slow answers come as fast as they go out."""
    settings = SmppSettings(
        host="127.0.0.1", port=port, sender="Clinica", window=asked.window, binds=asked.binds, rate=asked.rate or None
    )
    connector = SmppConnector("benchmark", settings, clock=lambda: datetime.now(UTC))
    feeder = Feeder(connector)
    loop = asyncio.get_running_loop()
    await connector.open(feeder)
    await feeder.up.wait()
    feeder.filling = True
    feeder.fill()
    await asyncio.sleep(WARM)
    before, began = feeder.ended, loop.time()
    await asyncio.sleep(asked.seconds)
    rate = (feeder.ended - before) / (loop.time() - began)
    feeder.filling = False
    await connector.close()
    return rate


def main() -> None:
    """Run the rounds and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rate", type=int, default=9_500, help="parts a second at most; 0: as fast as it goes")
    parser.add_argument("--window", type=int, default=1000)
    parser.add_argument("--binds", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    context = multiprocessing.get_context("spawn")
    every = context.Value("i", 0)
    ours, theirs = context.Pipe()
    smsc = context.Process(target=serve, args=(theirs, every), daemon=True)
    smsc.start()
    port = ours.recv()
    rates: dict[int, list[float]] = {0: [], 20: []}
    for number in range(asked.rounds):
        for slow, found in rates.items():
            every.value = slow
            found.append(asyncio.run(measured(port, asked)))
            name = "5 % slow" if slow else "undisturbed"
            print(f"round {number + 1}  {name:11}  {found[-1]:>9,.0f} messages/s")
    smsc.terminate()
    smsc.join()
    calm, disturbed = (statistics.median(found) for found in rates.values())
    result = {
        "benchmark": "slow_answers",
        "window": asked.window,
        "binds": asked.binds,
        "rate": asked.rate,
        "undisturbed_per_second": round(calm),
        "disturbed_per_second": round(disturbed),
        "ratio": round(disturbed / calm, 3),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
