"""The SMPP session: both roles paired without sockets, timers by hand, and a peer that misbehaves."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlsms_service.protocols.smpp import pdu as pdus
from xlsms_service.protocols.smpp.constants import LAST_SEQUENCE, Command, Status
from xlsms_service.protocols.smpp.event import (
    Answered,
    AnsweredLate,
    BindAnswered,
    Closed,
    End,
    Requested,
    Taken,
    TimedOut,
)
from xlsms_service.protocols.smpp.fault import FieldError
from xlsms_service.protocols.smpp.framing import Framer
from xlsms_service.protocols.smpp.pdu import decode, encode
from xlsms_service.protocols.smpp.session import NotNowError, Session, Timers
from xlsms_service.protocols.smpp.state import MOVES, REQUESTS, Role, SessionState, Step

TIMERS = Timers(response=10, bind=5, enquire=30)
TEXT = pdus.SubmitSm(sequence=0, destination_addr="34600", short_message=b"hi")
REPLY = pdus.DeliverSm(sequence=0, source_addr="34600", short_message=b"si")


def sent(session: Session) -> list[pdus.Pdu]:
    return [decode(frame) for frame in Framer().feed(session.data_to_send())]


def give(session: Session, *pdu: pdus.Pdu, now: float = 0) -> list[object]:
    return session.receive(b"".join(map(encode, pdu)), now)


def pair(bind: type[pdus.Bind] = pdus.BindTransceiver) -> tuple[Session, Session]:
    """An ESME and an SMSC, bound to each other."""
    esme = Session(now=0, timers=TIMERS)
    smsc = Session(Role.SMSC, now=0, timers=TIMERS)
    esme.bind(bind(sequence=0, system_id="clinic", password="pw"), 0)
    [(request,)] = smsc.receive(esme.data_to_send(), 0)
    assert (request.system_id, request.password) == ("clinic", "pw")
    smsc.respond(pdus.response_to(request))
    [answer] = esme.receive(smsc.data_to_send(), 0)
    assert isinstance(answer, BindAnswered)
    assert answer.status == 0
    assert esme.state is smsc.state
    return esme, smsc


@pytest.mark.parametrize(
    ("bind", "state"),
    [
        (pdus.BindTransmitter, SessionState.BOUND_TX),
        (pdus.BindReceiver, SessionState.BOUND_RX),
        (pdus.BindTransceiver, SessionState.BOUND_TRX),
    ],
)
def test_each_bind_leads_to_its_state_at_both_ends(bind: type[pdus.Bind], state: SessionState) -> None:
    esme, _ = pair(bind)
    assert esme.state is state


def test_submits_are_answered_in_any_order_by_sequence() -> None:
    esme, smsc = pair()
    for token in "abc":
        esme.send(TEXT, token, 1)
    requests = [event.pdu for event in smsc.receive(esme.data_to_send(), 1)]
    assert [request.sequence for request in requests] == [2, 3, 4]
    assert esme.in_flight == 3
    for request in reversed(requests):
        smsc.respond(pdus.SubmitSmResp(sequence=request.sequence, message_id=f"id{request.sequence}"))
    assert esme.receive(smsc.data_to_send(), 2) == [Taken([("c", "id4"), ("b", "id3"), ("a", "id2")])]
    assert esme.in_flight == 0


def test_accepted_submits_are_told_together_but_never_out_of_turn() -> None:
    esme, _ = pair()
    one, two, three = (esme.send(TEXT, token, 0) for token in "abc")
    refusal = pdus.SubmitSmResp(sequence=two, status=Status.THROTTLED)
    answers = [pdus.SubmitSmResp(sequence=one, message_id="7"), refusal, pdus.SubmitSmResp(sequence=three)]
    assert give(esme, *answers) == [Taken([("a", "7")]), Answered("b", refusal), Taken([("c", "")])]


@given(st.binary(max_size=80), st.sampled_from([0, 0, 8]))
def test_the_quick_way_reads_an_answer_as_the_codec_does(body: bytes, status: int) -> None:
    esme, _ = pair()
    sequence = esme.send(TEXT, "a", 0)
    frame = b"".join(n.to_bytes(4, "big") for n in (16 + len(body), Command.SUBMIT_SM_RESP, status, sequence)) + body
    answer = decode(frame)
    expected = Answered("a", answer) if status else Taken([("a", answer.message_id)])
    assert esme.receive(frame, 1) == [expected]


def test_bodies_of_octets_go_out_as_the_pdus_would() -> None:
    one, two = pair()[0], pair()[0]
    one.send(TEXT, "a", 1)
    one.send(TEXT, "b", 1)
    two.send_bodies(Command.SUBMIT_SM, [(encode(TEXT)[16:], "a"), (encode(TEXT)[16:], "b")], 1)
    assert one.data_to_send() == two.data_to_send()
    assert two.in_flight == 2
    assert two.tick(11) == [TimedOut("a"), TimedOut("b")]


def test_refusals_are_answers() -> None:
    esme, _ = pair()
    first, second = esme.send(TEXT, "a", 0), esme.send(TEXT, "b", 0)
    throttled = pdus.SubmitSmResp(sequence=first, status=Status.THROTTLED)
    nack = pdus.GenericNack(sequence=second, status=Status.INVALID_COMMAND_LENGTH)
    assert give(esme, throttled, nack) == [Answered("a", throttled), Answered("b", nack)]


def test_refused_bind_leaves_the_session_open_for_another() -> None:
    esme = Session(now=0, timers=TIMERS)
    esme.bind(pdus.BindTransceiver(sequence=0), 0)
    [event] = give(esme, pdus.BindTransceiverResp(sequence=1, status=Status.WRONG_PASSWORD))
    assert event == BindAnswered(
        status=Status.WRONG_PASSWORD, response=pdus.BindTransceiverResp(sequence=1, status=Status.WRONG_PASSWORD)
    )
    assert esme.state is SessionState.OPEN
    esme.bind(pdus.BindTransceiver(sequence=0), 0)
    assert give(esme, pdus.GenericNack(sequence=2)) == [BindAnswered(status=Status.BIND_FAILED, response=None)]


def test_deliveries_wait_for_the_answer_that_is_given_to_them() -> None:
    esme, smsc = pair()
    smsc.send(REPLY, "r", 0)
    [event] = esme.receive(smsc.data_to_send(), 0)
    assert event.pdu.short_message == b"si"
    assert sent(esme) == []  # nobody has it safe yet
    esme.respond(pdus.response_to(event.pdu))
    [answer] = smsc.receive(esme.data_to_send(), 0)
    assert answer == Answered("r", pdus.DeliverSmResp(sequence=event.pdu.sequence))


def test_unasked_and_mismatched_answers_are_ignored() -> None:
    esme, _ = pair()
    sequence = esme.send(TEXT, "a", 0)
    assert give(esme, pdus.SubmitSmResp(sequence=99), pdus.DeliverSmResp(sequence=sequence)) == []
    assert esme.tick(10) == [TimedOut("a")]
    assert give(esme, pdus.DeliverSmResp(sequence=sequence)) == []


@pytest.mark.parametrize("answer", [pdus.SubmitSmResp, pdus.GenericNack])
def test_late_answer_is_told_once_and_its_sequence_is_not_used_meanwhile(answer: type[pdus.Pdu]) -> None:
    esme, _ = pair()
    sequence = esme.send(TEXT, "a", 0)
    assert esme.tick(10) == [TimedOut("a")]
    assert esme.in_flight == 0
    esme._sequence = sequence - 1
    assert esme.send(TEXT, "b", 10) == sequence + 1
    late = answer(sequence=sequence, status=0)
    assert give(esme, late, late, now=11) == [AnsweredLate("a", late)]
    assert esme.abandon() == ["b"]


def test_only_so_many_late_answers_are_waited_for(monkeypatch) -> None:
    monkeypatch.setattr("xlsms_service.protocols.smpp.session._LATE", 2)
    esme, _ = pair()
    sequences = [esme.send(TEXT, token, 0) for token in "abc"]
    esme.tick(10)
    answers = [pdus.SubmitSmResp(sequence=sequence) for sequence in sequences]
    assert [event.token for event in give(esme, *answers, now=11)] == ["b", "c"]


def test_unknown_command_gets_a_generic_nack_and_alert_and_unknown_answers_get_none() -> None:
    esme, _ = pair()
    esme.data_to_send()
    data_sm = pdus.Unknown(sequence=7, command_id=0x103, body=b"?")
    alert = pdus.Unknown(sequence=8, command_id=Command.ALERT_NOTIFICATION)
    answer = pdus.Unknown(sequence=9, command_id=0x80000103)
    assert give(esme, data_sm, alert, answer) == []
    assert sent(esme) == [pdus.GenericNack(sequence=7, status=Status.INVALID_COMMAND)]


def test_request_that_the_state_forbids_is_answered_not_told() -> None:
    esme, smsc = pair(pdus.BindTransmitter)
    assert give(esme, pdus.DeliverSm(sequence=5)) == []
    assert sent(esme) == [pdus.DeliverSmResp(sequence=5, status=Status.WRONG_BIND_STATE)]
    assert give(smsc, pdus.BindReceiver(sequence=6), pdus.DeliverSm(sequence=7)) == []
    assert sent(smsc) == [
        pdus.BindReceiverResp(sequence=6, status=Status.ALREADY_BOUND),
        pdus.DeliverSmResp(sequence=7, status=Status.WRONG_BIND_STATE),
    ]


def test_unreadable_request_is_nacked_under_its_sequence_and_the_next_is_read() -> None:
    esme, _ = pair()
    broken = b"\0\0\0\x12\0\0\0\x05\0\0\0\0\0\0\0\x2a\0\0"
    [event] = esme.receive(broken + encode(pdus.DeliverSm(sequence=43)), 0)
    assert event == Requested(pdus.DeliverSm(sequence=43))
    assert sent(esme) == [pdus.GenericNack(sequence=42, status=Status.INVALID_COMMAND_LENGTH)]


def test_impossible_length_ends_the_session_after_what_came_before_it() -> None:
    esme, _ = pair()
    events = esme.receive(encode(REPLY) + b"\xff\xff\xff\xf0", 0)
    assert events == [Requested(REPLY), Closed(end=End.GARBLED, detail="command_length 4294967280")]
    assert sent(esme) == [pdus.GenericNack(sequence=0, status=Status.INVALID_COMMAND_LENGTH)]
    assert esme.receive(encode(REPLY), 0) == []


def test_outbind_is_told() -> None:
    esme = Session(now=0, timers=TIMERS)
    smsc = Session(Role.SMSC, now=0, timers=TIMERS)
    smsc.send(pdus.Outbind(sequence=0, system_id="SMSC"), None, 0)
    assert smsc.in_flight == 0
    [event] = esme.receive(smsc.data_to_send(), 0)
    assert event == Requested(pdus.Outbind(sequence=1, system_id="SMSC"))


# --- leaving ---------------------------------------------------------------------------------------------------------


def test_unbind_of_the_peer_is_answered_and_what_is_open_is_handed_back() -> None:
    esme, smsc = pair()
    esme.send(TEXT, "a", 0)
    esme.data_to_send()
    smsc.unbind(0)
    assert esme.receive(smsc.data_to_send(), 0) == []
    assert esme.due() == 5
    assert esme.tick(4.9) == []
    assert esme.data_to_send() == b""
    assert esme.tick(5) == [Closed(end=End.DISMISSED)]
    assert smsc.receive(esme.data_to_send(), 0) == [Closed(end=End.LEFT)]
    assert esme.abandon() == ["a"]
    assert esme.abandon() == []


def test_unbind_of_an_idle_link_is_answered_at_once() -> None:
    esme, smsc = pair()
    smsc.unbind(0)
    assert esme.receive(smsc.data_to_send(), 0) == [Closed(end=End.DISMISSED)]
    assert smsc.receive(esme.data_to_send(), 0) == [Closed(end=End.LEFT)]


@pytest.mark.parametrize("cuts", [(), (40, 60)])
def test_answers_behind_the_unbind_of_the_peer_count_and_then_it_is_answered(cuts: tuple[int, ...]) -> None:
    esme, smsc = pair()
    for token in ("a", "b"):
        esme.send(TEXT, token, 0)
    requests = [event.pdu for event in smsc.receive(esme.data_to_send(), 0)]
    smsc.unbind(0)
    for nth, request in enumerate(requests):
        smsc.respond(pdus.SubmitSmResp(sequence=request.sequence, message_id=f"{nth}"))
    smsc.send(REPLY, "r", 0)
    data = smsc.data_to_send()
    slices = pairwise((0, *cuts, len(data)))
    events = [event for start, end in slices for event in esme.receive(data[start:end], 0)]
    assert [each for event in events if isinstance(event, Taken) for each in event.submits] == [("a", "0"), ("b", "1")]
    assert events[-1] == Closed(end=End.DISMISSED)
    with pytest.raises(NotNowError):
        esme.send(TEXT, "c", 0)
    assert sent(esme)[-1] == pdus.UnbindResp(sequence=1)
    assert esme.abandon() == []


def test_what_comes_while_taking_leave_still_counts() -> None:
    esme, smsc = pair()
    esme.send(TEXT, "a", 0)
    [(request,)] = smsc.receive(esme.data_to_send(), 0)
    esme.unbind(0)
    smsc.send(REPLY, "r", 0)
    smsc.respond(pdus.SubmitSmResp(sequence=request.sequence, message_id="7"))
    smsc.receive(esme.data_to_send(), 0)
    first, second, third = esme.receive(smsc.data_to_send(), 0)
    assert isinstance(first, Requested)
    assert second == Taken([("a", "7")])
    assert third == Closed(end=End.LEFT)


def test_crossing_unbinds_and_a_second_unbind_do_no_harm() -> None:
    esme, smsc = pair()
    esme.unbind(0)
    esme.unbind(0)
    smsc.unbind(0)
    events = smsc.receive(esme.data_to_send(), 0)
    assert events == [Closed(end=End.DISMISSED)]
    assert esme.receive(smsc.data_to_send(), 0) == [Closed(end=End.DISMISSED)]


def test_abandoned_session_gives_open_tokens_oldest_first_and_forgets_its_own() -> None:
    esme, _ = pair()
    for token in (1, 2, 3):
        esme.send(TEXT, token, token)
    esme.unbind(4)
    assert esme.abandon() == [1, 2, 3]
    assert esme.state is SessionState.CLOSED
    assert esme.data_to_send() == b""
    assert esme.due() is None


# --- time ------------------------------------------------------------------------------------------------------------


def test_each_request_has_its_own_timer() -> None:
    esme, _ = pair()
    esme.send(TEXT, "a", 0)
    esme.send(TEXT, "b", 4)
    assert esme.due() == 10
    assert esme.tick(9.9) == []
    assert esme.tick(10) == [TimedOut("a")]
    assert esme.due() == 14
    assert esme.tick(20) == [TimedOut("b")]


def test_idle_link_is_asked_and_silence_ends_it() -> None:
    esme, _ = pair()
    assert esme.due() == 30
    assert esme.tick(29) == []
    assert esme.tick(30) == []
    assert sent(esme) == [pdus.EnquireLink(sequence=2)]
    assert esme.tick(39) == []
    assert esme.tick(40) == [Closed(end=End.SILENT)]


def test_answered_enquiry_starts_the_idle_time_anew() -> None:
    esme, smsc = pair()
    esme.tick(30)
    assert smsc.receive(esme.data_to_send(), 30) == []
    assert esme.receive(smsc.data_to_send(), 31) == []
    assert esme.due() == 61
    assert esme.in_flight == 0


def test_idle_link_may_be_left_alone() -> None:
    esme = Session(now=0, timers=Timers(enquire=None))
    esme.bind(pdus.BindTransceiver(sequence=0), 0)
    give(esme, pdus.BindTransceiverResp(sequence=1))
    assert esme.due() is None


def test_unanswered_bind_and_unanswered_unbind_end_the_session() -> None:
    esme = Session(now=0, timers=TIMERS)
    esme.bind(pdus.BindTransceiver(sequence=0), 0)
    assert esme.due() == 5
    assert esme.tick(5) == [Closed(end=End.BIND_UNANSWERED)]

    esme, _ = pair()
    esme.unbind(0)
    assert esme.tick(10) == [Closed(end=End.SILENT)]


# --- our own mistakes ------------------------------------------------------------------------------------------------


def test_this_side_may_not_send_what_the_state_forbids() -> None:
    esme = Session(now=0, timers=TIMERS)
    with pytest.raises(NotNowError, match="SUBMIT_SM as esme in state open"):
        esme.send(TEXT, "a", 0)
    receiver, _ = pair(pdus.BindReceiver)
    with pytest.raises(NotNowError):
        receiver.send_bodies(Command.SUBMIT_SM, [(b"", "a")], 0)
    assert receiver.in_flight == 0


def test_value_that_cannot_be_written_leaves_nothing_behind() -> None:
    esme, _ = pair()
    esme.data_to_send()
    with pytest.raises(FieldError):
        esme.send(pdus.SubmitSm(sequence=0, destination_addr="3" * 30), "a", 0)
    assert esme.in_flight == 0
    assert esme.data_to_send() == b""


def test_sequence_wraps_and_steps_over_one_that_is_still_open() -> None:
    esme, _ = pair()
    assert esme.send(TEXT, "old", 0) == 2
    esme._sequence = LAST_SEQUENCE - 1
    assert [esme.send(TEXT, n, 0) for n in range(3)] == [LAST_SEQUENCE, 1, 3]


# --- tables ----------------------------------------------------------------------------------------------------------


def test_tables_speak_of_every_state_and_every_state_can_end() -> None:
    assert set(MOVES) == set(SessionState)
    for role in Role:
        assert set(REQUESTS[role]) == set(SessionState)
    for state, moves in MOVES.items():
        assert (Step.END in moves) is (state is not SessionState.CLOSED)
    reached = {SessionState.OPEN} | {target for moves in MOVES.values() for target in moves.values()}
    assert reached == set(SessionState)


# --- anything at all -------------------------------------------------------------------------------------------------

ANY_PDU = st.one_of(
    st.sampled_from([kind for name in pdus.__all__ if isinstance(kind := getattr(pdus, name), type)])
    .filter(lambda kind: "command" in vars(kind) and kind is not pdus.Pdu)
    .flatmap(lambda kind: st.builds(kind, sequence=st.integers(0, 5), status=st.sampled_from([0, 8, 0x58])))
    .map(encode),
    st.binary(max_size=40),
)


@given(st.sampled_from(Role), st.lists(st.tuples(ANY_PDU, st.floats(0, 20)), max_size=15))
def test_no_peer_makes_a_session_raise_and_no_token_is_lost_or_told_twice(role: Role, script: list) -> None:
    esme, smsc = pair()
    session, text = (esme, TEXT) if role is Role.ESME else (smsc, REPLY)
    session.data_to_send()
    tokens, told, now = [], [], 0.0
    for token, (data, wait) in enumerate(script):
        now += wait
        if session.state is SessionState.BOUND_TRX:
            session.send(text, token, now)
            tokens.append(token)
        events = session.receive(data, now) + session.tick(now)
        told += [event.token for event in events if isinstance(event, Answered | TimedOut)]
        told += [taken for event in events if isinstance(event, Taken) for taken, _ in event.submits]
    assert sorted(told + session.abandon()) == tokens
    Framer().feed(session.data_to_send())
