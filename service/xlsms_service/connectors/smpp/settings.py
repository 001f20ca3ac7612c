"""What a `[[connector]]` of type `smpp` may say."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from xlsms.errors import UserError
from xlsms.text.sender import is_sender
from xlsms_service.config.secret import Secret
from xlsms_service.connectors.setting import PlaceOf, Setting, read_settings
from xlsms_service.protocols.smpp.receipt import IdForm
from xlsms_service.protocols.smpp.text import DefaultCoding

__all__ = ["BindAs", "LongTexts", "PlainText", "SmppSettings", "settings_from"]

BindAs = Literal["transceiver", "transmitter", "receiver", "pair"]
LongTexts = Literal["udh", "sar", "payload"]
PlainText = Literal["default", "latin1"]

_ADDRESS = re.compile(r"[\w.-]+:\d{1,5}")
_PORTS = range(65_536)

#: Characters of what goes into a field of the protocol that is no longer (SMPP 3.4 §4.1.1, §4.4.1).
_LONGEST = {"system_id": 15, "system_type": 12, "address_range": 40, "service_type": 5, "outbind_system_id": 15}


@dataclass(frozen=True, slots=True, kw_only=True)
class SmppSettings:
    """One SMPP link, as its operator described it."""

    host: Annotated[str, Setting("name or address of the operator's SMSC")]
    port: Annotated[int, Setting("its port", 1, 65_535)] = 2775
    system_id: Annotated[str, Setting("user name")] = ""
    password: Annotated[Secret, Setting('its password; best as `{env = "NAME"}` or `{keyring = "NAME"}`')] = field(
        default=Secret(""), repr=False
    )
    system_type: Annotated[str, Setting("only if the operator asks for one")] = ""
    bind: Annotated[
        BindAs, Setting("what a connection is for: both ways, only sending, only receiving, or one for each")
    ] = "transceiver"
    binds: Annotated[int, Setting("connections, or pairs of them, that are kept at once", 1, 20)] = 1
    address_range: Annotated[str, Setting("our numbers, only if the operator asks for them")] = ""
    service_type: Annotated[str, Setting("only if the operator asks for one")] = ""

    outbind: Annotated[
        str, Setting("address and port at which the operator calls us, as `0.0.0.0:3550`; then we never call")
    ] = ""
    outbind_system_id: Annotated[str, Setting("user name that the caller has to give")] = ""
    outbind_password: Annotated[Secret, Setting("its password")] = field(default=Secret(""), repr=False)

    tls: Annotated[bool, Setting("encrypt the link; the operator has to offer it on this port")] = False
    ca: Annotated[
        Path | None, Setting("file with the certificate that vouches for the operator; without it the system's own")
    ] = None
    server_hostname: Annotated[str | None, Setting("name in the operator's certificate, when it is not `host`")] = None
    verify: Annotated[
        bool, Setting("check the operator's certificate; with `false` anyone can pose as the operator")
    ] = True

    window: Annotated[int, Setting("parts that may be under way without an answer", 1, 1000)] = 10
    rate: Annotated[
        int | None, Setting("parts a second at most; without it as fast as the operator answers", 1, 10_000)
    ] = None
    enquire_link: Annotated[int, Setting("seconds of silence after which the link is tested", 1, 3600)] = 30
    response_timeout: Annotated[
        int, Setting("seconds to wait for an answer; then the message is *uncertain*", 1, 3600)
    ] = 60
    connect_timeout: Annotated[int, Setting("seconds to wait for the connection and the login", 1, 300)] = 10

    sender: Annotated[
        str | None, Setting("number or name that texts come from, where neither row nor service names one")
    ] = None
    number_ton: Annotated[int, Setting("type of number of what is written with +", 0, 6)] = 1
    number_npi: Annotated[int, Setting("numbering plan of what is written with +", 0, 18)] = 1
    keep_plus: Annotated[bool, Setting("leave the + before such a number")] = False
    short_code_ton: Annotated[int, Setting("type of number of what is written without +", 0, 6)] = 0
    short_code_npi: Annotated[int, Setting("numbering plan of what is written without +", 0, 18)] = 0
    name_ton: Annotated[int, Setting("type of number of a sender with letters", 0, 6)] = 5
    name_npi: Annotated[int, Setting("numbering plan of a sender with letters", 0, 18)] = 0

    data_coding_0: Annotated[
        DefaultCoding, Setting("the operator's default alphabet, for texts without special characters")
    ] = "gsm7"
    plain_text: Annotated[
        PlainText, Setting("how such texts go out: in the default alphabet (data_coding 0), or as Latin-1 (3)")
    ] = "default"
    ucs2_data_coding: Annotated[int, Setting("data_coding of all other texts", 0, 255)] = 8
    long_texts: Annotated[
        LongTexts,
        Setting("how the parts of a long text are told: by a header, by SAR parameters, or one message_payload"),
    ] = "udh"
    validity: Annotated[
        int | None, Setting("minutes that the operator keeps trying at most, whatever the message says", 1, 525_600)
    ] = None
    pass_validity: Annotated[
        bool, Setting("tell the operator until when a message is worth delivering; it is *expired* then")
    ] = True
    schedule_ahead: Annotated[
        int | None,
        Setting("minutes before its send time that a message may be handed over; the operator waits", 1, 10_080),
    ] = None
    absolute_times: Annotated[bool, Setting("write these times as dates in UTC, not as spans")] = False
    user_message_reference: Annotated[
        bool, Setting("number each message in the parameter of that name, which some operators repeat in reports")
    ] = False

    ask_after: Annotated[
        int | None,
        Setting("minutes without a report after which the operator is asked (query_sm); without it never", 1, 10_080),
    ] = None
    cancel: Annotated[
        bool, Setting("take recalled messages back that the operator has and has not delivered (cancel_sm)")
    ] = False
    id_form: Annotated[
        IdForm, Setting("who writes message ids in hexadecimal while the other writes decimal; `auto` tries all ways")
    ] = "auto"
    receipt_zone: Annotated[str, Setting("time zone of the dates in delivery reports")] = "UTC"
    unmarked_receipts: Annotated[
        bool, Setting("whether a text in the form of a delivery report is one, though not marked so")
    ] = False


def settings_from(options: Mapping[str, object], place_of: PlaceOf = lambda _key: None) -> SmppSettings:
    """The settings in a `[[connector]]` table without its `name` and `type`.

    Raises `UserError` with the key and its place: `config-unknown-key`, `config-missing-key`, `config-expects-…`,
    `config-wrong-secret`, `config-too-long`, `smsc-outbind-plain`.
    """
    settings = read_settings(SmppSettings, options, place_of)
    _check_texts(settings, place_of)
    port = settings.outbind.rpartition(":")[2]
    if settings.outbind and not (_ADDRESS.fullmatch(settings.outbind) and int(port) in _PORTS):
        raise UserError(
            "config-expects-address",
            place=place_of("outbind"),
            table="connector",
            key="outbind",
            value=settings.outbind,
        )
    if settings.outbind and settings.tls:
        raise UserError("smsc-outbind-plain", place=place_of("tls"))
    try:
        ZoneInfo(settings.receipt_zone)
    except (KeyError, ValueError, OSError):  # a zone that is not there; an absolute path; a folder's name
        place = place_of("receipt_zone")
        raise UserError("config-expects-zone", place=place, value=settings.receipt_zone) from None
    return settings


def _check_texts(settings: SmppSettings, place_of: PlaceOf) -> None:
    """What no message and no login could ever carry is told at the start, not row by row."""
    for key, most in _LONGEST.items():
        value: str = getattr(settings, key)
        if len(value) > most or not value.isascii():
            raise UserError("config-too-long", place=place_of(key), table="connector", key=key, most=most)
    if settings.sender is not None and not is_sender(settings.sender):
        raise UserError("config-expects-sender", place=place_of("sender"), table="connector", value=settings.sender)
