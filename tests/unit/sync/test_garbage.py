"""When garbage is collected at the desk, and while texts are delivered."""

import gc
import weakref

import pytest

from xlsms_service.sync.garbage import collect, collect_rarely, seldom


class Circle:
    def __init__(self):
        self.self = self


@pytest.fixture
def rarely():
    before = gc.get_threshold()
    collect_rarely()
    yield
    gc.set_threshold(*before)
    gc.unfreeze()


@pytest.mark.usefixtures("rarely")
def test_a_piece_of_a_list_brings_no_round():
    rounds = []
    gc.callbacks.append(lambda phase, _info: rounds.append(phase))
    try:
        piece = [[number] for number in range(300_000)]
    finally:
        gc.callbacks.pop()

    assert len(piece) == 300_000
    assert rounds == []


@pytest.mark.usefixtures("rarely")
def test_what_goes_in_circles_is_found_between_two_pieces():
    gone = weakref.ref(Circle())
    assert gone() is not None

    collect()

    assert gone() is None


@pytest.mark.usefixtures("rarely")
def test_it_is_found_too_where_nobody_ever_calls():
    gone = weakref.ref(Circle())
    kept = [[number] for number in range(1_100_000)]

    assert len(kept) == 1_100_000
    assert gone() is None


def test_while_texts_are_delivered_rounds_are_seldom_yet_come():
    before = gc.get_threshold()
    rounds = []
    gc.callbacks.append(lambda phase, _info: rounds.append(phase))
    try:
        with seldom():
            gone = weakref.ref(Circle())
            windows = [[number] for number in range(40_000)]
            so_far = list(rounds)
            more = [[number] for number in range(40_000)]
    finally:
        gc.callbacks.pop()

    assert len(windows) == len(more) == 40_000
    assert so_far == []
    assert gone() is None
    assert (gc.get_threshold(), gc.get_freeze_count()) == (before, 0)
