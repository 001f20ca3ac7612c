"""What the commands say: English stands in the code, every other language in a TOML file beside this one."""

import tomllib
import unicodedata
from collections.abc import Mapping
from contextvars import ContextVar
from functools import cache
from importlib.resources import files

__all__ = ["catalogue", "language", "shown", "speak", "tr"]

_LANGUAGE: ContextVar[str] = ContextVar("language", default="en")


def speak(language: str) -> None:
    """Say everything in this language from now on."""
    _LANGUAGE.set(language)


def language() -> str:
    """The language that is spoken."""
    return _LANGUAGE.get()


@cache
def catalogue(language: str) -> Mapping[str, str]:
    """English text -> its translation; empty for English."""
    if language == "en":
        return {}
    file = files(__package__) / f"{language}.toml"
    texts: Mapping[str, str] = tomllib.loads(file.read_text("utf-8"))
    return texts


def tr(text: str, **facts: object) -> str:
    """`text` in the language that is spoken, with its `{facts}` filled in; English where it has no translation."""
    said = catalogue(language()).get(text, text)
    return said.format(**facts) if facts else said


def shown(text: object) -> str:
    """Foreign text as a terminal may show it: a control or direction character becomes a visible mark.

    Otherwise a cell could move the cursor, colour the screen or hide what it says.
    """
    return "".join(
        "␣" if unicodedata.category(char) in ("Cc", "Zl", "Zp") or char in _TURNS else char for char in str(text)
    )


#: Characters that turn the direction of what follows (Unicode Annex 9).
_TURNS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
