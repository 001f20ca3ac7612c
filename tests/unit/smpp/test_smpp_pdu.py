"""The SMPP codec: examples from the wire, round trips, and any bytes at all."""

import dataclasses
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlsms_service.protocols.smpp import pdu as pdus
from xlsms_service.protocols.smpp.constants import Command, Status, Tag, status_name, status_text
from xlsms_service.protocols.smpp.fault import FieldError, ProtocolError
from xlsms_service.protocols.smpp.framing import Framer, OutOfStepError
from xlsms_service.protocols.smpp.pdu import decode, encode
from xlsms_service.protocols.smpp.tlv import integer, text

RECEIPT = b"id:7f3a sub:001 dlvrd:001 submit date:2611222026 done date:2611222027 stat:DELIVRD err:000 text:Hola"

#: (octets as the layouts of SMPP 3.4 give them, the PDU they are)
EXAMPLES = [
    pytest.param(
        # §4.1.1 with the values of its own example, SMPP3TEST / secret08 / SUBMIT1
        "0000002F 00000002 00000000 00000001 534D50503354455354 00 7365637265743038 00 5355424D495431 00 34 01 01 00",
        pdus.BindTransmitter(
            sequence=1, system_id="SMPP3TEST", password="secret08", system_type="SUBMIT1", addr_ton=1, addr_npi=1
        ),
        id="bind_transmitter",
    ),
    pytest.param(
        "0000001A 80000009 00000000 00000001 534D534300 0210 0001 34",
        pdus.BindTransceiverResp(sequence=1, system_id="SMSC", tlvs={0x0210: b"\x34"}),
        id="bind_transceiver_resp",
    ),
    pytest.param(
        "00000010 80000002 0000000E 00000007",
        pdus.BindTransmitterResp(sequence=7, status=Status.WRONG_PASSWORD),
        id="refused bind has no body",
    ),
    pytest.param(
        "00000037 00000004 00000000 00000002"
        " 00 05 00 434C494E494300 01 01 33343630303132333435363700 40 00 00 00 00 01 00 08 00 04 0061D83D",
        pdus.SubmitSm(
            sequence=2,
            source_addr_ton=5,
            source_addr="CLINIC",
            dest_addr_ton=1,
            dest_addr_npi=1,
            destination_addr="346001234567",
            esm_class=0x40,
            registered_delivery=1,
            data_coding=8,
            short_message=bytes.fromhex("0061D83D"),
        ),
        id="submit_sm",
    ),
    pytest.param(
        "00000015 80000004 00000000 00000002 3766336100",
        pdus.SubmitSmResp(sequence=2, message_id="7f3a"),
        id="submit_sm_resp",
    ),
    pytest.param(
        "00000010 80000004 00000058 00000002",
        pdus.SubmitSmResp(sequence=2, status=Status.THROTTLED),
        id="throttled",
    ),
    pytest.param(
        "000000A9 00000005 00000000 00000003"
        " 00 01 01 33343630303132333435363700 00 00 3535303000 04 00 00 00 00 00 00 00 00 64"
        + RECEIPT.hex()
        + "001E 0005 3766336100 0427 0001 02 1401 0002 ABCD",
        pdus.DeliverSm(
            sequence=3,
            source_addr_ton=1,
            source_addr_npi=1,
            source_addr="346001234567",
            destination_addr="5500",
            esm_class=4,
            short_message=RECEIPT,
            tlvs={Tag.RECEIPTED_MESSAGE_ID: b"7f3a\0", Tag.MESSAGE_STATE: b"\x02", 0x1401: b"\xab\xcd"},
        ),
        id="deliver_sm",
    ),
    pytest.param(
        "00000011 80000005 00000000 00000003 00",
        pdus.DeliverSmResp(sequence=3),
        id="deliver_sm_resp",
    ),
    pytest.param(
        "0000001E 00000003 00000000 00000004 3766336100 05 00 434C494E494300",
        pdus.QuerySm(sequence=4, message_id="7f3a", source_addr_ton=5, source_addr="CLINIC"),
        id="query_sm",
    ),
    pytest.param(
        "00000018 80000003 00000000 00000004 3766336100 00 02 00",
        pdus.QuerySmResp(sequence=4, message_id="7f3a", message_state=2),
        id="query_sm_resp",
    ),
    pytest.param(
        "00000031 00000008 00000000 00000004 434D5400 3766336100 05 00 434C494E494300 01 01 33343630303132333435363700",
        pdus.CancelSm(
            sequence=4,
            service_type="CMT",
            message_id="7f3a",
            source_addr_ton=5,
            source_addr="CLINIC",
            dest_addr_ton=1,
            dest_addr_npi=1,
            destination_addr="346001234567",
        ),
        id="cancel_sm",
    ),
    pytest.param("00000010 80000008 00000011 00000004", pdus.CancelSmResp(sequence=4, status=0x11), id="not cancelled"),
    pytest.param(
        "00000018 0000000B 00000000 00000001 534D534300 707700",
        pdus.Outbind(sequence=1, system_id="SMSC", password="pw"),
        id="outbind",
    ),
    pytest.param("00000010 00000015 00000000 00000005", pdus.EnquireLink(sequence=5), id="enquire_link"),
    pytest.param("00000010 80000015 00000000 00000005", pdus.EnquireLinkResp(sequence=5), id="enquire_link_resp"),
    pytest.param("00000010 00000006 00000000 00000006", pdus.Unbind(sequence=6), id="unbind"),
    pytest.param("00000010 80000006 00000000 00000006", pdus.UnbindResp(sequence=6), id="unbind_resp"),
    pytest.param(
        "00000010 80000000 00000003 FFFFFFFF",
        pdus.GenericNack(sequence=0xFFFFFFFF, status=Status.INVALID_COMMAND),
        id="generic_nack, sequence beyond the limit",
    ),
    pytest.param(
        "00000013 00000102 00000000 00000009 010203",
        pdus.Unknown(sequence=9, command_id=Command.ALERT_NOTIFICATION, body=b"\1\2\3"),
        id="alert_notification is kept as it came",
    ),
]


