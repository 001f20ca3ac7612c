"""Writes docs/reference/receipts.md from the cases that the tests play: `python docs/generate_receipts.py`."""

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
CASES = ROOT / "tests" / "unit" / "delivery" / "receipt_cases.toml"
PAGE = ROOT / "docs" / "reference" / "receipts.md"

INTRO = """\
# Delivery reports

<!-- Written by docs/generate_receipts.py: change tests/unit/delivery/receipt_cases.toml, not this page. -->

What xlsms makes of a network's delivery reports, case by case: {count} of them, and each is played by the tests just as
it stands here, octets in, states out. **A report that may be about two messages settles neither.**

A, B and C are messages to one phone, +34600111222, unless told otherwise; X1 is an id that no answer has named. *Waits*
means that the report is kept for a week in case its message shows itself. The words of the network that are known, and
what becomes of answers, stand under [SMPP](smpp.md); what *uncertain* means under [delivery](delivery.md#uncertain).
"""

ANSWERS = {
    "lost": "the answer to {0} is lost",
    "refused": "{0} is refused",
    "returned": "{0} comes back",
    "": "{0} is taken without an id",
}
HANDS = {"delivered": "you say that {0} was delivered", "resend": "you have {0} sent again"}
SPANS = {"h": "an hour passes", "d": "{0} days pass"}
FORMS = {
    "payload": "in message_payload",
    "ucs2": "in UCS-2",
    "ucs2 unmarked": "in UCS-2, said to be something else",
}


def page() -> str:
    """The page, as the cases are now."""
    groups = tomllib.loads(CASES.read_text("utf-8"))["group"]
    parts = [INTRO.format(count=sum(len(group["case"]) for group in groups))]
    for group in groups:
        parts.append(f"## {group['title']}\n\n{group['words'].strip()}\n")
        lines = ["| case | what happens, in order | then |", "| --- | --- | --- |"]
        lines += [f"| {case['case']} | {_cell('; '.join(_steps(case)))} | {_then(case)} |" for case in group["case"]]
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _steps(case: Mapping[str, Any]) -> Iterator[str]:
    for key, value in case.get("settings", {}).items():
        yield f"`{key} = {str(value).lower() if isinstance(value, bool) else repr(value).replace(chr(39), chr(34))}`"
    if "steps" in case:
        for step in case["steps"]:
            yield _step(step)
    else:
        yield _answer("A", case["answer"])
        yield _report(case)


def _step(step: Mapping[str, Any]) -> str:
    verb = next(iter(step))
    told = {"go": _go, "report": _report, "answer": lambda step: _answer(step["answer"], step["id"])}.get(verb)
    if told is not None:
        return told(step)
    return {
        "late": "{late} is answered `{id}` after all",
        "crash": "the service dies and starts again",
        "look": "a minute passes",
        "pass": SPANS[step.get("pass", "h")[-1]].format(step.get("pass", "h")[:-1]),
        "hand": HANDS[step.get("as", "resend")].format(step.get("hand")),
    }[verb].format(**step)


def _go(step: Mapping[str, Any]) -> str:
    more = [f"in {step['parts']} parts"] if "parts" in step else []
    more += [f"to {step['to']}"] if "to" in step else []
    more += [f"saying {_code(step['text'])}"] if "text" in step else []
    return " ".join([f"{step['go']} goes", *more])


def _answer(letter: str, ids: str) -> str:
    words = ids.split() or [""]
    if len(words) == 1 and words[0] in ANSWERS:
        return ANSWERS[words[0]].format(letter)
    if len(words) == 1:
        return f"{letter} is answered {_code(ids)}"
    told = {"lost": "none (lost)", "refused": "refused", "returned": "comes back"}
    parts = [f"part {number} {told.get(word, _code(word))}" for number, word in enumerate(words, 1) if word != "-"]
    return f"the answers to {letter}: {', '.join(parts)}"


def _report(step: Mapping[str, Any]) -> str:
    tags = {"id": "receipted_message_id", "state": "message_state"}
    said = [_code(step["report"])] if step["report"] else []
    said += [f"{tags[name]} {_code(value) if value != '' else 'empty'}" for name, value in step.get("tags", {}).items()]
    if "from" in step:
        said.append(f"from {step['from']}" if step["from"] else "from no phone")
    if "to" in step:
        said.append(f"to {step['to']}")
    if "in" in step:
        said.append(FORMS[step["in"]])
    if "esm" in step:
        said.append(f"esm_class {step['esm']}")
    if "over" in step:
        said.append("over another connector")
    return f"report {', '.join(said)}"


def _code(value: object) -> str:
    return f"`{str(value).replace(chr(10), '⏎')}`"


def _then(case: Mapping[str, Any]) -> str:
    ends = case["then"] if isinstance(case["then"], dict) else {"A": case["then"]}
    states = [f"**{state}**" if len(ends) == 1 else f"{letter} **{state}**" for letter, state in ends.items()]
    if "why" in case:
        states[0] += f" (`{case['why']}`)"
    if case.get("waits"):
        states.append("the report waits")
    if case.get("texts"):
        states.append("shown as a text")
    return "; ".join(states)


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), "utf-8")
    print(PAGE)


if __name__ == "__main__":
    main()
