"""The SMPP connector against an SMSC that is not ours: the npm package `smpp`, with TLS and without.

Install it once with `npm install --prefix tests/peers/node`.
"""

import asyncio
import ipaddress
import json
import os
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from xlsms.model import Concat, Inbound, Outcome, Outgoing, PartKey, Receipt, Result
from xlsms.text import split
from xlsms_service.config.secret import Secret
from xlsms_service.connectors.backoff import Backoff
from xlsms_service.connectors.base import Acknowledgeable, Link, LinkStatus, PartAskedAbout
from xlsms_service.connectors.smpp import SmppConnector, SmppSettings

pytestmark = pytest.mark.peer

HERE = Path(__file__).parent / "node"
PATIENCE = 90


@pytest.fixture(scope="session", autouse=True)
def node() -> str:
    found = shutil.which("node")
    # On a contributor's machine these tests may be missing; in CI they may not.
    give_up = pytest.fail if os.environ.get("CI") else pytest.skip
    if found is None:
        give_up("node is not on the path")
    if not (HERE / "node_modules" / "smpp").is_dir():
        give_up("the npm package smpp is not installed: npm install --prefix tests/peers/node")
    return found


@pytest.fixture(scope="session")
def pem(tmp_path_factory) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "smsc.test")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = tmp_path_factory.mktemp("peer") / "smsc.pem"
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM) + secret)
    return path


class Diary:
    """`Events` that keeps all, and waits for what a test looks for."""

    def __init__(self) -> None:
        self.statuses: list[LinkStatus] = []
        self.results: list[Outcome] = []
        self.items: list[Acknowledgeable] = []
        self.told: list[dict] = []  # what the SMSC says
        self._news = asyncio.Event()

    def link_changed(self, status: LinkStatus) -> None:
        self.statuses.append(status)
        self._news.set()

    def room_changed(self, connector: str) -> None:
        self._news.set()

    def outcomes(self, connector: str, outcomes) -> None:
        self.results.extend(outcomes)
        self._news.set()

    def received(self, connector: str, items) -> None:
        self.items.extend(items)
        self._news.set()

    def says(self, fact: dict) -> None:
        self.told.append(fact)
        self._news.set()

    async def until(self, fact: Callable[[], object]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not fact():
                self._news.clear()
                await self._news.wait()

    def events(self, name: str) -> list[dict]:
        return [fact for fact in self.told if fact["event"] == name]

    @property
    def texts(self) -> list[Inbound]:
        return [entry.item for entry in self.items if isinstance(entry.item, Inbound)]

    @property
    def receipts(self) -> list[Receipt]:
        return [entry.item for entry in self.items if isinstance(entry.item, Receipt)]

    def ups(self) -> int:
        return [status.link for status in self.statuses].count(Link.UP)


class Peer:
    def __init__(self, process: asyncio.subprocess.Process, diary: Diary) -> None:
        self.process = process
        self.diary = diary
        self.port = 0

    def order(self, what: str, **more: object) -> None:
        self.process.stdin.write(json.dumps({"do": what, **more}).encode() + b"\n")

    async def listen(self) -> None:
        while line := await self.process.stdout.readline():
            self.diary.says(json.loads(line))


@asynccontextmanager
async def smsc(node: str, diary: Diary, pem: Path | None) -> AsyncIterator[Peer]:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        node, str(HERE / "smsc.js"), *([str(pem)] if pem else []), stdin=pipe, stdout=pipe
    )
    peer = Peer(process, diary)
    ears = asyncio.create_task(peer.listen())
    try:
        await diary.until(lambda: diary.events("listening"))
        peer.port = diary.events("listening")[0]["port"]
        yield peer
    finally:
        process.stdin.close()
        await process.wait()
        await ears


@asynccontextmanager
async def connected(node: str, pem: Path | None, **more: object) -> AsyncIterator[tuple[SmppConnector, Diary, Peer]]:
    diary = Diary()
    async with smsc(node, diary, pem) as peer:
        values = {"password": Secret("pw"), "tls": pem is not None, "ca": pem, "sender": "Clinica", **more}
        settings = SmppSettings(host="127.0.0.1", port=peer.port, system_id="clinic", **values)
        connector = SmppConnector(
            "operator",
            settings,
            retry=Backoff(first=0.01, limit=0.1),
            refused_retry=Backoff(first=0.01, limit=0.1),
        )
        await connector.open(diary)
        try:
            yield connector, diary, peer
        finally:
            await connector.close(timedelta(seconds=5))


def part(number: int, text: str = "Hola", **more: object) -> Outgoing:
    values = {"destination": f"+3460011{number:04}", "alphabet": "gsm7", **more}
    return Outgoing(key=PartKey(number, 1), text=text, **values)


