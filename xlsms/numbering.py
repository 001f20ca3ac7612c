"""Digits as numbers of the numbering plans: what `phonenumbers` makes of them, ten times as quickly.

A list of a hundred thousand numbers is mostly plain: digits that need nothing taken off. Those are told apart here with
the same tables; all others go the long way through `phonenumbers`, which answers the same for both.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import phonenumbers
from phonenumbers import NumberParseException, PhoneMetadata, PhoneNumberType
from phonenumbers.phonemetadata import PhoneNumberDesc

__all__ = ["Number", "mobile", "read", "too_short"]

#: No country code is longer (ITU-T E.164 §6.2.1).
_CODE = 3

#: `phonenumbers` knows region 001 for numbers of no one country.
_NO_REGION = "001"

_UNKNOWN = PhoneNumberType.UNKNOWN


class Number(NamedTuple):
    """A number that exists; a tuple, for one is made for every row."""

    code: str  #: of the country, without +
    national: str  #: its digits behind the country code
    kind: int  #: a `PhoneNumberType`
    country: str | None  #: two letters, or 001 for numbers of no one country

    @property
    def e164(self) -> str:
        """With its +."""
        return f"+{self.code}{self.national}"


def read(text: str, region: str | None = None) -> Number | None:
    """The number in ASCII digits with a + before them, or without one as dialled in `region`; None for no number."""
    plain = _international(text[1:]) if text[:1] == "+" else _national(text, region) if region else None
    if plain is None:
        return _long_way(text, region)
    plan, national = plain
    if plan.shorter_than_all(national):
        return None
    country = _country(plan.code, national)
    kind = _kind(country)(national) if country else _UNKNOWN
    return None if kind == _UNKNOWN else Number(str(plan.code), national, kind, country)


@cache
def too_short(head: str, count: int) -> bool:
    """Whether `count` digits that begin with `head`, three of them, have a country code and are too few behind it.

    Then they are no number, whatever they are: `read` finds none with a + before them.
    """
    for end in range(1, _CODE + 1):
        region = _main_region(head[:end])
        if region != _NO_REGION:
            plan = _plan(region)
            return head[0] != "0" and plan is not None and end < count < plan.shortest + end
    return False


@cache
def mobile(region: str) -> tuple[str, Callable[[str], object]] | None:
    """The country code of a region, and what finds digits that `read` takes for one of its mobile numbers as dialled.

    One pattern says all that makes them so, and leaves out some that take a longer look. None where mobile numbers look
    like landlines, or where other regions have the same code.
    """
    plan, found = _plan(region), PhoneMetadata.metadata_for_region(region, None)
    if plan is None or found is None or len(_regions(plan.code)) != 1 or found.same_mobile_and_fixed_line_pattern:
        return None
    general, ours = found.general_desc, found.mobile
    if not (general and ours and general.national_number_pattern and ours.national_number_pattern):
        return None
    lengths = sorted(plan.lengths.intersection(ours.possible_length or plan.lengths))
    others = [desc.national_number_pattern for desc in (found.fixed_line, *_special(found)) if desc]
    not_so = [
        *(re.escape(first) for first in ("0", str(plan.code))),
        f"(?:{plan.abroad.pattern})",
        *([f"(?:{plan.stripped.pattern})"] if plan.stripped else []),
        *(f"(?:{pattern})\\Z" for pattern in others if pattern),
    ]
    long_enough = "|".join(f"[0-9]{{{length}}}" for length in lengths) or "(?!)"
    pattern = (
        f"(?!{'|'.join(not_so)})(?=(?:{long_enough})\\Z)(?=(?:{general.national_number_pattern})\\Z)"
        f"(?:{ours.national_number_pattern})"
    )
    return str(plan.code), re.compile(pattern).fullmatch


def _long_way(text: str, region: str | None) -> Number | None:
    try:
        number = phonenumbers.parse(text, region)
    except NumberParseException:
        return None
    kind = phonenumbers.number_type(number)
    if kind == _UNKNOWN:
        return None
    national = phonenumbers.national_significant_number(number)
    return Number(str(number.country_code), national, kind, phonenumbers.region_code_for_number(number))


@dataclass(frozen=True, slots=True)
class _Plan:
    """What a country's numbers look like before anything is taken off them."""

    code: int
    stripped: re.Pattern[str] | None  #: begins with what would be taken off a national number
    abroad: re.Pattern[str]  #: begins with what is dialled before a country code
    lengths: frozenset[int]  #: digits of a number
    shortest: int  #: digits below which nothing is a number, whatever is taken off; 0 where that cannot be said

    def plain(self, national: str) -> bool:
        """Whether these digits are the national number as they stand."""
        return national[0] != "0" and len(national) in self.lengths and not (
            self.stripped is not None and self.stripped.match(national)
        )  # fmt: skip

    def shorter_than_all(self, national: str) -> bool:
        """Whether these digits are too few for any number."""
        return len(national) < self.shortest


