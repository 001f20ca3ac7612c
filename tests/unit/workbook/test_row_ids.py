"""Ids that are made together are as good as those made one by one."""

from collections import Counter
from random import Random

from xlsms.workbook.identity import LETTERS, check, new_row_ids


def test_ids_made_together_are_valid_and_differ():
    made = new_row_ids(5_000, Random(1))

    assert len(set(made)) == 5_000
    assert all(check(row_id) == row_id for row_id in made)


def test_every_letter_comes_as_often_in_every_place():
    made = new_row_ids(19_000, Random(2))

    for place in range(12):
        times = Counter(row_id[place] for row_id in made)
        assert set(times) == set(LETTERS)
        assert max(times.values()) < 1_200
        assert min(times.values()) > 800


def test_they_ascend_so_that_an_index_takes_them_side_by_side():
    made = new_row_ids(5_000, Random(3))

    assert made == sorted(made)


def test_none_are_made_of_nothing():
    assert new_row_ids(0) == []


def test_a_text_is_an_id_in_small_letters_and_between_blanks_and_not_with_a_letter_more():
    for row_id in new_row_ids(50, Random(3)):
        assert check(f" {row_id.lower()}\n") == row_id
        assert check(row_id + row_id[-1]) is None
        assert check(row_id[:-1]) is None
