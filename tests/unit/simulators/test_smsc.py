"""The SMS centre on real sockets, against clients and readers that are not ours."""

import asyncio
import json
import socket
import ssl
import subprocess
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
import smpplib.client
import smpplib.consts
import smpplib.exceptions

from tests.program import lacks
from xlsms_service.protocols.smpp.constants import Status
from xlsms_service.protocols.smpp.framing import Framer
from xlsms_service.protocols.smpp.pdu import (
    BindTransceiver,
    DeliverSm,
    DeliverSmResp,
    EnquireLink,
    EnquireLinkResp,
    GenericNack,
    SubmitSm,
    SubmitSmResp,
    decode,
    encode,
)
from xlsms_service.simulators import Behaviour, IdForm, Network, Pace, Population, Settings, Smsc

QUICK = Pace(receipt=0, slow=0, expiry=0, reply=0)
SETTINGS = Settings(accounts={"xlsms": "rehearse"})


def answering(reply="SI"):
    return Population.of(Behaviour(name="answers", replies=(reply,), again=True), pace=QUICK)


@contextmanager
def running(smsc, tls=None):
    """The SMS centre on a loop of its own, as another computer would be; gives its port and a way to call into it."""
    ready, stop, holder = threading.Event(), asyncio.Event(), {}

    async def main():
        async with smsc.serve(tls=tls) as server:
            holder.update(server=server, loop=asyncio.get_running_loop())
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=asyncio.run, args=(main(),))
    thread.start()
    assert ready.wait(60)
    try:
        yield holder["server"], holder["loop"].call_soon_threadsafe
    finally:
        holder["loop"].call_soon_threadsafe(stop.set)
        thread.join(60)
        assert not thread.is_alive()


class Raw:
    """A blocking client that knows PDUs and nothing else."""

    def __init__(self, port, *, bound=True, tls=None):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        if tls is not None:
            self.socket = tls.wrap_socket(self.socket, server_hostname="localhost")
        self._framer = Framer()
        self._frames = []
        self._sequence = 0
        if bound:
            self.say(BindTransceiver, system_id="xlsms", password="rehearse")
            assert self.hear().status == 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def say(self, kind, **fields):
        self._sequence += 1
        self.socket.sendall(encode(kind(sequence=self._sequence, **fields)))
        return self._sequence

    def hear(self):
        """The next PDU, None when the other side has hung up."""
        while not self._frames:
            data = self.socket.recv(65536)
            if not data:
                return None
            self._frames += self._framer.feed(data)
        return decode(self._frames.pop(0))

    def submit(self, destination="34600111222", text=b"Hello"):
        return self.say(
            SubmitSm, destination_addr=destination, source_addr="600", registered_delivery=1, short_message=text
        )


class Peer(smpplib.client.Client):
    """smpplib, with what it hears in lists; a receipt or text that comes before an answer does not disturb it."""

    def __init__(self, port):
        super().__init__("127.0.0.1", port, timeout=60, allow_unknown_opt_params=True)
        self.answers, self.texts = [], []
        self.set_message_sent_handler(lambda *, pdu: self.answers.append(pdu))
        self.set_message_received_handler(lambda *, pdu: self.texts.append(pdu))
        self.set_error_pdu_handler(lambda _pdu: None)
        self.connect()

    def __enter__(self):
        self.bind_transceiver(system_id="xlsms", password="rehearse")
        return self

    def __exit__(self, *_):
        self.disconnect()

    def submit(self, destination="34600111222", text=b"Hello", **fields):
        self.send_message(
            source_addr_ton=1,
            source_addr_npi=1,
            source_addr="34600000000",
            dest_addr_ton=1,
            dest_addr_npi=1,
            destination_addr=destination,
            short_message=text,
            registered_delivery=1,
            **fields,
        )

    def until(self, happened):
        while not happened():
            self.read_once()


