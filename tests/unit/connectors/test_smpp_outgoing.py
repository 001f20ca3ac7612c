"""The submit_sm of a part under every setting: on the wire, against smpplib's octets, and read back."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from smpplib import smpp

from xlsms.model import Concat, Outcome, Outgoing, PartKey, Result
from xlsms.text import split
from xlsms.text.gsm7 import encode, fill_bits, pack
from xlsms.text.udh import udh
from xlsms_service.connectors.smpp import SmppSettings
from xlsms_service.connectors.smpp.joining import join, part_outcomes
from xlsms_service.connectors.smpp.outgoing import SubmitEncoder
from xlsms_service.protocols.smpp import pdu as pdus
from xlsms_service.protocols.smpp.constants import Tag
from xlsms_service.protocols.smpp.fault import FieldError
from xlsms_service.protocols.smpp.text import read_text, relative_time

NOW = datetime(2026, 11, 22, 19, 30, 45, tzinfo=UTC)


def encoder(**more: object) -> SubmitEncoder:
    return SubmitEncoder(SmppSettings(host="smsc.example", **more), lambda: NOW)


def part(text: str = "Hola", message: int = 1, **more: object) -> Outgoing:
    values = {"destination": "+34600111222", "alphabet": "gsm7", **more}
    return Outgoing(key=PartKey(message, 1), text=text, **values)


def on_the_wire(outgoing: Outgoing, **more: object) -> pdus.SubmitSm:
    body = encoder(**more).body(outgoing)
    frame = b"".join(n.to_bytes(4, "big") for n in (16 + len(body), pdus.SubmitSm.command, 0, 2)) + body
    return pdus.decode(frame)


# --- each setting ----------------------------------------------------------------------------------------------------


def test_types_and_plans_are_the_operators_taste() -> None:
    taste = {"number_ton": 2, "number_npi": 8, "keep_plus": True, "short_code_ton": 6, "name_ton": 0, "name_npi": 1}
    pdu = on_the_wire(part(sender="Clinica"), **taste)
    assert (pdu.dest_addr_ton, pdu.dest_addr_npi, pdu.destination_addr) == (2, 8, "+34600111222")
    assert (pdu.source_addr_ton, pdu.source_addr_npi, pdu.source_addr) == (0, 1, "Clinica")
    pdu = on_the_wire(part(sender="5500", destination="7722"), short_code_npi=3, **taste)
    assert (pdu.source_addr_ton, pdu.source_addr_npi, pdu.source_addr) == (6, 3, "5500")
    assert (pdu.dest_addr_ton, pdu.dest_addr_npi, pdu.destination_addr) == (6, 3, "7722")


def test_plain_text_may_go_as_latin1_and_other_text_under_another_coding() -> None:
    pdu = on_the_wire(part("Año"), plain_text="latin1")
    assert (pdu.data_coding, pdu.short_message) == (3, b"A\xf1o")
    pdu = on_the_wire(part("ё", alphabet="ucs2"), plain_text="latin1", ucs2_data_coding=0x18)
    assert (pdu.data_coding, pdu.short_message) == (0x18, b"\x04\x51")
    with pytest.raises(UnicodeError):
        encoder(plain_text="latin1").body(part("5€"))


def test_packed_septets_behind_a_header_begin_at_a_septet() -> None:
    assert on_the_wire(part("hellohello"), data_coding_0="gsm7-packed").short_message == bytes.fromhex(
        "E8329BFD4697D9EC37"  # the usual example of 3GPP TS 23.038 §6.1.2.1
    )
    concat = Concat(reference=9, total=2, part=1)
    pdu = on_the_wire(part("Cita", concat=concat), data_coding_0="gsm7-packed")
    assert pdu.short_message == udh(concat) + pack(encode("Cita"), fill_bits(6))


def test_parts_may_be_told_by_parameters() -> None:
    pdu = on_the_wire(part(concat=Concat(reference=0x9A, total=3, part=2)), long_texts="sar")
    assert (pdu.esm_class, pdu.short_message) == (0, b"Hola")
    assert pdu.tlvs == {
        Tag.SAR_MSG_REF_NUM: b"\x00\x9a",
        Tag.SAR_TOTAL_SEGMENTS: b"\x03",
        Tag.SAR_SEGMENT_SEQNUM: b"\x02",
    }


@pytest.mark.parametrize("concat", [Concat(70_000, 2, 1), Concat(1, 300, 1), Concat(1, 2, 3)])
@pytest.mark.parametrize("way", ["udh", "sar"])
def test_place_that_no_form_carries_is_an_error_of_its_field(concat: Concat, way: str) -> None:
    with pytest.raises(FieldError) as caught:
        encoder(long_texts=way).body(part(concat=concat))
    assert caught.value.field == "concat"


def test_whole_long_text_goes_as_payload_and_a_short_one_does_not() -> None:
    text = "Año nuevo " * 40
    pdu = on_the_wire(part(text), long_texts="payload")
    assert (pdu.esm_class, pdu.short_message, pdu.tlvs) == (0, b"", {Tag.MESSAGE_PAYLOAD: encode(text)})
    assert on_the_wire(part("x" * 160), long_texts="payload").short_message == b"x" * 160
    assert on_the_wire(part("ё" * 70, alphabet="ucs2"), long_texts="payload").tlvs == {}
    assert on_the_wire(part("ё" * 71, alphabet="ucs2"), long_texts="payload").short_message == b""
    # Where some parts went before, the rest keeps its places.
    pdu = on_the_wire(part(concat=Concat(1, 2, 2)), long_texts="payload")
    assert (pdu.esm_class, pdu.tlvs) == (0x40, {})
    with pytest.raises(FieldError):
        encoder().body(part(text))


def test_a_send_time_that_the_network_waits_for_is_never_early() -> None:
    assert on_the_wire(part()).schedule_delivery_time == ""
    later = part(send_at=NOW + timedelta(hours=3, microseconds=1))
    assert on_the_wire(later).schedule_delivery_time == "000000030001000R"
    assert on_the_wire(later, absolute_times=True).schedule_delivery_time == "261122223046000+"
    assert on_the_wire(part(send_at=NOW - timedelta(hours=1))).schedule_delivery_time == "000000000001000R"


def test_validity_is_the_shorter_of_the_messages_and_the_connectors_as_span_or_date() -> None:
    assert on_the_wire(part()).validity_period == ""
    assert on_the_wire(part(), validity=90).validity_period == "000000013000000R"
    own = part(validity=timedelta(hours=1))
    assert on_the_wire(own, validity=90).validity_period == "000000010000000R"
    assert on_the_wire(own, validity=30).validity_period == "000000003000000R"
    assert on_the_wire(own, validity=90, pass_validity=False).validity_period == "000000013000000R"
    assert on_the_wire(own, pass_validity=False).validity_period == ""
    assert on_the_wire(part(validity=timedelta(hours=1, seconds=59))).validity_period == "000000010000000R"
    assert on_the_wire(part(validity=timedelta(seconds=59))).validity_period == "000000000059000R"
    assert on_the_wire(part(validity=timedelta(seconds=-1))).validity_period == "000000000001000R"
    assert on_the_wire(own, absolute_times=True).validity_period == "261122203000000+"
    assert on_the_wire(part(), absolute_times=True, validity=1440).validity_period == "261123193000000+"


def test_messages_may_be_numbered() -> None:
    assert on_the_wire(part(message=0x12345), user_message_reference=True).tlvs == {
        Tag.USER_MESSAGE_REFERENCE: b"\x23\x45"
    }


# --- against smpplib, and read back ----------------------------------------------------------------------------------

GSM = st.text(st.sampled_from("Hola ñ€{}@Ω5"), max_size=100)
UNICODE = st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"]), max_size=60)
CONCAT = st.none() | st.builds(Concat, st.integers(0, 255), st.just(4), st.integers(1, 4))
TASTE = st.fixed_dictionaries(
    {
        "number_ton": st.integers(0, 6),
        "number_npi": st.integers(0, 18),
        "name_ton": st.integers(0, 6),
        "short_code_npi": st.integers(0, 18),
        "service_type": st.sampled_from(["", "CMT"]),
        "ucs2_data_coding": st.sampled_from([8, 0x18]),
        "long_texts": st.sampled_from(["udh", "sar", "payload"]),
        "user_message_reference": st.booleans(),
        "validity": st.none() | st.integers(1, 10_000),
    }
)


class Client:
    def next_sequence(self) -> int:
        return 2


@given(
    TASTE,
    st.one_of(st.tuples(GSM, st.just("gsm7")), st.tuples(UNICODE, st.just("ucs2"))),
    CONCAT,
    st.sampled_from([None, "Clinica", "5500", "+34911222333"]),
    st.booleans(),
    st.integers(1, 100_000),
)
def test_octets_are_those_of_smpplib(taste: dict, text: tuple, concat, sender, receipt, message) -> None:
    outgoing = part(text[0], message, alphabet=text[1], concat=concat, sender=sender, receipt=receipt)
    octets = encode(text[0]) if text[1] == "gsm7" else text[0].encode("utf-16-be")
    fields: dict[str, object] = {}
    if sender is not None:
        kind = "number" if sender[0] == "+" else "short_code" if sender.isdigit() else "name"
        defaults = {"number": (1, 1), "short_code": (0, 0), "name": (5, 0)}[kind]
        fields["source_addr_ton"] = taste.get(f"{kind}_ton", defaults[0])
        fields["source_addr_npi"] = taste.get(f"{kind}_npi", defaults[1])
        fields["source_addr"] = sender.lstrip("+")
    if concat is not None and taste["long_texts"] == "sar":
        fields |= {"sar_msg_ref_num": concat.reference, "sar_total_segments": 4, "sar_segment_seqnum": concat.part}
    elif concat is not None:
        fields["esm_class"] = 0x40
        octets = udh(concat) + octets
    elif taste["long_texts"] == "payload" and len(octets) > (160 if text[1] == "gsm7" else 140):
        fields["message_payload"] = octets
        octets = b""
    if taste["user_message_reference"]:
        fields["user_message_reference"] = message & 0xFFFF
    if taste["validity"] is not None:
        fields["validity_period"] = relative_time(timedelta(minutes=taste["validity"]))
    theirs = smpp.make_pdu(
        "submit_sm",
        client=Client(),
        service_type=taste["service_type"],
        dest_addr_ton=taste["number_ton"],
        dest_addr_npi=taste["number_npi"],
        destination_addr="34600111222",
        registered_delivery=int(receipt),
        data_coding=0 if text[1] == "gsm7" else taste["ucs2_data_coding"],
        short_message=octets,
        **fields,
    ).generate()
    assert encoder(**taste).body(outgoing) == theirs[16:]


@given(
    st.text(st.sampled_from("Hola ñ€{}Ω5"), max_size=330),
    st.sampled_from(["gsm7", "gsm7-packed"]),
    st.sampled_from(["udh", "sar", "payload"]),
)
def test_long_texts_are_read_back_whole_however_they_went(text: str, coding: str, way: str) -> None:
    cut = split(text).parts
    parts = [
        Outgoing(
            key=PartKey(1, place),
            destination="+34600111222",
            text=piece,
            alphabet="gsm7",
            concat=Concat(7, len(cut), place) if len(cut) > 1 else None,
        )
        for place, piece in enumerate(cut, 1)
    ]
    going = join(parts) if way == "payload" else parts
    read = [read_text(on_the_wire(one, data_coding_0=coding, long_texts=way), coding) for one in going]
    assert "".join(one.text for one in read) == text
    if way != "payload":
        assert [one.concat.part if one.concat else 1 for one in read] == [part.key.part for part in parts]


# --- joined ----------------------------------------------------------------------------------------------------------


def test_only_whole_messages_are_joined_and_each_part_has_the_outcome() -> None:
    def long(message: int, *places: int) -> list[Outgoing]:
        return [
            Outgoing(key=PartKey(message, n), destination="1", text=f"{n}", alphabet="gsm7", concat=Concat(5, 3, n))
            for n in places
        ]

    batch = [part(message=1), *long(2, 1, 2, 3), *long(3, 2, 3), part(message=4)]
    going = join(batch)
    assert [(one.text, one.concat) for one in going] == [
        ("Hola", None),
        ("123", None),
        ("2", Concat(5, 3, 2)),
        ("3", Concat(5, 3, 3)),
        ("Hola", None),
    ]
    told = part_outcomes(Outcome(one.key, Result.ACCEPTED, NOW, f"id{n}") for n, one in enumerate(going))
    assert [outcome.key for outcome in told] == [one.key for one in batch]
    assert [outcome.network_id for outcome in told] == ["id0", "id1", "id1", "id1", "id2", "id3", "id4"]
