"""Text and octets of messages: every data_coding, headers, SAR parameters and payloads."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlsms.model import Concat
from xlsms_service.protocols.smpp import pdu as pdus
from xlsms_service.protocols.smpp.constants import Tag
from xlsms_service.protocols.smpp.text import decode_text, encode_text, read_text, relative_time


@pytest.mark.parametrize(
    ("text", "alphabet", "default", "coding", "octets"),
    [
        ("@€ñ", "gsm7", "gsm7", 0, b"\x00\x1b\x65\x7d"),
        ("Año", "gsm7", "latin1", 0, b"A\xf1o"),
        ("plain", "gsm7", "ascii", 0, b"plain"),
        ("ё😀", "ucs2", "gsm7", 8, bytes.fromhex("0451D83DDE00")),
        ("\ud83d", "ucs2", "latin1", 8, bytes.fromhex("D83D")),
    ],
)
def test_text_is_written(text: str, alphabet: str, default: str, coding: int, octets: bytes) -> None:
    assert encode_text(text, alphabet, default) == (coding, octets)


@pytest.mark.parametrize(("text", "default"), [("ё", "gsm7"), ("€", "latin1"), ("ñ", "ascii")])
def test_character_that_the_coding_lacks_is_an_error(text: str, default: str) -> None:
    with pytest.raises(UnicodeError):
        encode_text(text, "gsm7", default)


@pytest.mark.parametrize(
    ("octets", "coding", "default", "text"),
    [
        ("001B657D", 0x00, "gsm7", "@€ñ"),
        ("41F16F", 0x00, "latin1", "Año"),
        ("41FF", 0x00, "ascii", "A\ufffd"),
        ("4131", 0x01, "gsm7", "A1"),
        ("41F16F", 0x03, "gsm7", "Año"),
        ("C1", 0x06, "gsm7", "С"),
        ("E0", 0x07, "gsm7", "א"),
        ("0451D83DDE00", 0x08, "gsm7", "ё😀"),
        ("0451D83D", 0x08, "gsm7", "ё\ufffd"),
        ("045104", 0x08, "gsm7", "ё\ufffd"),
        ("00", 0x10, "gsm7", "@"),
        ("0451", 0x18, "gsm7", "ё"),
        ("E9", 0x14, "gsm7", "é"),
        ("00", 0xC8, "gsm7", "@"),
        ("0451", 0xE0, "gsm7", "ё"),
        ("00", 0xF0, "gsm7", "@"),
        ("E9", 0xF4, "gsm7", "é"),
        ("00", 0x09, "gsm7", "@"),
    ],
)
def test_text_is_read(octets: str, coding: int, default: str, text: str) -> None:
    assert decode_text(bytes.fromhex(octets), coding, default) == text


@given(st.binary(max_size=160), st.integers(0, 255), st.sampled_from(["gsm7", "latin1", "ascii"]))
def test_any_octets_are_some_text(octets: bytes, coding: int, default: str) -> None:
    assert isinstance(decode_text(octets, coding, default), str)


def sar(reference: int, total: int, part: int) -> dict[int, bytes]:
    return {
        Tag.SAR_MSG_REF_NUM: reference.to_bytes(2, "big"),
        Tag.SAR_TOTAL_SEGMENTS: bytes([total]),
        Tag.SAR_SEGMENT_SEQNUM: bytes([part]),
    }


def test_place_in_a_long_message_is_told_by_header_or_parameters() -> None:
    short = pdus.DeliverSm(sequence=1, esm_class=0x40, short_message=bytes.fromhex("0500039A0302") + b"hi")
    assert read_text(short, "gsm7").concat == Concat(reference=0x9A, total=3, part=2)
    assert read_text(short, "gsm7").text == "hi"
    assert read_text(short, "gsm7").raw == short.short_message

    wide = pdus.DeliverSm(
        sequence=1, esm_class=0x40, data_coding=8, short_message=bytes.fromhex("06080412340201 D83DDE00")
    )
    assert read_text(wide, "gsm7").concat == Concat(reference=0x1234, total=2, part=1, wide=True)
    assert read_text(wide, "gsm7").text == "😀"

    told = pdus.DeliverSm(sequence=1, short_message=b"hi", tlvs=sar(0x1234, 2, 2))
    assert read_text(told, "gsm7").concat == Concat(reference=0x1234, total=2, part=2, wide=True)


@pytest.mark.parametrize(
    "tlvs",
    [
        sar(1, 0, 1),
        sar(1, 2, 0),
        sar(1, 2, 3),
        {Tag.SAR_MSG_REF_NUM: b"\0\1"},
        {**sar(1, 2, 1), Tag.SAR_TOTAL_SEGMENTS: b"\x7f\xff\xff\xff"},
        {**sar(1, 2, 1), Tag.SAR_TOTAL_SEGMENTS: b"\1" + bytes(8)},
        {**sar(1, 2, 1), Tag.SAR_TOTAL_SEGMENTS: b"\0\2"},
        {**sar(1, 2, 1), Tag.SAR_SEGMENT_SEQNUM: b"\0\1"},
        {**sar(1, 2, 1), Tag.SAR_SEGMENT_SEQNUM: b""},
        {**sar(1, 2, 1), Tag.SAR_MSG_REF_NUM: b"\1"},
        {**sar(1, 2, 1), Tag.SAR_MSG_REF_NUM: bytes(9)},
    ],
)
def test_impossible_place_is_none(tlvs: dict[int, bytes]) -> None:
    assert read_text(pdus.DeliverSm(sequence=1, short_message=b"hi", tlvs=tlvs), "gsm7").concat is None


def test_header_is_not_looked_for_unless_it_is_marked() -> None:
    pdu = pdus.DeliverSm(sequence=1, data_coding=3, short_message=bytes.fromhex("0500039A0302") + b"hi")
    assert read_text(pdu, "gsm7").concat is None
    assert len(read_text(pdu, "gsm7").text) == 8


def test_long_payload_stands_in_its_parameter_with_its_header() -> None:
    pdu = pdus.DeliverSm(
        sequence=1, esm_class=0x40, tlvs={Tag.MESSAGE_PAYLOAD: bytes.fromhex("0500039A0302") + b"x" * 300}
    )
    got = read_text(pdu, "gsm7")
    assert got.text == "x" * 300
    assert got.concat is not None


@given(st.binary(max_size=60), st.integers(0, 255), st.integers(0, 255))
def test_any_deliver_sm_has_some_text(octets: bytes, esm: int, coding: int) -> None:
    pdu = pdus.DeliverSm(sequence=1, esm_class=esm, data_coding=coding, short_message=octets)
    assert isinstance(read_text(pdu, "gsm7").text, str)


@pytest.mark.parametrize(
    ("span", "written"),
    [
        (timedelta(minutes=5), "000000000500000R"),
        (timedelta(days=2, hours=3, seconds=4), "000002030004000R"),
        (timedelta(days=63 * 7), "010213000000000R"),
        (timedelta(seconds=-5), "000000000000000R"),
        (timedelta(days=366 * 200), "990000000000000R"),
    ],
)
def test_span_is_written_relative(span: timedelta, written: str) -> None:
    assert relative_time(span) == written
