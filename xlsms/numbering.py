"""Digits as numbers of the numbering plans: what `phonenumbers.parse` makes of them, several times as quickly.

A list of a hundred thousand numbers is mostly plain: digits that need nothing taken off. Those are told apart here with
the same tables; all others go the long way through `phonenumbers`, which answers the same for both.
"""

import re
from dataclasses import dataclass
from functools import cache

import phonenumbers
from phonenumbers import PhoneMetadata

__all__ = ["parse"]

#: No country code is longer (ITU-T E.164 §6.2.1).
_CODE = 3

#: `phonenumbers` knows region 001 for numbers of no one country.
_NO_REGION = "001"


@dataclass(frozen=True, slots=True)
class _Plan:
    """What a country's numbers look like before anything is taken off them."""

    code: int
    stripped: re.Pattern[str] | None  #: begins with what would be taken off a national number
    abroad: re.Pattern[str]  #: begins with what is dialled before a country code
    lengths: frozenset[int]  #: digits of a number

    def plain(self, national: str) -> bool:
        """Whether these digits are the national number as they stand."""
        return national[0] != "0" and len(national) in self.lengths and not (
            self.stripped is not None and self.stripped.match(national)
        )  # fmt: skip


@cache
def _plan(region: str) -> _Plan | None:
    found = PhoneMetadata.metadata_for_region(region, None)
    if not found or found.country_code is None or found.general_desc is None or not found.international_prefix:
        return None
    trunk = found.national_prefix_for_parsing
    return _Plan(
        code=found.country_code,
        stripped=re.compile(trunk) if trunk else None,
        abroad=re.compile(found.international_prefix),
        lengths=frozenset(found.general_desc.possible_length),
    )


@cache
def _main_region(code: str) -> str:
    """The region whose plan `phonenumbers` reads a country code by; none for what is no such code."""
    return phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(int(code), (_NO_REGION,))[0]


def _international(digits: str) -> phonenumbers.PhoneNumber | None:
    for end in range(1, _CODE + 1):
        region = _main_region(digits[:end])
        if region != _NO_REGION:
            plan, national = _plan(region), digits[end:]
            if plan and national and plan.plain(national):
                return phonenumbers.PhoneNumber(plan.code, int(national))
            return None
    return None


def _national(digits: str, region: str) -> phonenumbers.PhoneNumber | None:
    plan = _plan(region)
    if plan is None or digits.startswith(str(plan.code)) or plan.abroad.match(digits) or not plan.plain(digits):
        return None
    return phonenumbers.PhoneNumber(plan.code, int(digits))


def parse(text: str, region: str | None = None) -> phonenumbers.PhoneNumber:
    """The number in ASCII digits with a + before them, or without one as dialled in `region`.

    Raises:
        NumberParseException: as `phonenumbers.parse` does.
    """
    if text.startswith("+"):
        plain = _international(text[1:]) if text[1:2] not in ("", "0") else None
    else:
        plain = _national(text, region) if text and region else None
    return plain if plain is not None else phonenumbers.parse(text, region)
