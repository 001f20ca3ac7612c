"""Parts on their way out: `Outgoing` to the body of a submit_sm."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import lru_cache
from math import ceil

from xlsms.model import Alphabet, Concat, Outcome, Outgoing, Result
from xlsms.text import gsm7
from xlsms.text.udh import udh
from xlsms_service.connectors.smpp.settings import SmppSettings
from xlsms_service.protocols.smpp.constants import ESM_UDHI, Tag
from xlsms_service.protocols.smpp.fault import FieldError
from xlsms_service.protocols.smpp.message import MessageForm, write_address
from xlsms_service.protocols.smpp.text import absolute_time, encode_text, relative_time, sar_parameters
from xlsms_service.protocols.smpp.tlv import write_tlvs

__all__ = ["SubmitEncoder", "reference_of", "refusal"]

_REMEMBERED = 1024  # senders and forms; a campaign has one of each
_LONG = 600  # seconds from which a validity is told to the minute
_DIGITS = 15  # of an international number (E.164)
_LATIN1 = 0x03  # data_coding (§5.2.19)
_ONE_SMS = {"gsm7": 160, "ucs2": 140}  # octets as SMPP carries them; a text above that was not cut into parts


def reference_of(part: Outgoing) -> int:
    """The user_message_reference of a part (§5.3.2.17): the last 16 bits of its message's number."""
    return part.key.message & 0xFFFF


def refusal(part: Outgoing, error: FieldError | UnicodeError, at: datetime) -> Outcome:
    """What becomes of a part that SMPP cannot carry."""
    field = error.field if isinstance(error, FieldError) else "text"
    reason = error.reason if isinstance(error, FieldError) else ""
    if isinstance(error, UnicodeEncodeError):
        char = error.object[error.start]
        reason = f"{char} U+{ord(char):04X}"
    facts = {"field": field, "reason": reason}
    return Outcome(key=part.key, result=Result.REFUSED, at=at, code="smsc-cannot-carry", facts=facts)


