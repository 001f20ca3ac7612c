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
    """One text with its facts put in."""
    return words()[name][language].format(**facts)
