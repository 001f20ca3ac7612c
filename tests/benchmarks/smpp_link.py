"""How fast the SMPP connector is: submit to answer, beside a raw socket with ready-made PDUs and plain smpplib.

    python -m tests.benchmarks.smpp_link [--count N] [--window 100] [--rounds 3] [--smsc reads|echoes|node]

All three talk to the same SMSC, a process of its own. It `reads` every field of a submit_sm, as any SMSC has to, and
answers with an id; or it `echoes`, that is answers without looking, which shows what the connector itself costs; or
it is `node`, the SMSC of the npm package `smpp` (`npm install --prefix tests/peers/node`), whose codec is not ours.
The raw socket is what no client can beat: its PDUs are made before the clock starts and it looks at nothing but the
length of the answers. The connector encodes each part, keeps its window and timers, and reads each answer into an
outcome. Rounds are interleaved; the figures are medians. The last line is JSON.
"""

import argparse
import itertools
import json
import multiprocessing
import socket
import statistics
import struct
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import smpplib.client

from tests.benchmarks.feeder import link_seconds
from xlsms.model import Outgoing, PartKey
from xlsms_service.connectors.smpp import SmppSettings
from xlsms_service.protocols.smpp import pdu as pdus
from xlsms_service.protocols.smpp.constants import Command
from xlsms_service.protocols.smpp.framing import Framer
from xlsms_service.protocols.smpp.pdu import decode, encode

TEXT = "Hola Marta, le recordamos su cita de mañana a las 10:30. Gracias. OK?"
HEAD = struct.Struct(">IIII")
ANSWER = struct.Struct(">IIII9s")  # a message id of eight digits and its NUL
CHUNK = 1 << 18
NODE = Path(__file__).parents[1] / "peers" / "node" / "quick.js"


def serve(listener: socket.socket, kind: str) -> None:
    """The SMSC: answers every submit_sm with an id, every other request with a bare success."""
    numbers = itertools.count(1)
    answer = echoing if kind == "echoes" else reading
    while True:
        stream, _ = listener.accept()
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        framer = Framer()
        while data := stream.recv(CHUNK):
            stream.sendall(b"".join([answer(frame, numbers) for frame in framer.feed(data)]))


@contextmanager
def own_smsc(kind: str) -> Iterator[int]:
    """The port of an SMSC on our codec."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        smsc = multiprocessing.get_context("spawn").Process(target=serve, args=(listener, kind), daemon=True)
        smsc.start()
        yield listener.getsockname()[1]
        smsc.terminate()
        smsc.join()


@contextmanager
def node_smsc() -> Iterator[int]:
    """The port of an SMSC on the npm package `smpp`."""
    pipe = subprocess.PIPE
    with subprocess.Popen(["node", str(NODE)], stdin=pipe, stdout=pipe, text=True) as smsc:
        yield int(smsc.stdout.readline())
        smsc.stdin.close()


def reading(frame: bytes, numbers: Iterator[int]) -> bytes:
    """Reads the whole PDU."""
    pdu = decode(frame)
    if isinstance(pdu, pdus.SubmitSm):
        return encode(pdus.SubmitSmResp(sequence=pdu.sequence, message_id=f"{next(numbers):08d}"))
    return encode(pdus.response_to(pdu))


def echoing(frame: bytes, numbers: Iterator[int]) -> bytes:
    """Looks at the header only."""
    _, command, _, sequence = HEAD.unpack_from(frame)
    if command == Command.SUBMIT_SM:
        return ANSWER.pack(ANSWER.size, Command.SUBMIT_SM_RESP, 0, sequence, b"%08d\0" % next(numbers))
    return reading(frame, numbers)


def raw_socket(port: int, count: int, window: int) -> float:
    """Seconds for `count` ready-made PDUs."""
    request = pdus.SubmitSm(
        sequence=0, source_addr_ton=5, source_addr="Clinica", dest_addr_ton=1, dest_addr_npi=1,
        destination_addr="34600111222", registered_delivery=1, short_message=TEXT.encode("latin-1"),
    )  # fmt: skip
    body = encode(request)[16:]
    ready = [HEAD.pack(16 + len(body), Command.SUBMIT_SM, 0, n + 2) + body for n in range(count)]
    with socket.create_connection(("127.0.0.1", port)) as stream:
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        stream.sendall(encode(pdus.BindTransceiver(sequence=1, system_id="raw")))
        stream.recv(CHUNK)
        began = time.perf_counter()
        sent = answered = octets = 0
        while answered < count:
            free = min(window - (sent - answered), count - sent)
            if free:
                stream.sendall(b"".join(ready[sent : sent + free]))
                sent += free
            octets += len(stream.recv(CHUNK))
            answered = octets // ANSWER.size
        return time.perf_counter() - began


def link(port: int, count: int, window: int) -> float:
    """Seconds for `count` parts through the connector."""
    settings = SmppSettings(host="127.0.0.1", port=port, system_id="link", sender="Clinica", window=window)
    parts = [Outgoing(key=PartKey(n, 1), destination="+34600111222", text=TEXT, alphabet="gsm7") for n in range(count)]
    return link_seconds(settings, parts, receipts=False)


def plain_smpplib(port: int, count: int, window: int) -> float:
    """Seconds for `count` messages, one at a time, as its own examples do."""
    client = smpplib.client.Client("127.0.0.1", port, allow_unknown_opt_params=True)
    client.connect()
    client.bind_transceiver(system_id="smpplib", password="pw")
    answered = 0

    def count_answer(pdu) -> None:
        nonlocal answered
        answered += 1

    client.set_message_sent_handler(count_answer)
    began = time.perf_counter()
    for number in range(count):
        client.send_message(
            source_addr_ton=5, source_addr="Clinica", dest_addr_ton=1, dest_addr_npi=1,
            destination_addr="34600111222", registered_delivery=1, short_message=TEXT.encode("latin-1"),
        )  # fmt: skip
        while answered <= number:
            client.read_once()
    took = time.perf_counter() - began
    client.unbind()
    client.disconnect()
    return took


def main() -> None:
    """Run the rounds and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=50_000, help="messages a round")
    parser.add_argument("--window", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--smsc", choices=("reads", "echoes", "node"), default="reads")
    asked = parser.parse_args()
    ways: dict[str, tuple[Callable[[int, int, int], float], int]] = {
        "raw_socket": (raw_socket, asked.count),
        "link": (link, asked.count),
        "smpplib": (plain_smpplib, max(1, asked.count // 10)),
    }
    rates: dict[str, list[float]] = {name: [] for name in ways}
    with node_smsc() if asked.smsc == "node" else own_smsc(asked.smsc) as port:
        for number in range(asked.rounds):
            for name, (run, count) in ways.items():
                rates[name].append(count / run(port, count, asked.window))
                print(f"round {number + 1}  {name:10}  {rates[name][-1]:>9,.0f} messages/s")
    rate = {name: statistics.median(found) for name, found in rates.items()}
    result = {
        "benchmark": "smpp_link",
        "count": asked.count,
        "window": asked.window,
        "smsc": asked.smsc,
        **{f"{name}_per_second": round(value) for name, value in rate.items()},
        "ratio_to_raw_socket": round(rate["link"] / rate["raw_socket"], 3),
        "ratio_to_smpplib": round(rate["link"] / rate["smpplib"], 1),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
