import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlsms.model import Concat
from xlsms.text import read_udh, udh


def test_examples():
    assert udh(Concat(0xA5, 3, 2)).hex() == "050003a50302"
    assert udh(Concat(0x1234, 3, 2, wide=True)).hex() == "06080412340302"


@pytest.mark.parametrize(
    "concat",
    [
        Concat(256, 2, 1),
        Concat(-1, 2, 1),
        Concat(65536, 2, 1, wide=True),
        Concat(1, 2, 3),
        Concat(1, 2, 0),
        Concat(1, 256, 1),
        Concat(1, 0, 0),
    ],
)
def test_figures_that_do_not_fit(concat):
    with pytest.raises(ValueError, match=r"reference|part"):
        udh(concat)


@pytest.mark.parametrize(
    ("data", "concat", "rest"),
    [
        ("050003a50302" + "4142", Concat(0xA5, 3, 2), "4142"),
        ("06080412340302" + "41", Concat(0x1234, 3, 2, wide=True), "41"),
        ("0b0504158200000003a50302" + "41", Concat(0xA5, 3, 2), "41"),  # ports first
        (
            "0824010200037f0201" + "41",
            Concat(0x7F, 2, 1),
            "41",
        ),
        ("0800037f0201240101" + "41", Concat(0x7F, 2, 1), "41"),
        ("050003a50302", Concat(0xA5, 3, 2), ""),
        ("0a000301020100030a0202" + "41", Concat(0x0A, 2, 2), "41"),  # the last counts
        ("00" + "41", None, "41"),
        ("050003a50300" + "41", None, "41"),  # part 0
        ("050003a50304" + "41", None, "41"),  # part 4 of 3
        ("050003a50000" + "41", None, "41"),
        ("040002a503" + "41", None, "41"),  # too short for its kind
        ("050009a50302" + "41", None, "41"),  # element runs past the header
        ("0100" + "41", None, "41"),  # half an element
        ("09" + "41", None, "0941"),  # header runs past the end
        ("", None, ""),
    ],
)
def test_reading(data, concat, rest):
    assert read_udh(bytes.fromhex(data)) == (concat, bytes.fromhex(rest))


@given(st.booleans(), st.integers(0, 65535), st.integers(1, 255), st.data())
def test_round_trip(wide, reference, total, data):
    concat = Concat(reference if wide else reference % 256, total, data.draw(st.integers(1, total)), wide=wide)
    tail = data.draw(st.binary(max_size=20))
    assert read_udh(udh(concat) + tail) == (concat, tail)


@given(st.binary(max_size=200))
def test_never_fails(data):
    concat, rest = read_udh(data)
    assert data.endswith(rest)
    assert concat is None or 1 <= concat.part <= concat.total
