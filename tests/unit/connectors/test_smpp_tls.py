"""SMPP over TLS, with certificates made for the test."""

import asyncio
import ipaddress
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from xlsms.errors import UserError
from xlsms.model import Result
from xlsms_service.connectors.base import Link


@pytest.fixture(scope="module")
def pem(tmp_path_factory) -> Path:
    """A certificate for smsc.test and 127.0.0.1 that vouches for itself, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "smsc.test")])
    names = [x509.DNSName("smsc.test"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "smsc.pem"
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM) + secret)
    return path


def server_side(pem: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context


@pytest.mark.parametrize("trust", [{}, {"server_hostname": "smsc.test"}])
def test_parts_go_out_over_a_verified_link(kit, pem, trust: dict[str, str]) -> None:
    async def main() -> None:
        async with (
            kit.smsc(server_side(pem)) as smsc,
            kit.connected(smsc.port, tls=True, ca=pem, **trust) as (connector, told),
        ):
            connector.submit([kit.part(n) for n in range(20)])
            await told.until(lambda: len(told.results) == 20)
            assert {outcome.result for outcome in told.results} == {Result.ACCEPTED}

    asyncio.run(main())


@pytest.mark.parametrize("trust", [{}, {"ca": True, "server_hostname": "other.test"}])
def test_certificate_that_cannot_be_trusted_is_for_the_user_to_mend(kit, pem, trust: dict[str, object]) -> None:
    trust = {key: pem if value is True else value for key, value in trust.items()}

    async def main() -> None:
        async with (
            kit.smsc(server_side(pem)) as smsc,
            kit.connected(smsc.port, wait_up=False, tls=True, **trust) as (_, told),
        ):
            await told.until(lambda: told.link is Link.REFUSED)
            error = told.statuses[-1].error
            assert isinstance(error, UserError)
            assert error.code == "smsc-certificate"
            assert smsc.read == []  # the password did not leave

    asyncio.run(main())


def test_verification_can_be_turned_off(kit, pem) -> None:
    async def main() -> None:
        async with kit.smsc(server_side(pem)) as smsc, kit.connected(smsc.port, tls=True, verify=False) as (_, told):
            assert told.link is Link.UP

    asyncio.run(main())


def test_server_that_speaks_no_tls_is_named(kit) -> None:
    async def main() -> None:
        async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"220 not what you expect\r\n")
            await reader.read()
            writer.close()

        server = await asyncio.start_server(greet, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with server, kit.connected(port, wait_up=False, tls=True) as (_, told):
            await told.until(lambda: told.link is Link.REFUSED)
            assert told.statuses[-1].error.code == "smsc-no-tls"

    asyncio.run(main())


def test_certificate_file_that_cannot_be_used_is_named(kit, tmp_path) -> None:
    (tmp_path / "notes.pem").write_text("not a certificate")

    async def main(name: str) -> None:
        async with kit.connected(1, wait_up=False, tls=True, ca=tmp_path / name) as (_, told):
            await told.until(lambda: told.link is Link.REFUSED)
            assert told.statuses[-1].error.code == "smsc-ca-unusable"
            assert name in told.statuses[-1].error.message()

    asyncio.run(main("notes.pem"))
    asyncio.run(main("missing.pem"))


def test_dropped_encrypted_link_is_made_anew(kit, pem) -> None:
    async def main() -> None:
        async with kit.smsc(server_side(pem)) as smsc, kit.connected(smsc.port, tls=True, ca=pem) as (connector, told):
            smsc.on_submit = lambda peer, pdu: None
            connector.submit([kit.part()])
            await smsc.until(lambda: smsc.submits)
            smsc.peer.transport.abort()
            await told.until(lambda: told.results)
            assert (told.results[0].result, told.results[0].code) == (Result.UNCERTAIN, "link-lost")
            await told.up()

    asyncio.run(main())


@pytest.mark.parametrize("name", [".smsc.test", "a" * 64 + ".test", "smsc..test", "smsc\0.test"])
def test_a_name_that_no_certificate_can_have_is_for_the_user_to_mend(kit, pem, name: str) -> None:
    async def main() -> None:
        async with (
            kit.smsc(server_side(pem)) as smsc,
            kit.connected(smsc.port, wait_up=False, tls=True, ca=pem, server_hostname=name) as (_, told),
        ):
            await told.until(lambda: [status.link for status in told.statuses].count(Link.REFUSED) >= 2)
            assert {status.error.code for status in told.statuses if status.error} == {"smsc-wrong-name"}
            assert smsc.read == []

    asyncio.run(main())
