"""The numbers of rows are in order as text when they are as numbers."""

from hypothesis import example, given
from hypothesis import strategies as st

from xlsms.ooxml.shape import end_of

RUNS = st.builds(
    lambda first, count: list(range(first, first + count)), st.integers(1, 1_048_000), st.integers(1, 3000)
)
SOME = st.lists(st.integers(1, 1_048_576), min_size=1, max_size=30)


@given(RUNS | SOME | SOME.map(lambda rows: sorted(set(rows))), st.integers(0, 2000))
@example([9, 10, 11, 99, 100, 101], 8)
@example(list(range(1, 2500)), 0)
@example([10, 100, 11], 0)
def test_the_last_number_is_told_when_all_go_up(rows, last):
    expected = rows[-1] if [last, *rows] == sorted({last, *rows}) else None
    assert end_of([b"%d" % row for row in rows], last) == expected


@given(RUNS, st.data())
def test_one_number_that_is_missing_twice_there_or_elsewhere_is_seen(rows, data):
    at = data.draw(st.integers(0, len(rows) - 1))
    numbers = [b"%d" % row for row in rows]
    assert end_of(numbers, 0) == rows[-1]
    assert end_of([*numbers[:at], b"", *numbers[at + 1 :]], 0) is None
    assert end_of([*numbers[:at], numbers[at], *numbers[at:]], 0) is None
    other = data.draw(st.integers(0, len(rows) - 1).filter(lambda place: place != at)) if len(rows) > 1 else at
    numbers[at], numbers[other] = numbers[other], numbers[at]
    assert (end_of(numbers, 0) is None) is (other != at)
