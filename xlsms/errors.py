"""The error tree, split by what to do.

    XlsmsError
    ├── UserError         someone can mend it: shown with its place and remedy, never with a traceback
    ├── TransientError    it may pass by itself: back off and try again
    ├── PermanentError    it will not pass: the row is failed
    └── UncertainError    something may have left: never repeat it unasked

Every error has a stable `code`; the sheet, the log, the API and the docs all show it.
Its words stand in `xlsms.wording`.
"""

from dataclasses import dataclass

from xlsms.wording import wording

__all__ = ["PermanentError", "Place", "TransientError", "UncertainError", "UserError", "XlsmsError"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where in a file something is wrong; what is unknown or does not apply is None."""

    file: str | None = None
    sheet: str | None = None
    row: int | None = None
    column: str | None = None
    line: int | None = None

    def __str__(self) -> str:
        cell = f"{self.column or ''}{self.row or ''}"
        inside = "!".join(part for part in (self.sheet, cell) if part)
        lined = f"{self.file}:{self.line}" if self.file and self.line else self.file
        return " ".join(part for part in (lined, inside) if part)


class XlsmsError(Exception):
    """Base of every error that xlsms raises on purpose: a stable code, the facts, and the place."""

    def __init__(self, code: str, *, place: Place | None = None, **facts: object) -> None:
        super().__init__(code)
        self.code = code
        self.place = place
        self.facts = facts

    def message(self, language: str = "en") -> str:
        """What is wrong, in one line, without the place."""
        return wording(self.code, language, self.facts).message

    def advice(self, language: str = "en") -> str:
        """What to do about it, in one line; empty where nothing can be done."""
        return wording(self.code, language, self.facts).remedy

    @property
    def remedy(self) -> str:
        """What to do about it, in English."""
        return self.advice()

    def __str__(self) -> str:
        return self.line()

    def line(self, language: str = "en") -> str:
        """Place, message, remedy and code in one line."""
        at = f"{self.place}: " if self.place and str(self.place) else ""
        advice = self.advice(language)
        return f"{at}{self.message(language)}{'; ' + advice if advice else ''} [{self.code}]"


class UserError(XlsmsError):
    """Someone can mend it; the remedy says how."""


class TransientError(XlsmsError):
    """It may pass by itself: a busy file, a link that is down, a throttled submit."""


class PermanentError(XlsmsError):
    """It will not pass: the network refused the message for good."""


class UncertainError(XlsmsError):
    """The message may have left and may not; it is never repeated unasked."""
