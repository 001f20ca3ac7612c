"""What one read from an SMSC, or one tick of the clock, means for the parts under way."""

from datetime import datetime
from typing import TYPE_CHECKING, cast

from xlsms.errors import TransientError
from xlsms.model import Outcome, PartKey, Result
from xlsms_service.connectors.smpp.answer import THROTTLED, accepted, outcome_of
from xlsms_service.connectors.smpp.asking import Question
from xlsms_service.protocols.smpp.event import Answered, AnsweredLate, Event, Taken, TimedOut
from xlsms_service.protocols.smpp.receipt import IdForm

if TYPE_CHECKING:
    from xlsms_service.connectors.base import Acknowledgeable

__all__ = ["News"]


class News:
    """Gathers the events of one moment, so that they are told in batches. The tokens are `PartKey` or `Question`."""

    __slots__ = ("_id_form", "accepted", "at", "items", "late", "outcomes", "throttled")

    def __init__(self, at: datetime, id_form: IdForm) -> None:
        self.at = at
        self._id_form = id_form
        self.outcomes: list[Outcome] = []
        self.late: list[Outcome] = []  #: of parts that had been told as uncertain
        self.items: list[Acknowledgeable] = []
        self.accepted = 0
        self.throttled = False

    def read(self, event: Event) -> None:
        """What became of a request of ours."""
        match event:
            case Taken(submits):
                self.accepted += len(submits)
                self.outcomes += accepted(cast(list[tuple[PartKey, str]], submits), self.at, self._id_form)
            case Answered(Question() as question, pdu):
                question.answer(pdu)
                self.throttled |= pdu.status in THROTTLED
            case Answered(token, pdu):
                self.outcomes.append(outcome_of(cast(PartKey, token), pdu, self.at, self._id_form))
                self.throttled |= pdu.status in THROTTLED
            case TimedOut(token):
                self.lose(token, "answer-lost")
            case AnsweredLate(token, pdu) if not isinstance(token, Question):
                self.late.append(outcome_of(cast(PartKey, token), pdu, self.at, self._id_form))

    def lose(self, token: object, code: str) -> None:
        """The answer to a request of ours will not come: the part may have left."""
        if isinstance(token, Question):
            token.fail(TransientError(code))
        else:
            key = cast(PartKey, token)
            self.outcomes.append(Outcome(key=key, result=Result.UNCERTAIN, at=self.at, code=code))
