"""What cannot be seen is shown, by one rule everywhere."""

import re
import unicodedata

import pytest

from xlsms.text.visible import PATTERN, visible


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("a\u202eb\u202c", "aU+202EbU+202C"),
        ("\u200bnull\x00\ufeff", "U+200BnullU+0000U+FEFF"),
        ("\U000e0041\u2066", "U+E0041U+2066"),
        ("a\u200db", "aU+200Db"),
    ],
)
def test_what_is_hidden_becomes_a_tag(text, seen):
    assert visible(text) == seen


@pytest.mark.parametrize(
    "text", ["Mañana a las 9\n\tsí", "שלום", "مرحبا", "👨\u200d👩\u200d👧", "❤\ufe0f\u200d🔥", "你好"]
)
def test_what_can_be_seen_is_left(text):
    assert visible(text) == text


def test_no_control_or_mark_of_the_first_plane_is_forgotten():
    hidden = [chr(code) for code in range(0x10000) if unicodedata.category(chr(code)) in ("Cc", "Cf", "Zl", "Zp")]
    left = {char for char in hidden if visible(char) == char}
    assert left <= set("\t\n\r\u0890\u0891\u08e2")  # signs of sums in Arabic and Syriac have a shape


def test_the_pages_have_the_same_rule():
    of_python = re.sub(r"\\u\{([0-9a-f]+)\}", lambda found: f"\\U{int(found[1], 16):08x}", PATTERN)
    for code in [*range(0x3200), *range(0xFE00, 0x10000), 0x1F468, 0xE0041]:
        assert bool(re.search(of_python, chr(code))) is (visible(chr(code)) != chr(code))
