"""Writes the reference pages that are made from the code: `python docs/generate.py`.

columns.md from the headers that are known, commands.md from the help of every command, errors.md and errores.md from
the wording, metrics.md from the table of metrics, states.md from the states. A test compares the pages with what this
writes.
"""

import tomllib
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import typer

import xlsms.wording
import xlsms.workbook
from xlsms.addin import ribbon as tab
from xlsms.addin.verb import Need, Verb, needs
from xlsms.model import Role
from xlsms.states import FINAL, LABELS, MOVES, State
from xlsms_service.cli.entry import app, walk
from xlsms_service.measuring import METRICS, Kind

FOLDER = Path(__file__).parent / "reference"
MADE = "<!-- Written by docs/generate.py: change the code, not this page. -->\n"

ENDINGS = """\
| exit code | meaning |
| ---: | --- |
| 0 | done |
| 1 | some rows could not go, or a file is busy |
| 2 | wrong use: words, settings or a file that cannot be used |
| 3 | a network, or the service, could not be reached or would not have us |
| 130 | interrupted with Ctrl+C; what was accepted goes on with `xlsms run` or the next `xlsms send` |
"""

MEANINGS = {
    State.SCHEDULED: "accepted; waits for its send time",
    State.QUEUED: "accepted; waits for its turn on a link",
    State.HELD: "cannot or must not go until someone decides; Detail says why",
    State.SENDING: "handed to a link; it may leave at any moment",
    State.SENT: "the network has it; the phone may not yet",
    State.DELIVERED: "the phone has it",
    State.FAILED: "refused for good by the network or the phone; Detail says why",
    State.EXPIRED: "it could not [go](delivery.md), or not reach the phone, in time; Detail says which",
    State.UNCERTAIN: "it may have left; it is never repeated [unless you ask for it](delivery.md#uncertain)",
    State.CANCELLED: "taken back before it left",
}

ROLES = {
    "phone": "where it goes; a sheet takes part when it has this column",
    "message": "the text, with `{Column}` fields",
    "send": "the mark",
    "send at": "when it goes; empty is now. A time without a date is today's. A time that has passed is held",
    "sender": "sender of this row, when it is not the usual one",
    "status": "the [state](states.md)",
    "detail": "why it is in that state, with the code",
    "status time": "since when",
    "reply": "what came back; each further text on a line of its own",
    "reply time": "when the last one came",
    "parts": "how many SMS its text took, written when the row is accepted; no column is added for it",
    "cost": "recognised; nothing is written there yet",
    "message id": "how the row is [found again](../why/ids-in-a-column.md)",
}

COLUMNS = """\
A sheet takes part when one of its first 20 rows, or the header of a table, holds a **phone** column. Columns are known
by their header, whatever its case, accents and spaces. Two headers for one column are refused. All other columns are
yours, and their cells can stand in the text.

**Marks.** A row goes when its send cell holds {marks}. The mark is taken out when the row has been accepted;
put it there again and the row goes again. Without a send column nothing goes, unless you ask for all rows. Hidden and
filtered rows stay unless a setting says otherwise.

**Fields.** `{{Name}}` is what you see in the cell under *Name*. `{{Date:dd/MM}}`, `{{Amount:0.00}}` give it another
format. `[[ at {{Time}}]]` is left out when the cell is empty; outside such brackets an empty or missing field stops the
row. `{{{{` is a brace.

**What xlsms writes.** Only cells in its own columns, and the mark that it takes out. The others stay byte for byte as
they are, and so does the rest of the file. Text from outside is written as text, never as a formula. Where columns are
missing, `xlsms init FILE` adds them on the right and lets a table or a filter take them in. If a sheet that was never
sent from has something of yours under *Status*, *Detail*, *Reply* or *Parts*, nothing goes from it until you give that
column another header.
"""

MARKS = ("x", "✓", "yes", "sí", "1", "TRUE", "send", "enviar")

