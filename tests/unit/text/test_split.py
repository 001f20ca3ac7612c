import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlsms.errors import UserError
from xlsms.text import septets, split
from xlsms.text.split import capacity

FAMILY = "👨\u200d👩\u200d👧\u200d👦"
FLAG = "🇪🇸"


@pytest.mark.parametrize(
    ("text", "alphabet", "parts"),
    [
        ("a" * 160, "gsm7", 1),
        ("a" * 161, "gsm7", 2),
        ("a" * 306, "gsm7", 2),
        ("a" * 307, "gsm7", 3),
        ("a" * 159 + "€", "gsm7", 2),
        ("a" * 158 + "€", "gsm7", 1),
        ("a" * 152 + "€" + "a" * 152, "gsm7", 3),
        ("€" * 80, "gsm7", 1),
        ("€" * 81, "gsm7", 2),
        ("€" * 152, "gsm7", 2),
        ("€" * 153, "gsm7", 3),
        ("я" * 70, "ucs2", 1),
        ("я" * 71, "ucs2", 2),
        ("я" * 134, "ucs2", 2),
        ("я" * 135, "ucs2", 3),
        ("😀" * 35, "ucs2", 1),
        ("😀" * 36, "ucs2", 2),
        ("😀" * 66, "ucs2", 2),
        ("😀" * 67, "ucs2", 3),
        ("a" * 80 + "’" + "a" * 79, "ucs2", 3),
        ("ñ" * 160, "gsm7", 1),
        ("á" + "a" * 70, "ucs2", 2),
        ("a\r\n" * 80, "gsm7", 1),
    ],
)
def test_parts(text, alphabet, parts):
    result = split(text)
    assert (result.alphabet, len(result)) == (alphabet, parts)
    assert len(result.parts) == parts


@pytest.mark.parametrize(
    ("alphabet", "header", "room"),
    [
        *[("gsm7", 0, 160), ("gsm7", 6, 153), ("gsm7", 7, 152), ("gsm7", 4, 155), ("gsm7", 9, 149), ("gsm7", 10, 148)],
        *[("gsm7", 12, 146), ("gsm7", 13, 145), ("ucs2", 0, 70), ("ucs2", 6, 67), ("ucs2", 7, 66)],
    ],
)
def test_capacity_beside_a_header(alphabet, header, room):
    assert capacity(alphabet, header) == room


def test_a_wide_reference_costs_room():
    assert len(split("a" * 306)) == 2
    assert len(split("a" * 306, wide_reference=True)) == 3
    assert [len(part) for part in split("я" * 100, wide_reference=True).parts] == [66, 34]


def test_room_and_units():
    assert (split("").units, split("").room, split("").parts) == (0, 160, [""])
    assert (split("€a").units, split("€a").room) == (3, 157)
    assert (split("😀").units, split("😀").room) == (2, 68)
    assert (split("a" * 161).units, split("a" * 161).room) == (161, 145)
    assert (split("я" * 71).units, split("я" * 71).room) == (71, 63)


def test_line_ends_become_one_septet():
    assert split("a\r\nb\rc\n").parts == ["a\nb\nc\n"]


def test_culprits_are_found_in_the_text_as_given():
    text = "it’s\r\n“ok”"
    culprits = split(text).culprits
    assert culprits == [(2, "’"), (6, "“"), (9, "”")]
    assert all(text[index] == char for index, char in culprits)
    assert split("plain €").culprits == []


def test_half_surrogates_do_not_break_anything():
    result = split("a\ud800b\ud83d\ude00")
    assert result.parts == ["a\ufffdb😀"]
    assert result.alphabet == "ucs2"


@pytest.mark.parametrize(
    "sign", [FAMILY, FLAG, "e\u0301\u0327", "👍🏽", "❤\ufe0f", "1\ufe0f\u20e3", "🏴\U000e0067\U000e0062\U000e007f"]
)
@pytest.mark.parametrize("lead", range(60, 68))
def test_signs_of_several_characters_stay_together(sign, lead):
    parts = split("я" * lead + sign + "я" * 20).parts
    assert any(sign in part for part in parts)


