"""Compression against olevba, another's reading of the same specification; the examples of the specification itself."""

import random
import re
import warnings

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xlsms.addin.ovba import compress, encrypt

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from oletools.olevba import decompress_stream

WORDS = re.findall(r"\S+", "Dim As Long String If Then End Sub Public Private Set For Next SmsTick.Look = & ( ) , \" '")
WORDS += ["\r\n", "    ", " ", " "]


def read(packed):
    return bytes(decompress_stream(bytearray(packed)))


def test_examples_of_the_specification():
    """[MS-OVBA] 3.2.1 and 3.2.3: no compression, and the most of it."""
    plain = b"abcdefghijklmnopqrstuv."
    assert compress(plain).hex() == "0119b000616263646566676800696a6b6c6d6e6f7000717273747576 2e".replace(" ", "")
    assert compress(b"a" * 73).hex() == "0103b002614500"


@pytest.mark.parametrize("size", [0, 1, 2, 3, 4, 15, 16, 17, 18, 4095, 4096, 4097, 8191, 8192, 8193])
def test_sizes_around_the_edges(size):
    plain = (b"Sub A()\r\nEnd Sub\r\n" * 500)[:size]
    assert read(compress(plain)) == plain


def test_two_thousand_texts_come_back():
    chance = random.Random(2000)
    for number in range(2000):
        plain = "".join(chance.choices(WORDS, k=chance.randrange(1, 500 if number % 10 else 2000))).encode()
        assert read(compress(plain)) == plain, number


def test_a_whole_chunk_of_noise_is_stored_as_it_is():
    noise = random.Random(1).randbytes(4096)
    packed = compress(noise)
    assert packed[3:] == noise
    assert read(packed) == noise


def test_a_short_chunk_of_noise_is_no_text():
    with pytest.raises(ValueError, match="not text"):
        compress(random.Random(1).randbytes(4090))


@given(st.binary(max_size=300))
@settings(max_examples=300)
def test_any_short_bytes_come_back(plain):
    assert read(compress(plain)) == plain


def decrypted(project_id, text):
    """[MS-OVBA] 2.4.3.3, written after the specification and not after our own code."""
    data = bytes.fromhex(text)
    seed, version_enc, key_enc = data[:3]
    assert seed ^ version_enc == 2
    assert seed ^ key_enc == sum(project_id.encode()) & 0xFF
    unencrypted1, encrypted1, encrypted2 = seed ^ key_enc, key_enc, version_enc
    out = bytearray()
    for byte in data[3:]:
        plain = byte ^ ((encrypted2 + unencrypted1) & 0xFF)
        out.append(plain)
        encrypted2, encrypted1, unencrypted1 = encrypted1, byte, plain
    body = out[(seed & 6) // 2 :]
    size = int.from_bytes(body[:4], "little")
    assert len(body) == 4 + size
    return bytes(body[4:])


@given(st.binary(max_size=40), st.integers(0, 255))
def test_hidden_values_come_back(value, seed):
    project_id = "{6B0F6E3C-5B7A-4C0E-9C56-3E5A0D7C2F11}"
    assert decrypted(project_id, encrypt(project_id, value, seed)) == value