def parts(number: int, text: str) -> list[Outgoing]:
    """A long text as delivery would hand it over."""
    cut = split(text)
    return [
        Outgoing(
            key=PartKey(number, place),
            destination="+34600111222",
            text=piece,
            alphabet=cut.alphabet,
            concat=Concat(reference=number, total=len(cut.parts), part=place),
        )
        for place, piece in enumerate(cut.parts, 1)
    ]


@pytest.fixture(params=["plain", "tls"])
def link(request, node, pem):
    """Opens a connector to a fresh SMSC, without TLS and with."""
    return lambda **more: connected(node, pem if request.param == "tls" else None, **more)


def test_submits_are_taken_and_their_receipts_come_back(link) -> None:
    async def main() -> None:
        async with link(window=50) as (connector, diary, _):
            await diary.until(diary.ups)
            connector.submit([part(n, f"Cita {n} ñ€ {{x}}") for n in range(200)])
            await diary.until(lambda: len(diary.results) == len(diary.receipts) == 200)
            await diary.until(lambda: len(diary.events("submit")) == 200)
            assert {outcome.result for outcome in diary.results} == {Result.ACCEPTED}
            assert [fact["text"] for fact in diary.events("submit")] == [f"Cita {n} ñ€ {{x}}" for n in range(200)]
            first = diary.events("submit")[0]
            assert (first["source"], first["source_ton"]) == ("Clinica", 5)
            assert (first["destination"], first["destination_ton"]) == ("34600110000", 1)
            assert {o.network_id for o in diary.results} == {receipt.network_id for receipt in diary.receipts}
            assert {(r.state, r.error) for r in diary.receipts} == {("DELIVRD", "000")}
            assert diary.events("receipt answered") == []
            connector.acknowledge([entry.token for entry in diary.items])
            await diary.until(lambda: len(diary.events("receipt answered")) == 200)
            assert {fact["status"] for fact in diary.events("receipt answered")} == {0}

    asyncio.run(main())


@pytest.mark.parametrize(
    "text", ["Año nuevo: 5 € {menos} [hoy] ~ " * 15, "Привет 😀, до завтра! 👍🏽 " * 12], ids=["gsm7", "ucs2"]
)
def test_long_texts_arrive_whole(link, text: str) -> None:
    async def main() -> None:
        async with link() as (connector, diary, _):
            await diary.until(diary.ups)
            sent = parts(7, text)
            assert len(sent) > 2
            connector.submit(sent)
            # The peer's log and its answers come over two ways.
            await diary.until(lambda: len(diary.results) == len(diary.events("submit")) == len(sent))
            facts = diary.events("submit")
            assert [fact["udh"] for fact in facts] == [
                [f"000307{len(sent):02x}{n:02x}"] for n in range(1, len(sent) + 1)
            ]
            assert "".join(fact["text"] for fact in facts) == text

    asyncio.run(main())


def test_long_texts_may_be_told_by_parameters_or_go_whole(link) -> None:
    text = "Año nuevo: 5 € [hoy] ~ " * 15

    async def main(**more: object) -> list[dict]:
        async with link(user_message_reference=True, validity=90, **more) as (connector, diary, _):
            await diary.until(diary.ups)
            sent = parts(7, text)
            connector.submit(sent)
            await diary.until(lambda: len(diary.results) == len(sent))
            await diary.until(lambda: "".join(fact["text"] for fact in diary.events("submit")) == text)
            assert {outcome.result for outcome in diary.results} == {Result.ACCEPTED}
            assert {fact["reference"] for fact in diary.events("submit")} == {7}
            return diary.events("submit")

    told = asyncio.run(main(long_texts="sar"))
    assert [fact["sar"] for fact in told] == [[7, len(told), place] for place in range(1, len(told) + 1)]
    assert len(told) > 2
    assert len(asyncio.run(main(long_texts="payload"))) == 1


def test_network_is_asked_about_a_part_and_takes_it_back(link) -> None:
    async def main() -> None:
        async with link(service_type="CMT") as (connector, diary, _):
            await diary.until(diary.ups)
            asked = PartAskedAbout(network_id="0000002a", destination="+34600111222")
            receipt = await connector.query(asked)
            assert (receipt.network_id, receipt.state) == ("0000002a", "DELIVRD")
            assert await connector.cancel(asked)
            await diary.until(lambda: diary.events("cancel"))
            [told] = diary.events("cancel")
            del told["event"]
            assert told == {"id": "0000002a", "destination": "34600111222", "service": "CMT"}

    asyncio.run(main())