METRICS_INTRO = """\
What a running `xlsms run` tells [Prometheus](../howto/watch-with-prometheus.md) at the address in
[`metrics`](settings.md#service). Labels hold names from your settings, our own states and codes: never a number, a
text, the name of a workbook or anything that a network wrote. Counters and times begin anew with each start. Beside
these stands what the process takes of the computer (`process_resident_memory_bytes`, `process_cpu_seconds_total`, …)
and `xlsms_info` with the version.

Counting messages by state takes a twentieth of one processor's time at most: in a ledger of millions the numbers may be
some seconds old. Measuring takes less than 1 % of a send (`python -m tests.benchmarks.measuring`).
"""

METRICS_TITLES = {Kind.COUNTER: "Counters", Kind.GAUGE: "How it is now", Kind.HISTOGRAM: "How long it took"}

ERRORS = {
    "en": (
        "Errors",
        "code",
        "what it says",
        "what to do",
        "What the sheet and the commands say when something is wrong",
    ),
    "es": ("Errores", "código", "qué dice", "qué hacer", "Lo que dicen la hoja y las órdenes cuando algo va mal"),
}


def commands() -> str:
    """Every command: what it does, its arguments and options, an example."""
    parts = [MADE, "# Commands\n", f"Every command ends with one of these codes.\n\n{ENDINGS}"]
    parts.append(
        "`--config FILE` may stand anywhere. Figures for programs come with `--json`. Errors are one line on stderr:"
        " where, what, what to do, and the code in brackets; with `--json` stdout has the same as"
        ' `{"error": {"code": …, "message": …, "remedy": …, "place": …}}`.\n'
    )
    for path, command in walk(typer.main.get_command(app)):
        parts.append(f"## {' '.join(path)}\n")
        parts.append(f"{_escaped(command.help)}\n")
        if rows := list(_parameters(command)):
            parts.append("\n".join(["| | | |", "| --- | --- | --- |", *rows]) + "\n")
        if command.epilog:
            parts.append(f"```\n{command.epilog}\n```\n")
    return "\n".join(parts)


def _parameters(command: Any) -> Iterator[str]:
    for parameter in command.params:
        if not getattr(parameter, "help", None):
            continue
        option = parameter.opts[0].startswith("-")
        name = parameter.opts[0] if option else parameter.metavar or parameter.name
        value = f" {parameter.metavar or 'VALUE'}" if option and not parameter.is_flag else ""
        default = parameter.default
        shown = "" if default in (None, False, "") or callable(default) else f"`{default}`"
        yield f"| `{name}{value}` | {_escaped(parameter.help)} | {shown} |"


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("[[", "`[[").replace("]]", "]]`")


def errors(language: str) -> str:
    """Every code in one language, by the part of the program that it comes from."""
    title, code, says, remedy, intro = ERRORS[language]
    parts = [MADE, f"# {title}\n", f"{intro}.\n"]
    for file in sorted(files(xlsms.wording).iterdir(), key=lambda file: file.name):
        if not file.name.endswith(".toml"):
            continue
        parts.append(f"## {file.name.removesuffix('.toml')}\n")
        lines = [f"| {code} | {says} | {remedy} |", "| --- | --- | --- |"]
        for name, texts in tomllib.loads(file.read_text("utf-8")).items():
            said, advice = (_placeholders(text) for text in texts[language])
            lines.append(f"| `{name}` | {said} | {advice} |")
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


def _placeholders(text: str) -> str:
    """`{facts}` in italics, doubled braces as they are shown."""
    marked = text.replace("{{", "\0").replace("}}", "\1").replace("{", "*").replace("}", "*")
    return _escaped(marked.replace("\0", "{").replace("\1", "}"))


def columns() -> str:
    """Every column that xlsms knows, by its headers."""
    headers = tomllib.loads((files(xlsms.workbook) / "roles.toml").read_text("utf-8"))
    lines = ["| column | headers in English | headers in Spanish | what it holds |", "| --- | --- | --- | --- |"]
    for role in Role:
        names = " | ".join(", ".join(headers[role][language]) for language in ("en", "es"))
        lines.append(f"| {role} | {names} | {ROLES[role]} |")
    known = ", ".join(f"`{mark}`" for mark in MARKS)
    return "\n".join([MADE, "# Columns\n", COLUMNS.format(marks=known), "\n".join(lines) + "\n"])


