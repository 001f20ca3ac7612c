"""Writes the tables of reference/smpp.md from the code.

    python docs/generate_smpp.py

Each table stands between `<!-- name -->` and `<!-- end -->`; everything else is left alone.
"""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from xlsms.model import PartKey, Result
from xlsms.wording import wording
from xlsms_service.config.secret import Secret
from xlsms_service.connectors.setting import Setting, documented
from xlsms_service.connectors.smpp import SmppSettings
from xlsms_service.connectors.smpp.answer import outcome_of
from xlsms_service.protocols.smpp.constants import Command, status_name
from xlsms_service.protocols.smpp.pdu import SubmitSmResp
from xlsms_service.protocols.smpp.state import MOVES, REQUESTS, Role

PAGE = Path(__file__).parent / "reference" / "smpp.md"


def settings_table() -> str:
    """One line a setting."""
    example = SmppSettings(host="smsc.example")
    lines = ["| setting | value | default | what it does |", "| --- | --- | --- | --- |"]
    for name, (kind, setting) in documented(SmppSettings).items():
        default = "needed" if name == "host" else _default(getattr(example, name))
        lines.append(f"| `{name}` | {_kind(kind, setting)} | {default} | {setting.words} |")
    return "\n".join(lines)


def _kind(kind: Any, setting: Setting) -> str:
    if get_origin(kind) is Literal:
        return ", ".join(f"`{word}`" for word in get_args(kind))
    if kind is int:
        return f"{setting.low}–{setting.high}"
    return {bool: "`true`, `false`", Secret: "secret"}.get(kind, "text")


def _default(value: object) -> str:
    match value:
        case bool():
            return f"`{str(value).lower()}`"
        case None | Secret() | "":
            return "–"
    return f"`{value}`"


def states_table() -> str:
    """One line a state: what each side may ask in it, and what follows."""
    lines = ["| state | we may ask | the operator may ask | what follows |", "| --- | --- | --- | --- |"]
    for state, moves in MOVES.items():
        ours, theirs = (_commands(REQUESTS[role][state]) for role in (Role.ESME, Role.SMSC))
        follows = "; ".join(f"{step}: {target}" for step, target in moves.items()) or "–"
        lines.append(f"| {state} | {ours} | {theirs} | {follows} |")
    return "\n".join(lines)


def _commands(commands: frozenset[int]) -> str:
    return ", ".join(Command(command).name.lower() for command in sorted(commands)) or "–"


def answers_table() -> str:
    """One line an answer that is not plainly a refusal."""
    lines = ["| answer | outcome | code | message |", "| --- | --- | --- | --- |"]
    for status in range(0x100):
        answer = SubmitSmResp(sequence=1, status=status, message_id="1")
        outcome = outcome_of(PartKey(1, 1), answer, datetime.now(UTC), "auto")
        if outcome.code == "smsc-refused":
            continue
        words = wording(outcome.code, "en", outcome.facts).message if outcome.code else ""
        again = f" after {outcome.retry_after.seconds} s" if outcome.retry_after else ""
        code = f"`{outcome.code}`" if outcome.code else "–"
        lines.append(f"| {status_name(status)} (0x{status:02X}) | {outcome.result}{again} | {code} | {words} |")
    lines.append(f"| any other | {Result.REFUSED} | `smsc-refused` | {wording('smsc-refused').message} |")
    return "\n".join(lines)


TABLES = {"settings": settings_table, "states": states_table, "answers": answers_table}


def generated(page: str) -> str:
    """The page with its tables as the code has them now."""
    for name, table in TABLES.items():
        block = f"<!-- {name} -->\n{table()}\n<!-- end -->"
        page, found = re.subn(rf"<!-- {name} -->.*?<!-- end -->", lambda _, block=block: block, page, flags=re.DOTALL)
        if found != 1:
            raise ValueError(f"the page has {found} places for the table {name}")
    return page


if __name__ == "__main__":
    PAGE.write_text(generated(PAGE.read_text("utf-8")), "utf-8")
    print(f"{PAGE} is up to date")
