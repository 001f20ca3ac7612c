"""How columns of ours look: colours of states that mean the same in every workbook, hints and widths."""

import re
from collections.abc import Mapping

from xlsms.model import Role
from xlsms.states import LABELS, State

__all__ = ["COLOURS", "MARK_HINTS", "REACH", "WIDTHS", "condition", "is_condition"]

#: Title and text of the hint beside a cell in the send column.
MARK_HINTS = {
    "en": ("Send this row?", "x sends it. An empty cell sends nothing."),
    "es": ("¿Enviar esta fila?", "x la envía. Con la celda vacía no se envía nada."),
}

#: Fill and text colour of a state; states of one kind look alike.
COLOURS: Mapping[State, tuple[str, str]] = {
    State.DELIVERED: ("D1FAE5", "065F46"),
    State.SENT: ("DBEAFE", "1E40AF"),
    State.SENDING: ("DBEAFE", "1E40AF"),
    State.QUEUED: ("F3F4F6", "374151"),
    State.SCHEDULED: ("F3F4F6", "374151"),
    State.FAILED: ("FEE2E2", "991B1B"),
    State.EXPIRED: ("FEE2E2", "991B1B"),
    State.UNCERTAIN: ("FEF3C7", "92400E"),
    State.HELD: ("FEF3C7", "92400E"),
    State.CANCELLED: ("E5E7EB", "6B7280"),
}

#: Of columns that are added, in characters, as Excel has them.
WIDTHS: Mapping[Role, float] = {
    Role.MESSAGE: 40.0,
    Role.SEND: 9.0,
    Role.STATUS: 13.0,
    Role.DETAIL: 32.0,
    Role.STATUS_TIME: 17.0,
    Role.REPLY: 32.0,
    Role.REPLY_TIME: 17.0,
    Role.ID: 16.0,
}

#: Rows down to which drop-down and colours go where the rows have no end.
REACH = 10_000

_CONDITION = re.compile(r'OR\((?:\$?[A-Z]{1,3}\$?[0-9]+="[^"]*",?)+\)')
_STATE = re.compile('"[^"]+"')  # what an open workbook's cells are compared with, see `live.native.colour_texts`


def condition(states: tuple[State, ...], cell: str) -> str:
    """The formula that is true where `cell` shows one of `states`, in either language."""
    labels = dict.fromkeys(LABELS[language][state] for state in states for language in LABELS)
    return "OR(" + ",".join(f'{cell}="{label}"' for label in labels) + ")"


def is_condition(formula: str) -> bool:
    """Whether a formula is one that `condition` makes, wherever its cell is now, or a state as open sheets have it."""
    match = _CONDITION.fullmatch(formula) or _STATE.fullmatch(formula)
    labels = {label for language in LABELS.values() for label in language.values()}
    return match is not None and labels.issuperset(re.findall('"([^"]*)"', formula))
