"""A network that takes as little of the processor as one can: what it measures is whoever talks to it.

It answers binds, submits, enquire_links and unbinds (SMPP 3.4 §4), gives each text an id of its own and reports it
delivered at once. It reads nothing of a submit but its addresses and keeps nothing but counts. The simulator of the
product does all that a network can do, and needs several times as long for it.
"""

import asyncio
import multiprocessing
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection

__all__ = ["network"]

_HEAD = struct.Struct(">IIII")
_SUBMIT, _DELIVER, _UNBIND, _ENQUIRE = 0x04, 0x05, 0x06, 0x15
_BINDS = (0x01, 0x02, 0x09)
_RESPONSE = 0x8000_0000

#: What follows the addresses of a receipt: esm_class 04, no dates, data_coding 0 (SMPP 3.4 §4.6.1).
_RECEIPT = b"\x04\x00\x00\x00\x00\x00\x00\x00\x00"
_TEXT = b"id:%b sub:001 dlvrd:001 submit date:%b done date:%b stat:DELIVRD err:000 text:"


class _Counts:
    taken = 0  #: submits
    told = 0  #: answers to receipts


class _Session(asyncio.Protocol):
    def __init__(self, counts: _Counts) -> None:
        self._counts = counts
        self._rest = b""
        self._sequence = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        data = self._rest + data if self._rest else data
        at, end = 0, len(data)
        answers: list[bytes] = []
        receipts: list[bytes] = []
        minute = time.strftime("%y%m%d%H%M", time.gmtime()).encode()
        while end - at >= _HEAD.size:
            length, command, _, sequence = _HEAD.unpack_from(data, at)
            if end - at < length:
                break
            if command == _SUBMIT:
                self._counts.taken += 1
                name = b"%010d" % self._counts.taken
                answers.append(_HEAD.pack(27, _SUBMIT | _RESPONSE, 0, sequence) + name + b"\0")
                receipts.append(self._receipt(data, at, name, minute))
            elif command == _DELIVER | _RESPONSE:
                self._counts.told += 1
            elif command in _BINDS:
                answers.append(_HEAD.pack(21, command | _RESPONSE, 0, sequence) + b"smsc\0")
            elif command in (_ENQUIRE, _UNBIND):
                answers.append(_HEAD.pack(16, command | _RESPONSE, 0, sequence))
            at += length
        self._rest = data[at:]
        self._transport.write(b"".join(answers + receipts))

    def _receipt(self, data: bytes, at: int, name: bytes, minute: bytes) -> bytes:
        # service_type, then ton, npi and address of the sender and of the recipient
        source = data.index(0, at + _HEAD.size) + 1
        destination = data.index(0, source + 2) + 1
        end = data.index(0, destination + 2) + 1
        text = _TEXT % (name, minute, minute)
        self._sequence += 1
        body = b"\0%b%b%b%c%b" % (data[destination:end], data[source:destination], _RECEIPT, len(text), text)
        return _HEAD.pack(_HEAD.size + len(body), _DELIVER, 0, self._sequence) + body


def _serve(pipe: Connection) -> None:
    async def main() -> None:
        counts = _Counts()
        server = await asyncio.get_running_loop().create_server(lambda: _Session(counts), "127.0.0.1", 0)
        async with server:
            pipe.send(server.sockets[0].getsockname()[1])
            while True:
                await asyncio.to_thread(pipe.recv)
                pipe.send((counts.taken, counts.told, time.process_time()))

    asyncio.run(main())


@contextmanager
def network() -> Iterator[tuple[int, Callable[[], tuple[int, int, float]]]]:
    """A network in a process of its own.

    Yields its port and a function that says how many parts it took, how many receipts were answered, and how many
    seconds of processor time it has used.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs,), daemon=True)
    process.start()
    port = ours.recv()

    def counts() -> tuple[int, int, float]:
        ours.send(None)
        found: tuple[int, int, float] = ours.recv()
        return found

    try:
        yield port, counts
    finally:
        process.terminate()
        process.join()
