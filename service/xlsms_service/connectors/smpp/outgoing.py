"""Parts on their way out: `Outgoing` to the body of a submit_sm."""

from datetime import timedelta
from functools import lru_cache

from xlsms.model import Outgoing
from xlsms.text.udh import udh
from xlsms_service.connectors.smpp.settings import SmppSettings
from xlsms_service.protocols.smpp.constants import ESM_UDHI
from xlsms_service.protocols.smpp.fault import FieldError
from xlsms_service.protocols.smpp.message import MessageForm, write_address
from xlsms_service.protocols.smpp.text import encode_text, relative_time

__all__ = ["SubmitEncoder"]

_REMEMBERED = 1024  # senders and forms; a campaign has one of each
_UNKNOWN_TON, _INTERNATIONAL, _ALPHANUMERIC = 0, 1, 5  # §5.2.5
_UNKNOWN_NPI, _ISDN = 0, 1  # §5.2.6


class SubmitEncoder:
    """Writes submit_sm bodies; what is the same for a whole campaign is written once."""

    def __init__(self, settings: SmppSettings) -> None:
        self._default = settings.data_coding_0
        self._sender = settings.sender
        self._short_code = (settings.short_code_ton, settings.short_code_npi)
        self._service_type = settings.service_type
        self._form = lru_cache(_REMEMBERED)(self._new_form)

    def body(self, part: Outgoing) -> bytes:
        """The body of its submit_sm. Raises `FieldError` or `UnicodeError` for what SMPP cannot carry."""
        data_coding, octets = encode_text(part.text, part.alphabet, self._default)
        esm_class = 0
        if part.concat is not None:
            try:
                octets = udh(part.concat) + octets
            except (ValueError, OverflowError) as error:
                raise FieldError("concat", str(error)) from None
            esm_class = ESM_UDHI
        sender = self._sender if part.sender is None else part.sender
        form = self._form(sender or "", esm_class, data_coding, int(part.receipt), part.validity)
        return form.body(write_address("destination_addr", *self._address(part.destination)), octets)

    def _new_form(
        self,
        sender: str,
        esm_class: int,
        data_coding: int,
        registered_delivery: int,
        validity: timedelta | None,
    ) -> MessageForm:
        ton, npi, number = self._address(sender) if sender else (_UNKNOWN_TON, _UNKNOWN_NPI, "")
        return MessageForm(
            service_type=self._service_type,
            source_addr_ton=ton,
            source_addr_npi=npi,
            source_addr=number,
            esm_class=esm_class,
            validity_period="" if validity is None else relative_time(validity),
            registered_delivery=registered_delivery,
            data_coding=data_coding,
        )

    def _address(self, address: str) -> tuple[int, int, str]:
        """Type of number, numbering plan and the address as SMPP wants it: international without its +."""
        if address.startswith("+"):
            return _INTERNATIONAL, _ISDN, address[1:]
        if address.isdigit():
            return *self._short_code, address
        return _ALPHANUMERIC, _UNKNOWN_NPI, address
