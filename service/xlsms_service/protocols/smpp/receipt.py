"""Delivery receipts as networks really write them, and the ways to write one message id.

The text form is SMPP 3.4 appendix B's, which binds nobody: keys come in any case and order, with other dates, with
keys of their own, cut short, or not at all beside the optional parameters (§5.3.2.35, .12, .31), which win.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import Literal

from xlsms_service.protocols.smpp import tlv
from xlsms_service.protocols.smpp.constants import Tag

__all__ = [
    "STATE_WORDS",
    "IdForm",
    "Report",
    "answered_id",
    "candidates",
    "parse_receipt",
    "read_date",
    "reads_as_receipt",
    "report_of",
    "uniform_id",
]

#: Who writes ids in hexadecimal while the other writes decimal; `auto` leaves them as they came.
IdForm = Literal["auto", "answer-hex", "receipt-hex"]

#: The words for message_state (§5.2.28; 0 and 9 are of SMPP 5.0).
STATE_WORDS: dict[int, str] = {
    0: "SCHEDULED",
    1: "ENROUTE",
    2: "DELIVRD",
    3: "EXPIRED",
    4: "DELETED",
    5: "UNDELIV",
    6: "ACCEPTD",
    7: "UNKNOWN",
    8: "REJECTD",
    9: "SKIPPED",
}

_KEYS = r"(?:id|sub|dlvrd|submit ?date|done ?date|stat|err|text)"
_PAIR = re.compile(rf"(?:^|(?<=[\s,;:]))({_KEYS}) ?: *(?:(?!{_KEYS} ?:)([^\s,;]*))?", re.IGNORECASE)
#: The form of appendix B to the letter, as most networks write it: read in one go, with the same outcome.
_USUAL = re.compile(
    r"id:([\w-]+) sub:([\w-]+) dlvrd:([\w-]+) submit date:(\d+) done date:(\d+) stat:(\w+) err:([\w-]+)"
    r"(?: [Tt]ext:(.*))?",
    re.ASCII | re.DOTALL,
)
_USUAL_KEYS = ("id", "sub", "dlvrd", "submitdate", "donedate", "stat", "err", "text")
_ZONED = re.compile(r"(\d{12})\d(\d\d)([+-])")  # §7.1.1: tenths, quarters of an hour, direction
_DATES = ("%y%m%d%H%M", "%y%m%d%H%M%S", "%Y%m%d%H%M", "%Y%m%d%H%M%S")
_LENGTHS = {10: _DATES[:1], 12: _DATES[1:3], 14: _DATES[3:]}
_QUARTER = timedelta(minutes=15)
_NETWORK_ERROR = 3  # octets of network_error_code: the kind of network, then its code
_UUID = re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}", re.IGNORECASE)
#: What stands behind the prefix of an id: a number of so many digits that it is one by itself.
_TAIL = re.compile(r"(?<=[^0-9A-Za-z])(?=[A-Za-z]*[0-9])[0-9A-Fa-f]{5,20}\Z")
_LONGEST_NUMBER = 20  # digits of 2**64; a longer id is a name, whatever it is made of


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What one receipt says; a thing that it does not say is empty."""

    id: str
    state: str  #: in upper case, as it came or from message_state
    error: str = ""
    done_at: datetime | None = None
    submitted_at: datetime | None = None
    quoted: str = ""  #: how the message begins, as the network remembers it


def parse_receipt(text: str, tlvs: tlv.Tlvs, zone: tzinfo = UTC) -> Report:
    """Read a receipt's text and optional parameters; `zone` is the clock of the SMSC, which dates do not name."""
    return report_of(_pairs(text), tlvs, zone)


def report_of(said: Mapping[str, str], tlvs: tlv.Tlvs, zone: tzinfo = UTC) -> Report:
    """The same of a text that is taken apart already: its keys in small letters and without spaces."""
    number = tlv.integer(tlvs, Tag.MESSAGE_STATE)
    state = said.get("stat", "").upper()
    if number is not None:
        state = STATE_WORDS.get(number, state or str(number))
    return Report(
        id=(tlv.text(tlvs, Tag.RECEIPTED_MESSAGE_ID) or said.get("id", "")).strip(" \"'"),
        state=state,
        error=_error(said.get("err", ""), tlvs),
        done_at=read_date(said.get("donedate", ""), zone),
        submitted_at=read_date(said.get("submitdate", ""), zone),
        quoted=said.get("text", "").strip(),
    )


