"""Any deliver_sm at all, from its octets to the ledger: it settles what it means, waits, or is kept as a text."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from xlsms.model import Inbound, Outcome, PartKey, Result
from xlsms.states import State
from xlsms_service.connectors.smpp import SmppSettings
from xlsms_service.connectors.smpp.incoming import DeliverReader
from xlsms_service.delivery import outcome, receipt
from xlsms_service.delivery.outcome import Answered
from xlsms_service.ledger import acceptance, claim, conversation
from xlsms_service.ledger.acceptance import Draft
from xlsms_service.ledger.ledger import Ledger
from xlsms_service.ledger.schema import message
from xlsms_service.protocols.smpp.constants import Tag
from xlsms_service.protocols.smpp.pdu import DeliverSm
from xlsms_service.protocols.smpp.receipt import candidates

NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
ANSWERED, LOST = "+34600111222", "+34600333444"
WORDS = st.sampled_from([
    "id:", "2AF", "687", "0x2af", "zz", "\0", " ", "stat:", "DELIVRD", "UNDELIV", "ENROUTE", "err:", "000", "٣", "½",
    "submit date:", "done date:", "2603010930", "9912312359", "00010101000000", "text:", "Hola", "sub:", "dlvrd:", "-",
    "260301093000048+", "é", "😀", "id:687 sub:001 dlvrd:001 submit date:2603010930 done date:2603010931 stat:DELIVRD err:0",
])  # fmt: skip
NUMBERS = st.sampled_from([ANSWERED[1:], LOST[1:], LOST, "600333444", "", "0", "Clinica", "5500", "²³", "9" * 200])


class _UndoneError(Exception):
    """So that each example finds the ledger as it was."""


@pytest.fixture(scope="module")
def ledger(tmp_path_factory):
    with Ledger.open(tmp_path_factory.mktemp("ledger")) as opened:
        for number in (ANSWERED, LOST):
            draft = Draft(number=number, text="Hola", alphabet="gsm7", parts=1, fingerprint="f", route="")
            opened.do_now(acceptance.accept_text, draft, NOW)
        claimed = opened.do_now(claim.claim, connector="c", routes=[""], room=9, idle=True, now=NOW)
        taken = Outcome(PartKey(claimed[0].id, 1), Result.ACCEPTED, NOW, "2AF")
        lost = Outcome(PartKey(claimed[1].id, 1), Result.UNCERTAIN, NOW, code="answer-lost")
        both = [Answered(each.key.message, (each,)) for each in (taken, lost)]
        opened.do_now(outcome.settle, "c", both, candidates, NOW)
        yield opened


@settings(deadline=None, max_examples=300)
@given(
    text=st.one_of(st.lists(WORDS, max_size=8).map("".join), st.text(max_size=60)),
    coding=st.sampled_from([0, 1, 3, 8, 4, 245, 255]),
    esm=st.sampled_from([0, 4, 8, 32, 0x44, 255]),
    source=NUMBERS,
    destination=NUMBERS,
    ton=st.integers(0, 255),
    tlvs=st.dictionaries(
        st.sampled_from([*Tag]), st.one_of(st.binary(max_size=12), st.sampled_from([b"687\0", b"\2", b"2AF"]))
    ),
)
def test_any_delivery_is_settled_waits_or_is_kept(ledger, text, coding, esm, source, destination, ton, tlvs):
    octets = text.encode("utf-16-be", "surrogatepass") if coding == 8 else text.encode("latin-1", "replace")
    pdu = DeliverSm(
        sequence=1, source_addr_ton=ton, source_addr=source, destination_addr=destination, esm_class=esm,
        data_coding=coding, short_message=octets[:254], tlvs=tlvs,
    )  # fmt: skip
    came = DeliverReader("c", SmppSettings(host="h", unmarked_receipts=True)).read(pdu, NOW)
    states = []

    def play(connection):
        if isinstance(came, Inbound):
            conversation.keep(connection, [came])
        else:
            receipt.settle(connection, "c", [came, came], candidates, NOW)
        states.extend(connection.execute(select(message.c.state).order_by(message.c.id)).scalars())
        raise _UndoneError

    with pytest.raises(_UndoneError):
        ledger.do_now(play)
    assert states[0] in (State.SENT, State.DELIVERED, State.FAILED)
    assert states[1] in (State.UNCERTAIN, State.SENT, State.DELIVERED, State.FAILED)
    if states != [State.SENT, State.UNCERTAIN]:
        assert [states[0] == State.SENT, states[1] == State.UNCERTAIN].count(False) == 1, "one report, one message"
