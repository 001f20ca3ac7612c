"""Numbers of SMPP 3.4 that the other modules name, and the words for every status.

Status names and descriptions come from smpplib; this is the only module that imports it.
"""

from enum import IntEnum

from smpplib import consts

__all__ = [
    "DATA_CODING_UCS2",
    "ESM_MESSAGE_TYPE",
    "ESM_RECEIPTS",
    "ESM_UDHI",
    "HEADER",
    "LAST_SEQUENCE",
    "RESPONSE",
    "VERSION_34",
    "Command",
    "Status",
    "Tag",
    "status_name",
    "status_text",
]

HEADER = 16  #: octets of every PDU's header (§3.2)
RESPONSE = 0x80000000  #: the bit that makes a command id a response's (§5.1.2.1)
LAST_SEQUENCE = 0x7FFFFFFF  #: §5.1.4; larger ones are accepted from others, never sent
VERSION_34 = 0x34

ESM_UDHI = 0x40  #: short_message begins with a user data header (§5.2.12)
ESM_MESSAGE_TYPE = 0x3C  #: bits 2-5: what kind of deliver_sm it is; 0 is a text
#: Delivery receipt, the phone's acknowledgements, conversation abort, intermediate notification (§5.2.12).
ESM_RECEIPTS = frozenset({0x04, 0x08, 0x10, 0x18, 0x20})
DATA_CODING_UCS2 = 0x08


class Command(IntEnum):
    """Command ids (§5.1.2.1)."""

    BIND_RECEIVER = 0x00000001
    BIND_TRANSMITTER = 0x00000002
    QUERY_SM = 0x00000003
    SUBMIT_SM = 0x00000004
    DELIVER_SM = 0x00000005
    UNBIND = 0x00000006
    CANCEL_SM = 0x00000008
    BIND_TRANSCEIVER = 0x00000009
    OUTBIND = 0x0000000B
    ENQUIRE_LINK = 0x00000015
    ALERT_NOTIFICATION = 0x00000102
    BIND_RECEIVER_RESP = BIND_RECEIVER | RESPONSE
    BIND_TRANSMITTER_RESP = BIND_TRANSMITTER | RESPONSE
    QUERY_SM_RESP = QUERY_SM | RESPONSE
    SUBMIT_SM_RESP = SUBMIT_SM | RESPONSE
    DELIVER_SM_RESP = DELIVER_SM | RESPONSE
    UNBIND_RESP = UNBIND | RESPONSE
    CANCEL_SM_RESP = CANCEL_SM | RESPONSE
    BIND_TRANSCEIVER_RESP = BIND_TRANSCEIVER | RESPONSE
    ENQUIRE_LINK_RESP = ENQUIRE_LINK | RESPONSE
    GENERIC_NACK = RESPONSE


class Status(IntEnum):
    """Statuses that the code acts upon or answers with (§5.1.3); `status_name` knows the rest."""

    OK = 0x00
    INVALID_MESSAGE_LENGTH = 0x01
    INVALID_COMMAND_LENGTH = 0x02
    INVALID_COMMAND = 0x03
    WRONG_BIND_STATE = 0x04
    ALREADY_BOUND = 0x05
    SYSTEM_ERROR = 0x08
    INVALID_SOURCE = 0x0A
    INVALID_DESTINATION = 0x0B
    INVALID_MESSAGE_ID = 0x0C
    BIND_FAILED = 0x0D
    WRONG_PASSWORD = 0x0E
    WRONG_SYSTEM_ID = 0x0F
    CANCEL_FAILED = 0x11
    QUEUE_FULL = 0x14
    THROTTLED = 0x58
    TEMPORARY = 0x64
    PERMANENT = 0x65
    QUERY_FAILED = 0x67
    BROKEN_TLVS = 0xC0
    UNKNOWN = 0xFF


class Tag(IntEnum):
    """Tags of the optional parameters that the code reads or writes (§5.3.2)."""

    RECEIPTED_MESSAGE_ID = 0x001E
    USER_MESSAGE_REFERENCE = 0x0204
    SAR_MSG_REF_NUM = 0x020C
    SAR_TOTAL_SEGMENTS = 0x020E
    SAR_SEGMENT_SEQNUM = 0x020F
    SC_INTERFACE_VERSION = 0x0210
    NETWORK_ERROR_CODE = 0x0423
    MESSAGE_PAYLOAD = 0x0424
    MESSAGE_STATE = 0x0427


_NAMES: dict[int, str] = {
    value: name.removeprefix("SMPP_") for name, value in vars(consts).items() if name.startswith("SMPP_ESME_R")
}
_TEXTS: dict[int, str] = dict(consts.DESCRIPTIONS)


def status_name(status: int) -> str:
    """The status as operators write it: `ESME_RTHROTTLED`, or `0x00000412` for one that SMPP 3.4 does not name."""
    return _NAMES.get(status, f"0x{status:08X}")


def status_text(status: int) -> str:
    """The status in English words, or its number where SMPP 3.4 has none."""
    return _TEXTS.get(status, f"status 0x{status:08X}")
