"""How rows become messages: proposed first, admitted once their id stands in the workbook.

A proposed message cannot go out. It is admitted only after the workbook holds its id (and its mark is gone), so a
crash anywhere in between leaves either a row without an id, which is read again, or a row whose id is known here.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from types import MappingProxyType
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    and_,
    bindparam,
    delete,
    insert,
    literal_column,
    not_,
    or_,
    select,
    update,
)

from xlsms.errors import UserError
from xlsms.model import Alphabet, MessageId, Priority, RowId
from xlsms.states import State
from xlsms_service.ledger import intervention
from xlsms_service.ledger.chunk import among, chunks, listed
from xlsms_service.ledger.driver import Question
from xlsms_service.ledger.instant import stored
from xlsms_service.ledger.intervention import Wish
from xlsms_service.ledger.many import Many
from xlsms_service.ledger.schema import campaign, message

__all__ = ["Draft", "Known", "accept_text", "admit", "close_marks", "known", "propose", "repeated", "withdraw"]

#: A text in these states did not reach anyone and will not: sending it again repeats nothing.
_CAME_TO_NOTHING = (State.FAILED, State.EXPIRED, State.CANCELLED, State.HELD)

#: What a newer order for the same row takes back: it has not left.
_STILL_HERE = (State.QUEUED, State.SCHEDULED, State.HELD)

#: In these it is free to go, now or at its time.
_READY = (State.QUEUED, State.SCHEDULED)

_STATES = {state.value: state for state in State}

#: The rows that a statement is given as `rows`.
_THESE = among(message.c.row_id, "rows")


class Draft(NamedTuple):
    """A message about to be accepted. A tuple: there is one for each row."""

    number: str
    text: str
    alphabet: Alphabet
    parts: int
    fingerprint: str
    route: str
    sender: str | None = None
    row_id: RowId | None = None
    sheet: str | None = None
    replaces: MessageId | None = None  #: the row was marked again: what it showed before
    state: State = State.QUEUED  #: or scheduled, or held
    code: str | None = None
    facts: Mapping[str, object] = MappingProxyType({})
    priority: Priority = Priority.NORMAL
    not_before: datetime | None = None  #: its send time
    expires_at: datetime | None = None  #: after that it does not go any more
    key: str | None = None  #: the same order again has the same key
    unsaved: bool = False  #: its id goes into an open workbook, not into a file


class Known(NamedTuple):
    """The message that an id stands for. A tuple: a list that was sent before has one for each row."""

    message: MessageId
    workbook: int | None
    row_id: RowId
    mark_open: bool
    admitted: bool
    superseded: bool
    number: str
    fingerprint: str
    state: State
    replied: bool = False  #: a text came back
    unsaved: bool = False  #: its id was given to an open workbook and has not been seen in a file


_KNOWN = Question(
    select(
        message.c.id, message.c.workbook_id, message.c.row_id, message.c.mark_open, message.c.admitted,
        message.c.superseded, message.c.number, message.c.fingerprint, message.c.state, message.c.reply.is_not(None),
        message.c.unsaved,
    ).where(_THESE),
    ("rows",),
)  # fmt: skip


def known(connection: Connection, row_ids: Sequence[RowId]) -> dict[RowId, Known]:
    """The messages that these ids stand for; an id gets a new row's or a new order's message, never two."""
    return {
        row_id: Known(
            MessageId(key),
            book,
            row_id,
            bool(mark_open),
            bool(admitted),
            bool(superseded),
            number,
            same,
            _STATES[state],
            bool(replied),
            bool(unsaved),
        )
        for some in chunks(row_ids)
        for key, book, row_id, mark_open, admitted, superseded, number, same, state, replied, unsaved in _KNOWN.rows(
            connection, listed(some)
        )
    }


def repeated(connection: Connection, fingerprints: Iterable[str], since: datetime) -> set[str]:
    """Which of these (number, text) fingerprints went out, or are about to, since then; from whatever workbook."""
    asked = sorted(set(fingerprints))
    return {said for some in chunks(asked) for (said,) in _REPEATED.rows(connection, listed(some), stored(since))}


def propose(
    connection: Connection,
    book: int | None,
    drafts: Sequence[Draft],
    now: datetime,
    campaigns: Mapping[str | None, int] = MappingProxyType({}),
) -> dict[str | None, int]:
    """Write drafts down; they cannot go out yet. Those of a sheet are one campaign, which is returned by the sheet.

    A long sheet that is proposed in pieces stays one campaign when what the piece before it returned is given.
    """
    sheets = dict.fromkeys(draft.sheet for draft in drafts)
    known = {**campaigns}
    for sheet in sheets:
        if sheet not in known:
            known[sheet] = _campaign(connection, book, sheet, now)
    times = {now: stored(now), None: None}
    _PROPOSE.run(connection, [_proposed(draft, book, now, known[draft.sheet], times) for draft in drafts])
    return known


#: What the driver knows; an enumeration's members are looked up sooner than asked.
_WORDS = {state: state.value for state in State}
_RANKS = {priority: int(priority) for priority in Priority}

#: What the driver is given of a draft, in the order of `_proposed`, which is the table's: so it need not be put in
#: order first. The rest is the same for all of them.
_PROPOSE = Many(
    insert(message).values(
        mark_open=literal_column("1"),
        admitted=literal_column("0"),
        superseded=literal_column("0"),
        attempts=literal_column("0"),
        version=literal_column("1"),
        written=literal_column("1"),  # the sheet will show it, or it will be withdrawn
    ),
    (
        "workbook_id", "sheet", "row_id", "replaces", "number", "sender", "text", "alphabet", "parts", "fingerprint",
        "route", "state", "code", "facts", "state_at", "accepted_at", "campaign", "priority", "due", "send_at",
        "expires_at", "order_key", "unsaved",
    ),
)  # fmt: skip


def _proposed(
    draft: Draft, book: int | None, now: datetime, campaign_id: int, times: dict[datetime | None, int | None]
) -> tuple[object, ...]:
    """The values of a draft; `times` are those that are known as the table holds them."""
    facts = json.dumps({key: str(value) for key, value in draft.facts.items()}) if draft.facts else None
    for moment in (draft.not_before, draft.expires_at):
        if moment is not None and moment not in times:
            times[moment] = stored(moment)
    at, send_at = times[now], times[draft.not_before]
    return (
        book, draft.sheet, draft.row_id, draft.replaces, draft.number, draft.sender, draft.text, draft.alphabet,
        draft.parts, draft.fingerprint, draft.route, _WORDS[draft.state], draft.code, facts, at, at, campaign_id,
        _RANKS[draft.priority], at if send_at is None else send_at, send_at, times[draft.expires_at], draft.key,
        draft.unsaved,
    )  # fmt: skip


def _campaign(connection: Connection, book: int | None, sheet: str | None, now: datetime) -> int:
    query = insert(campaign).values(workbook_id=book, sheet=sheet, at=now).returning(campaign.c.id)
    return int(connection.execute(query).scalar_one())


def accept_text(connection: Connection, draft: Draft, now: datetime) -> MessageId:
    """Accept one message that comes from no workbook; it can go out at once.

    The same key again is the same message. Raises `UserError` when it came with another number or text.
    """
    if draft.key is not None:
        columns = (message.c.id, message.c.number, message.c.text)
        before = connection.execute(select(*columns).where(message.c.order_key == draft.key)).first()
        if before is not None:
            if (before.number, before.text) != (draft.number, draft.text):
                raise UserError("key-used")
            return MessageId(before.id)
    key = connection.execute(insert(message).values(_values(draft, now))).inserted_primary_key
    if key is None:
        raise RuntimeError("the database gave no key")
    return MessageId(key[0])


def _values(draft: Draft, now: datetime) -> dict[str, object]:
    return {
        "workbook_id": None,
        "sheet": draft.sheet,
        "row_id": draft.row_id,
        "replaces": draft.replaces,
        "mark_open": True,
        "admitted": True,
        "superseded": False,
        "number": draft.number,
        "sender": draft.sender,
        "text": draft.text,
        "alphabet": draft.alphabet,
        "parts": draft.parts,
        "fingerprint": draft.fingerprint,
        "route": draft.route,
        "state": draft.state,
        "code": draft.code,
        "facts": {key: str(value) for key, value in draft.facts.items()} or None,
        "state_at": now,
        "accepted_at": now,
        "campaign": 0,
        "priority": draft.priority,
        "due": draft.not_before or now,
        "send_at": draft.not_before,
        "expires_at": draft.expires_at,
        "attempts": 0,
        "version": 1,
        "written": 0,
        "order_key": draft.key,
        "unsaved": draft.unsaved,
    }


def admit(
    connection: Connection,
    row_ids: Sequence[RowId],
    *,
    now: datetime,
    since: datetime,
    standing: AbstractSet[RowId] = frozenset(),
) -> None:
    """These ids stand in the workbook with their state shown: their messages may go out.

    The mark that ordered them has been taken out, but for the rows in `standing`. What a message replaces shows nowhere
    any more, and is taken back if it has not left, or comes back from its link. A text that somebody else has been
    admitted with since `since` is held: two workbooks may have been taken in at once.
    """
    for some in chunks(row_ids):
        rows = listed(some)
        _HOLD.rows(connection, rows, stored(now), stored(since))
        replaced = any(older for (older,) in _FREE.rows(connection, rows))
        intervention.carry_out(connection, some, now)
        if replaced:
            _take_back(connection, {"rows": rows}, now)
    for some in chunks(sorted(standing)):
        connection.execute(update(message).where(message.c.row_id.in_(some)).values(mark_open=True))


def _take_back(connection: Connection, rows: Mapping[str, str], now: datetime) -> None:
    """What these rows showed before is superseded, and does not go if it has not left."""
    older = message.c.id.in_(select(message.c.replaces).where(_THESE))
    taken_back = {"state": State.CANCELLED, "code": "marked-anew", "state_at": now}
    connection.execute(update(message).where(older, message.c.state.in_(_STILL_HERE)).values(taken_back), rows)
    on_link = {"wish": Wish.MARKED_ANEW}
    connection.execute(update(message).where(older, message.c.state == State.SENDING).values(on_link), rows)
    connection.execute(update(message).where(older).values(superseded=True), rows)


def _is_one_of(column: ColumnElement[Any], states: Iterable[State]) -> ColumnElement[bool]:
    """Whether a state is one of some, in the words of the statement: its parameters are values, not lists."""
    return column.in_([literal_column(f"'{state}'") for state in states])


def _counts(table: FromClause) -> ColumnElement[bool]:
    """The text of a message has reached someone since `since`, or is about to."""
    columns = table.c
    lately = or_(columns.accepted_at >= bindparam("since"), _is_one_of(columns.state, _READY))
    return and_(lately, columns.admitted, not_(_is_one_of(columns.state, _CAME_TO_NOTHING)))


def _just_said() -> ColumnElement[bool]:
    """Another message that counts says the same; who marks a row again knows that, but one order makes one message."""
    other = message.alias()
    same = select(other.c.id).where(
        other.c.fingerprint == message.c.fingerprint,
        other.c.id != message.c.id,
        _counts(other),
    )
    follows = select(other.c.id).where(
        other.c.replaces == message.c.replaces, other.c.id != message.c.id, other.c.admitted
    )
    first, again = message.c.replaces.is_(None), message.c.replaces.is_not(None)
    ready = _is_one_of(message.c.state, _READY)
    return and_(ready, or_(and_(first, same.exists()), and_(again, follows.exists())))


_REPEATED = Question(
    select(message.c.fingerprint).where(among(message.c.fingerprint, "prints"), _counts(message)), ("prints", "since")
)

#: A message that turns out to repeat one that was admitted meanwhile; its workbook shows *queued* until written again.
_HOLD = Question(
    update(message)
    .where(_THESE, message.c.admitted.is_(False), _just_said())
    .values(state=State.HELD, code="duplicate-recent", version=message.c.version + 1, state_at=bindparam("now")),
    ("rows", "now", "since"),
)

_FREE = Question(
    update(message)
    .where(_THESE, message.c.admitted.is_(False))
    .values(admitted=literal_column("1"), mark_open=literal_column("0"))
    .returning(message.c.replaces),
    ("rows",),
)


def close_marks(connection: Connection, messages: Sequence[MessageId]) -> None:
    """The mark that ordered these no longer stands in the sheet: the next one is a new order."""
    for some in chunks(messages):
        connection.execute(update(message).where(message.c.id.in_(some)).values(mark_open=False))


def withdraw(connection: Connection, row_ids: Sequence[RowId]) -> None:
    """Forget proposals whose row has changed before its id could be written."""
    for some in chunks(row_ids):
        connection.execute(delete(message).where(message.c.row_id.in_(some), message.c.admitted.is_(False)))