@cache
def _plan(region: str) -> _Plan | None:
    found = PhoneMetadata.metadata_for_region(region, None)
    if not found or found.country_code is None or found.general_desc is None or not found.international_prefix:
        return None
    trunk = found.national_prefix_for_parsing
    lengths = frozenset(found.general_desc.possible_length)
    # Elsewhere digits may be put in, or another country of the same code may have shorter numbers.
    sure = not found.national_prefix_transform_rule and len(_regions(found.country_code)) == 1
    return _Plan(
        code=found.country_code,
        stripped=re.compile(trunk) if trunk else None,
        abroad=re.compile(found.international_prefix),
        lengths=lengths,
        shortest=min(lengths, default=0) if sure else 0,
    )


def _regions(code: int) -> tuple[str, ...]:
    return phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(code, ())


@cache
def _main_region(code: str) -> str:
    """The region whose plan `phonenumbers` reads a country code by; none for what is no such code."""
    return _regions(int(code))[0] if _regions(int(code)) else _NO_REGION


def _international(digits: str) -> tuple[_Plan, str] | None:
    """The plan and the national digits of a number that needs nothing taken off, or that is too short for its plan."""
    if digits[:1] in ("", "0"):
        return None
    for end in range(1, _CODE + 1):
        region = _main_region(digits[:end])
        if region != _NO_REGION:
            plan, national = _plan(region), digits[end:]
            if plan and national and (plan.shorter_than_all(national) or plan.plain(national)):
                return plan, national
            return None
    return None


def _national(digits: str, region: str) -> tuple[_Plan, str] | None:
    plan = _plan(region)
    if (
        plan is None
        or not digits
        or digits.startswith(str(plan.code))
        or plan.abroad.match(digits)
        or not plan.plain(digits)
    ):
        return None
    return plan, digits


def _country(code: int, national: str) -> str | None:
    """The region of a number: its code's only one, or the first whose leading digits or whose plan it fits."""
    regions = _regions(code)
    if len(regions) == 1:
        return regions[0]
    for region in regions:
        leading = _leading(region)
        if leading is not None:
            if leading.match(national):
                return region
        elif _kind(region)(national) != _UNKNOWN:
            return region
    return None


@cache
def _leading(region: str) -> re.Pattern[str] | None:
    found = PhoneMetadata.metadata_for_region(region, None)
    return re.compile(found.leading_digits) if found and found.leading_digits is not None else None


_Fits = Callable[[str], bool]

#: In the library's order.
_SPECIAL = (
    PhoneNumberType.PREMIUM_RATE,
    PhoneNumberType.TOLL_FREE,
    PhoneNumberType.SHARED_COST,
    PhoneNumberType.VOIP,
    PhoneNumberType.PERSONAL_NUMBER,
    PhoneNumberType.PAGER,
    PhoneNumberType.UAN,
    PhoneNumberType.VOICEMAIL,
)


def _special(found: PhoneMetadata) -> tuple[PhoneNumberDesc | None, ...]:
    """What describes each of them."""
    return (
        found.premium_rate, found.toll_free, found.shared_cost, found.voip, found.personal_number, found.pager,
        found.uan, found.voicemail,
    )  # fmt: skip


@cache
def _kind(region: str) -> Callable[[str], int]:
    """Tells the `PhoneNumberType` of national digits: the first description that they fit, in the library's order."""
    found = PhoneMetadata.metadata_for_region(region, None)
    if found is None:
        return lambda _national: _UNKNOWN
    general, fixed, mobile = _fits(found.general_desc), _fits(found.fixed_line), _fits(found.mobile)
    same = found.same_mobile_and_fixed_line_pattern
    named = list(zip(_special(found), _SPECIAL, strict=True))
    special = [(_fits(desc), name) for desc, name in named]

    patterns = [desc.national_number_pattern for desc, _ in named if desc and desc.national_number_pattern]
    any_special = re.compile("|".join(f"(?:{pattern})" for pattern in patterns) or "(?!)").fullmatch

    def kind(national: str) -> int:
        if not general(national):
            return _UNKNOWN
        for fits, name in special if any_special(national) else ():
            if fits(national):
                return name
        if fixed(national):
            return PhoneNumberType.FIXED_LINE_OR_MOBILE if same or mobile(national) else PhoneNumberType.FIXED_LINE
        return PhoneNumberType.MOBILE if not same and mobile(national) else _UNKNOWN

    return kind


def _fits(desc: PhoneNumberDesc | None) -> _Fits:
    """Whether national digits are as a description says: of one of its lengths, if it names any, and of its form."""
    if desc is None or not desc.national_number_pattern:
        return lambda _national: False
    lengths = frozenset(desc.possible_length)
    matches = re.compile(desc.national_number_pattern).fullmatch
    if not lengths:
        return lambda national: matches(national) is not None
    return lambda national: len(national) in lengths and matches(national) is not None