def test_flags_are_paired_from_the_first():
    parts = split("я" * 65 + FLAG * 4).parts
    assert parts == ["я" * 65, FLAG * 4]


def test_a_sign_longer_than_a_part_is_cut():
    text = "e" + "\u0301" * 100
    assert [len(part) for part in split(text).parts] == [67, 34]


def test_the_limit():
    assert len(split("a" * 1530)) == 10
    with pytest.raises(UserError) as caught:
        split("a" * 1531)
    assert caught.value.code == "text-too-long"
    assert caught.value.facts == {"parts": 11, "limit": 10}
    assert "11" in caught.value.message("es")
    assert len(split("a" * 1531, limit=11)) == 11
    assert len(split("a" * 153 * 255, limit=None)) == 255
    with pytest.raises(UserError):
        split("a" * (153 * 255 + 1), limit=None)
    with pytest.raises(UserError):
        split("a" * 152 + ("€" + "a" * 152) * 9 + "€", limit=10)


def test_a_huge_hostile_text_is_refused_before_it_is_cut():
    with pytest.raises(UserError):
        split("🇪" * 1_000_000)


def units(part, alphabet):
    return septets(part) if alphabet == "gsm7" else len(part.encode("utf-16-be")) // 2


GSM = "aé€[]^\n@"
WIDE = GSM + "яá😀🇪🇸\u200d\u0301\ufe0f\U0001f3fb"
texts = st.text(max_size=700) | st.text(alphabet=GSM, max_size=700) | st.text(alphabet=WIDE, min_size=60, max_size=400)


@given(texts, st.booleans())
def test_every_part_fits_and_nothing_is_lost(text, wide):
    result = split(text, wide_reference=wide, limit=None)
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    assert "".join(result.parts) == plain
    header = 0 if len(result) == 1 else 7 if wide else 6
    room = capacity(result.alphabet, header)
    used = [units(part, result.alphabet) for part in result.parts]
    assert max(used) <= room
    assert all(used) or not text
    assert sum(used) == result.units
    assert room - used[-1] == result.room
    assert (result.alphabet == "ucs2") is bool(result.culprits)
    for part in result.parts:
        part.encode("utf-16-be")  # fails on half a pair


@given(st.text(alphabet=WIDE, min_size=60, max_size=400))
def test_a_part_ends_early_only_for_what_belongs_together(text):
    result = split("я" + text, limit=None)
    for part, after in zip(result.parts, result.parts[1:], strict=False):
        gap = 67 - units(part, "ucs2")
        assert gap >= 0
        if gap >= units(after[0], "ucs2"):
            tied = after[1:2]
            assert (
                after[0] == "\u200d" or tied == "\u200d" or unicodedata.category(tied) in {"Mn", "Sk"} or tied in "🇪🇸"
            )


@pytest.mark.parametrize(
    ("repertoire", "text", "alphabet", "culprits"),
    [
        ("latin-1", "Mañana a las 10 [aqui]", "gsm7", ""),
        ("latin-1", "Cuesta 5 €, Δ 3", "ucs2", "€Δ"),
        ("ascii", "Tomorrow at 10", "gsm7", ""),
        ("ascii", "¿Mañana?", "ucs2", "¿ñ"),
        (None, "¿Cuesta 5 €?", "gsm7", ""),
    ],
)
def test_what_the_character_set_of_a_link_lacks_goes_as_ucs2(repertoire, text, alphabet, culprits):
    parts = split(text, repertoire=repertoire)
    assert (parts.alphabet, "".join(char for _, char in parts.culprits)) == (alphabet, culprits)
    assert all(text[at] == char for at, char in parts.culprits)


@given(st.text(st.sampled_from("aé€Δ[]\n𝄞"), max_size=400))
def test_parts_of_an_alphabet_that_is_decided_are_those_that_were_planned(text):
    for repertoire in (None, "latin-1", "ascii"):
        planned = split(text, repertoire=repertoire, limit=None)
        assert split(text, alphabet=planned.alphabet, limit=None).parts == planned.parts
