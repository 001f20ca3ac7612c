"""What `xlsms init` does to a workbook that is there: set up, and taken back."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import typer

from xlsms.errors import UserError
from xlsms.files.backup import Backups
from xlsms.workbook.csvbook import CsvWorkbook
from xlsms.workbook.foreign import ForeignWorkbook
from xlsms.workbook.opening import open_workbook
from xlsms.workbook.removal import remove_set_up
from xlsms.workbook.renewal import renew
from xlsms.workbook.setup import SetUp, set_up
from xlsms_service.cli.session import Ending, Session, is_attended
from xlsms_service.cli.words import language, tr

__all__ = ["remove_again", "renew_file", "set_up_file"]

Done = TypeVar("Done")


def set_up_file(session: Session, file: Path, *, own_sheets: bool, sure: bool, passwords: Sequence[str]) -> None:
    """Add what a file lacks, and say what was added; unless `sure`, someone is asked about protected sheets."""
    backups = _backups(session, always=False)
    workbook = open_workbook(file, backups=backups, passwords=passwords)
    if isinstance(workbook, ForeignWorkbook):
        made = workbook.prepare().name
        session.say(
            tr("{file} is not changed; what is sent and comes back stands in {results}.", file=file, results=made),
            "green",
        )
        return
    if isinstance(workbook, CsvWorkbook):
        done = SetUp(columns=workbook.add_columns(), guid=False)
    else:
        done = _asked(
            session,
            lambda agreed: set_up(file, own_sheets=own_sheets, protected=sure or agreed, backups=backups),
            code="sheet-protected",
            question=tr("Add the columns all the same? The protection stays."),
        )
    if done.nothing:
        session.say(tr("{file} has all the columns already.", file=file), "green")
    for sheet in done.sheets:
        session.say(tr("New sheet: {sheet}", sheet=sheet), "green")
    for sheet in done.marks:
        session.say(tr("Drop-down and colours are in {sheet}.", sheet=sheet), "green")
    for sheet, headers in done.columns.items():
        session.say(tr("Added to {sheet}: {columns}", sheet=sheet, columns=", ".join(headers)), "green")
    for sheet, area in done.covered.items():
        session.say(
            tr(
                "A chart or picture lies over the new columns {area} of {sheet}: move it aside.", area=area, sheet=sheet
            ),
            "yellow",
        )
    if done.left_out:
        session.say(
            tr(
                "Not added: {sheets}. The structure of the workbook is locked, or its format is strict.",
                sheets=", ".join(done.left_out),
            ),
            "yellow",
        )


def remove_again(session: Session, file: Path, *, sure: bool) -> None:
    """Take away what was added, and say what; unless `sure`, someone is asked about what stands in it."""
    backups = _backups(session, always=True)
    done = _asked(
        session,
        lambda agreed: remove_set_up(file, contents=sure or agreed, backups=backups),
        code="removal-holds",
        question=tr("Take it away with what stands in it? A copy is kept."),
    )
    if done.nothing:
        session.say(tr("xlsms has added nothing to {file}.", file=file), "green")
        return
    for sheet, headers in done.columns.items():
        session.say(tr("Taken from {sheet}: {columns}", sheet=sheet, columns=", ".join(headers)), "green")
    for sheet in done.sheets:
        session.say(tr("Sheet taken away: {sheet}", sheet=sheet), "green")
    for sheet, headers in done.kept.items():
        session.say(tr("Yours by now, so they stay in {sheet}: {columns}", sheet=sheet, columns=", ".join(headers)))
    _say_kept(session, file, backups)


def renew_file(session: Session, file: Path) -> None:
    """Make a copy a workbook of its own, and say how many rows were emptied."""
    backups = _backups(session, always=True)
    rows = renew(file, backups=backups)
    session.say(tr("{file} is a workbook of its own now. Rows emptied: {count}", file=file, count=rows), "green")
    _say_kept(session, file, backups)


def _backups(session: Session, *, always: bool) -> Backups:
    """Where the file as it was is kept; `always` for what takes something away."""
    service = session.settings.service
    return Backups(folder=service.data / "backups", keep=max(service.backups, int(always)), always=always)


def _say_kept(session: Session, file: Path, backups: Backups) -> None:
    kept = backups.kept(file.resolve())
    if kept:
        session.say(tr("{file} as it was: {copy}", file=file, copy=kept[-1]), "dim")


def _asked(session: Session, do: Callable[[bool], Done], *, code: str, question: str) -> Done:
    """Do something, and if that fails with `code`, again when whoever sits there agrees."""
    try:
        return do(False)
    except UserError as error:
        if error.code != code or not is_attended():
            raise
        where = f"{error.place}: " if error.place else ""
        session.say(where + error.message(language()), "yellow")
    if not typer.confirm(question, err=True):
        session.end(Ending.SOME_NOT)
    return do(True)
