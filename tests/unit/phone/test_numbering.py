"""The quick way reads digits exactly as phonenumbers does."""

from random import Random

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlsms import numbering

REGIONS = sorted(phonenumbers.SUPPORTED_REGIONS)


def long_way(text, region):
    """The number, its kind and its country as `phonenumbers` has them; None where it knows no such number."""
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    kind = phonenumbers.number_type(number)
    if kind == phonenumbers.PhoneNumberType.UNKNOWN:
        return None
    national = phonenumbers.national_significant_number(number)
    return str(number.country_code), national, kind, phonenumbers.region_code_for_number(number)


def same(text, region):
    assert numbering.read(text, region) == long_way(text, region), (text, region)


@given(st.text("0123456789", max_size=20), st.sampled_from(REGIONS), st.booleans())
def test_any_digits(digits, region, plus):
    same(f"+{digits}" if plus else digits, region)


@pytest.mark.parametrize("region", REGIONS)
def test_numbers_near_real_ones_of_every_country(region):
    random = Random(region)
    example = phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE)
    number = example or phonenumbers.example_number(region)
    national, code = phonenumbers.national_significant_number(number), str(number.country_code)
    for _ in range(60):
        place = random.randrange(len(national))
        changed = national[:place] + random.choice("0123456789") + national[place + 1 :]
        longer = changed + random.choice(["", "", random.choice("0123456789")])
        for digits in (longer, longer[:-1], f"0{longer}", f"1{longer}", code + longer, f"00{code}{longer}"):
            same(digits, region)
            same(f"+{digits}", None)
            same(digits, random.choice(REGIONS))


def test_what_one_pattern_takes_for_a_mobile_number_is_one():
    random = Random(8)
    taken = 0
    for region in REGIONS:
        told = numbering.mobile(region)
        example = phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE)
        if told is None or example is None:
            continue
        code, found = told
        national = phonenumbers.national_significant_number(example)
        for kept in range(len(national) + 1):
            digits = national[:kept] + "".join(random.choices("0123456789", k=len(national) - kept))
            if found(digits):
                taken += 1
                assert long_way(digits, region) == (code, digits, phonenumbers.PhoneNumberType.MOBILE, region)
    assert taken > 500


def test_digits_that_are_too_few_behind_their_country_code_are_no_number():
    random = Random(9)
    few = 0
    for first in range(100, 1_000):
        for count in range(7, 13):
            if numbering.too_short(str(first), count):
                few += 1
                digits = str(first) + "".join(random.choices("0123456789", k=count - 3))
                assert long_way(f"+{digits}", None) is None, digits
    assert few > 100
