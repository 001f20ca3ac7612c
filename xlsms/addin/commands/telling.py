"""The red button, the figures, a new workbook, the settings and the manual."""

import locale
import os
import re
from collections import Counter
from contextlib import suppress
from importlib import resources
from pathlib import Path

import xlwings as xw

from xlsms import home, templates
from xlsms.addin.commands.desk import attach, voice_of, workbook_of
from xlsms.addin.commands.news import AWAY, RUNNING, STOPPED, show_service
from xlsms.addin.commands.word import word
from xlsms.addin.invocation import Invocation
from xlsms.client import Client
from xlsms.errors import UserError
from xlsms.model import Role
from xlsms.states import LABELS, read_label
from xlsms.workbook.own_sheets import REPORT

__all__ = ["manual", "new", "report", "settings", "start", "stop"]

_TEMPLATE = "reminders"


def stop(request: Invocation) -> None:
    """Let nothing more leave; pressed again, let it go on after a yes."""
    voice = voice_of(request)
    try:
        found = Client.connect(starting=False)
    except UserError as error:
        if error.code != "service-not-running":
            raise
        show_service(_folder(request), AWAY)
        if voice.ask(word("ask-start", request.language)):
            start(request)
        return
    with found as client:
        since = client.health().stopped
        if since is None:
            client.stop()  # first, and then the words
            show_service(_folder(request), STOPPED)
            voice.say(word("stopped", request.language))
        elif voice.ask(word("ask-resume", request.language, since=f"{since.astimezone():%Y-%m-%d %H:%M}")):
            client.resume()
            show_service(_folder(request), RUNNING)
            voice.say(word("resumed", request.language))


def _folder(request: Invocation) -> Path | None:
    """Where the tick looks."""
    return request.news.parent if request.news is not None else None


def start(request: Invocation) -> None:
    """Start the service, which goes on when the workbooks are closed, and tell whether sending is stopped."""
    with Client.connect() as client:
        health = client.health()
    show_service(_folder(request), RUNNING if health.stopped is None else STOPPED)
    voice_of(request).say(word("started" if health.stopped is None else "started-stopped", request.language))


def report(request: Invocation) -> None:
    """The figures of this workbook, counted in its rows; its report sheet is brought to the front where it has one."""
    workbook = workbook_of(request)
    snapshot = workbook.read()
    states = Counter(state for row in snapshot.rows if (state := read_label(row.status)) is not None)
    heads = {
        sheet.name: sheet.headers[sheet.columns[Role.REPLY]] for sheet in snapshot.sheets if Role.REPLY in sheet.columns
    }
    answered = sum(bool(row.fields.get(heads.get(row.sheet, ""), "")) for row in snapshot.rows)
    name = workbook.attachment.name
    workbook.show_sheet(REPORT)
    voice = voice_of(request)
    if not states:
        voice.say(word("no-messages", request.language, book=name))
        return
    lines = [word("report", request.language, book=name, total=states.total()), ""]
    labels = LABELS[request.language]
    lines += [f"{labels[state]}: {count}" for state, count in states.most_common()]
    lines.append(word("replies", request.language, count=answered))
    voice.say("\n".join(lines))


def new(request: Invocation) -> None:
    """A new workbook from the template, in the user's folder, open in front of him."""
    attach(request)
    if not len(xw.engines) or not len(xw.apps):
        raise UserError("excel-not-running")
    folder = Path.home() / "Documents"
    path = _free(folder if folder.is_dir() else Path.home())
    path.write_bytes(templates.new(_TEMPLATE, request.language))
    apps = list(xw.apps)
    next((app for app in apps if app.hwnd == request.window), apps[0]).books.open(path)


def _free(folder: Path) -> Path:
    """A name that no file there has."""
    number, path = 1, folder / "SMS.xlsx"
    while path.exists():
        number += 1
        path = folder / f"SMS {number}.xlsx"
    return path


def settings(request: Invocation) -> None:
    """The settings file of the service, in an editor; where there is none yet, after a yes, one to rehearse with."""
    path, voice = home.config_path(), voice_of(request)
    if not path.exists():
        if not voice.ask(word("ask-settings", request.language, path=path)):
            raise UserError("addin-no-settings", path=path)
        text = resources.files("xlsms.addin").joinpath(f"first.{request.language}.toml").read_text("utf-8")
        path.parent.mkdir(parents=True, exist_ok=True)
        # a password will stand in it
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(text.replace("COUNTRY", _country(request.language)))
    voice.edit(path)


def _country(language: str) -> str:
    """The country that this computer is set up for, or else the one of most who read the words."""
    name = None
    with suppress(ValueError):  # a name that Python does not know
        name, _ = locale.getlocale()  # such as es_MX; Windows says it in words
    found = re.fullmatch("[a-z]{2,3}_([A-Z]{2})", name or "")
    return found[1] if found else {"es": "ES"}.get(language, "GB")


def manual(request: Invocation) -> None:
    """The manual in a few lines."""
    voice_of(request).say(word("help", request.language))
