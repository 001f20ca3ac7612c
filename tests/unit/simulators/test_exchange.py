import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlsms_service.protocols.smpp.constants import Status, Tag
from xlsms_service.protocols.smpp.pdu import (
    BindReceiver,
    BindReceiverResp,
    BindTransceiverResp,
    BindTransmitter,
    BindTransmitterResp,
    DeliverSmResp,
    EnquireLink,
    EnquireLinkResp,
    GenericNack,
    QuerySm,
    QuerySmResp,
    SubmitSm,
    SubmitSmResp,
    Unbind,
    UnbindResp,
    encode,
)
from xlsms_service.simulators.network import IdForm, Network
from xlsms_service.simulators.phones import BEHAVIOURS, Behaviour, Pace, Population

PACE = Pace(receipt=1, slow=8, expiry=30, reply=2)
ALIKE = {name: Population.of(name, pace=PACE) for name in BEHAVIOURS}


def everyone(name):
    return Population.of(name, pace=PACE)


def says(reply, **knobs):
    return Population.of(Behaviour(name="answers", replies=(reply,), again=True, **knobs), pace=PACE)


# Sessions


@pytest.mark.parametrize(
    ("kind", "answer"),
    [(BindTransmitter, BindTransmitterResp), (BindReceiver, BindReceiverResp)],
)
def test_every_kind_of_bind_is_answered_in_kind(lab, kind, answer):
    (response,) = lab().client(bound=False).bind(kind)
    assert isinstance(response, answer)
    assert response.status == 0
    assert response.tlvs[Tag.SC_INTERFACE_VERSION] == b"\x34"


@pytest.mark.parametrize(
    ("system_id", "password", "status"),
    [("xlsms", "wrong", Status.WRONG_PASSWORD), ("nobody", "rehearse", Status.WRONG_SYSTEM_ID)],
)
def test_wrong_credentials_are_refused_and_the_link_closed(lab, system_id, password, status):
    client = lab().client(bound=False)
    (response,) = client.bind(system_id=system_id, password=password)
    assert isinstance(response, BindTransceiverResp)
    assert response.status == status
    assert client.closed


def test_a_second_bind_on_one_link_is_refused(lab):
    client = lab().client()
    (response,) = client.bind()
    assert response.status == Status.ALREADY_BOUND
    assert client.submit()[0].status == 0


def test_a_submit_before_the_bind_or_as_receiver_is_refused(lab):
    network = lab()
    for client in (network.client(bound=False), network.client(kind=BindReceiver)):
        (response,) = client.submit()
        assert isinstance(response, SubmitSmResp)
        assert response.status == Status.WRONG_BIND_STATE
    assert network.exchange.taken == []


def test_unbind_is_answered_and_the_link_closed(lab):
    client = lab().client()
    (response,) = client.ask(Unbind)
    assert isinstance(response, UnbindResp)
    assert client.closed


def test_enquire_link_is_answered_even_before_the_bind(lab):
    (response,) = lab().client(bound=False).ask(EnquireLink)
    assert isinstance(response, EnquireLinkResp)


def test_a_silent_client_is_asked_and_then_left(lab):
    network = lab(enquire=30)
    client = network.client()
    network.wait(31)
    assert isinstance(client.heard[-1], EnquireLink)
    client.raw(encode(EnquireLinkResp(sequence=client.heard[-1].sequence)))
    network.wait(31)
    assert [type(pdu) for pdu in client.heard[1:]] == [EnquireLink, EnquireLink]
    assert not client.closed
    network.wait(31)
    assert client.closed
    assert network.exchange.counters.links == 0


def test_a_client_that_never_binds_is_left(lab):
    network = lab(enquire=30)
    client = network.client(bound=False)
    network.wait(31)
    assert client.closed
    assert client.heard == []


# Messages


