"""The quick way reads digits exactly as phonenumbers does."""

from random import Random

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlsms import numbering

REGIONS = sorted(phonenumbers.SUPPORTED_REGIONS)


def reading(parse, text, region):
    try:
        number = parse(text, region)
    except phonenumbers.NumberParseException as error:
        return error.error_type
    return number, phonenumbers.national_significant_number(number), phonenumbers.number_type(number)


def same(text, region):
    assert reading(numbering.parse, text, region) == reading(phonenumbers.parse, text, region), (text, region)


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
