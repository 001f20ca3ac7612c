"""What a network's delivery report means for a message, and which message it is about."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from xlsms.model import MessageId, PartKey, Receipt
from xlsms.states import State, may_move, worst
from xlsms_service.connectors.base import IdForms
from xlsms_service.delivery import phone, suspicion
from xlsms_service.ledger import intervention, settlement, stranger
from xlsms_service.ledger.intervention import Wish
from xlsms_service.ledger.settlement import Move, PartRecord

__all__ = ["CODES", "STATES", "settle", "settle_lost"]

#: What the network's words (SMPP 3.4 §5.2.28 and the variants seen in the field) make of a message. Other words, also
#: UNKNOWN, say nothing of it.
STATES: Mapping[str, State] = {
    "DELIVRD": State.DELIVERED,
    "DELIVERED": State.DELIVERED,
    "DELIVRED": State.DELIVERED,
    "DELIV": State.DELIVERED,
    "DELIVERY_SUCCESS": State.DELIVERED,
    "EXPIRED": State.EXPIRED,
    "EXPIRD": State.EXPIRED,
    "DELETED": State.FAILED,
    "UNDELIV": State.FAILED,
    "UNDELIVRD": State.FAILED,
    "UNDELIVERED": State.FAILED,
    "UNDELIVERABLE": State.FAILED,
    "UNDELIVERABL": State.FAILED,
    "FAILED": State.FAILED,
    "REJECTD": State.FAILED,
    "REJECTED": State.FAILED,
    "BLOCKED": State.FAILED,
    "BLACKLISTED": State.FAILED,
    "SPAM": State.FAILED,
    "SKIPPED": State.FAILED,
    "ENROUTE": State.SENT,
    "ACCEPTD": State.SENT,
    "ACCEPTED": State.SENT,
    "SCHEDULED": State.SENT,
    "BUFFERD": State.SENT,
    "BUFFERED": State.SENT,
}

#: Why a message ended so, where the word says more than that it did.
CODES: Mapping[str, str] = {
    "EXPIRED": "phone-not-reached",
    "EXPIRD": "phone-not-reached",
    "DELETED": "deleted-by-network",
    "REJECTD": "refused-by-network",
    "REJECTED": "refused-by-network",
    "BLOCKED": "refused-by-network",
    "BLACKLISTED": "refused-by-network",
    "SPAM": "refused-by-network",
}

_NOT_DELIVERED = "not-delivered"
_TAKEN_BACK = "recalled-at-network"
_FAILURES = (State.FAILED, State.EXPIRED)


class _Match(NamedTuple):
    part: PartRecord
    receipt: Receipt
    state: State


def settle(
    connection: Connection, connector: str, receipts: Sequence[Receipt], forms: IdForms, now: datetime
) -> list[float]:
    """Give each receipt to the part it is about; those of which that is not certain wait.

    Gives the seconds from answer to report of the parts that it has brought to their end.

    The id that the network gave with its answer decides, unless the phone contradicts it; then another writing of the
    id, if the phone agrees and one message is left; then, for an id that was never heard, number, time and text.
    """
    telling = [receipt for receipt in receipts if receipt.state in STATES]
    matches, strangers = _match(connection, connector, telling, forms)
    waits = _carry_out(connection, matches, now)
    if strangers:
        found, rest = suspicion.find(connection, connector, strangers)
        settlement.name_parts(connection, connector, found.names, now)
        _carry_out(connection, [_found(connector, guess, now) for guess in found.guesses], now)
        stranger.wait(connection, rest)
    return waits


def settle_lost(connection: Connection, connector: str, forms: IdForms, now: datetime) -> None:
    """Look again at the receipts that wait, for messages that have become *uncertain*."""
    if numbers := stranger.lost_numbers(connection, connector):
        settle(connection, connector, stranger.take_to(connection, connector, numbers), forms, now)


def _match(
    connection: Connection,
    connector: str,
    receipts: Sequence[Receipt],
    forms: IdForms,
) -> tuple[list[_Match], list[Receipt]]:
    by_id = _by_network_id(connection, connector, (receipt.network_id for receipt in receipts))
    matches, others = [], []
    for receipt in receipts:
        mine = _called(by_id.get(receipt.network_id, ()), receipt)
        matches += [_Match(part, receipt, STATES[receipt.state]) for part in mine]
        if not mine:
            others.append(receipt)
    if not others:
        return matches, []
    other_forms = {receipt.network_id: set(forms(receipt.network_id)) for receipt in others}
    by_id = _by_network_id(connection, connector, {form for some in other_forms.values() for form in some})
    strangers: list[Receipt] = []
    doubtful: list[Receipt] = []
    for receipt in others:
        read_so = [part for form in sorted(other_forms[receipt.network_id]) for part in by_id.get(form, ())]
        same = [part for part in read_so if phone.same(part.recipient, receipt)]
        # Another reading of an id is a guess: it counts only when it leaves one message.
        only = _only_message([part for part in same if _is_open(part)]) or _only_message(same)
        matches += [_Match(part, receipt, STATES[receipt.state]) for part in only]
        if not same:
            strangers.append(receipt)
        elif not only:
            doubtful.append(receipt)
    by_answer, rest = _by_writing_of_answer(connection, connector, strangers, forms)
    return matches + by_answer, doubtful + rest


def _by_writing_of_answer(
    connection: Connection, connector: str, receipts: Sequence[Receipt], forms: IdForms
) -> tuple[list[_Match], list[Receipt]]:
    """The other way round: the id of the answer has the zeros, or the prefix. Only among what went to the phone."""
    numbers = {number for receipt in receipts for number in phone.written(receipt)}
    parts = settlement.parts_to(connection, connector, numbers) if receipts else []
    by_ending = phone.by_ending(parts, lambda part: part.recipient)
    writings = {name: frozenset(forms(name)) for part in parts if (name := part.network_id)}
    matches, rest = [], []
    for receipt in receipts:
        bare = receipt.network_id.strip(" \"'").lstrip("0")
        names = {receipt.network_id, bare, bare.lower()} - {""}
        same = [
            part
            for part in phone.those(by_ending, receipt)
            if phone.same(part.recipient, receipt) and not names.isdisjoint(writings.get(part.network_id or "", ()))
        ]
        only = _only_message([part for part in same if _is_open(part)]) or _only_message(same)
        matches += [_Match(part, receipt, STATES[receipt.state]) for part in only]
        if not only:
            rest.append(receipt)
    return matches, rest


def _by_network_id(connection: Connection, connector: str, ids: Iterable[str]) -> dict[str, list[PartRecord]]:
    found: dict[str, list[PartRecord]] = {}
    for part in settlement.parts_with_network_id(connection, connector, ids):
        if part.network_id is not None:
            found.setdefault(part.network_id, []).append(part)
    return found


def _called(parts: Sequence[PartRecord], receipt: Receipt) -> list[PartRecord]:
    """The parts of the newest message that the receipt can still change, else of the newest.

    Networks use an id again after days. Where one cuts long texts itself, all parts have one id and one report.
    """
    mine = [part for part in parts if not phone.contradicts(part.recipient, receipt)]
    chosen = next((part for part in mine if _is_open(part)), mine[0] if mine else None)
    return [part for part in mine if chosen is not None and part.key.message == chosen.key.message]


def _only_message(parts: Sequence[PartRecord]) -> Sequence[PartRecord]:
    return parts if len({part.key.message for part in parts}) == 1 else ()


def _is_open(part: PartRecord) -> bool:
    return part.state in (State.SENT, State.UNCERTAIN)


def _found(connector: str, guess: suspicion.Guess, now: datetime) -> _Match:
    part = PartRecord(
        key=guess.part,
        connector=connector,
        network_id=guess.receipt.network_id,
        state=guess.state,
        at=now,
        of=guess.of,
    )
    return _Match(part, guess.receipt, STATES[guess.receipt.state])


def _carry_out(connection: Connection, matches: Sequence[_Match], now: datetime) -> list[float]:
    """Settle the parts, then the messages: delivered only if all parts are, final only when all are.

    Gives the seconds that parts waited for their end since their answer.
    """
    last: dict[PartKey, _Match] = {}
    for match in _taken_back(connection, matches):
        before = last[match.part.key].state if match.part.key in last else match.part.state
        if may_move(before, match.state):
            last[match.part.key] = match
    if not last:
        return []
    settlement.set_part_states(connection, [(key, match.state) for key, match in last.items()], now)
    moves = [_move(key.message, match.state, match.receipt) for key, match in last.items() if match.part.of == 1]
    if long := {key: match for key, match in last.items() if match.part.of > 1}:
        moves += _whole(connection, long)
    settlement.move(connection, moves)
    return [
        max((match.receipt.at - match.part.at).total_seconds(), 0.0)
        for match in last.values()
        if match.part.state is State.SENT and match.state is not State.SENT
    ]


def _taken_back(connection: Connection, matches: Sequence[_Match]) -> Sequence[_Match]:
    """What the network deleted because somebody here recalled it was taken back, and has not failed."""
    deleted = {match.part.key.message for match in matches if match.receipt.state == "DELETED"}
    recalled = intervention.wishes(connection, deleted) if deleted else {}
    if Wish.RECALLED not in recalled.values():
        return matches
    return [
        match._replace(state=State.CANCELLED)
        if match.receipt.state == "DELETED" and recalled.get(match.part.key.message) is Wish.RECALLED
        else match
        for match in matches
    ]


def _whole(connection: Connection, last: Mapping[PartKey, _Match]) -> list[Move]:
    """Where long messages stand now; the reason of one that failed is that of its first part that did."""
    parts = settlement.parts_of(connection, {key.message for key in last})
    reasons = settlement.noted(connection, parts, {_NOT_DELIVERED, *CODES.values()})
    new: dict[MessageId, tuple[str, Mapping[str, object]]] = {}
    moves: dict[MessageId, Move] = {}
    for key, match in last.items():
        message = key.message
        move = _move(message, match.state, match.receipt)
        if match.state in _FAILURES and move.code and message not in reasons:
            new[message] = reasons[message] = (move.code, move.facts)
        so_far = [part.state for part in parts[message]]
        whole = worst(so_far) if len(so_far) == match.part.of else State.SENDING  # a part has no answer yet
        if whole in (State.SENT, State.DELIVERED, State.CANCELLED, *_FAILURES):
            code, facts = reasons.get(message, (move.code, move.facts)) if whole in _FAILURES else (None, {})
            if whole is State.CANCELLED:
                code = _TAKEN_BACK if set(so_far) == {State.CANCELLED} else intervention.LEFT_IN_PART
            moves[message] = Move(message=message, state=whole, at=move.at, code=code, facts=facts)
    settlement.note(connection, new)
    return list(moves.values())


def _move(message: MessageId, state: State, receipt: Receipt) -> Move:
    if state is State.CANCELLED:
        return Move(message=message, state=state, at=receipt.done_at or receipt.at, code=_TAKEN_BACK)
    code = CODES.get(receipt.state, _NOT_DELIVERED) if state in _FAILURES else None
    facts = {"word": receipt.state, "error": receipt.error or "–"} if code else {}
    return Move(message=message, state=state, at=receipt.done_at or receipt.at, code=code, facts=facts)
