"""The functions for cells in Excel for Windows: user-defined functions of xlwings, for its own add-in to import.

A module of this name in xlwings' setting `UDF Modules`, and its button *Import Functions*, put them into a workbook.
Names in VBA have no dots. Each takes a cell or a range and gives as much back, so that a column is one question to the
service; what was answered once is remembered, and news of it come in by themselves and show at the next calculation.

xlwings takes types for converters of its own: `no_type_check` keeps them from it.
"""

import threading
from collections.abc import Callable, Iterable, Sequence
from locale import getlocale
from typing import no_type_check

import xlwings as xw

from xlsms import home
from xlsms.addin.function import Live, Question, Value, compute
from xlsms.client import Client
from xlsms.errors import XlsmsError

__all__ = ["SMS_COST", "SMS_E164", "SMS_PARTS", "SMS_REPLY", "SMS_STATUS", "Answers"]

Block = Sequence[Sequence[object]]
Answered = list[list[Value]]


class Answers:
    """What the service said about cells, and what is wrong when it says nothing."""

    def __init__(self, connect: Callable[[], Client], language: str) -> None:
        self._connect, self._language = connect, language
        self._known: dict[Question, Value] = {}
        self._asking = threading.Lock()
        self._live = Live(connect, self._take)
        self._following: threading.Thread | None = None

    def _take(self, news: Iterable[tuple[Question, Value]]) -> None:
        self._known.update(news)

    def of(self, questions: Sequence[Question]) -> list[Value]:
        """The answers, in their order: one question to the service for all that are new."""
        with self._asking:
            unknown = [question for question in dict.fromkeys(questions) if question not in self._known]
            if unknown:
                try:
                    with self._connect() as client:
                        self._take(self._live.answers(client, unknown))
                except XlsmsError as error:
                    said = error.message(self._language)
                    return [self._known.get(question, said) for question in questions]
                self._follow()
        return [self._known.get(question, "") for question in questions]

    def _follow(self) -> None:
        """Hear of news from now on; they are there when the cells are calculated the next time."""
        if self._following is None:
            self._following = threading.Thread(target=self._live.follow, daemon=True)
            self._following.start()


_LANGUAGE = "es" if (getlocale()[0] or "").lower().startswith(("es", "spanish")) else "en"
_answers = Answers(lambda: Client.connect(starting=False), _LANGUAGE)


def _each(kind: str, block: Block) -> Answered:
    """A question for each cell; an empty one asks nothing."""
    asked = [(kind, cell) for row in block for cell in row if cell not in (None, "")]
    said = dict(zip(asked, _answers.of(asked), strict=True))
    return [[said.get((kind, cell), "") for cell in row] for row in block]


@xw.func
@xw.arg("text", ndim=2, doc="The text of the message")
@no_type_check
def SMS_PARTS(text: Block) -> Answered:  # noqa: N802 - as a function of Excel's is written
    """How many SMS a text takes."""
    return [[compute(("parts", cell), _LANGUAGE, "ES") for cell in row] for row in text]


@xw.func
@xw.arg("number", ndim=2, doc="A phone number, as anybody writes it")
@xw.arg("country", doc="Two letters, such as ES, for numbers without +; that of the settings if left out")
@no_type_check
def SMS_E164(number: Block, country: object = None) -> Answered:  # noqa: N802
    """A phone number in its international form, or why it is none."""
    usual = home.country_of(home.config_path()) or "ES"
    return [[compute(("e164", cell, country), _LANGUAGE, usual) for cell in row] for row in number]


@xw.func
@xw.arg("number", ndim=2, doc="A phone number, as anybody writes it")
@xw.arg("text", ndim=2, doc="The text of the message")
@no_type_check
def SMS_COST(number: Block, text: Block) -> Answered:  # noqa: N802
    """What sending a text to a number would cost; one text may go with many numbers."""

    def beside(down: int, across: int) -> object:
        row = text[min(down, len(text) - 1)]
        return row[min(across, len(row) - 1)]

    asked = [
        [("cost", cell, beside(down, across)) for across, cell in enumerate(row)] for down, row in enumerate(number)
    ]
    said = iter(_answers.of([question for row in asked for question in row]))
    return [[next(said) for _ in row] for row in asked]


@xw.func(volatile=True)
@xw.arg("id", ndim=2, doc="What stands in the column SMS ID")
@no_type_check
def SMS_STATUS(id: Block) -> Answered:  # noqa: A002, N802
    """What became of the message of a row."""
    return _each("status", id)


@xw.func(volatile=True)
@xw.arg("id", ndim=2, doc="What stands in the column SMS ID")
@no_type_check
def SMS_REPLY(id: Block) -> Answered:  # noqa: A002, N802
    """What was answered to the message of a row."""
    return _each("reply", id)
