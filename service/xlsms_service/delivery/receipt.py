"""What a network's delivery report means for a message, and which message it is about."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from xlsms.model import MessageId, PartKey, Receipt
from xlsms.states import State, may_move, worst
from xlsms_service.connectors.base import IdForms
from xlsms_service.ledger import settlement
from xlsms_service.ledger.settlement import Move, PartRecord

__all__ = ["STATES", "settle"]

#: The network's words (SMPP 3.4 §5.2.28 and the variants seen in the field) that end a message's way.
STATES: Mapping[str, State] = {
    "DELIVRD": State.DELIVERED,
    "DELIVERED": State.DELIVERED,
    "DELIV": State.DELIVERED,
    "DELIVERY_SUCCESS": State.DELIVERED,
    "EXPIRED": State.EXPIRED,
    "DELETED": State.FAILED,
    "UNDELIV": State.FAILED,
    "UNDELIVERED": State.FAILED,
    "UNDELIVERABLE": State.FAILED,
    "FAILED": State.FAILED,
    "REJECTD": State.FAILED,
    "REJECTED": State.FAILED,
    "BLOCKED": State.FAILED,
    "BLACKLISTED": State.FAILED,
    "SPAM": State.FAILED,
    "SKIPPED": State.FAILED,
}

_CODES: Mapping[str, str] = {
    "EXPIRED": "phone-not-reached",
    "DELETED": "deleted-by-network",
    "REJECTD": "refused-by-network",
    "REJECTED": "refused-by-network",
    "BLOCKED": "refused-by-network",
    "BLACKLISTED": "refused-by-network",
    "SPAM": "refused-by-network",
}

#: Digits that two writings of one phone number have in common at least.
_COMMON_DIGITS = 8


#: The network's clock and zone may be off by this much.
_CLOCKS = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class _Match:
    part: PartRecord
    receipt: Receipt
    state: State


def settle(connection: Connection, connector: str, receipts: Sequence[Receipt], forms: IdForms, now: datetime) -> None:
    """Give each receipt to the part it is about; those whose answer has not come yet wait for it.

    Receipts of another state than a final one change nothing: the message is *sent* already.
    """
    final = [receipt for receipt in receipts if receipt.state in STATES]
    matches, strangers = _match(connection, connector, final, forms)
    _carry_out(connection, matches, now)
    settlement.wait_for_answer(connection, _settle_uncertain(connection, connector, strangers))


def _match(
    connection: Connection,
    connector: str,
    receipts: Sequence[Receipt],
    forms: IdForms,
) -> tuple[list[_Match], list[Receipt]]:
    by_id = _by_network_id(connection, connector, (receipt.network_id for receipt in receipts))
    matches, others = [], []
    for receipt in receipts:
        called_so = by_id.get(receipt.network_id, ())
        part = _open_one(called_so, receipt)
        if part is None:
            others.append(receipt)
        else:
            # Where the network cuts long texts itself, all parts of a message have one id and one report.
            mine = [each for each in called_so if each.key.message == part.key.message]
            matches += [_Match(each, receipt, STATES[receipt.state]) for each in mine]
    if not others:
        return matches, []
    other_forms = {receipt.network_id: set(forms(receipt.network_id)) for receipt in others}
    by_id = _by_network_id(connection, connector, {form for some in other_forms.values() for form in some})
    strangers = []
    for receipt in others:
        read_so = [part for form in other_forms[receipt.network_id] for part in by_id.get(form, ())]
        fitting = [part for part in read_so if _same_phone(part.recipient, receipt.recipient) and _is_open(part)]
        # Another reading of an id is a guess: it counts only when it leaves one message.
        if len(fitting) == 1:
            matches.append(_Match(fitting[0], receipt, STATES[receipt.state]))
        elif not read_so:
            strangers.append(receipt)
    return matches, strangers


def _by_network_id(connection: Connection, connector: str, ids: Iterable[str]) -> dict[str, list[PartRecord]]:
    found: dict[str, list[PartRecord]] = {}
    for part in settlement.parts_with_network_id(connection, connector, ids):
        if part.network_id is not None:
            found.setdefault(part.network_id, []).append(part)
    return found


def _open_one(parts: Sequence[PartRecord], receipt: Receipt) -> PartRecord | None:
    """The newest part that the receipt can still change, else the newest: networks use an id again after days."""
    mine = [part for part in parts if not receipt.recipient or _same_phone(part.recipient, receipt.recipient)] or parts
    return next((part for part in mine if _is_open(part)), mine[0] if mine else None)


def _is_open(part: PartRecord) -> bool:
    return part.state in (State.SENT, State.UNCERTAIN)


def _same_phone(ours: str, theirs: str) -> bool:
    """Whether two writings mean one phone: national and international ones end alike."""
    ours, theirs = ours.lstrip("+"), theirs.lstrip("+0")
    common = min(len(ours), len(theirs))
    return ours == theirs or (common >= _COMMON_DIGITS and ours[-common:] == theirs[-common:])


def _carry_out(connection: Connection, matches: Sequence[_Match], now: datetime) -> None:
    """Settle the parts, then the messages: delivered only if all parts are, final only when all are."""
    last: dict[PartKey, _Match] = {}
    for match in matches:
        before = last[match.part.key].state if match.part.key in last else match.part.state
        if may_move(before, match.state):
            last[match.part.key] = match
    if not last:
        return
    settlement.set_part_states(connection, [(key, match.state) for key, match in last.items()], now)
    long = settlement.parts_of(connection, {key.message for key, match in last.items() if match.part.of > 1})
    moves: dict[MessageId, Move] = {}
    for key, match in last.items():
        state = match.state
        if key.message in long:
            parts = {part.key.part: part.state for part in long[key.message]}
            if len(parts) < match.part.of:
                continue  # a part is still on its way to the network
            state = worst(parts.values())
        if state in (State.DELIVERED, State.FAILED, State.EXPIRED):
            moves[key.message] = _move(key.message, state, match.receipt)
    settlement.move(connection, list(moves.values()))


def _move(message: MessageId, state: State, receipt: Receipt) -> Move:
    code = None if state is State.DELIVERED else _CODES.get(receipt.state, "not-delivered")
    facts = {"word": receipt.state, "error": receipt.error or "–"} if code else {}
    return Move(message=message, state=state, at=receipt.done_at or receipt.at, code=code, facts=facts)


def _settle_uncertain(connection: Connection, connector: str, strangers: Sequence[Receipt]) -> list[Receipt]:
    """A receipt for an id that we never heard settles the one *uncertain* message to its phone; the rest wait."""
    rest: list[Receipt] = []
    moves: dict[MessageId, Move] = {}
    for receipt in strangers:
        recipient = "+" + receipt.recipient.lstrip("+")
        by = min(receipt.at, receipt.done_at + _CLOCKS) if receipt.done_at else receipt.at
        open_ones = settlement.uncertain_to(connection, connector, recipient, by) if receipt.recipient else []
        if len(open_ones) == 1 and open_ones[0] not in moves:
            moves[open_ones[0]] = _move(open_ones[0], STATES[receipt.state], receipt)
        else:
            rest.append(receipt)
    settlement.move(connection, list(moves.values()))
    return rest
