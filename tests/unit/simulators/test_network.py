import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlsms_service.simulators.network import IdForm, Network, Throttle, chosen, write_id


def test_ids_are_written_as_networks_write_them():
    assert write_id(48879, IdForm.DECIMAL) == "48879"
    assert write_id(48879, IdForm.PADDED) == "00000000000000048879"
    assert write_id(48879, IdForm.HEX) == "beef"
    assert write_id(48879, IdForm.HEX_UPPER) == "BEEF"
    assert write_id(48879, IdForm.UUID).replace("-", "") == write_id(48879, IdForm.UUID_PLAIN)


@given(st.sets(st.integers(1, 10**17), min_size=2, max_size=50), st.sampled_from(IdForm))
def test_different_messages_have_different_ids(numbers, form):
    assert len({write_id(number, form) for number in numbers}) == len(numbers)


@given(st.integers(1, 10**17), st.sampled_from(IdForm))
def test_ids_fit_into_smpp(number, form):
    assert len(write_id(number, form)) <= 64


def test_a_uuid_cannot_be_matched_to_a_number():
    with pytest.raises(ValueError, match="UUID"):
        Network(response_id=IdForm.UUID, receipt_id=IdForm.HEX)
    Network(response_id=IdForm.UUID, receipt_id=IdForm.UUID_PLAIN)


def test_an_empty_receipt_is_refused():
    with pytest.raises(ValueError, match="nothing"):
        Network(receipt_text=False, receipt_tlvs=False)


def test_the_chosen_ones():
    rng = random.Random(1)
    assert [n for n in range(1, 10) if chosen(frozenset({2, 5}), n, rng)] == [2, 5]
    assert not any(chosen(0.0, n, rng) for n in range(100))
    assert all(chosen(1.0, n, rng) for n in range(100))
    assert 20 < sum(chosen(0.1, n, rng) for n in range(400)) < 60


def test_a_rate_is_counted_in_seconds():
    throttle = Throttle()
    assert [throttle.exceeds(2, 0.1 * n) for n in range(12)] == [False] * 2 + [True] * 8 + [False] * 2
