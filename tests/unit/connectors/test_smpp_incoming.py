"""What a deliver_sm is taken for: a receipt or a text, and nothing is dropped."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlsms.model import Inbound, PartKey, Receipt, Result
from xlsms_service.connectors.smpp import SmppSettings
from xlsms_service.connectors.smpp.answer import outcome_of
from xlsms_service.connectors.smpp.incoming import DeliverReader
from xlsms_service.protocols.smpp import pdu as pdus
from xlsms_service.protocols.smpp.constants import Tag

NOW = datetime(2026, 11, 22, 19, 5, tzinfo=UTC)
RECEIPT = b"id:7F sub:001 dlvrd:001 submit date:2611221904 done date:2611221905 stat:DELIVRD err:000 text:x"


def read(pdu: pdus.DeliverSm, **settings: object) -> Receipt | Inbound:
    return DeliverReader("operator", SmppSettings(host="h", **settings)).read(pdu, NOW)


def deliver(message: bytes = RECEIPT, **more: object) -> pdus.DeliverSm:
    values = {"source_addr_ton": 1, "source_addr": "34600111222", "destination_addr": "5500", **more}
    return pdus.DeliverSm(sequence=1, short_message=message, **values)


@pytest.mark.parametrize("esm_class", [0x04, 0x08, 0x10, 0x20, 0x84])
def test_marked_receipt_is_one(esm_class: int) -> None:
    assert read(deliver(esm_class=esm_class)) == Receipt(
        connector="operator",
        network_id="7F",
        state="DELIVRD",
        at=NOW,
        done_at=NOW,
        recipient="+34600111222",
        error="000",
        sender="5500",
        submitted_at=NOW - timedelta(minutes=1),
        quoted="x",
    )


def test_receipt_without_a_mark_is_known_by_its_parameter() -> None:
    tlvs = {Tag.RECEIPTED_MESSAGE_ID: b"7F\0", Tag.MESSAGE_STATE: b"\x05"}
    got = read(deliver(b"", tlvs=tlvs))
    assert isinstance(got, Receipt)
    assert (got.network_id, got.state) == ("7F", "UNDELIV")


def test_receipt_without_mark_and_parameter_is_one_only_if_the_settings_say_so() -> None:
    assert isinstance(read(deliver()), Inbound)
    assert isinstance(read(deliver(), unmarked_receipts=True), Receipt)
    assert isinstance(read(deliver(b"id:7F ok?"), unmarked_receipts=True), Inbound)


def test_receipt_in_another_alphabet_or_in_the_payload_is_read() -> None:
    wide = deliver(RECEIPT.decode().encode("utf-16-be")[:254], esm_class=4, data_coding=8)
    assert read(wide).network_id == "7F"
    assert read(deliver(b"", esm_class=4, tlvs={Tag.MESSAGE_PAYLOAD: RECEIPT})).network_id == "7F"


def test_receipt_that_names_no_message_is_shown_as_a_text() -> None:
    got = read(deliver(b"Your message was delivered", esm_class=4))
    assert isinstance(got, Inbound)
    assert got.text == "Your message was delivered"


def test_intermediate_state_is_told_as_it_came() -> None:
    assert read(deliver(b"id:7F stat:ENROUTE", esm_class=0x20)).state == "ENROUTE"


def test_zone_and_form_of_ids_are_the_settings() -> None:
    got = read(
        deliver(b"id:127 done date:2611222000 stat:DELIVRD", esm_class=4),
        id_form="answer-hex",
        receipt_zone="Europe/Madrid",
    )
    assert got.done_at == datetime(2026, 11, 22, 19, tzinfo=UTC)
    answer = pdus.SubmitSmResp(sequence=1, message_id="0000007F")
    assert outcome_of(PartKey(1, 1), answer, NOW, "answer-hex").network_id == got.network_id


@pytest.mark.parametrize(
    "date", ["999912312359", "99991231235959", "00010101000000", "2611141905", "2611231905", "2611222105"]
)
def test_date_to_come_or_far_from_when_the_receipt_came_is_no_date(date: str) -> None:
    got = read(deliver(f"id:7F done date:{date} stat:DELIVRD".encode(), esm_class=4))
    assert (got.network_id, got.state, got.done_at) == ("7F", "DELIVRD", None)


@pytest.mark.parametrize(("date", "days"), [("2611161905", -6), ("2611221905", 0)])
def test_date_of_these_days_is_the_networks(date: str, days: int) -> None:
    got = read(deliver(f"id:7F done date:{date} stat:DELIVRD".encode(), esm_class=4))
    assert got.done_at == NOW + timedelta(days=days)


def test_sender_keeps_what_the_network_wrote() -> None:
    assert read(deliver(b"hi", source_addr_ton=1, source_addr="34600111222")).sender == "+34600111222"
    assert read(deliver(b"hi", source_addr_ton=2, source_addr="600111222")).sender == "600111222"
    assert read(deliver(b"hi", source_addr_ton=1, source_addr="²³")).sender == "²³"
    assert read(deliver(b"hi", source_addr_ton=5, source_addr="BANCO")).sender == "BANCO"
    assert read(deliver(b"hi", source_addr_ton=0, source_addr="600111222")).sender == "600111222"
    assert read(deliver(b"hi", source_addr="+34600111222")).sender == "+34600111222"


@given(
    st.binary(max_size=200),
    st.integers(0, 255),
    st.integers(0, 255),
    st.dictionaries(st.sampled_from([0x1E, 0x427, 0x423, 0x424, 0x20C, 0x20E, 0x20F]), st.binary(max_size=30)),
)
def test_any_delivery_is_a_receipt_or_a_text(message: bytes, esm: int, coding: int, tlvs: dict[int, bytes]) -> None:
    got = read(deliver(message, esm_class=esm, data_coding=coding, tlvs=tlvs), unmarked_receipts=True)
    assert isinstance(got, Receipt | Inbound)
    if isinstance(got, Receipt):
        assert got.network_id


# --- answers ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", range(1, 0x100))
def test_every_refusal_is_an_outcome_with_its_name(status: int) -> None:
    outcome = outcome_of(PartKey(1, 1), pdus.SubmitSmResp(sequence=1, status=status), NOW, "auto")
    assert outcome.result in (Result.REFUSED, Result.RETURNED)
    assert outcome.facts["status"]
    assert (outcome.retry_after is not None) is (outcome.result is Result.RETURNED)


def test_acceptance_without_an_id_is_acceptance() -> None:
    outcome = outcome_of(PartKey(1, 1), pdus.SubmitSmResp(sequence=1), NOW, "auto")
    assert (outcome.result, outcome.network_id) == (Result.ACCEPTED, None)


@pytest.mark.parametrize("status", [0, 3])
def test_generic_nack_is_never_acceptance(status: int) -> None:
    outcome = outcome_of(PartKey(1, 1), pdus.GenericNack(sequence=1, status=status), NOW, "auto")
    assert outcome.result is not Result.ACCEPTED


def test_words_and_ids_without_an_end_are_cut_alike_in_answers_and_receipts() -> None:
    name, word = "7" * 60_000, "X" * 40_000
    text = f"id:{name} stat:{word} err:{word}".encode()
    got = read(deliver(b"", esm_class=4, tlvs={Tag.MESSAGE_PAYLOAD: text}))
    answer = outcome_of(PartKey(1, 1), pdus.SubmitSmResp(sequence=1, message_id=name), NOW, "auto")
    assert got.network_id == answer.network_id == "7" * 255
    assert (got.state, got.error) == ("X" * 40, "X" * 40)
