"""Our octets against those of smpplib, for every field combination that it can express; and what it gets wrong."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from smpplib import command, smpp

from xlsms_service.protocols.smpp import pdu as pdus
from xlsms_service.protocols.smpp.constants import Tag
from xlsms_service.protocols.smpp.pdu import decode, encode
from xlsms_service.protocols.smpp.tlv import integer, text


class Client:
    """All that smpplib's codec wants of its client."""

    def __init__(self, sequence: int) -> None:
        self.sequence = sequence

    def next_sequence(self) -> int:
        return self.sequence


def theirs(name: str, sequence: int, **values: object) -> bytes:
    return smpp.make_pdu(name, client=Client(sequence), **values).generate()


def ascii_text(longest: int) -> st.SearchStrategy[str]:
    return st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=longest)


OCTET = st.integers(0, 255)
SEQUENCE = st.integers(1, 0x7FFFFFFF)

MESSAGE = {
    "service_type": ascii_text(5),
    "source_addr_ton": OCTET,
    "source_addr_npi": OCTET,
    "source_addr": ascii_text(20),
    "dest_addr_ton": OCTET,
    "dest_addr_npi": OCTET,
    "destination_addr": ascii_text(20),
    "esm_class": OCTET,
    "protocol_id": OCTET,
    "priority_flag": OCTET,
    "schedule_delivery_time": ascii_text(16),
    "validity_period": ascii_text(16),
    "registered_delivery": OCTET,
    "replace_if_present_flag": OCTET,
    "data_coding": OCTET,
    "sm_default_msg_id": OCTET,
    "short_message": st.binary(max_size=254),
}
BIND = {
    "system_id": ascii_text(15),
    "password": ascii_text(8),
    "system_type": ascii_text(12),
    "addr_ton": OCTET,
    "addr_npi": OCTET,
    "address_range": ascii_text(40),
}
#: name, tag, octets
NUMBERS = [
    ("user_message_reference", Tag.USER_MESSAGE_REFERENCE, 2),
    ("sar_msg_ref_num", Tag.SAR_MSG_REF_NUM, 2),
    ("sar_total_segments", Tag.SAR_TOTAL_SEGMENTS, 1),
    ("sar_segment_seqnum", Tag.SAR_SEGMENT_SEQNUM, 1),
]


@given(st.fixed_dictionaries({}, optional=MESSAGE), SEQUENCE)
def test_submit_sm_is_the_same(values: dict[str, object], sequence: int) -> None:
    assert encode(pdus.SubmitSm(sequence=sequence, **values)) == theirs("submit_sm", sequence, **values)


@given(st.sets(st.sampled_from(NUMBERS)), st.binary(min_size=1, max_size=300))
def test_submit_sm_with_parameters_is_the_same(numbers: set[tuple[str, int, int]], payload: bytes) -> None:
    their = {name: tag & 0x7F for name, tag, _ in numbers} | {"message_payload": payload}
    wire = theirs("submit_sm", 7, **their)
    ours = {tag: (tag & 0x7F).to_bytes(size, "big") for _, tag, size in numbers} | {Tag.MESSAGE_PAYLOAD: payload}
    assert encode(pdus.SubmitSm(sequence=7, tlvs=dict(sorted(ours.items())))) == wire
    assert decode(wire).tlvs == ours


def every_parameter(kind: type[command.Command]) -> dict[str, st.SearchStrategy]:
    """A value for each optional parameter that smpplib knows of this PDU, as it wants it: name -> (value, octets)."""
    found = {}
    for name, param in kind.params.items():
        if name in MESSAGE or name == "sm_length":
            continue
        if param.type is int:
            size = param.size
            found[name] = st.integers(0, 256**size - 1).map(lambda n, size=size: (n, n.to_bytes(size, "big")))
        elif param.type is str:
            found[name] = ascii_text(20).filter(bool).map(lambda text: (text, text.encode() + b"\0"))
        elif hasattr(param, "size"):
            found[name] = st.binary(min_size=param.size, max_size=param.size).map(lambda octets: (octets, octets))
        elif hasattr(param, "max"):
            found[name] = st.binary(min_size=1, max_size=19).map(lambda octets: (octets, octets))
    return found


