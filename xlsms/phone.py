"""Phone numbers as people type them and Excel mangles them: E.164 with what was mended, or a problem with a remedy.

Nothing is guessed in silence. A number without + is read as one of `country`; what it could also be is said as a
warning, and where two readings are equally near it is refused.
"""

import re
from functools import cache
from typing import NamedTuple

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberType, ValidationResult, shortnumberinfo

from xlsms import numbering
from xlsms.digits import LONGEST, ROUND, Digits, Note, digits_of
from xlsms.errors import UserError
from xlsms.numbering import Number

__all__ = ["Note", "PhoneNumber", "parse"]

_SHORTEST_ABROAD = 9  #: fewer digits are never read as a number that lost its +

_KINDS = {
    PhoneNumberType.MOBILE: "mobile",
    PhoneNumberType.FIXED_LINE: "landline",
    PhoneNumberType.FIXED_LINE_OR_MOBILE: "mobile or landline",
    PhoneNumberType.PREMIUM_RATE: "premium",
    PhoneNumberType.VOIP: "voip",
    PhoneNumberType.PERSONAL_NUMBER: "personal",
    PhoneNumberType.PAGER: "pager",
}
_SERVICE = "service"  #: toll-free, shared cost, company-wide, voicemail

_TEXTED = frozenset({PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE})

_OLD_MEXICO = re.compile(r"521(\d{10})")
_OLD_MEXICO_PREFIX = re.compile(r"(?:044|045|01)(\d{10})")
_EVERYWHERE_EMERGENCY = frozenset({"112", "911"})


class PhoneNumber(NamedTuple):
    """A number that can be sent to. A tuple, for one is made for every row."""

    e164: str  #: with +; of a short code its digits alone, as the network wants it
    kind: str  #: mobile, landline, mobile or landline, premium, service, voip, personal, pager or short code
    country: str | None  #: two letters; None for numbers of no one country
    short: bool = False  #: a short code
    mended: tuple[Note, ...] = ()
    doubts: tuple[Note, ...] = ()

    @property
    def repairs(self) -> list[str]:
        """What was mended, in English."""
        return [note.words() for note in self.mended]

    @property
    def warnings(self) -> list[str]:
        """What someone should look at although it can be sent to, in English."""
        return [note.words() for note in self.doubts]


def is_country(text: str) -> bool:
    """Whether two letters stand for a country that has telephone numbers."""
    return text.upper() in phonenumbers.SUPPORTED_REGIONS


def parse(cell_value: object, country: str = "ES") -> PhoneNumber:
    """The number in a cell, read as one of `country` (two letters) unless it says otherwise.

    Raises UserError with a code that begins with `number-`, each with its remedy, for all that is no number, that lost
    digits, that is two numbers, that is an emergency number, or that can be read in two ways.
    """
    region = _region(country)
    if region is None:
        raise UserError("number-country-unknown", country=country)
    usual = _usual(cell_value, region)
    if usual is not None:
        return usual
    found = digits_of(cell_value)
    if found.bare and len(found.digits) <= ROUND and not found.plus:
        short = _short(found, region)
        if short:
            return short
    return _number(found, region)


@cache
def _region(country: str) -> str | None:
    """Two letters as the numbering plans have them; None for no country."""
    return country.upper() if is_country(country) else None


def _usual(value: object, region: str) -> PhoneNumber | None:
    """What most lists are made of: a number that is texted, as it is dialled in `region`; None for all else.

    It says what the long way says, without a look at what such a number cannot need.
    """
    digits = str(value) if type(value) is int and 0 <= value < 10**LONGEST else value
    if not (isinstance(digits, str) and digits.isdigit() and digits.isascii() and ROUND < len(digits) <= LONGEST):
        return None
    if digits is not value and digits.endswith("000"):
        return None  # it may have been rounded
    usual = numbering.mobile(region)
    if (
        usual is not None
        and usual[1](digits) is not None
        and len(usual[0]) + len(digits) <= LONGEST
        and (len(digits) < _SHORTEST_ABROAD or numbering.too_short(digits[:3], len(digits)))
    ):
        return PhoneNumber(f"+{usual[0]}{digits}", "mobile", region, False, _country_added(usual[0]))
    home = _read(digits, region)
    if home is None or home.national != digits or home.kind not in _TEXTED:
        return None
    if len(digits) >= _SHORTEST_ABROAD and digits[0] != "0":
        abroad = _read(f"+{digits}")
        if abroad is not None and abroad.e164 != home.e164:
            return None
    country = None if home.country == "001" else home.country
    return PhoneNumber(e164=home.e164, kind=_KINDS[home.kind], country=country, mended=_country_added(home.code))


@cache
def _country_added(code: str) -> tuple[Note, ...]:
    return (Note(code="number-country-added", facts={"prefix": f"+{code}"}),)


def _short(found: Digits, region: str) -> PhoneNumber | None:
    digits = found.digits
    if digits in _EVERYWHERE_EMERGENCY or shortnumberinfo.is_emergency_number(digits, region):
        raise found.problem("number-emergency")
    if _read(digits, region):
        return None  # small countries have numbers as short as this
    code = phonenumbers.country_code_for_region(region)
    number = phonenumbers.PhoneNumber(code, int(digits), italian_leading_zero=digits.startswith("0"))
    if not shortnumberinfo.is_sms_service_for_region(number, region) and (
        not shortnumberinfo.is_valid_short_number_for_region(number, region)
        or shortnumberinfo.is_carrier_specific_for_region(number, region)  # such as 12345 in Spain
    ):
        return None
    return PhoneNumber(e164=digits, kind="short code", country=region, short=True, mended=tuple(found.mended))


