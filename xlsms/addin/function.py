"""What the functions for cells ask: `python -I -m xlsms.addin.function LANGUAGE`, lines of JSON in and out.

`{"number": 1, "question": ["parts", "Hello"]}` is answered at once by `{"number": 1, "value": 1}`.
`{"live": [["status", ID], ["cost", NUMBER, TEXT], ...]}` is answered by `{"news": [[question, value], ...]}`: when the
service has said it, and each time that it changes. All questions that wait go to the service together. Without a
service nothing is said, and the cells keep what they show; it is looked for every few seconds and never started.
"""

import json
import sys
import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TextIO

from xlsms import home, phone
from xlsms.client import Client, RowState
from xlsms.client.starting import find
from xlsms.errors import XlsmsError
from xlsms.model import RowId
from xlsms.text import split

__all__ = ["Live", "Value", "compute", "main"]

Value = str | int | float
Question = tuple[object, ...]

#: Seconds between two looks for a service that is not there.
_AGAIN = 5.0
#: Seconds that one question for news waits at the service.
_WAIT = 30.0
_LONGEST = 64  #: characters of an id or a number; a longer one is none, and what is left of it is none either
_CELL = 32_767  #: characters of a text that the service takes, far more than can be sent


def compute(question: Sequence[object], language: str, country: str) -> Value:
    """What can be known without the service; what is wrong with an argument is said in its place."""
    kind, argument, *more = question
    try:
        if kind == "parts":
            text = _text(argument)
            return len(split(text, limit=None)) if text else 0
        written = _text(more[0]) if more and more[0] is not None else ""
        return phone.parse(argument if _text(argument) else None, written.strip() or country).e164
    except XlsmsError as error:
        advice = error.advice(language)
        return f"{error.message(language)}{'; ' + advice if advice else ''}"


def _text(value: object) -> str:
    """A cell's value as it shows; 600000001.0 is a whole number to the user. Calc says 0 for an empty cell."""
    if value is None or (isinstance(value, float) and value == 0):
        return ""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:  # noqa: PLR2004  # digits of Excel
        return f"{value:.0f}"
    return str(value)


@dataclass(slots=True)
class Live:
    """Questions that the service answers, and what it said last."""

    connect: Callable[[], Client]
    tell: Callable[[list[tuple[Question, Value]]], None]
    _new: set[Question] = field(default_factory=set)
    _rows: set[RowId] = field(default_factory=set)
    _costs: set[Question] = field(default_factory=set)
    _telling: threading.Lock = field(default_factory=threading.Lock)  #: so that what is newer is told later
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def ask(self, questions: Iterable[Question]) -> None:
        """Ask soon, together with all others that wait."""
        with self._changed:
            self._new.update(questions)
            self._changed.notify_all()

    def answer(self) -> None:
        """Answer what is new, without end; what cannot be answered now is asked again later."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: bool(self._new))
                questions, self._new = self._new, set()
            try:
                with self.connect() as client, self._telling:
                    self.tell(list(self.answers(client, questions)))
            except XlsmsError:
                with self._changed:
                    self._new |= questions
                    self._changed.wait(_AGAIN)

    def answers(self, client: Client, questions: Iterable[Question]) -> Iterable[tuple[Question, Value]]:
        """What the service says: one question for all rows, one for all costs."""
        asked = list(questions)
        ids = {RowId(text) for kind, value, *_ in asked if kind != "cost" and 0 < len(text := _text(value)) <= _LONGEST}
        costs = [it for it in asked if it[0] == "cost"]
        with self._changed:
            self._rows |= ids
            self._costs.update(costs)
            self._changed.notify_all()
        if ids:
            states = client.states(sorted(ids))
            for question in asked:
                state = states.get(RowId(_text(question[1]))) if question[0] != "cost" else None
                if state is not None:
                    yield question, _shown(question, state)
        if costs:
            said = client.costs([(_text(number)[:_LONGEST], _text(text)[:_CELL]) for _, number, text in costs])
            for question, it in zip(costs, said, strict=True):
                yield question, _money(it.cost) if it.problem is None else it.problem

    def follow(self) -> None:
        """Tell the news of all rows that somebody asked for, without end."""
        cursor: int | None = None
        while True:
            with self._changed:
                self._changed.wait_for(lambda: bool(self._rows))
            try:
                with self.connect() as client:
                    if cursor is not None:  # it was away: what happened meanwhile is in the changes since
                        self.ask(self._costs)  # prices may be others now
                    while True:
                        cursor = self.news(client, cursor)
            except XlsmsError:
                with self._changed:
                    self._changed.wait(_AGAIN)

    def news(self, client: Client, cursor: int | None) -> int:
        """Wait once for news and tell them; the cursor to go on with."""
        if cursor is None:  # what was said before this cursor was known is asked for again
            cursor = client.health().cursor
            with self._changed:
                known = set(self._rows)
            self.ask((kind, row) for row in known for kind in ("status", "reply"))
        changes = client.changes(since=cursor, wait=_WAIT)
        with self._changed:
            mine = [it for it in changes.states if it.row_id in self._rows]
        if mine:
            with self._telling:
                self.tell(
                    [((kind, it.row_id), _shown((kind, it.row_id), it)) for it in mine for kind in ("status", "reply")]
                )
        return changes.cursor


def _shown(question: Question, state: RowState) -> str:
    return state.label if question[0] == "status" else state.reply or ""


def _money(cost: Decimal | None) -> Value:
    return "" if cost is None else float(cost)


def main(language: str, lines: Iterable[str], out: TextIO) -> None:
    """Answer until there are no more lines."""
    writing = threading.Lock()
    config = home.config_path()
    country, data = home.country_of(config) or "ES", home.data_folder_of(config)

    def say(line: object) -> None:
        with writing, suppress(BrokenPipeError):
            out.write(json.dumps(line) + "\n")
            out.flush()

    live = Live(lambda: Client.connect(starting=False), lambda news: say({"news": news}))
    for work in (live.answer, live.follow):
        threading.Thread(target=work, daemon=True).start()
    for text in lines:
        line = json.loads(text)
        if "live" in line:
            live.ask(tuple(question) for question in line["live"])
        else:
            asked = line["question"]
            there = asked[0] == "there"
            value = find(data) is not None if there else compute(asked, language, country)
            say({"number": line["number"], "value": value})


if __name__ == "__main__":
    main(sys.argv[1], sys.stdin, sys.stdout)
