"""Debian's Kannel as a client of our simulated SMSC: what it submits is taken as it meant it, and our reports reach it."""

import asyncio
import os
from contextlib import ExitStack
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from tests.benchmarks.kannel import FOUND, _kannel
from xlsms_service.simulators.exchange import Settings
from xlsms_service.simulators.network import IdForm, Network
from xlsms_service.simulators.phones import Pace, Population
from xlsms_service.simulators.smsc import Smsc

pytestmark = pytest.mark.peer

PATIENCE = 90
DELIVERED, UNDELIVERED = 1, 2  # bits of what Kannel calls back with; 32 beside the second is expired
TEXTS = ["Hola", "¿Cuantos? 5 € {x} [y] ~", "Привет 😀", "Año nuevo: 5 € [hoy] ~ " * 15, "Привет, до завтра! " * 12]


@pytest.fixture(scope="session", autouse=True)
def kannel():
    if not FOUND:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("bearerbox and smsbox are not on the path")


class Heard:
    """Where Kannel calls back: the path's parameters of each request."""

    def __init__(self):
        self.calls = []

    async def __call__(self, reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        asked = parse_qs(urlsplit(head.split(b" ")[1].decode()).query)
        self.calls.append({name: values[0] for name, values in asked.items()})
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    def ends(self, number):
        kinds = [int(call["kind"]) for call in self.calls if call["to"].lstrip("+ ") == number]
        return {kind & (DELIVERED | UNDELIVERED) for kind in kinds} - {0}


async def hand_in(http, number, text, back):
    """One text into Kannel."""
    plain = text.isascii() or text.startswith(("¿", "A"))
    asked = {
        "username": "benchmark", "password": "benchmark", "from": "Clinica", "to": f"+{number}", "text": text,
        "charset": "UTF-8", "coding": 0 if plain else 2, "dlr-mask": 31, "dlr-url": back,
    }  # fmt: skip
    reader, writer = await asyncio.open_connection("127.0.0.1", http)
    writer.write(f"GET /cgi-bin/sendsms?{urlencode(asked)} HTTP/1.0\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    assert b" 202 " in answer.split(b"\r\n")[0], answer


@pytest.mark.parametrize("form", [IdForm.DECIMAL, IdForm.HEX])
def test_kannel_s_texts_are_taken_and_our_reports_reach_it(form):
    async def main():
        # Kannel is told that ids are written alike in both places (msg-id-type 0).
        smsc = Smsc(
            Population(pace=Pace(receipt=0.5, expiry=1.0, slow=1.0), seed=1), Settings(accounts={"kannel": "kannel"}),
            Network(response_id=form, receipt_id=form, early_receipts=0.0, duplicate_receipts=0.1),
        )  # fmt: skip
        heard = Heard()
        callbacks = await asyncio.start_server(heard, "127.0.0.1", 0)
        back = f"http://127.0.0.1:{callbacks.sockets[0].getsockname()[1]}/?kind=%d&to=%p&id=%F"
        numbers = {f"346001{number:05}": TEXTS[number % len(TEXTS)] for number in range(100)}
        with ExitStack() as ended:
            async with smsc.serve() as server:
                http = await asyncio.to_thread(ended.enter_context, _kannel(server.port, 20))
                await server.until(lambda: smsc.counters.links == 1, within=PATIENCE)
                for number, text in numbers.items():
                    await hand_in(http, number, text, back)
                behaviours = {number: smsc.population.phone(number).behaviour for number in numbers}
                wanted = {number for number, phone in behaviours.items() if not phone.refusal}
                await server.until(lambda: len(smsc.taken) == len(wanted), within=PATIENCE)
                taken = {each.destination.lstrip("+"): each.text for each in smsc.taken}
                assert taken == {number: numbers[number] for number in wanted}
                async with asyncio.timeout(PATIENCE):
                    while not all(heard.ends(number) for number in wanted):
                        await asyncio.sleep(0.05)
                for number in wanted:
                    expected = DELIVERED if behaviours[number].stat == "DELIVRD" else UNDELIVERED
                    assert heard.ends(number) == {expected}, number
                # What phones write is taken too, long texts included.
                server.text("34600000001", "Hola ñ € 😀 " * 20, to="Clinica", system_id="kannel")
                await server.until(lambda: smsc.waiting == 0, within=PATIENCE)
                assert smsc.counters.malformed == 0
                assert smsc.counters.declined == 0
                await asyncio.to_thread(ended.close)
        callbacks.close()

    asyncio.run(main())
