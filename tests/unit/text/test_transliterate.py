import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlsms.text import Change, is_gsm7, split, transliterate


@pytest.mark.parametrize(
    ("text", "new"),
    [
        ("‘a’ ‚b‛ 5′ ´`", "'a' 'b' 5' ''"),
        ("“a” „b‟ 5″ «c»", '"a" "b" 5" "c"'),
        ("–—‒―−‐‑", "-------"),
        ("wait…", "wait..."),
        ("• a · b ‣ c", "* a * b * c"),
        ("10\u00a0€ 5\u202f%\u2009\u2003\u2002\u2007x\ty", "10 € 5 %    x y"),
        ("a\u200bb\u200cc\ufeffd\u00ade", "abcde"),
        ("\u202aok\u202c", "ok"),
        ("‹x›", "<x>"),
        ("3×4÷2", "3x4/2"),
        ("A™ B© C®", "A(TM) B(C) C(R)"),
        ("1º 2ª", "1o 2a"),
        ("¼½¾", "1/41/23/4"),
        ("5‰ №7", "50/00 No7"),
        ("ﬁn ﬂy", "fin fly"),
        ("café e\u0300 n\u0303", "café è ñ"),
        ("col·legi COL·LEGI", "col.legi COL.LEGI"),
        ("a\u2028b\x0bc", "a\nb\nc"),
        ("a\r\nb’", "a\r\nb'"),
    ],
)
def test_safe(text, new):
    result = transliterate(text)
    assert result.text == new
    assert result.culprits == []
    assert all(text[change.index :].startswith(change.old) for change in result.changes)


@pytest.mark.parametrize(
    ("text", "new"),
    [
        ("Garçon ÇA", "Garcon ÇA"),
        ("camión está aquí último", "camion esta aqui ultimo"),
        ("ÁÀÂÃ âêîôû ëïÿ ā", "AAAA aeiou eiy a"),
        ("łódź đ ığş őű Şİ", "lodz d igs ou SI"),
        ("cœur Œuvre Þór þ", "coeur OEuvre Thor th"),
        ("ΑΒΓ αβγ ς", "ABΓ ABΓ Σ"),
        ("Καλημέρα ΰ", "KAΛHMEPA Y"),
        ("a\u0303o “ñ”", 'ao "ñ"'),
        ("äöüñåéèàìòùß", "äöüñåéèàìòùß"),
        ("https://x.es/ñá–", "https://x.es/ña-"),
    ],
)
def test_wide(text, new):
    result = transliterate(text, "wide")
    assert result.text == new
    assert is_gsm7(result.text)


def test_changes_say_where():
    assert transliterate("it’s 1…").changes == [Change(2, "’", "'"), Change(6, "…", "...")]
    assert transliterate("n\u0303o e\u0301").changes == [Change(0, "n\u0303", "ñ"), Change(4, "e\u0301", "é")]


def test_one_quote_no_longer_triples_the_bill():
    text = "a" * 80 + "’" + "a" * 79
    assert len(split(text)) == 3
    assert len(split(transliterate(text).text)) == 1


@pytest.mark.parametrize("level", ["off", "safe", "wide"])
def test_emoji_are_never_taken_out(level):
    result = transliterate("¡Hola! 😀 it’s ❤\ufe0f", level)
    assert result.text == "¡Hola! 😀 it’s ❤\ufe0f"
    assert result.changes == []
    assert (7, "😀") in result.culprits


def test_only_what_cannot_be_replaced_is_a_culprit():
    assert transliterate("it’s está 😀").culprits == [(8, "á"), (10, "😀")]
    assert transliterate("it’s está 😀", "wide").culprits == [(10, "😀")]
    assert transliterate("it’s", "off").culprits == [(2, "’")]


@pytest.mark.parametrize(
    "link", ["https://x.es/a–b", "http://x.es/O’Brien", "www.x.es/a–b", "x.es/a–b", "WWW.x.es/–", "a-b.x.es/–"]
)
def test_links_stay_as_they_are_unless_wide(link):
    text = f"Mire {link} ya"
    assert transliterate(text).text == text
    assert transliterate(text).culprits
    assert is_gsm7(transliterate(text, "wide").text)


def test_what_stands_beside_a_link_is_replaced():
    assert transliterate("“https://x.es/a?b=1”\u00a0– www.x.es…’").text == '"https://x.es/a?b=1" - www.x.es...\''
    assert transliterate("y/o – 3/4").text == "y/o - 3/4"


def test_plain_text_is_handed_back():
    assert transliterate("Precio: 10 €").changes == []


def test_long_hostile_texts_take_no_time():
    for text in ("a" * 200_000 + "’", "a." * 100_000 + "’", "x.es/ " * 40_000 + "’" * 40_000, "a\u0301" * 50_000):
        assert transliterate(text).text


@given(st.text(), st.sampled_from(["off", "safe", "wide"]))
def test_all_or_nothing(text, level):
    result = transliterate(text, level)
    if result.culprits:
        assert (result.text, result.changes) == (text, [])
        assert all(text[index] == char and not is_gsm7(char) for index, char in result.culprits)
    else:
        assert is_gsm7(result.text)
    assert transliterate(result.text, level).text == result.text