def test_pair_sends_on_one_connection_and_hears_on_the_other(link) -> None:
    async def main() -> None:
        async with link(bind="pair", binds=2) as (connector, diary, _peer):
            await diary.until(lambda: len(diary.events("bind")) == 4)
            connector.submit([part(n) for n in range(40)])
            await diary.until(lambda: len(diary.results) == 40)
            assert {outcome.result for outcome in diary.results} == {Result.ACCEPTED}
            binds = sorted(fact["command"] for fact in diary.events("bind"))
            assert binds == ["bind_receiver", "bind_receiver", "bind_transmitter", "bind_transmitter"]

    asyncio.run(main())


def test_texts_from_phones_come_in_whatever_their_form(link) -> None:
    async def main() -> None:
        async with link() as (connector, diary, peer):
            await diary.until(diary.ups)
            peer.order("deliver", source="34600111222", destination="5500", text="SÍ, allí estaré 👍", data_coding=8)
            peer.order("deliver", source="34600111222", destination="5500", text="¿A qué hora? 5€", data_coding=0)
            peer.order("deliver", source="34600111222", destination="5500", text="Ñandú", data_coding=3)
            peer.order("deliver", source="34600111222", destination="5500", text="uno ", udh="0500032a0201")
            peer.order("deliver", source="34600111222", destination="5500", text="dos", sar=[513, 2, 2])
            await diary.until(lambda: len(diary.texts) == 5)
            assert [text.text for text in diary.texts] == [
                "SÍ, allí estaré 👍",
                "¿A qué hora? 5€",
                "Ñandú",
                "uno ",
                "dos",
            ]
            assert diary.texts[3].concat == Concat(reference=42, total=2, part=1)
            assert diary.texts[4].concat == Concat(reference=513, total=2, part=2, wide=True)
            assert {(text.sender, text.recipient) for text in diary.texts} == {("+34600111222", "5500")}
            connector.acknowledge([entry.token for entry in diary.items])
            await diary.until(lambda: len(diary.events("delivered")) == 5)

    asyncio.run(main())


def test_throttled_parts_come_back_and_go_out_later(link) -> None:
    async def main() -> None:
        async with link() as (connector, diary, peer):
            await diary.until(diary.ups)
            peer.order("throttle", count=3)
            peer.order("enquire")
            await diary.until(lambda: diary.events("enquire_link_resp"))
            connector.submit([part(n) for n in range(5)])
            await diary.until(lambda: len(diary.results) == 5)
            returned = [outcome for outcome in diary.results if outcome.result is Result.RETURNED]
            assert [outcome.key.message for outcome in returned] == [0, 1, 2]
            assert {outcome.code for outcome in returned} == {"smsc-throttled"}
            connector.submit([part(outcome.key.message) for outcome in returned])
            await diary.until(lambda: len(diary.results) == 8)
            assert {outcome.result for outcome in diary.results[5:]} == {Result.ACCEPTED}

    asyncio.run(main())


def test_dropped_link_is_made_anew_and_nothing_is_taken_for_sent(link) -> None:
    async def main() -> None:
        async with link(window=4) as (connector, diary, peer):
            await diary.until(diary.ups)
            peer.order("hold", count=4)
            peer.order("enquire")
            await diary.until(lambda: diary.events("enquire_link_resp"))
            connector.submit([part(n) for n in range(6)])
            await diary.until(lambda: len(diary.events("submit")) == 4)
            peer.order("drop")
            await diary.until(lambda: len(diary.results) == 6)
            assert {o.key.message: o.code for o in diary.results} == {
                **dict.fromkeys(range(4), "link-lost"),
                **dict.fromkeys((4, 5), "link-down"),
            }
            await diary.until(lambda: diary.ups() == 2)
            connector.submit([part(9)])
            await diary.until(lambda: len(diary.results) == 7)
            assert diary.results[6].result is Result.ACCEPTED

    asyncio.run(main())


def test_unbind_and_unknown_commands_are_answered(link) -> None:
    async def main() -> None:
        async with link() as (_, diary, peer):
            await diary.until(diary.ups)
            peer.order("data")
            await diary.until(lambda: diary.events("generic_nack"))
            assert diary.events("generic_nack")[0]["status"] == 3
            peer.order("unbind")
            await diary.until(lambda: diary.events("unbind_resp"))
            await diary.until(lambda: diary.ups() == 2)

    asyncio.run(main())


def test_wrong_password_is_told(link) -> None:
    async def main() -> None:
        async with link(password=Secret("wrong")) as (_, diary, _peer):
            await diary.until(lambda: any(status.link is Link.REFUSED for status in diary.statuses))
            refused = next(status for status in diary.statuses if status.link is Link.REFUSED)
            assert refused.error.code == "smsc-login-refused"

    asyncio.run(main())


def test_closing_takes_leave(link) -> None:
    async def main() -> None:
        async with link() as (connector, diary, _):
            await diary.until(diary.ups)
            await connector.close(timedelta(seconds=5))
            await diary.until(lambda: diary.events("unbind"))

    asyncio.run(main())
