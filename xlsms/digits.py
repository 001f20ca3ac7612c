"""What a cell holds, down to the digits of one phone number: what people wrap around it, and what Excel makes of it."""

import math
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, time, timedelta

from xlsms.errors import UserError
from xlsms.wording import wording

__all__ = ["LONGEST", "ROUND", "Digits", "Note", "digits_of"]

LONGEST = 15  #: digits, by E.164; also what Excel keeps of a number
ROUND = 6  #: significant digits that a rounded 3.46E+10 keeps at most
_NATIONAL = 9  #: digits from which a round number looks rounded

_CLEAN = re.compile(r"\+[1-9][0-9]{6,14}")
_BARE = re.compile(r"[0-9]{1,20}")
_CELL_ERROR = re.compile(r"#(?:#*|[¡¿]?[A-Za-z].*)", re.DOTALL)
_LABEL = re.compile(
    r"(?:tel(?:[eé]f(?:ono)?|ephone)?|tlf|tfno|phone|mobile|m[oó]vil|cel(?:ular|l)?|whatsapp|sms|callto)[\s.:]*(?=[+(\d])",
    re.IGNORECASE,
)
_SCIENTIFIC = re.compile(r"\+?([1-9])(?:[.,](\d*))?[eE]\+?(\d{1,3})")
_TAIL = re.compile(r"(\+?\d{7,})[.,]0+")
_DATE = re.compile(r"(?:(\d{1,2})[/.-](\d{1,2})[/.-](?:19|20)\d\d|(?:19|20)\d\d-(\d{1,2})-(\d{1,2}))(?:[ T]\S*)?")
_EXTENSION = re.compile(
    r"(?<=\d)[\s;,.]*(?:(?:ext(?:ensi[oó]n)?|int(?:erno)?|anexo|ramal)\b[\s.:=]*|x\s*|#\s*)\d{1,7}", re.IGNORECASE
)
_OR = re.compile(r"(?<=\d)\s+(?:or|and|ou|oder|und|[oyeu])\s+(?=[+(\d])", re.IGNORECASE)
_FOREIGN = re.compile(r"[^\d\s+()\[\]{}./,;|'\"_·•・&-]", re.ASCII)
_BETWEEN = re.compile(r"[/;|,\n&]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """One thing mended or doubted: a code of `xlsms.wording` and its facts."""

    code: str
    facts: Mapping[str, object] = field(default_factory=dict)

    def words(self, language: str = "en") -> str:
        """What was mended or is doubted, in one line."""
        said = wording(self.code, language, self.facts)
        return f"{said.message}: {said.remedy}" if said.remedy else said.message


@dataclass(slots=True)
class Digits:
    """What a cell held, down to its digits."""

    shown: str  #: as errors name it
    digits: str = ""
    plus: bool = False
    bare: bool = False  #: nothing stood between the digits
    pieces: list[str] = field(default_factory=list)  #: where something like a slash parted them
    mended: list[Note] = field(default_factory=list)
    doubts: list[Note] = field(default_factory=list)

    def mend(self, code: str, **facts: object) -> None:
        """Something was mended."""
        self.mended.append(Note(code=code, facts=facts))

    def doubt(self, code: str, **facts: object) -> None:
        """Somebody should look at it."""
        self.doubts.append(Note(code=code, facts=facts))

    def problem(self, code: str, **facts: str) -> UserError:
        """What is wrong with it."""
        return UserError(code, place=None, number=self.shown, **facts)


def digits_of(value: object) -> Digits:
    """The digits of the number in a cell.

    Raises UserError with a code that begins with `number-` for what holds none, or more than one, or lost some.
    """
    if isinstance(value, str):
        found = _from_text(value)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        found = _from_figure(value)
    else:
        raise _no_number(value)
    if not found.digits:
        raise UserError("number-empty")
    return found


def _no_number(value: object) -> UserError:
    if value is None:
        return UserError("number-empty")
    if isinstance(value, date | time | timedelta):
        return UserError("number-date", number=str(value))
    return UserError("number-not-one", number=str(value)[:40])


def _from_figure(value: float) -> Digits:
    if isinstance(value, float) and not math.isfinite(value):
        raise UserError("number-empty") if math.isnan(value) else UserError("number-not-one", number=str(value))
    if abs(value) >= 10**LONGEST:
        raise UserError("number-digits-lost")
    if value < 0:
        raise UserError("number-negative", number=str(value))
    if value != int(value):
        raise UserError("number-fraction", number=str(value))
    digits = str(int(value))
    found = Digits(shown=digits, digits=digits, bare=True)
    if len(digits) >= _NATIONAL and len(digits.rstrip("0")) <= ROUND:
        found.doubt("number-round", number=digits)
    return found


def _from_text(value: str) -> Digits:
    if _CLEAN.fullmatch(value):
        return Digits(shown=value, digits=value[1:], plus=True)
    if _BARE.fullmatch(value):
        return Digits(shown=value, digits=value, bare=True)
    found = Digits(shown=" ".join(value.split())[:40])
    if len(value) > 200:  # noqa: PLR2004 - a novel, not a number
        raise found.problem("number-too-long")
    text = _unwrap(_ascii(value, found).strip(), found)
    if not text:
        raise UserError("number-empty")
    _refuse(text, found)
    scientific = _SCIENTIFIC.fullmatch(text)
    if scientific:
        text = _spell_out(scientific, found)
    tail = _TAIL.fullmatch(text)
    if tail:
        text = tail[1]
        found.mend("number-decimals-removed")
    _count_numbers(text, found)
    found.digits = re.sub(r"\D", "", text)
    found.plus = "+" in text
    found.bare = text == found.digits
    if not found.bare and text != f"+{found.digits}":
        found.mend("number-signs-removed")
    return found


def _ascii(text: str, found: Digits) -> str:
    """Digits of every script as 0-9, spaces and dashes as the plain ones, without what cannot be seen."""
    if text.isascii():
        return text
    kept = []
    hidden = written = False
    for char in text:
        kind = unicodedata.category(char)
        if kind in {"Cf", "Mn"}:
            hidden = True
        elif kind == "Nd":
            written = written or not char.isascii()
            kept.append(str(unicodedata.decimal(char)))
        elif kind[0] == "Z":
            kept.append(" " if kind == "Zs" else "\n")
        elif kind == "Pd" or char == "\u2212":  # the minus sign
            kept.append("-")
        elif kind in {"Pi", "Pf"} or char in "‚„´":
            kept.append("'")
        else:
            kept.append(char if kind == "No" else unicodedata.normalize("NFKC", char))
    if hidden:
        found.mend("number-hidden-removed")
    if written:
        found.mend("number-digits-rewritten")
    return "".join(kept)


def _unwrap(text: str, found: Digits) -> str:
    """Without what is wrapped around a number: ="…", quotes, the apostrophe that makes a cell text, `tel:`."""
    bare = re.sub(r"^=(?=\s*[\"'+\d])", "", text).strip("'\"`´ \t\r\n")
    if bare != text:
        found.mend("number-quotes-removed")
    label = _LABEL.match(bare)
    if label:
        found.mend("number-label-removed", label=label[0].strip())
        bare = bare[label.end() :]
    return bare


def _refuse(text: str, found: Digits) -> None:
    if _CELL_ERROR.fullmatch(text):
        raise found.problem("number-cell-error")
    day = _DATE.fullmatch(text)
    if day and _is_day(*(int(part) for part in day.groups() if part)):
        raise found.problem("number-date")
    if re.fullmatch(r"-\s*[\d.,]+", text):
        raise found.problem("number-negative")
    if _EXTENSION.search(text):
        raise found.problem("number-extension")
    if not _SCIENTIFIC.fullmatch(text):
        foreign = _FOREIGN.search(_OR.sub("|", text))
        if foreign:
            raise found.problem("number-character", found=foreign[0])


def _is_day(first: int, second: int) -> bool:
    return 1 <= min(first, second) <= 12 and max(first, second) <= 31  # noqa: PLR2004 - months and days


def _spell_out(scientific: re.Match[str], found: Digits) -> str:
    """3.4600111222E+10 with all its digits; with fewer, what Excel rounded away cannot be known."""
    digits = scientific[1] + (scientific[2] or "")
    length = int(scientific[3]) + 1
    if len(digits) < length or digits[length:].strip("0"):
        raise found.problem("number-digits-lost-text")
    found.mend("number-scientific")
    return digits[:length]


def _count_numbers(text: str, found: Digits) -> None:
    text = _OR.sub("|", text)
    long = [piece for piece in re.split(r"[^\d()]+", text) if len(re.sub(r"\D", "", piece)) >= 7]  # noqa: PLR2004
    found.pieces = [piece for piece in _BETWEEN.split(text) if re.search(r"\d", piece)]
    grown = [piece for piece in found.pieces if len(re.sub(r"\D", "", piece)) >= 7]  # noqa: PLR2004
    plus = re.fullmatch(r"[^\d+]*\++([^+]*)", text)
    if len(long) > 1 or len(grown) > 1:
        raise found.problem("number-two")
    if "+" in text and not plus:
        raise found.problem("number-two" if len(re.findall(r"\+[\d ]{7}", text)) > 1 else "number-character", found="+")