@pytest.mark.parametrize(("octets", "pdu"), EXAMPLES)
def test_example_is_read_and_written(octets: str, pdu: pdus.Pdu) -> None:
    wire = bytes.fromhex(octets)
    assert decode(wire) == pdu
    assert encode(pdu) == wire


@pytest.mark.parametrize(("octets", "pdu"), EXAMPLES)
def test_example_is_framed_whole_byte_by_byte_and_with_bytes_trailing(octets: str, pdu: pdus.Pdu) -> None:
    wire = bytes.fromhex(octets)
    assert Framer().feed(wire) == [wire]

    framer = Framer()
    frames = [frame for octet in wire for frame in framer.feed(bytes([octet]))]
    assert frames == [wire]
    assert framer.pending == 0

    framer = Framer()
    assert framer.feed(wire + wire[:9]) == [wire]
    assert framer.pending == 9
    assert framer.feed(wire[9:] + wire) == [wire, wire]


@pytest.mark.parametrize("length", [0, 15, 65537, 0xFFFFFFF0])
def test_impossible_length_is_refused_at_once_and_what_came_before_is_kept(length: int) -> None:
    good = encode(pdus.EnquireLink(sequence=1))
    framer = Framer()
    with pytest.raises(OutOfStepError) as caught:
        framer.feed(good + length.to_bytes(4, "big"))
    assert caught.value.frames == [good]
    assert caught.value.status == Status.INVALID_COMMAND_LENGTH
    assert framer.pending == 0


# --- tolerance -------------------------------------------------------------------------------------------------------


def frame(command: int, body: bytes, status: int = 0, sequence: int = 1) -> bytes:
    return b"".join(n.to_bytes(4, "big") for n in (16 + len(body), command, status, sequence)) + body


def deliver(addr: bytes = b"34600\0", length: int | None = None, text: bytes = b"hi", tail: bytes = b"") -> bytes:
    size = len(text) if length is None else length
    return frame(
        Command.DELIVER_SM,
        b"\0\1\1" + addr + b"\1\1" + b"5500\0" + bytes(3) + b"\0\0" + bytes(4) + bytes([size]) + text + tail,
    )


