"""What every error code and detail says to a person, in English and Spanish.

One TOML file a room, one table a code: `en` and `es` each hold a message and a remedy.
Placeholders `{name}` are filled with the facts of the error.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

__all__ = ["LANGUAGES", "Wording", "codes", "detail", "wording"]

LANGUAGES = ("en", "es")


@dataclass(frozen=True, slots=True)
class Wording:
    """One code in one language: what is wrong, and what to do about it."""

    message: str
    remedy: str


class _Facts(dict[str, object]):
    """A fact that an error did not carry shows as an ellipsis: a wrong wording must never hide the error itself."""

    def __missing__(self, key: str) -> str:
        return "…"


@cache
def _catalogue() -> dict[str, dict[str, Wording]]:
    catalogue: dict[str, dict[str, Wording]] = {}
    for file in sorted(files(__name__).iterdir(), key=lambda file: file.name):
        if not file.name.endswith(".toml"):
            continue
        for code, texts in tomllib.loads(file.read_text("utf-8")).items():
            if code in catalogue:
                raise ValueError(f"the code {code} stands twice, the second time in {file.name}")
            catalogue[code] = {language: Wording(*texts[language]) for language in LANGUAGES}
    return catalogue


def codes() -> frozenset[str]:
    """Every code that has a wording."""
    return frozenset(_catalogue())


def wording(code: str, language: str = "en", facts: Mapping[str, object] | None = None) -> Wording:
    """The message and remedy of `code`; an unknown code is its own message, an unknown language is English."""
    texts = _catalogue().get(code)
    if texts is None:
        return Wording(code, "")
    chosen = texts.get(language, texts["en"])
    known = _Facts(facts or {})
    return Wording(chosen.message.format_map(known), chosen.remedy.format_map(known))


def detail(code: str, language: str = "en", facts: Mapping[str, object] | None = None) -> str:
    """What the detail cell of a row shows for `code`: message, remedy, and the code itself."""
    words = wording(code, language, facts)
    said = f"{words.message}: {words.remedy}" if words.remedy else words.message
    texts = _catalogue().get(code)
    if texts is None or texts.get(language, texts["en"]).message.startswith("{"):
        return f"{said} [{code}]"  # what it begins with is the user's own
    return f"{said[:1].upper()}{said[1:]} [{code}]"
