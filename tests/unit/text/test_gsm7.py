import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlsms import text
from xlsms.text.gsm7 import DEFAULT, Table, decode, encode, fill_bits, is_gsm7, pack, septets, unpack

BASE = [decode(bytes([code])) for code in range(128) if code != 0x1B]
ALPHABET = "".join(BASE) + "\f^{}\\[~]|€"
gsm_text = st.text(alphabet=ALPHABET)


def test_the_room_has_these_names():
    assert text.__all__ == [
        "Change",
        "Field",
        "Parts",
        "Template",
        "Transliteration",
        "decode",
        "encode",
        "fill_bits",
        "is_gsm7",
        "pack",
        "read_udh",
        "septets",
        "split",
        "transliterate",
        "udh",
        "unpack",
    ]


@pytest.mark.parametrize(
    ("char", "code"),
    [
        *[("@", 0x00), ("£", 0x01), ("$", 0x02), ("¥", 0x03), ("è", 0x04), ("é", 0x05), ("ù", 0x06), ("ì", 0x07)],
        *[("ò", 0x08), ("Ç", 0x09), ("\n", 0x0A), ("Ø", 0x0B), ("ø", 0x0C), ("\r", 0x0D), ("Å", 0x0E), ("å", 0x0F)],
        *[("Δ", 0x10), ("_", 0x11), ("Φ", 0x12), ("Γ", 0x13), ("Λ", 0x14), ("Ω", 0x15), ("Π", 0x16), ("Ψ", 0x17)],
        *[("Σ", 0x18), ("Θ", 0x19), ("Ξ", 0x1A), ("Æ", 0x1C), ("æ", 0x1D), ("ß", 0x1E), ("É", 0x1F)],
        *[(" ", 0x20), ("#", 0x23), ("¤", 0x24), ("%", 0x25), ("?", 0x3F), ("¡", 0x40), ("A", 0x41), ("Z", 0x5A)],
        *[("Ä", 0x5B), ("Ö", 0x5C), ("Ñ", 0x5D), ("Ü", 0x5E), ("§", 0x5F), ("¿", 0x60), ("a", 0x61), ("z", 0x7A)],
        *[("ä", 0x7B), ("ö", 0x7C), ("ñ", 0x7D), ("ü", 0x7E), ("à", 0x7F)],
    ],
)
def test_base_table(char, code):
    assert encode(char) == bytes([code])
    assert decode(bytes([code])) == char


@pytest.mark.parametrize(
    ("char", "code"),
    [
        ("\f", 0x0A),
        ("^", 0x14),
        ("{", 0x28),
        ("}", 0x29),
        ("\\", 0x2F),
        ("[", 0x3C),
        ("~", 0x3D),
        ("]", 0x3E),
        ("|", 0x40),
        ("€", 0x65),
    ],
)
def test_extension_table(char, code):
    assert encode(char) == bytes([0x1B, code])
    assert decode(bytes([0x1B, code])) == char
    assert septets(char) == 2


@pytest.mark.parametrize("char", ["ç", "`", "á", "í", "ó", "ú", "’", "\x1b", "\t", "\u00a0", "я", "😀", "\x00"])
def test_what_the_alphabet_lacks(char):
    assert not is_gsm7(char)
    with pytest.raises(UnicodeEncodeError) as caught:
        encode("ok" + char)
    assert caught.value.start == 2
    with pytest.raises(ValueError, match="gsm7"):
        septets(char)


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        (b"\x1b\x1b", " "),
        (b"a\x1b", "a "),
        (b"\x1bA", "A"),
        (b"\x1b\x00", "@"),
        (b"a\xffb", "a\ufffdb"),
        (b"\x1b\x80", "\ufffd"),
    ],
)
def test_hostile_septets_are_shown_as_a_phone_would(data, shown):
    assert decode(data) == shown


def test_packs_the_example_of_the_specification():
    assert pack(encode("hellohello")).hex() == "e8329bfd4697d9ec37"
    assert unpack(bytes.fromhex("e8329bfd4697d9ec37"), 10) == b"hellohello"


def test_seven_spare_bits_read_as_an_at_sign_only_without_a_count():
    packed = pack(b"1234567")
    assert unpack(packed) == b"1234567\x00"
    assert unpack(packed, 7) == b"1234567"


@pytest.mark.parametrize(("header", "fill"), [(0, 0), (6, 1), (7, 0), (4, 3), (10, 4), (13, 1)])
def test_fill_bits(header, fill):
    assert fill_bits(header) == fill
    assert fill == (7 - 8 * header % 7) % 7


def test_fill_moves_the_text_to_the_next_septet():
    assert pack(b"A", 1) == bytes([0x41 << 1])
    assert unpack(bytes([0x41 << 1]), 1, 1) == b"A"


def test_pack_refuses_more_than_seven_bits():
    with pytest.raises(ValueError, match="7F"):
        pack(b"\x80")


def test_unpack_never_reads_past_the_end():
    assert unpack(b"\x41", 5) == b"\x41"
    assert unpack(b"", 5) == b""
    assert unpack(b"", None, 3) == b""
    assert unpack(b"\x41", -1) == b""


@given(gsm_text)
def test_round_trip(sample):
    assert is_gsm7(sample)
    assert decode(encode(sample)) == sample
    assert len(encode(sample)) == septets(sample)


@given(st.text())
def test_encodes_all_it_covers_and_names_the_rest(sample):
    aliens = DEFAULT.aliens(sample)
    assert is_gsm7(sample) is (not aliens)
    assert all(sample[index] == char for index, char in aliens)
    rest = "".join(char for char in sample if (char not in {alien for _, alien in aliens}))
    assert decode(encode(rest)) == rest


@given(st.binary())
def test_decoding_never_fails(data):
    assert len(decode(data)) <= len(data)


@given(st.lists(st.integers(0, 127)).map(bytes), st.integers(0, 6))
def test_packing_round_trip(data, fill):
    assert unpack(pack(data, fill), len(data), fill) == data


@given(st.binary(max_size=200), st.none() | st.integers(-3, 400), st.integers(0, 6))
def test_unpacking_never_fails(data, count, fill):
    assert all(code < 128 for code in unpack(data, count, fill))


def test_another_table_pair_replaces_the_extension():
    spanish = Table(
        "".join(decode(bytes([c])) if c != 0x1B else "\x1b" for c in range(128)),
        {0x61: "á", 0x65: "€"},
        b"\x24\x01\x02",
    )
    assert spanish.encode("áé€") == b"\x1b\x61\x05\x1b\x65"
    assert spanish.decode(b"\x1b\x61\x1b\x28") == "á("
    assert not spanish.covers("{")
    with pytest.raises(ValueError, match="128"):
        Table("abc", {})