def test_over_long_strings_are_read() -> None:
    assert decode(deliver(addr=b"1" * 200 + b"\0")).source_addr == "1" * 200
    assert decode(frame(Command.SUBMIT_SM_RESP, b"x" * 300 + b"\0")).message_id == "x" * 300


def test_missing_nul_of_the_last_string_is_forgiven() -> None:
    assert decode(frame(Command.SUBMIT_SM_RESP, b"7f3a")).message_id == "7f3a"
    receipted = decode(deliver(tail=bytes.fromhex("001E0004") + b"7f3a"))
    assert text(receipted.tlvs, Tag.RECEIPTED_MESSAGE_ID) == "7f3a"


def test_accepted_submit_without_a_body_has_an_empty_id() -> None:
    assert decode(frame(Command.SUBMIT_SM_RESP, b"")) == pdus.SubmitSmResp(sequence=1)


def test_tlv_length_is_believed() -> None:
    got = decode(deliver(tail=bytes.fromhex("0427 0002 0005 001E 0003 313200")))
    assert integer(got.tlvs, Tag.MESSAGE_STATE) == 5
    assert text(got.tlvs, Tag.RECEIPTED_MESSAGE_ID) == "12"


def test_tlvs_of_other_pdus_and_vendors_are_kept() -> None:
    resp = decode(frame(Command.SUBMIT_SM_RESP, b"a\0" + bytes.fromhex("001D 0002 6F6B 0423 0003 030001 1400 0001 07")))
    assert resp.tlvs == {0x001D: b"ok", 0x0423: b"\x03\x00\x01", 0x1400: b"\x07"}
    assert decode(deliver(tail=bytes.fromhex("0501 0001 02"))).tlvs == {0x0501: b"\x02"}


def test_first_of_a_repeated_tlv_counts() -> None:
    assert decode(deliver(tail=bytes.fromhex("0427 0001 02 0427 0001 05"))).tlvs == {Tag.MESSAGE_STATE: b"\x02"}


def test_missing_and_empty_tlvs_are_none() -> None:
    assert integer({}, Tag.MESSAGE_STATE) is None
    assert integer({Tag.MESSAGE_STATE: b""}, Tag.MESSAGE_STATE) is None
    assert text({}, Tag.RECEIPTED_MESSAGE_ID) is None


@pytest.mark.parametrize("tail", ["04", "0427", "0427 0001", "0427 0005 02"])
def test_truncated_tlv_of_a_request_is_a_protocol_error(tail: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        decode(deliver(tail=bytes.fromhex(tail)))
    assert (caught.value.status, caught.value.sequence) == (Status.BROKEN_TLVS, 1)


def test_rubbish_behind_an_answer_does_not_hide_it() -> None:
    assert decode(frame(Command.SUBMIT_SM_RESP, b"7f3a\0\x04\x27\0")) == pdus.SubmitSmResp(
        sequence=1, message_id="7f3a"
    )


def test_message_longer_than_the_pdu_is_a_protocol_error() -> None:
    with pytest.raises(ProtocolError) as caught:
        decode(deliver(length=200))
    assert caught.value.status == Status.INVALID_MESSAGE_LENGTH


def test_every_cut_of_a_deliver_sm_is_a_protocol_error_of_its_sequence() -> None:
    whole = deliver()
    for end in range(16, len(whole)):
        with pytest.raises(ProtocolError) as caught:
            decode(end.to_bytes(4, "big") + whole[4:end])
        assert caught.value.sequence == 1


# --- what we write ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"destination_addr": "3" * 21}, "destination_addr"),
        ({"source_addr": "Клиника"}, "source_addr"),
        ({"source_addr": "a\0b"}, "source_addr"),
        ({"service_type": "toolong"}, "service_type"),
        ({"short_message": b"x" * 255}, "short_message"),
        ({"data_coding": 256}, "data_coding"),
        ({"tlvs": {Tag.MESSAGE_PAYLOAD: bytes(65536)}}, "optional parameter 0x0424"),
    ],
)
def test_value_that_does_not_fit_is_named_never_cut(change: dict[str, object], field: str) -> None:
    with pytest.raises(FieldError) as caught:
        encode(pdus.SubmitSm(sequence=1, **change))
    assert caught.value.field == field


