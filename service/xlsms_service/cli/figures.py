"""How states, numbers and plans look on the screen, and as figures for programs."""

from collections.abc import Mapping

from rich.table import Table
from rich.text import Text

from xlsms.errors import XlsmsError
from xlsms.states import LABELS, State
from xlsms_service.cli.ways import Ways
from xlsms_service.cli.words import language, shown, tr
from xlsms_service.planning import Plan, PlanEntry

__all__ = ["LINK_STYLES", "STYLES", "complaint", "label", "plan_figures", "plan_table", "state_line"]

STYLES: Mapping[State, str] = {
    State.SCHEDULED: "cyan",
    State.QUEUED: "cyan",
    State.HELD: "yellow",
    State.SENDING: "blue",
    State.SENT: "blue",
    State.DELIVERED: "green",
    State.FAILED: "red",
    State.EXPIRED: "red",
    State.UNCERTAIN: "yellow",
    State.CANCELLED: "dim",
}
LINK_STYLES: Mapping[str, str] = {"up": "green", "connecting": "yellow", "down": "red", "refused": "red"}
_CULPRITS = 3  #: how many of the characters that made a text dear are named


def label(state: State) -> str:
    """The state's name in the language that is spoken."""
    return LABELS[language()][state]


def state_line(by_state: Mapping[State, int]) -> Text:
    """The states that occur with their counts, in colour."""
    line = Text()
    for state in State:
        if by_state.get(state):
            line.append(f"{'  ' if line else ''}{label(state)} {by_state[state]}", style=STYLES[state])
    return line


def complaint(error: XlsmsError) -> dict[str, object]:
    """An error as figures."""
    return {
        "code": error.code,
        "message": error.message(language()),
        "remedy": error.advice(language()),
        "place": str(error.place) if error.place else None,
    }


def plan_table(plan: Plan, most: int, ways: Ways) -> Table:
    """The rows of a plan: all that cannot go, and the first `most` of those that can; with their ways and prices."""
    table = Table(box=None, pad_edge=False, header_style="bold", show_edge=False)
    table.add_column(tr("Row"), justify="right", style="dim")
    table.add_column(tr("Number"), no_wrap=True)
    table.add_column(tr("Text"), ratio=1)
    table.add_column("SMS", justify="right")
    if ways.known:
        table.add_column(tr("Route"))
    if ways.priced:
        table.add_column(tr("Cost"), justify="right")
    several = len({entry.row.sheet for entry in plan.entries}) > 1
    left = most
    for entry in plan.entries:
        if entry.goes:
            if left <= 0:
                continue
            left -= 1
        place = f"{entry.row.sheet}!{entry.row.number}" if several else str(entry.row.number)
        cells: list[str | Text] = [shown(place), _number(entry), _text(entry), _parts(entry)]
        if ways.known:
            cells.append(ways.text(entry))
        if ways.priced:
            cost = ways.cost(entry)
            cells.append("–" if cost is None else str(cost))
        table.add_row(*cells)
    return table


def _number(entry: PlanEntry) -> Text:
    if entry.number is None:
        return Text(shown(entry.row.phone if entry.row.phone is not None else "–"), style="red")
    number = Text(entry.number.e164)
    for notes, style in ((entry.number.mended, "dim"), (entry.number.doubts, "yellow")):
        for note in notes:
            number.append(f"\n{shown(note.words(language()))}", style=style)
    return number


def _text(entry: PlanEntry) -> Text:
    text = Text(shown(entry.text or entry.row.message or ""))
    if entry.parts and entry.parts.culprits:
        named = ", ".join(f"{shown(char)} ({index + 1})" for index, char in entry.parts.culprits[:_CULPRITS])
        more = "…" if len(entry.parts.culprits) > _CULPRITS else ""
        text.append("\n" + tr("70 characters per SMS because of {characters}", characters=named + more), style="yellow")
    for error, style in ((entry.problem, "red"), (entry.held, "yellow")):
        if error:
            text.append(f"\n{shown(error.line(language()))}", style=style)
    return text


def _parts(entry: PlanEntry) -> Text:
    if entry.parts is None:
        return Text("–", style="dim")
    count = len(entry.parts.parts)
    return Text(str(count), style="" if count == 1 else "yellow")


def plan_figures(plan: Plan, ways: Ways) -> dict[str, object]:
    """A plan as figures: every row with its way, the totals and the hash of what would go."""
    totals = plan.totals
    cost, unpriced = ways.total(plan.entries)
    costs = {"cost": str(cost), "unpriced": unpriced} if ways.priced else {"cost": None, "unpriced": totals.go}
    return {
        "rows": [{**_entry_figures(entry), **ways.figures(entry)} for entry in plan.entries],
        "totals": {**{name: getattr(totals, name) for name in totals.__slots__}, **costs},
        "hash": plan.hash,
    }


def _entry_figures(entry: PlanEntry) -> dict[str, object]:
    parts = entry.parts
    return {
        "sheet": entry.row.sheet,
        "row": entry.row.number,
        "number": entry.number.e164 if entry.number else None,
        "repairs": [note.words(language()) for note in entry.number.mended] if entry.number else [],
        "warnings": [note.words(language()) for note in entry.number.doubts] if entry.number else [],
        "text": entry.text,
        "alphabet": parts.alphabet if parts else None,
        "parts": len(parts.parts) if parts else None,
        "culprits": [{"index": index, "character": char} for index, char in parts.culprits] if parts else [],
        "sender": entry.sender,
        "send_at": entry.send_at.isoformat() if entry.send_at else None,
        "goes": entry.goes,
        "problem": complaint(entry.problem) if entry.problem else None,
        "held": complaint(entry.held) if entry.held else None,
    }