def test_smpplib_binds_submits_and_gets_answer_receipt_and_reply():
    smsc = Smsc(answering(), SETTINGS)
    with running(smsc) as (server, _), Peer(server.port) as peer:
        peer.submit()
        peer.until(lambda: peer.answers and len(peer.texts) == 2)
        (answer,) = peer.answers
        receipt, reply = peer.texts
        assert receipt.receipted_message_id == answer.message_id
        assert receipt.esm_class == 0x04
        assert receipt.message_state == smpplib.consts.SMPP_MESSAGE_STATE_DELIVERED
        assert b"stat:DELIVRD" in receipt.short_message
        assert (reply.source_addr, reply.destination_addr) == (b"34600111222", b"34600000000")
        assert reply.short_message == b"SI"
    (taken,) = smsc.taken
    assert taken.text == "Hello"
    assert taken.network_ids == (answer.message_id.decode(),)


@pytest.mark.parametrize(("system_id", "password"), [("xlsms", "wrong"), ("nobody", "rehearse")])
def test_smpplib_is_told_of_a_wrong_password(system_id, password):
    with running(Smsc(settings=SETTINGS)) as (server, _):
        peer = Peer(server.port)
        with pytest.raises(smpplib.exceptions.PDUError):
            peer.bind_transceiver(system_id=system_id, password=password)
        peer.disconnect()


@pytest.mark.parametrize(
    ("text", "alphabet"),
    [("Hello [world] €10 " * 20, "gsm7"), ("Mañana a las 5 😀 ¿sí? " * 12, "ucs2")],
)
def test_long_texts_are_put_together_and_answered_in_parts(text, alphabet):
    from xlsms.text import gsm7
    from xlsms.text.split import split

    parts = split(text)
    assert parts.alphabet == alphabet
    smsc = Smsc(answering(text), SETTINGS)
    with running(smsc) as (server, _), Peer(server.port) as peer:
        for number, part in reversed(list(enumerate(parts.parts, 1))):
            octets = gsm7.encode(part) if alphabet == "gsm7" else part.encode("utf-16-be")
            header = bytes((5, 0, 3, 77, len(parts), number))
            peer.submit(text=header + octets, esm_class=0x40, data_coding=0 if alphabet == "gsm7" else 8)
        peer.until(lambda: len(peer.texts) == 2 * len(parts))
    (taken,) = smsc.taken
    assert (taken.text, taken.parts) == (text, len(parts))
    replies = [pdu for pdu in peer.texts if pdu.esm_class == 0x40]
    assert len(replies) == len(parts)
    heard = {}
    for pdu in replies:
        assert pdu.short_message[:3] == b"\x05\x00\x03"
        assert pdu.short_message[4] == len(parts)
        octets = pdu.short_message[6:]
        heard[pdu.short_message[5]] = gsm7.decode(octets) if alphabet == "gsm7" else octets.decode("utf-16-be")
    assert "".join(heard[number] for number in sorted(heard)) == text


def test_smpplib_sees_throttling():
    smsc = Smsc(Population.of("silent"), SETTINGS, Network(throttle_every=2))
    with running(smsc) as (server, _), Peer(server.port) as peer:
        for _ in range(4):
            peer.submit()
        peer.until(lambda: len(peer.answers) == 4)
        assert [pdu.status for pdu in peer.answers] == [0, 0x58, 0, 0x58]
    assert len(smsc.taken) == 2


def test_a_client_that_writes_octet_by_octet_is_understood():
    smsc = Smsc(Population.of("silent"), SETTINGS)
    with running(smsc) as (server, _), Raw(server.port) as raw:
        for octet in encode(SubmitSm(sequence=9, destination_addr="34600111222", short_message=b"slowly")):
            raw.socket.sendall(bytes((octet,)))
        assert raw.hear().sequence == 9
    assert smsc.taken[0].text == "slowly"


def test_lost_answers_are_lost_and_the_rest_comes():
    smsc = Smsc(Population.of("silent"), SETTINGS, Network(lose_answers=frozenset({2})))
    with running(smsc) as (server, _), Raw(server.port) as raw:
        sent = [raw.submit() for _ in range(3)]
        assert [raw.hear().sequence, raw.hear().sequence] == [sent[0], sent[2]]
    assert len(smsc.taken) == 3