def test_a_message_is_taken_reported_and_answered(lab):
    network = lab(says("SI"))
    client = network.client()
    (answer,) = client.submit(text=b"Will you come?", dest_addr_ton=1, dest_addr_npi=1)
    assert answer.status == 0
    (taken,) = network.exchange.taken
    assert (taken.system_id, taken.destination, taken.sender) == ("xlsms", "34600111222", "600")
    assert (taken.text, taken.parts, taken.network_ids) == ("Will you come?", 1, (answer.message_id,))
    network.wait(1)
    (receipt,) = client.deliveries
    assert (receipt.source_addr, receipt.destination_addr, receipt.esm_class) == ("34600111222", "600", 0x04)
    assert (receipt.source_addr_ton, receipt.source_addr_npi) == (1, 1)
    assert receipt.short_message.decode() == (
        f"id:{answer.message_id} sub:001 dlvrd:001 submit date:2603290030 done date:2603290030"
        " stat:DELIVRD err:000 text:Will you come?"
    )
    assert receipt.tlvs[Tag.RECEIPTED_MESSAGE_ID] == answer.message_id.encode() + b"\0"
    assert receipt.tlvs[Tag.MESSAGE_STATE] == b"\x02"
    network.wait(1)
    reply = client.deliveries[1]
    assert (reply.source_addr, reply.destination_addr, reply.esm_class) == ("34600111222", "600", 0)
    assert reply.short_message == b"SI"


def test_nothing_is_sent_before_its_time(lab):
    network = lab(says("SI"))
    client = network.client()
    client.submit()
    network.wait(0.99)
    assert client.deliveries == []
    network.wait(0.02)
    assert len(client.deliveries) == 1
    network.wait(0.98)
    assert len(client.deliveries) == 1
    network.wait(0.02)
    assert len(client.deliveries) == 2


@pytest.mark.parametrize(
    ("name", "wait", "stat", "state", "error"),
    [("fails", 1, "UNDELIV", 5, 1), ("off", 30, "EXPIRED", 3, 27), ("slow", 8, "DELIVRD", 2, 0)],
)
def test_each_phone_has_its_outcome_and_time(lab, name, wait, stat, state, error):
    network = lab(everyone(name))
    client = network.client()
    client.submit()
    network.wait(wait - 0.01)
    assert client.deliveries == []
    network.wait(0.02)
    (receipt,) = client.deliveries
    assert f"stat:{stat} err:{error:03}".encode() in receipt.short_message
    assert receipt.tlvs[Tag.MESSAGE_STATE] == bytes([state])
    assert receipt.tlvs[Tag.NETWORK_ERROR_CODE] == bytes([3, 0, error])


def test_a_phone_that_rejects_does_so_at_the_submit(lab):
    network = lab(everyone("rejects"))
    (answer,) = network.client().submit()
    assert (answer.status, answer.message_id) == (Status.INVALID_DESTINATION, "")
    assert network.exchange.taken == []
    assert network.exchange.counters.refused == 1


@pytest.mark.parametrize("destination", ["", "home", "+", "34-600"])
def test_a_destination_that_is_no_number_is_refused(lab, destination):
    (answer,) = lab().client().submit(destination)
    assert answer.status == Status.INVALID_DESTINATION


def test_addresses_that_no_receipt_could_name_are_refused(lab):
    network = lab(everyone("delivers"))
    client = network.client()

    def raw_submit(source, destination):
        body = b"\0\1\1" + source + b"\0\1\1" + destination + b"\0" + bytes(5) + b"\1\0\0\0\0"
        return client.raw((16 + len(body)).to_bytes(4, "big") + bytes.fromhex("000000040000000000000009") + body)[0]

    assert raw_submit(b"600", b"3" * 20).status == 0
    assert raw_submit(b"600", b"3" * 21).status == Status.INVALID_DESTINATION
    assert raw_submit(b"6" * 21, b"34600").status == Status.INVALID_SOURCE
    network.wait(5)
    assert len(client.deliveries) == 1


