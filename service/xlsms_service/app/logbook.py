"""Where the log goes and what it looks like: lines for people or JSON for programs, with nobody's number or text."""

import json
import logging
import logging.handlers
import os
import re
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from io import TextIOWrapper
from pathlib import Path, PurePath
from typing import Any, cast

from sqlalchemy.exc import DBAPIError

from xlsms.errors import XlsmsError
from xlsms.wording import wording
from xlsms_service.config import ServiceSettings
from xlsms_service.ledger.ledger import hindrance

__all__ = ["inert", "logbook", "told", "trace"]

#: A file of the log, and how many older ones are kept.
_BYTES, _OLDER = 10 << 20, 5

#: Our own loggers. Others may say what they like at level INFO and below: SQLAlchemy says every row.
_OURS = ("xlsms", "xlsms_service")

#: What happened to workbooks, links and replies.
_EVENTS = "xlsms_service.app.event"

#: What may be the number of a phone: seven digits or more, spaced as people do it.
_NUMBER = re.compile(r"(?<!\w)\+?\d(?:[ ().\-/\u00a0]{0,2}\d){6,}")
_NO_NUMBER = re.compile(r"\d{4}-\d\d-\d\d(?!\d)|\d{1,3}(?:\.\d{1,3}){3}(?![.\d])")

#: These say how our code is made, never what a workbook or a network holds.
_ABOUT_CODE = (AttributeError, ImportError, NameError, NotImplementedError, TypeError)


def inert(text: str) -> str:
    """A text with whatever may be the number of a phone left out."""
    return _NUMBER.sub(lambda found: found[0] if _NO_NUMBER.match(found[0]) else "…", text)


def told(error: BaseException, *, texts: bool = False) -> dict[str, object]:
    """What a log may say of an error: its kind, its code or the system's reason, and the lines of code."""
    said: dict[str, object] = {"kind": type(error).__name__}
    known = error if isinstance(error, XlsmsError) else hindrance(error)
    if known is not None:
        said["code"] = known.code
    if reason := str(error) if texts else _reason(error):
        said["reason"] = reason
    frames = [] if known is not None else traceback.extract_tb(error.__traceback__)
    said["frames"] = [f"{PurePath(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames]
    return said


def trace(error: BaseException, *, texts: bool = False) -> str:
    """What a file for those who mend xlsms may say of an error: kinds, reasons and lines of code, causes first."""
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    before = f"{trace(cause, texts=texts)}\n" if cause is not None else ""
    reason = str(error) if texts else _reason(error)
    lines = "".join(traceback.format_tb(error.__traceback__))
    return f"{before}{lines}{type(error).__name__}{': ' if reason else ''}{reason}\n"


def _reason(error: BaseException) -> str:
    if isinstance(error, OSError):
        return error.strerror or ""
    if isinstance(error, DBAPIError):
        return inert(str(error.orig))  # names tables and columns, never values
    return inert(str(error)) if isinstance(error, _ABOUT_CODE) else ""


class _Words(logging.Formatter):
    """What every record has: time, level, code, words, facts, error."""

    def __init__(self, language: str, *, texts: bool) -> None:
        super().__init__()
        self._language = language
        self._texts = texts

    def parts(self, record: logging.LogRecord) -> tuple[str, str, Mapping[str, object], dict[str, object] | None]:
        """Code, words, facts and error of a record, ours or not."""
        code: str | None = getattr(record, "code", None)
        facts = {key: self._fact(value) for key, value in cast(dict[str, object], getattr(record, "facts", {})).items()}
        error: BaseException | None = getattr(record, "error", None) or (record.exc_info and record.exc_info[1]) or None
        if code is None:
            code, facts = "other", {"logger": record.name}
            words = record.getMessage() if self._texts else inert(record.getMessage())
        else:
            words = wording(code, self._language, facts).message
        return code, words, facts, None if error is None else told(error, texts=self._texts)

    def _fact(self, value: object) -> object:
        if value is None or isinstance(value, bool | int | float):
            return value
        # A path is what its owner called it; a word that came from elsewhere may be anything.
        return str(value) if isinstance(value, PurePath) or self._texts else inert(str(value))


class _Lines(_Words):
    """A line a record; below it where an error came from."""

    def format(self, record: logging.LogRecord) -> str:
        code, words, _, error = self.parts(record)
        at = datetime.fromtimestamp(record.created, UTC).astimezone()
        line = f"{at:%Y-%m-%d %H:%M:%S} {record.levelname:7} {_flat(words)} [{code}]"
        if error is None:
            return line
        reason = f": {_flat(str(error['reason']))}" if "reason" in error else ""
        kind = error.get("code", error["kind"])
        frames = "".join(f"\n    {frame}" for frame in cast(list[str], error["frames"])[-8:])
        return f"{line} {kind}{reason}{frames}"


class _Json(_Words):
    """An object a record, one a line."""

    def format(self, record: logging.LogRecord) -> str:
        code, words, facts, error = self.parts(record)
        said: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "code": code,
            "message": words,
            "facts": facts,
        }
        if error is not None:
            said["error"] = error
        return json.dumps(said, ensure_ascii=False, default=str)


def _flat(text: str) -> str:
    """One line, whatever stands in it."""
    return "".join(char if char.isprintable() else "␣" for char in text).strip()


class _File(logging.handlers.RotatingFileHandler):
    """A file that only its user reads; a full disk stops nothing."""

    def _open(self) -> TextIOWrapper:
        file = Path(self.baseFilename)
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        return os.fdopen(handle, "a", encoding="utf-8")

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 (logging's name)
        """Silence: texts go before the log."""


class _Screen(logging.StreamHandler[Any]):
    """Warnings for whoever sits in front, but for events: those are told in words of their own."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to show it."""
        return record.name != _EVENTS and bool(super().filter(record))


@contextmanager
def logbook(service: ServiceSettings | None = None, language: str = "en") -> Iterator[None]:
    """Keep the log that these settings ask for; without settings, warnings on stderr."""
    root = logging.getLogger()
    handlers: list[logging.Handler] = []
    texts = service is not None and service.log_texts
    if service is None or service.log_file != "stderr":
        screen = _Screen(sys.stderr)
        screen.setLevel(logging.WARNING)
        screen.setFormatter(_Lines(language, texts=texts))
        handlers.append(screen)
    level = logging.WARNING
    if service is not None:
        level = logging.getLevelNamesMapping()[service.log_level.upper()]
        file = Path(service.log_file) if service.log_file else service.data / "xlsms.log"
        kept: logging.Handler = (
            logging.StreamHandler(sys.stderr)
            if service.log_file == "stderr"
            else _File(file, maxBytes=_BYTES, backupCount=_OLDER, delay=True)
        )
        kept.setFormatter((_Json if service.log == "json" else _Lines)(language, texts=texts))
        handlers.append(kept)
    before = {name: logging.getLogger(name).level for name in _OURS}
    for name in _OURS:
        logging.getLogger(name).setLevel(level)
    others = [handler for handler in root.handlers if isinstance(handler, _Screen)]
    for other in others:
        root.removeHandler(other)
    for handler in handlers:
        root.addHandler(handler)
    try:
        yield
    finally:
        for handler in handlers:
            root.removeHandler(handler)
            handler.close()
        for other in others:
            root.addHandler(other)
        for name, old in before.items():
            logging.getLogger(name).setLevel(old)
