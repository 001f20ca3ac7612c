"""Turns the table of a `[[connector]]` into a connector's own settings, and names the key that is wrong.

A connector's settings are a frozen dataclass: the field's name is the key, its type says what may stand there, and
the `Setting` that annotates it holds the words that the docs show.
"""

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from types import NoneType
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from xlsms.errors import Place, UserError
from xlsms_service.config.secret import Secret

__all__ = ["PlaceOf", "Setting", "documented", "read_settings"]

PlaceOf = Callable[[str | None], Place | None]  #: where a key stands in the file; None asks for the table itself

_S = TypeVar("_S")


@dataclasses.dataclass(frozen=True, slots=True)
class Setting:
    """What a setting does, in words for the docs; a whole number is from `low` to `high`."""

    words: str
    low: int = 0
    high: int = 0


def documented(kind: type) -> dict[str, tuple[Any, Setting]]:
    """The type and the words of each setting of a connector, in order."""
    hints = get_type_hints(kind, include_extras=True)
    found: dict[str, tuple[Any, Setting]] = {}
    for name, hint in hints.items():
        inner, words = get_args(hint) if get_origin(hint) is Annotated else (hint, Setting(""))
        options = [option for option in get_args(inner) if option is not NoneType]
        found[name] = (options[0] if NoneType in get_args(inner) else inner, words)
    return found


def read_settings(kind: type[_S], options: Mapping[str, object], place_of: PlaceOf) -> _S:
    """The settings that a table holds.

    Raises `UserError` with the key's place: `config-unknown-key`, `config-missing-key`, `config-expects-…`.
    """
    known = documented(kind)
    for key in options:
        if key not in known:
            names = ", ".join(sorted(known))
            raise UserError("config-unknown-key", place=place_of(key), key=key, table="connector", known=names)
    for field in dataclasses.fields(kind):  # type: ignore[arg-type]  # settings are dataclasses
        if field.name not in options and field.default is field.default_factory is dataclasses.MISSING:
            raise UserError("config-missing-key", place=place_of(None), key=field.name, table="connector")
    return kind(**{key: _value(key, value, known[key], place_of(key)) for key, value in options.items()})


def _value(key: str, value: object, wanted: tuple[Any, Setting], place: Place | None) -> object:
    """`value` as the field wants it, or the error that says what it wants."""
    kind, limits = wanted
    if get_origin(kind) is Literal:
        known = get_args(kind)
        return _checked(value, value in known, "config-expects-choice", place, key=key, known=", ".join(known))
    if kind is Secret:
        return Secret.read(value, place)
    if kind is bool:
        return _checked(value, isinstance(value, bool), "config-expects-flag", place, key=key)
    if kind is int:
        low, high = limits.low, limits.high
        fits = isinstance(value, int) and not isinstance(value, bool) and low <= value <= high
        return _checked(value, fits, "config-expects-number", place, key=key, low=low, high=high)
    if not isinstance(value, str) or not value.strip():
        raise UserError("config-expects-text", place=place, key=key)
    if kind is Path:
        folder = Path(place.file).parent if place is not None and place.file else Path()
        return folder / Path(value).expanduser()
    return value


def _checked(value: object, fits: bool, code: str, place: Place | None, **facts: object) -> object:  # noqa: FBT001 - inner
    if not fits:
        raise UserError(code, place=place, **facts)
    return value