def _read(text: str, region: str | None = None) -> Number | None:
    """`text` as a number that exists, by the numbering plans."""
    number = numbering.read(text, region)
    if number is None or len(number.code) + len(number.national) > LONGEST:
        return None  # German ranges admit more than E.164 does
    return number


def _number(found: Digits, region: str) -> PhoneNumber:
    reading = _international(found.digits) if found.plus else _home(found, region)
    if not reading:
        raise _failure(found, region)
    _describe(found, reading)
    kind, country = _KINDS.get(reading.kind, _SERVICE), reading.country
    if kind == "landline":
        found.doubt("number-landline-ar" if country == "AR" else "number-landline")
    elif kind in {"premium", _SERVICE, "pager"}:
        found.doubt("number-premium" if kind == "premium" else "number-service")
    return PhoneNumber(
        e164=reading.e164,
        kind=kind,
        country=None if country == "001" else country,
        mended=tuple(found.mended),
        doubts=tuple(found.doubts),
    )


def _international(digits: str) -> Number | None:
    """Digits after a +, forgiving the old Mexican 1, a 00 behind the + and a national 0 behind the country code."""
    digits = digits.removeprefix("00")
    reading = _read(f"+{digits}")
    if reading:
        return reading
    old = _OLD_MEXICO.fullmatch(digits)
    if old:
        return _read(f"+52{old[1]}")
    try:
        code = str(phonenumbers.parse(f"+{digits}").country_code)
    except NumberParseException:
        return None
    national = digits.removeprefix(code)
    return _read(f"+{code}{national[1:]}") if national.startswith("0") else None


def _home(found: Digits, region: str) -> Number | None:
    """Digits without a +: as dialled in `region`; failing that with the + put back, the 0 put back, or 00 as +."""
    digits = found.digits
    home = _read(digits, region)
    abroad = None
    if digits[0] != "0" and len(digits) >= _SHORTEST_ABROAD:
        abroad = _read(f"+{digits}") if home else _international(digits)
    if home and (not abroad or abroad.e164 == home.e164):
        return home
    if home and abroad:
        if abroad.code == home.code and (home.kind in _TEXTED) != (abroad.kind in _TEXTED):
            return home if home.kind in _TEXTED else abroad  # 4915112345678 is no landline of 4915
        if abroad.code == home.code:
            raise found.problem("number-ambiguous", one=home.e164, other=abroad.e164)
        if abroad.kind in _TEXTED:
            found.doubt("number-also-abroad", one=home.e164, other=abroad.e164)
        return home
    padded = _read(f"0{digits}", region) if digits[0] != "0" else None
    if abroad and padded and abroad.e164 != padded.e164:
        raise found.problem("number-ambiguous", one=padded.e164, other=abroad.e164)
    return abroad or padded or _prefixed(digits, region)


def _prefixed(digits: str, region: str) -> Number | None:
    """Digits behind a prefix that `region` does not dial (any more)."""
    for exit_code in ("00", "011"):
        if digits.startswith(exit_code):
            reading = _international(digits.removeprefix(exit_code))
            if reading:
                return reading
    old = _OLD_MEXICO_PREFIX.fullmatch(digits) if region == "MX" else None
    if old:
        return _read(old[1], region)
    return _read(digits[1:], region) if digits.startswith("0") else None


def _describe(found: Digits, reading: Number) -> None:
    digits, national, prefix = found.digits, reading.national, f"+{reading.code}"
    full = reading.code + national
    if digits == full:
        if not found.plus:
            found.mend("number-plus-restored", prefix=prefix)
    elif found.plus and digits.startswith(reading.code) and digits.endswith(national):
        dropped = digits[len(reading.code) : len(digits) - len(national)]
        found.mend("number-digits-dropped", dropped=dropped, prefix=prefix)
    elif digits == national:
        found.mend("number-country-added", prefix=prefix)
    elif digits.endswith(full):
        found.mend("number-exit-code", dropped=digits.removesuffix(full))
    elif f"0{digits}" == national:
        found.mend("number-zero-restored")
        found.mend("number-country-added", prefix=prefix)
    elif digits.endswith(national):
        found.mend("number-prefix-dropped", dropped=digits.removesuffix(national))
        found.mend("number-country-added", prefix=prefix)
    else:
        found.mend("number-rewritten", e164=reading.e164)


def _failure(found: Digits, region: str) -> UserError:
    digits = found.digits
    if len(found.pieces) > 1 and _read(re.sub(r"[^\d+]", "", found.pieces[0]), region):
        return found.problem("number-two")  # as in 600111222/33
    country = region
    try:
        number = phonenumbers.parse(f"+{digits}" if found.plus else digits, region)
    except NumberParseException as error:
        short = error.error_type != NumberParseException.INVALID_COUNTRY_CODE and len(digits) <= LONGEST
        verdict = ValidationResult.TOO_SHORT if short else ValidationResult.INVALID_COUNTRY_CODE
    else:
        verdict = phonenumbers.is_possible_number_with_reason(number)
        country = phonenumbers.region_code_for_country_code(number.country_code or 0)
    if len(digits) > LONGEST or verdict == ValidationResult.TOO_LONG:
        return found.problem("number-too-long", country=country)
    if verdict in {ValidationResult.TOO_SHORT, ValidationResult.IS_POSSIBLE_LOCAL_ONLY}:
        return found.problem("number-too-short", country=country)
    return found.problem("number-invalid", country=country)
