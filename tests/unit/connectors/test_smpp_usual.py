"""The quick way to read a receipt says what the long way says, and never that something is one which is not."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xlsms_service.connectors.smpp import SmppSettings
from xlsms_service.connectors.smpp.incoming import DeliverReader
from xlsms_service.protocols.smpp.constants import HEADER, Tag
from xlsms_service.protocols.smpp.event import Reported, Requested
from xlsms_service.protocols.smpp.fault import ProtocolError
from xlsms_service.protocols.smpp.pdu import BindTransceiver, BindTransceiverResp, DeliverSm, decode, encode
from xlsms_service.protocols.smpp.session import Session, Timers
from xlsms_service.protocols.smpp.usual import UsualReader

NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
USUAL = b"id:0000000687 sub:001 dlvrd:001 submit date:2603010929 done date:2603010930 stat:DELIVRD err:000"
WORDS = st.sampled_from([
    b"id:", b"2AF", b"a_b", b" sub:001", b" dlvrd:001", b" submit date:2603010930", b" done date:260301093001",
    b" stat:DELIVRD", b" stat:delivrd", b" err:000", b" err:", b" text:", b" Text:", b"Hola", b"\x1be", b"\x00", b"\xe9", b'"',
])  # fmt: skip
TEXTS = st.one_of(
    st.lists(WORDS, max_size=9).map(b"".join),
    st.binary(max_size=40).map(lambda end: USUAL + b" text:" + end),
    st.binary(max_size=20).map(lambda end: USUAL + end),
    st.just(USUAL),
)
VALUES = st.sampled_from([b"687\0", b"2AF", b"\2", b"\0\0\0\2", b' " \0', b"", b"\3\0\x21"])
TLVS = st.one_of(
    st.just({}),
    st.dictionaries(
        st.sampled_from([Tag.RECEIPTED_MESSAGE_ID, Tag.MESSAGE_STATE, Tag.NETWORK_ERROR_CODE, 0x1403]), VALUES
    ),
)
DELIVERIES = st.builds(
    DeliverSm,
    sequence=st.integers(1, 0xFFFFFFFF),
    status=st.just(0),
    service_type=st.sampled_from(["", "CMT"]),
    source_addr_ton=st.sampled_from([0, 1, 5, 255]),
    source_addr_npi=st.integers(0, 255),
    source_addr=st.sampled_from(["34600111222", "+34600111222", "Clinica", "", "é"]),
    dest_addr_ton=st.sampled_from([0, 1, 5]),
    dest_addr_npi=st.just(1),
    destination_addr=st.sampled_from(["5500", "34600000000", ""]),
    esm_class=st.sampled_from([4, 4, 4, 0, 8, 0x44]),
    protocol_id=st.integers(0, 255),
    priority_flag=st.integers(0, 255),
    schedule_delivery_time=st.sampled_from(["", "260301093000048+"]),
    validity_period=st.just(""),
    registered_delivery=st.integers(0, 255),
    replace_if_present_flag=st.integers(0, 255),
    data_coding=st.sampled_from([0, 0, 0, 1, 3, 4, 8, 245]),
    sm_default_msg_id=st.integers(0, 255),
    short_message=TEXTS,
    tlvs=TLVS,
)
READERS = [
    DeliverReader("c", SmppSettings(host="h", data_coding_0=coding, id_form=form, receipt_zone=zone))
    for coding, form, zone in [
        ("gsm7", "auto", "UTC"),
        ("gsm7-packed", "auto", "UTC"),
        ("latin1", "receipt-hex", "Europe/Madrid"),
        ("ascii", "answer-hex", "UTC"),
    ]
]


def _agree(frame, usual_reader=None):
    usual = (usual_reader or UsualReader()).read(frame, int.from_bytes(frame[12:16], "big"))
    if usual is None:
        return
    pdu = decode(frame)
    assert (usual.sequence, usual.frame) == (pdu.sequence, frame)
    for reader in READERS:
        assert reader.read_usual(usual, NOW) == reader.read(pdu, NOW)


@settings(deadline=None, max_examples=400)
@given(DELIVERIES)
def test_a_delivery_means_the_same_both_ways(pdu):
    _agree(encode(pdu))


@settings(deadline=None, max_examples=400)
@given(DELIVERIES, st.lists(st.tuples(st.integers(HEADER, 200), st.binary(max_size=3)), max_size=3), st.integers(0, 30))
def test_broken_ones_do_too_or_are_left_to_the_long_way(pdu, changes, cut):
    body = bytearray(encode(pdu))
    for at, octets in changes:
        body[at : at + 1] = octets
    frame = bytes(body[: len(body) - cut] if cut < len(body) - HEADER else body)
    _agree(len(frame).to_bytes(4, "big") + frame[4:])


@settings(deadline=None, max_examples=400)
@given(
    DELIVERIES,
    st.lists(
        st.tuples(
            st.sampled_from(["34600111222", "3460011122", "346\0", "", "é"]),
            st.sampled_from([b"0000000687", b"0000000688", b"2AF", b"id:7", b"1-2", b"\xe9", b""]),
            st.integers(0, 6).map(lambda more: b"\2" * (more - 3) if more > 3 else b""),
            st.integers(-2, 2),
        ),
        max_size=5,
    ),
)
def test_those_that_follow_mean_the_same_both_ways(pdu, followers):
    reader = UsualReader()
    frame = encode(pdu)
    _agree(frame, reader)
    for phone, name, behind, off in followers:
        body = frame[HEADER:].replace(b"34600111222", phone.encode("latin-1")).replace(b"0000000687", name) + behind
        at = max(body.find(USUAL[:3]) - 1, 0)
        body = body[:at] + bytes([(body[at] + off) % 256]) + body[at + 1 :]
        _agree((HEADER + len(body)).to_bytes(4, "big") + frame[4:HEADER] + body, reader)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"CMT\0\1\1", b"CMT\0\0\1"),  # the phone is of another kind
        (b"CMT\0\1\1", b"CMT\0\1\1\0\1\1"),
        (b"34600111222", b"34600\0\0\0\0\0\0"),
        (b"34600111222", b"34600\x0011222"),
        (b"34600111222\0\1\1", b""),  # what stood before the phone and behind it is there, and no phone between
        (b"\1\1" + b"5500", b"\0\1" + b"5500"),
        (b"0000000687", b"00000006 7"),
        (b"0000000687", b"000000068_"),
        (b"0000000687", b"000000068\xe9"),
        (b"0000000687", b"000000068\0"),
        (b"0000000687", b"0000000-87"),
        (b"0000000687 sub:", b"000000068 sub:"),
        (b"DELIVRD", b"UNDELIV"),
        (b"err:000", b"err:001"),
        (b"done date:2603010930", b"done date:2603010931"),
        (b"submit date:2603010929", b"submit date:2603010928"),
    ],
)
def test_one_that_differs_a_little_from_the_one_before_means_the_same_both_ways(before, after):
    reader = UsualReader()
    kinds = {"service_type": "CMT", "source_addr_ton": 1, "source_addr_npi": 1, "dest_addr_ton": 1, "dest_addr_npi": 1}
    fields = {"source_addr": "34600111222", "destination_addr": "5500", "esm_class": 4, "short_message": USUAL}
    frame = encode(DeliverSm(sequence=7, **kinds, **fields))
    for each in (frame, frame.replace(before, after, 1), frame):
        assert before in frame
        _agree(len(each).to_bytes(4, "big") + each[4:], reader)


def test_what_a_run_of_receipts_has_in_common_is_one_object():
    reader = UsualReader()
    fields = {"source_addr": "34600111222", "esm_class": 4}
    texts = [USUAL, USUAL.replace(b"687", b"688"), USUAL.replace(b"DELIVRD", b"EXPIRED")]
    read = [reader.read(encode(DeliverSm(sequence=n, short_message=it, **fields)), n) for n, it in enumerate(texts)]
    assert [each.id for each in read] == ["0000000687", "0000000688", "0000000687"]
    assert read[0].said is read[1].said
    assert (read[1].said.state, read[2].said.state) == ("DELIVRD", "EXPIRED")


def test_a_time_that_a_run_of_receipts_tells_is_believed_by_when_each_of_them_comes():
    frame = encode(DeliverSm(sequence=7, source_addr="34600111222", esm_class=4, short_message=USUAL))
    usual, reader = UsualReader().read(frame, 7), READERS[0]
    for at, told in ((NOW, NOW), (NOW + timedelta(days=8), None), (NOW - timedelta(minutes=2), None), (NOW, NOW)):
        assert (reader.read_usual(usual, at).done_at, reader.read(decode(frame), at).done_at) == (told, told)


def test_any_octets_are_read_or_left():
    with pytest.raises(ProtocolError):
        decode(b"\0\0\0\x12\0\0\0\x05" + bytes(10))
    assert UsualReader().read(b"\0\0\0\x12\0\0\0\x05" + bytes(10), 0) is None


@pytest.mark.parametrize(
    ("change", "quick"),
    [
        ({}, True),
        ({"tlvs": {Tag.RECEIPTED_MESSAGE_ID: b"687\0", Tag.MESSAGE_STATE: b"\2"}}, True),
        ({"short_message": USUAL + b" Text:Hola, s\xe9"}, True),
        ({"esm_class": 0}, False),
        ({"esm_class": 0x44}, False),
        ({"short_message": USUAL.replace(b"id:", b"id: ")}, False),
        ({"short_message": b""}, False),
    ],
)
def test_a_session_tells_usual_receipts_the_quick_way_and_all_else_as_requests(change, quick):
    session = Session(now=0.0, timers=Timers())
    session.bind(BindTransceiver(sequence=0, system_id="x", password=""), 0.0)
    session.receive(encode(BindTransceiverResp(sequence=1, system_id="s")), 0.0)
    session.data_to_send()
    fields = {"source_addr": "34600111222", "esm_class": 4, "short_message": USUAL} | change
    (event,) = session.receive(encode(DeliverSm(sequence=7, **fields)), 0.0)
    assert isinstance(event, Reported if quick else Requested)
    session.acknowledge([7])
    answer = decode(session.data_to_send())
    assert (answer.command, answer.sequence, answer.status, answer.message_id) == (0x80000005, 7, 0, "")