@pytest.mark.parametrize("unanswered", [False, True])
def test_a_dropped_link_is_closed_and_may_come_back(unanswered):
    smsc = Smsc(Population.of("silent"), SETTINGS, Network(drop_after=2, drop_unanswered=unanswered))
    with running(smsc) as (server, _):
        with Raw(server.port) as raw:
            raw.submit()
            raw.submit()
            heard = [raw.hear() for _ in range(3 - unanswered)]
            assert heard[-1] is None
            assert all(isinstance(pdu, SubmitSmResp) for pdu in heard[:-1])
        with Raw(server.port) as raw:
            raw.submit()
            assert raw.hear().status == 0
    assert len(smsc.taken) == 3


def test_a_receipt_arrives_before_its_answer():
    network = Network(early_receipts=1.0, response_id=IdForm.HEX, receipt_id=IdForm.DECIMAL)
    with running(Smsc(Population.of("slow"), SETTINGS, network)) as (server, _), Raw(server.port) as raw:
        raw.submit()
        receipt, answer = raw.hear(), raw.hear()
        assert isinstance(receipt, DeliverSm)
        assert f"id:{int(answer.message_id, 16)} ".encode() in receipt.short_message


def test_what_was_not_acknowledged_comes_again_after_a_rebind():
    with running(Smsc(answering(), SETTINGS)) as (server, _):
        with Raw(server.port) as raw:
            raw.submit()
            heard = [raw.hear() for _ in range(3)]
            receipt, reply = [pdu for pdu in heard if isinstance(pdu, DeliverSm)]
            raw.socket.sendall(encode(DeliverSmResp(sequence=receipt.sequence)))
            raw.say(EnquireLink)
            assert isinstance(raw.hear(), EnquireLinkResp)
        with Raw(server.port) as raw:
            again = raw.hear()
            assert again.short_message == reply.short_message
            raw.socket.sendall(encode(DeliverSmResp(sequence=again.sequence)))
            raw.say(EnquireLink)
            assert isinstance(raw.hear(), EnquireLinkResp)
        with Raw(server.port) as raw:
            raw.say(EnquireLink)
            assert isinstance(raw.hear(), EnquireLinkResp)


def test_a_cut_on_command_and_a_text_on_command():
    with running(Smsc(settings=SETTINGS)) as (server, call), Raw(server.port) as raw:
        call(lambda: server.text("34600111222", "¡Hola!"))
        assert raw.hear().short_message == b"@Hola!"  # ¡ is 40 in GSM 03.38
        call(server.drop)
        assert raw.hear() is None


@pytest.mark.parametrize(
    "octets",
    [b"GET / HTTP/1.1\r\n\r\n", b"\x00" * 64, b"\xff" * 64, bytes.fromhex("00000010000000090000000000000001")],
)
def test_strangers_do_not_stop_the_server(octets):
    with running(Smsc(Population.of("silent"), SETTINGS)) as (server, _):
        with Raw(server.port, bound=False) as stranger:
            stranger.socket.sendall(octets)
            answer = stranger.hear()
            assert isinstance(answer, GenericNack)
            assert answer.status == Status.INVALID_COMMAND_LENGTH
        with Raw(server.port) as raw:
            raw.submit()
            assert raw.hear().status == 0


def test_a_client_that_never_reads_is_not_listened_to_either_and_does_not_hold_up_the_end():
    with running(Smsc(Population.of("silent"), SETTINGS)) as (server, _):
        deaf = socket.socket()
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.connect(("127.0.0.1", server.port))
        deaf.settimeout(1)
        questions = encode(EnquireLink(sequence=1)) * 4096
        with pytest.raises(TimeoutError):
            deaf.sendall(questions * 1000)
        with Raw(server.port) as raw:
            raw.submit()
            assert raw.hear().status == 0
    deaf.close()


def test_it_serves_again_and_remembers():
    smsc = Smsc(answering(), SETTINGS)
    with running(smsc) as (server, _), Raw(server.port) as raw:
        raw.submit()
        assert isinstance(raw.hear(), SubmitSmResp)
    with running(smsc) as (server, _), Raw(server.port) as raw:
        assert {raw.hear().short_message[:2], raw.hear().short_message[:2]} == {b"id", b"SI"}
    assert len(smsc.taken) == 1


