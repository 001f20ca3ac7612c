"""Delivery receipts in the forms that networks really send, and the writings of one id."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlsms_service.protocols.smpp.constants import Tag
from xlsms_service.protocols.smpp.receipt import Report, candidates, parse_receipt, reads_as_receipt, uniform_id

DONE = datetime(2026, 11, 22, 20, 27, tzinfo=UTC)

#: text, id, state, error, when; what a receipt does not say is empty
FORMS = [
    pytest.param(
        "id:7f3a sub:001 dlvrd:001 submit date:2611222026 done date:2611222027 stat:DELIVRD err:000 text:Hola",
        ("7f3a", "DELIVRD", "000", DONE),
        id="appendix B",
    ),
    pytest.param(
        "ID:7F3A Sub:001 Dlvrd:000 Submit Date:2611222026 Done Date:2611222027 Stat:undeliv Err:1A Text:",
        ("7F3A", "UNDELIV", "1A", DONE),
        id="capitals, hexadecimal error",
    ),
    pytest.param(
        "id: 42 submitdate:261122202600 donedate:261122202700 stat: EXPIRED",
        ("42", "EXPIRED", "", DONE),
        id="space after colons, seconds, no sub, dlvrd, err or text",
    ),
    pytest.param(
        "stat:REJECTD err:E-12 id:42 done date:20261122202700",
        ("42", "REJECTD", "E-12", DONE),
        id="other order, 14 digits",
    ),
    pytest.param(
        "id:42 done date:202611222027 stat:DELIVRD", ("42", "DELIVRD", "", DONE), id="four-digit year, no seconds"
    ),
    pytest.param("id:42 done date:261122212700004+ stat:DELIVRD", ("42", "DELIVRD", "", DONE), id="date with a zone"),
    pytest.param("id:42 done date:261122192700004- stat:DELIVRD", ("42", "DELIVRD", "", DONE), id="zone to the west"),
    pytest.param(
        "id:42 stat:DELIVRD text:id:66 stat:UNDELIV err:099", ("42", "DELIVRD", "", None), id="text that looks like one"
    ),
    pytest.param("\0id:42 stat:DELIVRD", ("42", "DELIVRD", "", None), id="leading NUL"),
    pytest.param("id:42 stat:err:7 text:", ("42", "", "7", None), id="empty stat and no space"),
    pytest.param("id:42 stat: err:000 text:", ("42", "", "000", None), id="empty stat"),
    pytest.param("id:42 vendor:x,y mccmnc:21401 stat:ACCEPTD", ("42", "ACCEPTD", "", None), id="keys of its own"),
    pytest.param("id:42,stat:DELIVRD;err:5", ("42", "DELIVRD", "5", None), id="other separators"),
    pytest.param('id:"42" stat:DELIVRD', ("42", "DELIVRD", "", None), id="quoted id"),
    pytest.param("id:42 done date:9999999999 stat:DELIVRD", ("42", "DELIVRD", "", None), id="impossible date"),
    pytest.param("id:42 done date:soon stat:DELIVRD", ("42", "DELIVRD", "", None), id="no date"),
    pytest.param("Hola, estoy aquí", ("", "", "", None), id="no receipt at all"),
    pytest.param("", ("", "", "", None), id="empty"),
]


@pytest.mark.parametrize(("text", "said"), FORMS)
def test_form_is_read(text: str, said: tuple) -> None:
    got = parse_receipt(text, {})
    assert (got.id, got.state, got.error, got.done_at) == said


def test_parameters_win_over_text() -> None:
    tlvs = {
        Tag.RECEIPTED_MESSAGE_ID: b"right\0",
        Tag.MESSAGE_STATE: b"\x05",
        Tag.NETWORK_ERROR_CODE: bytes.fromhex("03 001B"),
    }
    assert parse_receipt("id:wrong stat:DELIVRD err:000", tlvs) == Report(id="right", state="UNDELIV", error="027")
    assert parse_receipt("", tlvs) == Report(id="right", state="UNDELIV", error="027")


def test_empty_parameters_leave_the_text_its_say() -> None:
    tlvs = {Tag.RECEIPTED_MESSAGE_ID: b"\0", Tag.MESSAGE_STATE: b"", Tag.NETWORK_ERROR_CODE: b"\x03\0\0"}
    assert parse_receipt("id:42 stat:DELIVRD err:7", tlvs) == Report(id="42", state="DELIVRD", error="7")


def test_state_number_that_nobody_defined_keeps_the_word_or_itself() -> None:
    assert parse_receipt("id:1 stat:ODD", {Tag.MESSAGE_STATE: b"\x63"}).state == "ODD"
    assert parse_receipt("id:1", {Tag.MESSAGE_STATE: b"\x63"}).state == "99"


def test_state_number_longer_than_an_integer_leaves_the_text_its_say() -> None:
    assert parse_receipt("id:1 stat:DELIVRD", {Tag.MESSAGE_STATE: b"\0\0\0\x05"}).state == "UNDELIV"
    assert parse_receipt("id:1 stat:DELIVRD", {Tag.MESSAGE_STATE: b"\xff" * 3000}).state == "DELIVRD"


def test_dates_are_of_the_clock_of_the_network() -> None:
    report = parse_receipt("id:1 done date:2607011200", {}, ZoneInfo("Europe/Madrid"))
    assert report.done_at == datetime(2026, 7, 1, 10, 0, tzinfo=UTC)


def test_only_a_whole_receipt_is_taken_for_one_without_its_mark() -> None:
    assert reads_as_receipt(FORMS[0].values[0], {})
    assert reads_as_receipt("anything", {Tag.RECEIPTED_MESSAGE_ID: b"1"})
    assert not reads_as_receipt("id:42 stat:DELIVRD", {})
    assert not reads_as_receipt("My id: 42, please confirm", {})
    assert not reads_as_receipt("text:" + FORMS[0].values[0], {})


@given(st.text(max_size=200), st.dictionaries(st.sampled_from([0x1E, 0x427, 0x423]), st.binary(max_size=12)))
def test_any_text_and_parameters_give_a_report(text: str, tlvs: dict[int, bytes]) -> None:
    assert isinstance(parse_receipt(text, tlvs), Report)
    reads_as_receipt(text, tlvs)


@given(st.text(st.sampled_from("id: statexdonedlvrdersub:;,0123456789 \0\"'"), max_size=300))
def test_texts_made_of_the_keys_give_a_report(text: str) -> None:
    assert isinstance(parse_receipt(text, {}), Report)


# --- ids -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "receipt"),
    [
        ("7f3a", "7F3A"),
        ("7f3a", "00007f3a"),
        ("7f3a", "32570"),
        ("7F3A", "32570"),
        ("00007F3A", "32570"),
        ("32570", "7f3a"),
        ("32570", "7F3A"),
        ("0000032570", "7f3a"),
        ("0000032570", "32570"),
        ("32570", "00032570"),
        ("42", '"42"'),
        ("0F1E2D3C-4B5A-6978-8796-A5B4C3D2E1F0", "0f1e2d3c4b5a69788796a5b4c3d2e1f0"),
        ("0f1e2d3c4b5a69788796a5b4c3d2e1f0", "0F1E2D3C-4B5A-6978-8796-A5B4C3D2E1F0"),
    ],
)
def test_id_of_an_answer_is_among_the_writings_of_the_receipts(answer: str, receipt: str) -> None:
    assert answer in candidates(receipt)


@given(st.text(max_size=70))
def test_writings_begin_with_the_id_itself_and_differ(network_id: str) -> None:
    forms = candidates(network_id)
    assert len(set(forms)) == len(forms)
    assert "" not in forms
    if network_id:
        assert forms[0] == network_id


def test_names_are_not_read_as_numbers() -> None:
    assert candidates("msg-42") == ["msg-42", "MSG-42"]
    assert candidates("1_0") == ["1_0"]
    assert candidates("٣") == ["٣"]
    assert len(candidates("9" * 65)) == 1


@pytest.mark.parametrize(
    ("form", "answer", "receipt"),
    [
        ("auto", "7f3a", "7f3a"),
        ("answer-hex", "7F3A", "32570"),
        ("answer-hex", "1234", "4660"),
        ("receipt-hex", "0032570", "7f3a"),
        ("answer-hex", "no-number", "no-number"),
    ],
)
def test_known_form_makes_both_ids_equal(form: str, answer: str, receipt: str) -> None:
    assert uniform_id(answer, form, receipt=False) == uniform_id(receipt, form, receipt=True)


def test_unknown_form_leaves_ids_as_they_came() -> None:
    assert uniform_id("007F", "auto", receipt=True) == "007F"
    assert uniform_id("zz", "answer-hex", receipt=False) == "zz"