def test_password_longer_than_the_specification_goes_out_whole() -> None:
    sent = decode(encode(pdus.BindTransceiver(sequence=1, system_id="clinic", password="correct-horse-battery")))
    assert sent.password == "correct-horse-battery"


def test_passwords_are_not_shown() -> None:
    assert "s3cret" not in repr(pdus.BindReceiver(sequence=1, password="s3cret"))
    assert "s3cret" not in repr(pdus.Outbind(sequence=1, password="s3cret"))


def test_each_request_has_its_answer() -> None:
    assert pdus.response_to(pdus.DeliverSm(sequence=4)) == pdus.DeliverSmResp(sequence=4)
    assert pdus.response_to(pdus.Unbind(sequence=5)) == pdus.UnbindResp(sequence=5)
    unknown = pdus.Unknown(sequence=6, command_id=0x103)
    assert pdus.response_to(unknown, Status.INVALID_COMMAND) == pdus.GenericNack(sequence=6, status=3)


def test_statuses_have_names_and_words() -> None:
    assert status_name(0x58) == "ESME_RTHROTTLED"
    assert status_text(0x0E) == "Invalid Password"
    assert status_name(0x412) == "0x00000412"
    assert status_text(0x412) == "status 0x00000412"


# --- round trip and rubbish ------------------------------------------------------------------------------------------

OCTET = st.integers(0, 255)
SEQUENCE = st.integers(0, 0xFFFFFFFF)
TLVS = st.dictionaries(st.integers(0, 0xFFFF), st.binary(max_size=20), max_size=4)
LATIN = st.characters(min_codepoint=1, max_codepoint=255)
SIZES = {"service_type": 5, "address_range": 40, "message_id": 64, "system_id": 64, "password": 64, "system_type": 64}
SIZES |= {"schedule_delivery_time": 16, "validity_period": 16, "final_date": 16}
KINDS = [
    kind
    for name in pdus.__all__
    if isinstance(kind := getattr(pdus, name), type) and "command" in vars(kind) and kind is not pdus.Pdu
]


def values(field: dataclasses.Field) -> st.SearchStrategy:
    if field.name in {"sequence", "status"}:
        return SEQUENCE
    if field.name == "tlvs":
        return TLVS
    if field.name == "short_message":
        return st.binary(max_size=254)
    if field.type is str:
        return st.text(LATIN, max_size=SIZES.get(field.name, 20))
    return OCTET


def test_every_kind_is_generated() -> None:
    assert len(KINDS) == 20


@given(
    st.sampled_from(KINDS).flatmap(
        lambda kind: st.builds(kind, **{f.name: values(f) for f in dataclasses.fields(kind)})
    )
)
def test_what_is_written_is_read_back(pdu: pdus.Pdu) -> None:
    if pdu.status and not getattr(pdu, "message_id", True):
        pdu = dataclasses.replace(pdu, status=0)  # a refusal without an id is written without a body
    assert decode(encode(pdu)) == pdu


@given(
    st.one_of(
        st.binary(max_size=80),
        st.builds(frame, st.sampled_from([*Command, 0x103, 0x80000103]), st.binary(max_size=120), SEQUENCE, SEQUENCE),
    )
)
def test_any_bytes_are_a_pdu_or_a_protocol_error(octets: bytes) -> None:
    try:
        pdu = decode(octets)
    except ProtocolError:
        return
    assert isinstance(pdu, pdus.Pdu)


@given(st.lists(st.binary(max_size=60), max_size=6), st.lists(st.integers(0, 400), max_size=12))
def test_frames_do_not_depend_on_how_the_stream_is_split(bodies: list[bytes], cuts: list[int]) -> None:
    wires = [frame(Command.DELIVER_SM, body) for body in bodies]
    stream = b"".join(wires)
    edges = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    framer = Framer()
    frames = [f for a, b in itertools.pairwise(edges) for f in framer.feed(stream[a:b])]
    assert frames == wires


@given(st.binary(max_size=200))
def test_a_framer_never_holds_more_than_its_limit(octets: bytes) -> None:
    framer = Framer(limit=64)
    try:
        framer.feed(octets)
    except ProtocolError:
        return
    assert framer.pending < 64
