"""What the commands say: English stands in the code, every other language in a TOML file beside this one."""

import tomllib
from collections.abc import Mapping
from contextvars import ContextVar
from functools import cache
from importlib.resources import files

from xlsms.text.visible import visible

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
    """Foreign text as a terminal may show it, in one line: what is hidden in it becomes visible.

    Otherwise a cell could move the cursor, colour the screen or hide what it says.
    """
    return visible(str(text)).translate(_ENDS)


#: Tabs and line ends, which would break the line of a table.
_ENDS = str.maketrans(dict.fromkeys("\t\n\r", "␣"))