@pytest.mark.parametrize(
    ("wanted", "behaviour", "receipts"),
    [(0, "delivers", 0), (1, "delivers", 1), (2, "delivers", 0), (2, "fails", 1), (1, "silent", 0)],
)
def test_receipts_come_only_when_asked_for(lab, wanted, behaviour, receipts):
    network = lab(everyone(behaviour))
    client = network.client()
    client.submit(registered_delivery=wanted)
    network.wait(60)
    assert len(client.deliveries) == receipts


def test_a_phone_cannot_answer_a_sender_made_of_letters(lab):
    network = lab(says("SI"))
    client = network.client()
    client.submit(source_addr="Clinica", source_addr_ton=5)
    network.wait(10)
    assert len(client.deliveries) == 1


def test_a_submit_without_sender_is_answered_to_the_networks_number(lab):
    network = lab(says("SI"), number="5000")
    client = network.client()
    client.submit(source_addr="")
    network.wait(10)
    assert client.deliveries[1].destination_addr == "5000"


def test_ids_do_not_repeat_after_a_restart(lab):
    before, after = (int(lab(now=now).client().submit()[0].message_id) for now in (1000, 1001))
    assert after - before >= 100_000


def test_query_knows_what_became_of_a_message(lab):
    network = lab(everyone("off"))
    client = network.client()
    (answer,) = client.submit()
    (before,) = client.ask(QuerySm, message_id=answer.message_id)
    network.wait(30)
    after = client.ask(QuerySm, message_id=answer.message_id)[-1]
    assert isinstance(before, QuerySmResp)
    assert (before.message_state, before.final_date) == (1, "")
    assert (after.message_state, after.final_date, after.error_code) == (3, "260329003030000+", 27)
    (unknown,) = client.ask(QuerySm, message_id="1")
    assert unknown.status == Status.INVALID_MESSAGE_ID


def test_a_phone_can_write_of_its_own_accord(lab):
    network = lab()
    client = network.client()
    network.exchange.text("34600111222", "BALANCE 123")
    (text,) = client.deliveries
    assert (text.source_addr, text.destination_addr, text.short_message) == (
        "34600111222",
        network.exchange.settings.number,
        b"BALANCE 123",
    )


# Ids and receipts


@pytest.mark.parametrize(
    ("answer_form", "receipt_form", "same"),
    [
        (IdForm.DECIMAL, IdForm.DECIMAL, lambda a, r: a == r),
        (IdForm.HEX, IdForm.DECIMAL, lambda a, r: int(a, 16) == int(r)),
        (IdForm.DECIMAL, IdForm.HEX_UPPER, lambda a, r: int(a) == int(r, 16) and r == r.upper()),
        (IdForm.DECIMAL, IdForm.PADDED, lambda a, r: r == a.zfill(20) != a),
        (IdForm.UUID, IdForm.UUID_PLAIN, lambda a, r: a.replace("-", "") == r != a),
    ],
)
def test_answer_and_receipt_may_write_the_id_differently(lab, answer_form, receipt_form, same):
    network = lab(everyone("delivers"), Network(response_id=answer_form, receipt_id=receipt_form))
    client = network.client()
    (answer,) = client.submit()
    network.wait(1)
    (receipt,) = client.deliveries
    in_text = re.match(rb"id:(\S+) ", receipt.short_message)[1].decode()
    in_tlv = receipt.tlvs[Tag.RECEIPTED_MESSAGE_ID].rstrip(b"\0").decode()
    assert same(answer.message_id, in_text)
    assert in_text == in_tlv


@pytest.mark.parametrize(("text", "tlvs"), [(True, False), (False, True)])
def test_receipts_can_lack_their_text_or_their_parameters(lab, text, tlvs):
    network = lab(everyone("delivers"), Network(receipt_text=text, receipt_tlvs=tlvs))
    client = network.client()
    client.submit()
    network.wait(1)
    (receipt,) = client.deliveries
    assert bool(receipt.short_message) is text
    assert bool(receipt.tlvs) is tlvs