class SubmitEncoder:
    """Writes submit_sm bodies; what is the same for a whole campaign is written once.

    `clock` is asked only where `absolute_times` or send times are wanted.
    """

    def __init__(self, settings: SmppSettings, clock: Callable[[], datetime]) -> None:
        self._settings = settings
        self._clock = clock
        self._default = settings.data_coding_0
        self._latin = settings.plain_text == "latin1"
        self._data_coding: dict[Alphabet, int] = {
            "gsm7": _LATIN1 if self._latin else 0,
            "ucs2": settings.ucs2_data_coding,
        }
        self._sender = settings.sender
        self._international = write_address("number", *self.numbering("+"))[:-1]  # what stands before the digits
        self._most = None if settings.validity is None else timedelta(minutes=settings.validity)
        self._passes = settings.pass_validity
        self._by_payload = settings.long_texts == "payload"
        self._by_header = settings.long_texts != "sar"
        self._numbered = settings.user_message_reference
        self._form = lru_cache(_REMEMBERED)(self._new_form)
        self._span = lru_cache(_REMEMBERED)(lambda seconds: relative_time(timedelta(seconds=seconds)))

        self._last_validity: timedelta | None = None
        self._last_valid = "" if settings.absolute_times else self._valid(None)

    def body(self, part: Outgoing) -> bytes:
        """The body of its submit_sm. Raises `FieldError` or `UnicodeError` for what SMPP cannot carry."""
        header, parameters = b"", b""
        if part.concat is not None or self._by_payload or self._numbered:
            header, parameters = self._beside(part)
        octets = self._octets(part.text, part.alphabet, len(header))
        if self._by_payload and part.concat is None and len(octets) > _ONE_SMS[part.alphabet]:
            parameters += write_tlvs({Tag.MESSAGE_PAYLOAD: octets})
            octets = b""
        form = self._form(
            part.sender,
            ESM_UDHI if header else 0,
            self._data_coding[part.alphabet],
            1 if part.receipt else 0,
            self._valid_for(part.validity),
            self._waits(part.send_at) if part.send_at else "",
        )
        return form.body(self._destination(part.destination), header + octets, parameters)

    def _octets(self, text: str, alphabet: Alphabet, header: int) -> bytes:
        if alphabet == "gsm7":
            if self._latin:
                return text.encode("latin-1")
            if self._default == "gsm7":
                return gsm7.encode(text)
        return encode_text(text, alphabet, self._default, header)[1]

    def _destination(self, number: str) -> bytes:
        digits = number[1:]
        if number[:1] == "+" and len(digits) <= _DIGITS and digits.isascii() and digits.isdigit():  # as nearly all
            return self._international + digits.encode("ascii") + b"\0"
        return write_address("destination_addr", *self.numbering(number))

    def _beside(self, part: Outgoing) -> tuple[bytes, bytes]:
        """What names the part beside its text: the header, or the parameters."""
        tlvs: dict[int, bytes] = {}
        if self._numbered:
            tlvs[Tag.USER_MESSAGE_REFERENCE] = reference_of(part).to_bytes(2, "big")
        if part.concat is None:
            return b"", write_tlvs(tlvs)
        return self._place(part.concat, tlvs)

    def _place(self, concat: Concat, tlvs: dict[int, bytes]) -> tuple[bytes, bytes]:
        try:
            if self._by_header:
                return udh(concat), write_tlvs(tlvs)
            return b"", write_tlvs(tlvs | sar_parameters(concat))
        except (ValueError, OverflowError) as error:
            raise FieldError("concat", str(error)) from None

    def _valid_for(self, validity: timedelta | None) -> str:
        """The same as the last time where it can be: parts of a list come one after the other."""
        if validity is not self._last_validity or self._settings.absolute_times:
            self._last_validity, self._last_valid = validity, self._valid(validity)
        return self._last_valid

    def _valid(self, validity: timedelta | None) -> str:
        """The validity_period: the message's own, no longer than the operator is to try at all; empty for neither."""
        if not self._passes or validity is None or (self._most is not None and self._most < validity):
            validity = self._most
        if validity is None:
            return ""
        seconds = max(int(validity.total_seconds()), 1)
        if self._settings.absolute_times:
            until = self._clock() + timedelta(seconds=seconds)
            return absolute_time(until.replace(second=0) if seconds >= _LONG else until)
        # A minute less, at most, than it is worth: so the parts of a minute share their form.
        return self._span(seconds - seconds % 60 if seconds >= _LONG else seconds)

    def _waits(self, until: datetime) -> str:
        """The schedule_delivery_time: never earlier than the send time."""
        if self._settings.absolute_times:
            return absolute_time(until + timedelta(microseconds=999_999))
        return relative_time(timedelta(seconds=max(ceil((until - self._clock()).total_seconds()), 1)))

    def _new_form(
        self,
        sender: str | None,
        esm_class: int,
        data_coding: int,
        registered_delivery: int,
        validity_period: str,
        schedule_delivery_time: str,
    ) -> MessageForm:
        return MessageForm(
            source=write_address("source_addr", *self.source(sender)),
            service_type=self._settings.service_type,
            esm_class=esm_class,
            schedule_delivery_time=schedule_delivery_time,
            validity_period=validity_period,
            registered_delivery=registered_delivery,
            data_coding=data_coding,
        )

    def source(self, sender: str | None) -> tuple[int, int, str]:
        """As `numbering`, for a sender; all empty where the operator chooses it."""
        chosen = self._sender if sender is None else sender
        return self.numbering(chosen) if chosen else (0, 0, "")

    def numbering(self, address: str) -> tuple[int, int, str]:
        """Type of number, numbering plan and the address as this operator wants them."""
        settings = self._settings
        if address.startswith("+"):
            return settings.number_ton, settings.number_npi, address if settings.keep_plus else address[1:]
        if address.isdigit():
            return settings.short_code_ton, settings.short_code_npi, address
        return settings.name_ton, settings.name_npi, address
