"""What the commands say when all is well, in English and Spanish."""

import tomllib
from functools import cache
from importlib.resources import files

from xlsms.workbook.base import Language

__all__ = ["word", "words"]


@cache
def words() -> dict[str, dict[str, str]]:
    """Every text, by its name and language."""
    return tomllib.loads(files("xlsms.addin.commands").joinpath("words.toml").read_text("utf-8"))


def word(name: str, language: Language, **facts: object) -> str:
    """One text with its facts put in; of one thing it speaks as of one, where that sounds otherwise."""
    texts = words()[name]
    counted = next((fact for fact in facts.values() if isinstance(fact, int)), None)
    said = texts.get(_ONE[language]) if counted == 1 else None
    return (said or texts[language]).format(**facts)


_ONE: dict[Language, str] = {"en": "one", "es": "uno"}
