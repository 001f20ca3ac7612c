"""A file in which users say who has which phone, for rehearsals: TOML, described in the reference of the simulators."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from xlsms.errors import Place, UserError
from xlsms_service.simulators.phones import BEHAVIOURS, SHARES, Behaviour, Pace, Population

__all__ = ["parse_script", "read_script"]

_TOP = ("seed", "pace", "shares", "phone")
_PHONE = ("number", "behaviour", "reply", "after", "receipt_after", "state", "error")
_PACE = tuple(field.name for field in fields(Pace))
_STATES = ("DELIVRD", "UNDELIV", "EXPIRED", "DELETED", "REJECTD", "UNKNOWN", "ACCEPTD", "ENROUTE")
_LONGEST_REPLY = 2000  # characters; no phone sends more
_AT_LINE = re.compile(r" \(at line (\d+), column \d+\)")


def read_script(path: Path, *, pace: Pace | None = None, seed: int | None = None) -> Population:
    """The phones that the file describes; `pace` and `seed` are used where it says nothing.

    Raises `UserError` with the file, and the line where there is one.
    """
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "UTF-8"
        raise UserError("phones-unreadable", place=Place(file=str(path)), reason=reason) from None
    try:
        return parse_script(text, pace=pace, seed=seed)
    except UserError as error:
        line = error.place.line if error.place else None
        raise UserError(error.code, place=Place(file=str(path), line=line), **error.facts) from None


def parse_script(text: str, *, pace: Pace | None = None, seed: int | None = None) -> Population:
    """The same, from the text of the file."""
    try:
        script = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = _AT_LINE.search(str(error))
        place = Place(line=int(found[1])) if found else None
        raise UserError("phones-broken", place=place, reason=_AT_LINE.sub("", str(error))) from None
    _only(script, _TOP, "the file")
    own_seed = script.get("seed")
    if own_seed is not None and not _whole(own_seed, low=0):
        raise _wrong("seed", "seed = 7")
    if seed is None:
        seed = own_seed or 0
    return Population(_listed(script), shares=_shares(script), pace=_pace(script, pace or Pace()), seed=seed)


def _wrong(key: str, example: str) -> UserError:
    return UserError("phones-wrong-value", key=key, example=example)


def _whole(value: Any, *, low: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= low


def _only(table: Mapping[str, Any], known: tuple[str, ...], where: str) -> None:
    for key in table:
        if key not in known:
            raise UserError("phones-unknown-key", key=key, where=where, known=", ".join(known))


def _seconds(table: Mapping[str, Any], key: str, default: float | None = None) -> float | None:
    value = table.get(key, default)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 10**9:
        raise _wrong(key, f"{key} = 2.5")
    return float(value)


def _table(script: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    table = script.get(name, {})
    if not isinstance(table, dict):
        raise _wrong(name, f"[{name}]")
    return table


def _pace(script: Mapping[str, Any], pace: Pace) -> Pace:
    table = _table(script, "pace")
    _only(table, _PACE, "[pace]")
    changes = {key: seconds for key in table if (seconds := _seconds(table, key)) is not None}
    if changes.get("jitter", 0) > 1:
        raise _wrong("jitter", "jitter = 0.5")
    return replace(pace, **changes)


def _shares(script: Mapping[str, Any]) -> Mapping[str, int]:
    table = _table(script, "shares")
    _only(table, tuple(BEHAVIOURS), "[shares]")
    for name, share in table.items():
        if not _whole(share, low=0):
            raise _wrong(name, f"{name} = 5")
    if sum(table.values()) > 100:  # noqa: PLR2004 per cent
        raise UserError("phones-shares-too-large", total=sum(table.values()))
    return table if "shares" in script else SHARES


def _listed(script: Mapping[str, Any]) -> dict[str, Behaviour]:
    phones = script.get("phone", [])
    if not isinstance(phones, list) or not all(isinstance(phone, dict) for phone in phones):
        raise _wrong("phone", "[[phone]]")
    listed: dict[str, Behaviour] = {}
    for place, phone in enumerate(phones, 1):
        _only(phone, _PHONE, f"[[phone]] {place}")
        number = phone.get("number")
        if not isinstance(number, str) or not any(map(str.isdecimal, number)):
            raise UserError("phones-number-missing", place_in_file=place)
        digits = "".join(filter(str.isdecimal, number))
        if digits in listed:
            raise UserError("phones-number-twice", number=number)
        listed[digits] = _behaviour(phone)
    return listed


def _behaviour(phone: Mapping[str, Any]) -> Behaviour:
    name = phone.get("behaviour", "answers" if "reply" in phone else "delivers")
    if not isinstance(name, str) or name not in BEHAVIOURS:
        raise UserError("phones-unknown-behaviour", name=name, known=", ".join(BEHAVIOURS))
    behaviour = BEHAVIOURS[name]
    reply = phone.get("reply")
    if reply is not None:
        texts = reply if isinstance(reply, list) else [reply]
        if not all(isinstance(text, str) and len(text) <= _LONGEST_REPLY for text in texts):
            raise _wrong("reply", 'reply = "SI"')
        behaviour = replace(behaviour, replies=tuple(texts), again=isinstance(reply, str))
    state = phone.get("state", behaviour.stat)
    if state not in ("", *_STATES):
        raise _wrong("state", 'state = "UNDELIV"')
    error = phone.get("error", behaviour.error)
    if not isinstance(error, str) or not re.fullmatch("[0-9]{3}", error):
        raise _wrong("error", 'error = "001"')
    return replace(
        behaviour,
        stat=state,
        error=error,
        reply_after=_seconds(phone, "after"),
        receipt_after=_seconds(phone, "receipt_after"),
    )
