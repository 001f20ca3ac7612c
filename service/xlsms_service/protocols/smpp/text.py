"""The text of a message and its octets: data_coding, user data header, and where the octets stand."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from xlsms.model import Alphabet, Concat
from xlsms.text import gsm7
from xlsms.text.udh import read_udh
from xlsms_service.protocols.smpp import tlv
from xlsms_service.protocols.smpp.constants import DATA_CODING_UCS2, ESM_UDHI, Tag
from xlsms_service.protocols.smpp.pdu import ShortMessage

__all__ = [
    "DefaultCoding",
    "UserText",
    "absolute_time",
    "decode_text",
    "encode_text",
    "read_text",
    "relative_time",
    "sar_parameters",
]

#: What data_coding 0, "the SMSC's default", means on a link: a matter of contract. GSM septets stand one to an octet,
#: or packed as on the air.
DefaultCoding = Literal["gsm7", "gsm7-packed", "latin1", "ascii"]

_CODECS: dict[DefaultCoding, str] = {"latin1": "latin-1", "ascii": "ascii"}
_CR = 0x0D
_NOTHING = (0x00, _CR)  # last septets that may be padding: @, and CR as 3GPP TS 23.038 §6.1.2.3.1 pads

#: data_coding -> codec (§5.2.19). Octets without an alphabet are shown as Latin-1, and the raw ones are kept.
_INBOUND: dict[int, str] = {
    1: "latin-1",
    2: "latin-1",
    3: "latin-1",
    4: "latin-1",
    5: "shift_jis",
    6: "iso8859-5",
    7: "iso8859-8",
    8: "utf-16-be",
    10: "iso2022_jp",
    13: "euc_jp",
    14: "euc_kr",
}
_OCTET = 0xFF
_SAR_LENGTHS = (2, 1, 1)  # octets of reference, total and part
_GSM_GROUPS = 0x10  #: from here on a data_coding is a 3GPP TS 23.038 §4 coding scheme with a message class or the like


@dataclass(frozen=True, slots=True, kw_only=True)
class UserText:
    """What a deliver_sm or submit_sm holds for a person."""

    text: str
    concat: Concat | None
    raw: bytes  #: the octets before decoding, header included


def encode_text(text: str, alphabet: Alphabet, default: DefaultCoding, header: int = 0) -> tuple[int, bytes]:
    """The data_coding and octets of a text behind `header` octets of user data header, which only packing minds.

    Raises `UnicodeError` for a character that the coding lacks.
    """
    if alphabet == "ucs2":
        # UCS-2 in name; every phone reads it as UTF-16. A half of a pair was half when it was typed.
        return DATA_CODING_UCS2, text.encode("utf-16-be", "surrogatepass")
    if default == "gsm7":
        return 0, gsm7.encode(text)
    if default == "gsm7-packed":
        return 0, _pack(gsm7.encode(text), gsm7.fill_bits(header))
    return 0, text.encode(_CODECS[default])


def _pack(septets: bytes, fill: int) -> bytes:
    """Packed septets. SMPP counts octets only: seven spare bits would read as an @, so a CR takes their place."""
    spare = -(fill + 7 * len(septets)) % 8
    return gsm7.pack(septets + bytes((_CR,)) if spare == 7 else septets, fill)  # noqa: PLR2004 - bits of a septet


def _unpack(octets: bytes, fill: int) -> bytes:
    """Septets out of octets; a last one that only fills the last octet is left out."""
    septets = gsm7.unpack(octets, fill=fill)
    full = bool(septets) and fill + 7 * len(septets) == 8 * len(octets)
    return septets[:-1] if full and septets[-1] in _NOTHING else septets


def decode_text(octets: bytes, data_coding: int, default: DefaultCoding, header: int = 0) -> str:
    """The text of octets behind `header` octets; what cannot be read becomes U+FFFD, so nothing is ever refused."""
    codec = _inbound_codec(data_coding)
    if codec is None:
        if default == "gsm7":
            return gsm7.decode(octets)
        if default == "gsm7-packed":
            return gsm7.decode(_unpack(octets, gsm7.fill_bits(header)))
        codec = _CODECS[default]
    return octets.decode(codec, "replace")


def _inbound_codec(data_coding: int) -> str | None:
    """The codec of a data_coding; None for the link's default alphabet."""
    if data_coding < _GSM_GROUPS:
        return _INBOUND.get(data_coding)
    group = data_coding >> 4
    if group == 0xE:  # noqa: PLR2004 - message waiting in UCS-2
        return "utf-16-be"
    if group in (0xC, 0xD):  # message waiting in the default alphabet
        return None
    if group == 0xF:  # noqa: PLR2004 - class; bit 2: 8-bit data
        return "latin-1" if data_coding & 0x04 else None
    return {0x04: "latin-1", 0x08: "utf-16-be"}.get(data_coding & 0x0C)


def read_text(pdu: ShortMessage, default: DefaultCoding) -> UserText:
    """The text of a message wherever it stands, and its place in a long one, told by header or by SAR parameters."""
    raw = pdu.short_message or pdu.tlvs.get(Tag.MESSAGE_PAYLOAD, b"")
    octets, concat = raw, None
    if pdu.esm_class & ESM_UDHI:
        concat, octets = read_udh(raw)
    text = decode_text(octets, pdu.data_coding, default, len(raw) - len(octets))
    return UserText(text=text, concat=concat or _sar(pdu.tlvs), raw=raw)


def _sar(tlvs: tlv.Tlvs) -> Concat | None:
    """The place in a long message by the three SAR parameters (§5.3.2.22-24); impossible places are ignored.

    Their lengths are the specification's own, so that nobody makes us wait for millions of parts.
    """
    reference = tlvs.get(Tag.SAR_MSG_REF_NUM, b"")
    total = tlvs.get(Tag.SAR_TOTAL_SEGMENTS, b"")
    part = tlvs.get(Tag.SAR_SEGMENT_SEQNUM, b"")
    if (len(reference), len(total), len(part)) != _SAR_LENGTHS or not 1 <= part[0] <= total[0]:
        return None
    return Concat(reference=int.from_bytes(reference, "big"), total=total[0], part=part[0], wide=True)


def sar_parameters(concat: Concat) -> dict[int, bytes]:
    """The three SAR parameters that name a part; ValueError when a figure does not fit."""
    if not 1 <= concat.part <= concat.total <= _OCTET:
        raise ValueError(f"part {concat.part} of {concat.total}")
    return {
        Tag.SAR_MSG_REF_NUM: concat.reference.to_bytes(2, "big"),
        Tag.SAR_TOTAL_SEGMENTS: bytes((concat.total,)),
        Tag.SAR_SEGMENT_SEQNUM: bytes((concat.part,)),
    }


def absolute_time(moment: datetime) -> str:
    """A moment as SMPP writes it, in UTC: `YYMMDDhhmmss000+` (§7.1.1.1)."""
    return moment.astimezone(UTC).strftime("%y%m%d%H%M%S000+")


def relative_time(span: timedelta) -> str:
    """A span as SMPP writes it from the moment of receipt: `YYMMDDhhmmss000R` (§7.1.1.2), 99 years at most.

    Years are of 366 days and months of 31: a long span may become a little shorter, never longer.
    """
    seconds = max(int(span.total_seconds()), 0)
    days, seconds = divmod(seconds, 86_400)
    years, days = divmod(days, 366)
    months, days = divmod(days, 31)
    hours, seconds = divmod(seconds, 3600)
    return f"{min(years, 99):02d}{months:02d}{days:02d}{hours:02d}{seconds // 60:02d}{seconds % 60:02d}000R"
