import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlsms.model import Concat
from xlsms_service.simulators.answer import ANSWERS
from xlsms_service.simulators.phones import (
    BEHAVIOURS,
    SHARES,
    Behaviour,
    Pace,
    Phone,
    Population,
    Reply,
    Report,
)

PACE = Pace(receipt=1, slow=8, expiry=30, reply=2)


def phone(behaviour: Behaviour, pace: Pace = PACE) -> Phone:
    return Phone("+34600111222", behaviour, pace, random.Random(1))


def test_a_phone_that_delivers_reports_after_the_usual_delay_and_says_nothing():
    reaction = phone(BEHAVIOURS["delivers"]).on_message("Hello", "600", None, "7")
    assert reaction.report == Report(1, "DELIVRD", "000")
    assert reaction.whole is not None
    assert (reaction.whole.text, reaction.whole.network_ids) == ("Hello", ("7",))
    assert reaction.reply is None


@pytest.mark.parametrize(
    ("name", "report"),
    [
        ("slow", Report(8, "DELIVRD", "000")),
        ("fails", Report(1, "UNDELIV", "001")),
        ("off", Report(30, "EXPIRED", "027")),
        ("silent", None),
    ],
)
def test_each_behaviour_has_its_receipt(name, report):
    assert phone(BEHAVIOURS[name]).on_message("Hello").report == report


def test_own_delays_win_over_the_pace():
    behaviour = Behaviour(name="answers", replies=("SI",), receipt_after=0.5, reply_after=0.25)
    reaction = phone(behaviour).on_message("¿Viene?")
    assert reaction.report == Report(0.5, "DELIVRD", "000")
    assert reaction.reply == Reply(0.25, "SI")


def test_a_phone_answers_in_the_language_it_was_written_to():
    answering = phone(BEHAVIOURS["answers"])
    assert answering.on_message("Su cita es mañana, responda SI o NO").reply == Reply(2, "SI")
    assert answering.on_message("Your appointment is tomorrow. Reply YES or NO").reply == Reply(2, "YES")


def test_a_list_of_replies_is_said_once_and_a_single_reply_always():
    script = phone(Behaviour(name="answers", replies=("¿Quién es?", "SI")))
    assert [reaction.reply and reaction.reply.text for reaction in (script.on_message("x") for _ in range(3))] == [
        "¿Quién es?",
        "SI",
        None,
    ]
    always = phone(Behaviour(name="answers", replies=("SI",), again=True))
    assert [always.on_message("x").reply for _ in range(3)] == [Reply(2, "SI")] * 3


@pytest.mark.parametrize("name", ["fails", "off"])
def test_a_phone_that_never_got_the_message_cannot_answer_it(name):
    unreached = Behaviour(name=name, stat=BEHAVIOURS[name].stat, replies=("SI",))
    assert phone(unreached).on_message("Hello").reply is None


def test_every_part_is_reported_and_the_whole_answered_once_in_any_order():
    answering = phone(BEHAVIOURS["answers"])
    order = (2, 3, 1)
    reactions = [answering.on_message(f"part{n} ", "600", Concat(reference=9, total=3, part=n), str(n)) for n in order]
    assert all(reaction.report for reaction in reactions)
    assert [reaction.whole for reaction in reactions[:2]] == [None, None]
    assert [reaction.reply for reaction in reactions[:2]] == [None, None]
    assert reactions[2].whole is not None
    assert reactions[2].whole.text == "part1 part2 part3 "
    assert reactions[2].whole.network_ids == ("1", "2", "3")
    assert reactions[2].reply is not None


def test_long_messages_with_one_reference_do_not_mix_senders_or_sizes():
    answering = phone(BEHAVIOURS["answers"])
    assert answering.on_message("a", "600", Concat(reference=9, total=2, part=1)).whole is None
    assert answering.on_message("b", "601", Concat(reference=9, total=2, part=2)).whole is None
    assert answering.on_message("c", "600", Concat(reference=9, total=3, part=2)).whole is None
    assert answering.on_message("d", "600", Concat(reference=9, total=2, part=2, wide=True)).whole is None
    whole = answering.on_message("e", "600", Concat(reference=9, total=2, part=2)).whole
    assert whole is not None
    assert whole.text == "ae"


def test_unfinished_messages_are_bounded():
    hearing = phone(BEHAVIOURS["delivers"])
    for reference in range(200):
        hearing.on_message("a", "600", Concat(reference=reference, total=2, part=1))
    assert len(hearing.unfinished) <= 33
    assert hearing.on_message("b", "600", Concat(reference=0, total=2, part=2)).whole is None
    assert hearing.on_message("b", "600", Concat(reference=199, total=2, part=2)).whole is not None


@given(total=st.integers(0, 255), part=st.integers(0, 255))
def test_a_nonsense_place_in_a_long_message_is_a_message_of_its_own(total, part):
    reaction = phone(BEHAVIOURS["delivers"]).on_message("a", "600", Concat(reference=1, total=total, part=part))
    long = total >= 2 and 1 <= part <= total
    assert (reaction.whole is None) is long


def test_a_hundred_numbers_in_a_row_have_exactly_the_shares():
    population = Population(seed=3)
    names = Counter(population.phone(f"+346001112{n:02}").behaviour.name for n in range(100))
    assert names == Counter(SHARES) + Counter(delivers=100 - sum(SHARES.values()))


def test_the_default_phones_use_every_built_in_answer():
    population = Population()
    used = {population.phone(f"+346001112{n:02}").behaviour.any_answer for n in range(100)}
    assert used == {None, *range(len(ANSWERS))}


def test_a_number_behaves_alike_however_written_and_whenever_asked():
    for n in range(100):
        plus, plain = f"+346001112{n:02}", f"346001112{n:02}"
        assert Population(seed=5).phone(plus).behaviour == Population(seed=5).phone(plain).behaviour
    others = [Population(seed=6).phone(f"{n:02}").behaviour for n in range(100)]
    assert others != [Population(seed=5).phone(f"{n:02}").behaviour for n in range(100)]


def test_a_listed_phone_is_found_by_its_digits():
    population = Population({"+34 600 111 222": BEHAVIOURS["off"]}, shares={})
    assert population.phone("34600111222").behaviour.name == "off"
    assert population.phone("+34600111223").behaviour.name == "delivers"


@given(st.text(max_size=20))
def test_any_destination_has_a_phone(number):
    assert Population().phone(number).behaviour.name in BEHAVIOURS


def test_phones_that_are_all_alike():
    assert {Population.of("rejects").phone(str(n)).behaviour.refusal for n in range(200)} == {0x0B}


def test_jitter_stays_in_its_bounds_and_follows_the_seed():
    def delays(seed):
        population = Population.of("delivers", pace=Pace(receipt=10, jitter=0.5), seed=seed)
        return [population.phone(str(n)).on_message("x").report.after for n in range(200)]

    assert all(5 <= delay <= 15 for delay in delays(1))
    assert len(set(delays(1))) > 100
    assert delays(1) == delays(1) != delays(2)


@pytest.mark.parametrize("knobs", [{"receipt": -1}, {"jitter": 1.5}, {"jitter": -0.1}])
def test_impossible_paces_are_refused(knobs):
    with pytest.raises(ValueError, match="jitter"):
        Pace(**knobs)


@pytest.mark.parametrize("shares", [{"off": 101}, {"off": -1}])
def test_impossible_shares_are_refused(shares):
    with pytest.raises(ValueError, match="100"):
        Population(shares=shares)
