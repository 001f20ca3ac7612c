"""Who a message comes from, as a network takes it."""

import re

__all__ = ["is_sender"]

#: 3GPP TS 23.040 §9.1.2.5: up to eleven characters, or a number.
_SENDER = re.compile(r"\+?\d{3,15}|[A-Za-z0-9 &._'-]{1,11}")


def is_sender(text: str) -> bool:
    """Whether a text can stand as the sender of a message."""
    return _SENDER.fullmatch(text) is not None