def test_a_receipt_can_overtake_its_answer(lab):
    network = lab(everyone("slow"), Network(early_receipts=frozenset({1})))
    client = network.client()
    (receipt,) = client.submit()
    network.wait(1)
    answer = client.heard[-1]
    assert receipt in client.deliveries
    assert isinstance(answer, SubmitSmResp)
    assert answer.message_id.encode() in receipt.short_message
    network.wait(100)
    assert len(client.deliveries) == 1


def test_receipts_can_come_twice(lab):
    network = lab(everyone("delivers"), Network(duplicate_receipts=1.0))
    client = network.client()
    client.submit()
    network.wait(1)
    first, second = client.deliveries
    assert first.short_message == second.short_message
    assert first.sequence != second.sequence


# Misbehaviour


def test_every_third_submit_is_throttled_and_not_taken(lab):
    network = lab(network=Network(throttle_every=3))
    client = network.client()
    statuses = [client.submit(f"3460011122{n}")[0].status for n in range(7)]
    assert statuses == [0, 0, 0x58, 0, 0, 0x58, 0]
    assert [taken.destination[-1] for taken in network.exchange.taken] == ["0", "1", "3", "4", "6"]


def test_submits_above_the_rate_are_throttled(lab):
    network = lab(network=Network(throttle_rate=2))
    client = network.client()
    assert [client.submit()[0].status for _ in range(3)] == [0, 0, 0x58]
    network.wait(1)
    assert client.submit()[0].status == 0


def test_an_answer_is_lost_though_the_message_is_taken_and_reported(lab):
    network = lab(everyone("delivers"), Network(lose_answers=frozenset({2})))
    client = network.client()
    assert [len(client.submit()) for _ in range(3)] == [1, 0, 1]
    assert len(network.exchange.taken) == 3
    assert network.exchange.counters.lost_answers == 1
    network.wait(1)
    assert len(client.deliveries) == 3


def test_one_slow_answer_does_not_hold_up_the_others(lab):
    network = lab(everyone("silent"), Network(slow_answers=frozenset({1}), slow_by=5))
    client = network.client()
    assert client.submit() == []
    assert len(client.submit()) == 1
    network.wait(4.9)
    assert len(client.heard) == 2
    network.wait(0.2)
    assert client.heard[-1].sequence == 2


@pytest.mark.parametrize("unanswered", [False, True])
def test_a_link_is_cut_with_or_without_the_last_answer(lab, unanswered):
    network = lab(network=Network(drop_after=3, drop_unanswered=unanswered))
    client = network.client()
    answers = [client.submit(f"3460011122{n}") for n in range(4)]
    assert [len(answer) for answer in answers] == [1, 1, 0 if unanswered else 1, 0]
    assert client.closed
    assert len(network.exchange.taken) == 3
    assert network.exchange.counters.drops == 1
    assert len(network.client().submit()) == 1


def test_all_links_can_be_cut_at_once(lab):
    network = lab()
    clients = [network.client(), network.client(bound=False)]
    network.exchange.drop()
    assert all(client.closed for client in clients)
    assert network.exchange.counters.links == 0


# Store and forward


def test_what_was_not_acknowledged_comes_again_on_the_next_bind_in_order(lab):
    network = lab(everyone("delivers"))
    client = network.client()
    for n in range(4):
        client.submit(f"3460011122{n}")
    network.wait(1)
    client.acknowledge(client.deliveries[1])
    client.lost()
    again = network.client()
    assert [pdu.source_addr[-1] for pdu in again.deliveries] == ["0", "2", "3"]
    for delivery in again.deliveries:
        again.acknowledge(delivery)
    assert network.exchange.waiting == 0
    assert network.exchange.counters.repeated == 3
    assert network.client().deliveries == []