def test_until_wakes_and_gives_up():
    async def main():
        smsc = Smsc(Population.of("silent"), SETTINGS)
        async with smsc.serve() as server:
            _, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(encode(BindTransceiver(sequence=1, system_id="xlsms", password="rehearse")))
            writer.write(encode(SubmitSm(sequence=2, destination_addr="34600111222")))
            await server.until(lambda: len(smsc.taken) == 1)
            with pytest.raises(TimeoutError):
                await server.until(lambda: len(smsc.taken) == 2, within=0.01)
            writer.close()
            await writer.wait_closed()

    asyncio.run(main())


def test_the_journal_is_whole_when_read_from_outside(tmp_path):
    path = tmp_path / "journal.jsonl"
    smsc = Smsc(Population.of("silent"), Settings(journal=path))
    with running(smsc) as (server, _), Raw(server.port) as raw:
        for n in range(20):
            raw.submit(text=b"row %d" % n)
            assert raw.hear().status == 0
            assert json.loads(path.read_text("utf-8").splitlines()[-1])["text"] == f"row {n}"


def test_a_journal_that_cannot_be_written_is_an_os_error(tmp_path):
    async def main():
        async with Smsc(settings=Settings(journal=tmp_path / "no" / "journal")).serve():
            pass

    with pytest.raises(OSError, match="journal"):
        asyncio.run(main())


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().issuer_name(name).subject_name(name).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number()).add_extension(names, critical=False)
    built = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + built.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    return path


def test_it_speaks_tls(certificate):
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_side.load_cert_chain(certificate)
    client_side = ssl.create_default_context(cafile=certificate)
    with (
        running(Smsc(Population.of("silent"), SETTINGS), tls=server_side) as (server, _),
        Raw(server.port, tls=client_side) as raw,
    ):
        raw.submit()
        assert raw.hear().status == 0


@pytest.mark.skipif(lacks("tshark", "text2pcap"), reason="needs tshark and text2pcap")
def test_wireshark_reads_the_conversation_without_complaint(tmp_path):
    """Everything the SMS centre says is written down, turned into a capture, and read by Wireshark's dissector."""
    said = []
    texts = ("SI", "Mañana sí 😀 " * 20, "Hello [you] " * 30)
    phones = {f"3460011122{n}": Behaviour(name="answers", replies=(text,), again=True) for n, text in enumerate(texts)}
    network = Network(response_id=IdForm.HEX, receipt_id=IdForm.PADDED, throttle_every=5)
    with running(Smsc(Population(phones, pace=QUICK), SETTINGS, network)) as (server, _), Raw(server.port) as raw:
        for n in range(5):
            raw.submit(f"3460011122{n % 3}")
        raw.socket.settimeout(60)
        deliveries = 0
        while deliveries < 4 + 2 * 1 + 4 + 3:
            pdu = raw.hear()
            if isinstance(pdu, DeliverSm):
                deliveries += 1
                raw.socket.sendall(encode(DeliverSmResp(sequence=pdu.sequence)))
            said.append(encode(pdu))
    hexdump = tmp_path / "said.txt"
    with hexdump.open("w") as file:
        for octets in said:
            file.write("000000 " + " ".join(f"{octet:02x}" for octet in octets) + "\n")
    capture = tmp_path / "said.pcap"
    subprocess.run(["text2pcap", "-q", "-T", "2775,40000", hexdump, capture], check=True, capture_output=True)
    fields = [
        "-e",
        "smpp.command_id",
        "-e",
        "_ws.malformed",
        "-e",
        "_ws.expert.message",
        "-e",
        "smpp.esm.submit.msg_type",
    ]
    read = subprocess.run(
        ["tshark", "-r", capture, "-d", "tcp.port==2775,smpp", "-Y", "smpp", "-T", "fields", *fields],
        check=True,
        capture_output=True,
        text=True,
    )
    lines = read.stdout.splitlines()
    assert len(lines) == len(said)
    assert not [line for line in lines if "alformed" in line]