@pytest.mark.parametrize(
    ("ours", "theirs_kind"), [(pdus.SubmitSm, command.SubmitSM), (pdus.DeliverSm, command.DeliverSM)]
)
@settings(deadline=None)
@given(data=st.data(), sequence=SEQUENCE)
def test_every_field_with_every_parameter_is_the_same(
    ours: type[pdus.ShortMessage], theirs_kind: type[command.Command], data: st.DataObject, sequence: int
) -> None:
    parameters = every_parameter(theirs_kind)
    assert len(parameters) > 20
    fields = data.draw(st.fixed_dictionaries({}, optional=MESSAGE))
    if fields.get("short_message"):
        del parameters["message_payload"]  # it refuses both
    chosen = data.draw(st.fixed_dictionaries({}, optional=parameters))
    wire = theirs(ours.command.name.lower(), sequence, **fields, **{name: value for name, (value, _) in chosen.items()})
    tlvs = {command.get_optional_code(name): chosen[name][1] for name in theirs_kind.params_order if name in chosen}
    assert encode(ours(sequence=sequence, **fields, tlvs=tlvs)) == wire
    assert decode(wire).tlvs == tlvs


@given(st.fixed_dictionaries({}, optional=MESSAGE), SEQUENCE)
def test_deliver_sm_is_the_same(values: dict[str, object], sequence: int) -> None:
    wire = theirs("deliver_sm", sequence, **values)
    assert encode(pdus.DeliverSm(sequence=sequence, **values)) == wire


@pytest.mark.parametrize("kind", [pdus.BindTransmitter, pdus.BindReceiver, pdus.BindTransceiver])
@given(values=st.fixed_dictionaries({}, optional=BIND), sequence=SEQUENCE)
def test_binds_are_the_same(kind: type[pdus.Bind], values: dict[str, object], sequence: int) -> None:
    assert encode(kind(sequence=sequence, **values)) == theirs(kind.command.name.lower(), sequence, **values)


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (pdus.EnquireLink, {}),
        (pdus.EnquireLinkResp, {}),
        (pdus.Unbind, {}),
        (pdus.UnbindResp, {}),
        (pdus.GenericNack, {}),
        (pdus.SubmitSmResp, {"message_id": "7f3a"}),
        (pdus.DeliverSmResp, {"message_id": ""}),
        (pdus.QuerySm, {"message_id": "7f3a", "source_addr_ton": 5, "source_addr": "CLINIC"}),
    ],
)
def test_the_others_are_the_same(kind: type[pdus.Pdu], values: dict[str, object]) -> None:
    assert encode(kind(sequence=9, **values)) == theirs(kind.command.name.lower(), 9, **values)


# --- where smpplib's codec goes wrong, ours does not -----------------------------------------------------------------


def frame(command: int, body: bytes) -> bytes:
    return b"".join(n.to_bytes(4, "big") for n in (16 + len(body), command, 0, 1)) + body


DELIVER = b"\0\1\1" + b"34600\0" + b"\1\1" + b"5500\0" + bytes(10)


@pytest.mark.parametrize(
    ("wire", "their_error"),
    [
        pytest.param(frame(5, DELIVER + bytes.fromhex("0501000102")), KeyError, id="known parameter of another PDU"),
        pytest.param(frame(0x80000004, b"7\0" + bytes.fromhex("001D00026F6B")), KeyError, id="parameter of an answer"),
    ],
)
def test_parameters_that_it_does_not_expect_are_read(wire: bytes, their_error: type[Exception]) -> None:
    with pytest.raises(their_error):
        smpp.parse_pdu(wire, client=Client(1), allow_unknown_opt_params=True)
    assert len(decode(wire).tlvs) == 1


def test_length_of_a_number_is_believed_and_the_id_after_it_kept() -> None:
    wire = frame(5, DELIVER + bytes.fromhex("0427 0002 0002 001E 0004 37663361"))
    assert integer(decode(wire).tlvs, Tag.MESSAGE_STATE) == 2
    assert text(decode(wire).tlvs, Tag.RECEIPTED_MESSAGE_ID) == "7f3a"


def test_what_it_cuts_silently_is_refused_by_us() -> None:
    long = {"destination_addr": "3" * 25}
    assert smpp.parse_pdu(theirs("submit_sm", 1, **long), client=Client(1)).destination_addr == b"3" * 20
    with pytest.raises(ValueError, match="destination_addr: 25 octets, at most 20"):
        encode(pdus.SubmitSm(sequence=1, **long))