def test_what_comes_again_comes_before_what_is_newer(lab):
    network = lab(everyone("delivers"), window=2)
    client = network.client()
    for n in range(5):
        client.submit(f"3460011122{n}")
    network.wait(1)
    client.lost()
    again = network.client()
    for n in range(5):
        again.acknowledge(again.deliveries[n])
    assert [pdu.source_addr[-1] for pdu in again.deliveries] == ["0", "1", "2", "3", "4"]


def test_receipts_wait_while_no_receiver_is_bound(lab):
    network = lab(everyone("delivers"))
    sender = network.client(kind=BindTransmitter)
    sender.submit()
    network.wait(5)
    assert sender.deliveries == []
    assert network.exchange.waiting == 1
    assert network.client(system_id="other", password="secret").deliveries == []
    assert len(network.client(kind=BindReceiver).deliveries) == 1


def test_no_more_than_a_window_of_deliveries_is_open(lab):
    network = lab(everyone("delivers"), window=3)
    client = network.client()
    for _ in range(8):
        client.submit()
    network.wait(1)
    assert len(client.deliveries) == 3
    client.acknowledge(client.deliveries[0])
    assert len(client.deliveries) == 4
    for n in range(1, 8):
        client.acknowledge(client.deliveries[n])
    assert network.exchange.counters.delivered == 8


def test_two_receivers_share_the_deliveries(lab):
    network = lab(everyone("delivers"), window=3)
    clients = [network.client(), network.client()]
    for _ in range(8):
        clients[0].submit()
    network.wait(1)
    assert [len(client.deliveries) for client in clients] == [3, 3]


def test_a_client_that_does_not_read_gets_nothing_more(lab):
    network = lab(everyone("delivers"))
    client = network.client()
    client.session.ready(writable=False)
    client.submit()
    network.wait(1)
    assert client.deliveries == []
    client.session.ready(writable=True)
    assert len(client.deliveries) == 1


def test_a_delivery_refused_for_now_comes_again_and_one_refused_for_good_does_not(lab):
    network = lab(everyone("delivers"), retry=1)
    client = network.client()
    client.submit()
    network.wait(1)
    client.acknowledge(client.deliveries[0], Status.TEMPORARY)
    assert len(client.deliveries) == 1
    network.wait(1)
    assert len(client.deliveries) == 2
    client.acknowledge(client.deliveries[1], Status.PERMANENT)
    network.wait(60)
    assert len(client.deliveries) == 2
    assert network.exchange.counters.declined == 1
    assert network.exchange.waiting == 0


def test_an_acknowledgement_of_nothing_is_ignored(lab):
    client = lab().client()
    assert client.raw(encode(DeliverSmResp(sequence=77))) == []
    assert client.raw(encode(GenericNack(sequence=77, status=3))) == []
    assert not client.closed


# The witness


def test_the_journal_has_a_line_for_each_part_before_its_answer(lab, tmp_path):
    path = tmp_path / "journal.jsonl"
    network = lab(everyone("delivers"), Network(lose_answers=1.0), journal=path)
    network.exchange.record.open()
    client = network.client()
    client.submit(text=b"one")
    first = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    client.submit(text=b"two")
    network.exchange.record.close()
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    assert first == lines[:1]
    assert [line["text"] for line in lines] == ["one", "two"]
    assert lines[0] == {
        "system_id": "xlsms",
        "destination": "34600111222",
        "sender": "600",
        "text": "one",
        "network_id": network.exchange.taken[0].network_ids[0],
        "at": "2026-03-29T00:30:00+00:00",
        "concat": None,
    }


def test_a_journal_is_appended_to(lab, tmp_path):
    path = tmp_path / "journal.jsonl"
    for _ in range(2):
        network = lab(journal=path)
        network.exchange.record.open()
        network.client().submit()
        network.exchange.record.close()
    assert len(path.read_text("utf-8").splitlines()) == 2


