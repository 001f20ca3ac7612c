"""The file where Python leaves word for the tick of a workbook in Excel: another word than before is news."""

import secrets
from pathlib import Path

__all__ = ["ask_again", "leave_word"]


def leave_word(news: Path, word: str) -> None:
    """Change the file at once, so that nobody reads half of it."""
    draft = news.with_suffix(".draft")
    draft.write_text(f"{word}\n", "ascii")
    draft.replace(news)


def ask_again(news: Path | None) -> None:
    """What is new could not be written now: let the tick come back to it."""
    if news is not None:
        leave_word(news, f"again-{secrets.token_hex(4)}")
