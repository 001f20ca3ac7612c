"""What a link is given of the messages of one claim, the short way of usual ones included."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st

from xlsms.model import MessageId, PartKey
from xlsms.text import split
from xlsms_service.delivery.lane import Lane
from xlsms_service.ledger.claim import Claimed

NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
TEXTS = st.sampled_from(["Hola", "One\r\ntwo", "Привет", "Long " * 40])
ENDS = st.none() | st.sampled_from([60, 3600]).map(lambda seconds: NOW + timedelta(seconds=seconds))
TIMES = st.sampled_from([None, None, None, NOW - timedelta(seconds=1), NOW + timedelta(seconds=30)])


@st.composite
def _claimed(draw, number):
    text = draw(TEXTS)
    cut = split(text, limit=None)
    taken = draw(st.sets(st.sampled_from(range(1, len(cut.parts)))) if len(cut.parts) > 1 else st.just(set()))
    until, send_at = draw(ENDS), draw(TIMES)
    return Claimed(
        MessageId(number), f"+3460011{number:04}", draw(st.none() | st.just("Clinic")), text, cut.alphabet,
        len(cut.parts), 1, 1, 1, 0, until, send_at, 0, frozenset(taken),
    )  # fmt: skip


@given(st.integers(1, 6).flatmap(lambda count: st.tuples(*map(_claimed, range(1, count + 1)))))
def test_each_part_that_the_network_lacks_is_given_once_with_what_its_own_message_says(claimed):
    given_to_it = []
    lane = Lane(SimpleNamespace(name="c", submit=given_to_it.extend), lambda name: [name])
    lane.submit(claimed, NOW, 0.0)
    of = {each.id: each for each in claimed}
    assert [part.key for part in given_to_it] == [
        PartKey(each.id, nth) for each in claimed for nth in range(1, each.parts + 1) if nth not in each.taken
    ]
    for part in given_to_it:
        each = of[part.key.message]
        assert (part.destination, part.sender, part.alphabet) == (each.number, each.sender, each.alphabet)
        assert part.text == split(each.text, limit=None, alphabet=each.alphabet).parts[part.key.part - 1]
        assert part.validity == (each.expires_at and each.expires_at - NOW)
        assert part.send_at == (each.send_at if each.send_at and each.send_at > NOW else None)
        assert (part.concat is None) == (each.parts == 1)
