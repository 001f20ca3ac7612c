"""How something is logged: a stable code and its facts, said in words by whoever writes the log down.

Facts are names, counts and places. The number or the text of a message is never one; an error that a log record carries
is told by its kind and code alone, for what it says may hold either.
"""

import logging

from xlsms.wording import wording

__all__ = ["note"]


def note(log: logging.Logger, level: int, code: str, error: BaseException | None = None, **facts: object) -> None:
    """Log `code`, whose words stand in `wording/log.toml`; `error` is what has caused it."""
    if log.isEnabledFor(level):
        said = wording(code, "en", facts).message
        log.log(level, "%s", said, extra={"code": code, "facts": facts, "error": error}, stacklevel=2)
