"""Finding the messages that a receipt's number can mean, without looking at all of them for each."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update

from xlsms.model import Receipt
from xlsms.states import State
from xlsms_service.delivery import phone, receipt
from xlsms_service.ledger import acceptance, claim
from xlsms_service.ledger.acceptance import Draft
from xlsms_service.ledger.ledger import Ledger
from xlsms_service.ledger.schema import message

NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
_NUMBERS = st.builds(
    "".join,
    st.tuples(
        st.sampled_from(["", "+", "0", "00", "+34", "34", "x"]),
        st.sampled_from(["", "5500", "600111222", "0111222", "700111222", "11222", "2600111222"]),
    ),
)


@given(ours=st.lists(_NUMBERS, max_size=6), recipient=_NUMBERS, sender=_NUMBERS)
def test_looking_up_by_ending_misses_no_number_that_is_the_same(ours, recipient, sender):
    told = Receipt(connector="c", network_id="A", state="DELIVRD", at=NOW, recipient=recipient, sender=sender)
    found = phone.those(phone.by_ending(ours, str), told)
    assert sorted(each for each in found if phone.same(each, told)) == sorted(
        each for each in ours if phone.same(each, told)
    )


def test_many_receipts_of_unheard_ids_beside_many_uncertain_rows_cost_the_sum_and_not_the_product(
    tmp_path, monkeypatch
):
    count, asked = 200, []
    same = phone.same
    monkeypatch.setattr(phone, "same", lambda *given: asked.append(1) or same(*given))
    with Ledger.open(tmp_path) as ledger:
        for nth in range(count):
            draft = Draft(number=f"+34600{nth:06}", text="Hola", alphabet="gsm7", parts=1, fingerprint="f", route="")
            ledger.do_now(acceptance.accept_text, draft, NOW)
        ledger.do_now(claim.claim, connector="c", routes=[""], room=count, idle=True, now=NOW)
        ledger.do_now(lambda c: c.execute(update(message).values(state=State.UNCERTAIN)) and None)
        ours = [_told(f"600{nth:06}") for nth in range(count)]
        theirs = [_told(f"711{nth:06}") for nth in range(count)]
        ledger.do_now(receipt.settle, "c", [*ours, *theirs], lambda name: [name], NOW)
        states = ledger.do_now(lambda c: {row.state for row in c.execute(message.select())})
    assert states == {State.DELIVERED}
    assert len(asked) < 10 * count


def _told(number):
    return Receipt(connector="c", network_id=f"X{number}", state="DELIVRD", at=NOW, recipient=number)