def test_only_the_last_messages_are_kept_when_told_so(lab):
    network = lab(everyone("delivers"), keep=2)
    client = network.client()
    ids = [client.submit(f"3460011122{n}")[0].message_id for n in range(5)]
    assert [taken.destination[-1] for taken in network.exchange.taken] == ["3", "4"]
    assert network.exchange.counters.messages == 5
    assert client.ask(QuerySm, message_id=ids[2])[0].status == Status.INVALID_MESSAGE_ID
    assert client.ask(QuerySm, message_id=ids[3])[0].status == 0


def test_whoever_listens_hears_what_happens(lab):
    network = lab(says("SI"), Network(throttle_every=2))
    client = network.client()
    client.submit()
    client.submit()
    network.wait(3)
    client.lost()
    assert [event.kind for event in network.events] == ["bind", "taken", "throttled", "receipt", "reply", "leave"]
    assert network.events[3].state == "DELIVRD"
    assert network.events[4].text == "SI"


# What is hostile


def test_an_unknown_command_gets_a_generic_nack_and_the_link_lives(lab):
    client = lab().client()
    (nack,) = client.raw(bytes.fromhex("00000010 00000103 00000000 00000063"))
    assert isinstance(nack, GenericNack)
    assert (nack.status, nack.sequence) == (Status.INVALID_COMMAND, 0x63)
    assert client.submit()[0].status == 0


def test_a_command_length_that_cannot_be_true_ends_the_link(lab):
    client = lab().client()
    (nack,) = client.raw(bytes.fromhex("fffffff0 00000004 00000000 00000063"))
    assert isinstance(nack, GenericNack)
    assert nack.status == Status.INVALID_COMMAND_LENGTH
    assert client.closed


def test_a_pdu_cut_short_gets_a_generic_nack(lab):
    client = lab().client()
    (nack,) = client.raw(bytes.fromhex("00000012 00000004 00000000 00000063 0001"))
    assert isinstance(nack, GenericNack)
    assert nack.sequence == 0x63


_COMMANDS = st.sampled_from([1, 2, 3, 4, 5, 6, 9, 0x0B, 0x15, 0x102, 0x103, 0x80000000, 0x80000004, 0x80000005])


@given(
    st.lists(
        st.one_of(
            st.binary(max_size=60),
            st.builds(
                lambda command, sequence, body: (
                    (16 + len(body)).to_bytes(4, "big") + command.to_bytes(4, "big") + bytes(4) + sequence + body
                ),
                _COMMANDS,
                st.binary(min_size=4, max_size=4),
                st.binary(max_size=60),
            ),
        ),
        max_size=6,
    ),
    st.booleans(),
)
def test_no_octets_stop_the_network(lab, pieces, bound):
    network = lab(ALIKE["answers"])
    client = network.client(bound=bound)
    for piece in pieces:
        client.raw(piece)
    network.wait(60)
    other = network.client(system_id="other", password="secret")
    assert other.submit()[0].status == 0


@given(
    text=st.binary(max_size=254),
    esm_class=st.integers(0, 255),
    data_coding=st.integers(0, 255),
    tlvs=st.dictionaries(st.sampled_from([0x020C, 0x020E, 0x020F, 0x0424, 0x1400]), st.binary(max_size=5), max_size=4),
)
def test_no_submit_stops_the_network(lab, text, esm_class, data_coding, tlvs):
    network = lab(ALIKE["answers"])
    client = network.client()
    (answer,) = client.ask(
        SubmitSm,
        destination_addr="34600111222",
        source_addr="600",
        registered_delivery=1,
        esm_class=esm_class,
        data_coding=data_coding,
        short_message=text,
        tlvs=tlvs,
    )
    assert isinstance(answer, SubmitSmResp)
    network.wait(60)
    assert client.deliveries