def states() -> str:
    """Every state: its names, what it means, what may follow."""
    lines = ["| in English | in Spanish | for programs | meaning | may become |", "| --- | --- | --- | --- | --- |"]
    for state in State:
        follow = ", ".join(f"`{other}`" for other in State if other in MOVES[state]) or "–"
        names = " | ".join(LABELS[language][state] for language in ("en", "es"))
        lines.append(f"| {names} | `{state}` | {MEANINGS[state]} | {follow} |")
    final = ", ".join(f"`{state}`" for state in State if state in FINAL)
    intro = "What the status column shows, in the language of the sheet's headers. Detail says why, with a stable code."
    closing = (
        f"Final: {final}. A receipt may still turn *failed* or *expired* into *delivered*, for some networks report too"
        " early; nothing replaces *delivered*. A long message is only as well off as its worst part.\n"
    )
    return "\n".join([MADE, "# States\n", f"{intro}\n", "\n".join(lines) + "\n", closing])


def metrics() -> str:
    """Every metric, by its kind."""
    parts = [MADE, "# Metrics\n", METRICS_INTRO]
    for kind, title in METRICS_TITLES.items():
        lines = ["| metric | labels | what it says |", "| --- | --- | --- |"]
        lines += [
            f"| `{each.name}` | {', '.join(f'`{label}`' for label in each.labels)} | {each.says} |"
            for each in METRICS
            if each.kind is kind
        ]
        parts.append(f"## {title}\n\n" + "\n".join(lines) + "\n")
    return "\n".join(parts)


NEEDS = {
    Need.NOTHING: "always",
    Need.BOOK: "with a workbook",
    Need.ROWS: "with selected cells",
    Need.AWAY: "unless the service runs",
}

RIBBON = """\
The add-in's tab is called **SMS**, in English and Spanish by the language of Excel's menus. Alt, S, M and the key in
the table press a button from the keyboard. A button is grey when what it needs is not there.
"""

QUIET = """\
## What the add-in asks for by itself

Each button starts `python -I -m xlsms.addin VERB`. Two more verbs have no button: `{update}` writes news into the
workbook without a word, when the tick has seen that there is some; `{listen}` waits for news for all open workbooks.
[How the tick works](../decisions/0164-the-tick-reads-a-small-file.md).
"""


def ribbon() -> str:
    """The tab SMS: every group and button."""
    said = {text.key: text for text in tab.texts()}
    parts = [MADE, "# The tab SMS\n", RIBBON]
    group = ""
    for button in tab.buttons():
        if button.group != group:
            group = button.group
            head = said[f"group-{group}.label"]
            parts.append(f"\n## {head.en}{'' if head.en == head.es else f' / {head.es}'}\n")
            parts.append(
                "| button | in Spanish | key | when | what it does | verb |\n| --- | --- | --- | --- | --- | --- |"
            )
        label, tip = said[f"{button.verb}.label"], said[f"{button.verb}.tip"]
        cells = (f"**{label.en}**", label.es, button.keytip, NEEDS[needs(button.verb)], tip.en, f"`{button.verb}`")
        parts.append(f"| {' | '.join(cells)} |")
    parts.append("\n" + QUIET.format(update=Verb.UPDATE, listen=Verb.LISTEN))
    return "\n".join(parts)


def pages() -> dict[str, str]:
    """File name -> content."""
    return {
        "columns.md": columns(),
        "commands.md": commands(),
        "errors.md": errors("en"),
        "errores.md": errors("es"),
        "metrics.md": metrics(),
        "ribbon.md": ribbon(),
        "states.md": states(),
    }


def main() -> None:
    """Write every page."""
    for name, content in pages().items():
        (FOLDER / name).write_text(content, "utf-8")
        print(FOLDER / name)


if __name__ == "__main__":
    main()