def reads_as_receipt(text: str, tlvs: tlv.Tlvs) -> bool:
    """Whether a message that is not marked as a receipt can only be one: by its parameter, or by its whole form."""
    if Tag.RECEIPTED_MESSAGE_ID in tlvs:
        return True
    said = _pairs(text)
    return bool(said.get("id")) and bool(said.get("stat")) and {"donedate", "dlvrd"} <= said.keys()


def _pairs(text: str) -> dict[str, str]:
    if usual := _USUAL.fullmatch(text):
        return dict(zip(_USUAL_KEYS, usual.groups(default=""), strict=True))
    found: dict[str, str] = {}
    text = text.replace("\0", "")  # one before the text, or before each character of a text in another alphabet
    for pair in _PAIR.finditer(text):
        key = pair[1].lower().replace(" ", "")
        if key == "text":
            # What follows was written by a person, and may look like anything.
            found[key] = text[pair.start(1) :].partition(":")[2]
            break
        found.setdefault(key, pair[2] or "")
    return found


def _error(said: str, tlvs: tlv.Tlvs) -> str:
    value = tlvs.get(Tag.NETWORK_ERROR_CODE, b"")
    code = int.from_bytes(value[1:], "big") if len(value) == _NETWORK_ERROR else 0
    return f"{code:03d}" if code else said


@lru_cache(maxsize=1024)  # the receipts of a campaign come minute by minute
def read_date(said: str, zone: tzinfo) -> datetime | None:
    """A date in any of the usual forms; one without a zone is of the SMSC's clock. None where it is none."""
    if zoned := _ZONED.fullmatch(said):
        quarters = int(zoned[2])
        offset = _QUARTER * (quarters if zoned[3] == "+" else -quarters)
        said, zone = zoned[1], timezone(offset) if abs(offset) < timedelta(days=1) else zone
    if not said.isascii() or not said.isdigit():
        return None
    for form in _LENGTHS.get(len(said), ()):
        try:
            return datetime.strptime(said, form).replace(tzinfo=zone).astimezone(UTC)
        except (ValueError, OverflowError):
            continue
    return None


def uniform_id(network_id: str, form: IdForm, *, receipt: bool) -> str:
    """An id as the ledger is to know it, where the settings say how the SMSC writes ids in answers and receipts.

    With a known form both become decimal without zeros, so that they are equal; what is no number stays as it is.
    """
    if form == "auto":
        return network_id
    number = _number(network_id, 16 if (form == "receipt-hex") is receipt else 10)
    return network_id if number is None else str(number)


def answered_id(network_id: str, form: IdForm) -> str:
    """The id that `uniform_id` made of an answer's, as the SMSC writes it in answers; zeros and case are its own."""
    number = _number(network_id, 10) if form == "answer-hex" else None
    return network_id if number is None else f"{number:x}"


def candidates(network_id: str) -> list[str]:
    """All usual ways to write this id, itself first: other case, zeros, hexadecimal for decimal and back, dashes.

    Of an id with something before its number (`SMSC1-1715969`), also those of the number.
    A guess: "1234" is both decimal and hexadecimal. Recipient and time have to agree before it counts.
    """
    plain = network_id.strip(" \"'")
    forms = [network_id, plain, plain.lower(), plain.upper()]
    tail = _TAIL.search(plain)
    if tail is not None and not _UUID.fullmatch(plain):
        forms += candidates(tail[0])
    if _UUID.fullmatch(plain):
        bare = plain.replace("-", "").lower()
        dashed = "-".join((bare[:8], bare[8:12], bare[12:16], bare[16:20], bare[20:]))
        forms += [bare, bare.upper(), dashed, dashed.upper()]
    bare = plain.lstrip("0")
    forms += [bare, bare.lower(), bare.upper()]
    decimal, hexadecimal = _number(plain, 10), _number(plain, 16)
    if decimal is not None:
        forms += [
            f"{decimal:010d}",
            f"{decimal:020d}",
            f"{decimal:x}",
            f"{decimal:X}",
            f"{decimal:08x}",
            f"{decimal:08X}",
        ]
    if hexadecimal is not None:
        forms += [
            f"{hexadecimal:08x}",
            f"{hexadecimal:08X}",
            f"{hexadecimal}",
            f"{hexadecimal:010d}",
            f"{hexadecimal:020d}",
        ]
    return [form for form in dict.fromkeys(forms) if form]


def _number(text: str, base: int) -> int | None:
    # int() forgives what no id holds: signs, underscores, spaces, digits of other scripts.
    if not text.isascii() or not text.isalnum() or len(text) > _LONGEST_NUMBER:
        return None
    try:
        return int(text, base)
    except ValueError:
        return None
