"""What a command works with: the open workbook, the service that knows it, and a voice."""

import hashlib
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import xlwings as xw

from xlsms import home
from xlsms.addin.commands.voice import AppVoice, Voice
from xlsms.addin.commands.word import word
from xlsms.addin.invocation import Host, Invocation
from xlsms.addin.verb import BUTTONS
from xlsms.client import Client, LiveBook
from xlsms.client import Host as Program
from xlsms.errors import TransientError, UserError
from xlsms.files.turn import Turn
from xlsms.workbook.base import RESULTS, Language, Placed, RowEdit
from xlsms.workbook.identity import new_guid
from xlsms.workbook.live import Attachment, LiveWorkbook

__all__ = ["Desk", "attach", "desk", "voice_of", "workbook_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Everything at hand for one workbook."""

    request: Invocation
    workbook: LiveWorkbook
    client: Client
    book: LiveBook  #: as the service knows it
    voice: Voice

    def __post_init__(self) -> None:
        """Times in the open workbook are those of the settings, as in its file."""
        self.workbook.zone = self.book.zone

    @property
    def language(self) -> Language:
        """Of what the user is told."""
        return self.request.language


def attach(request: Invocation) -> None:
    """Let xlwings speak to the program that asked.

    Raises:
        TransientError: `calc-not-reachable`.
        UserError: `calc-no-uno`.
    """
    if request.host is not Host.CALC:
        return
    from xlsms.addin.calc.engine import NAME, register  # noqa: PLC0415 - only where LibreOffice is
    from xlsms.addin.calc.link import Link  # noqa: PLC0415

    if not any(engine.name == NAME for engine in xw.engines):
        register(Link(request.office or "pipe,name=xlsms"))


def voice_of(request: Invocation) -> Voice:
    """How to speak to the user who asked."""
    attach(request)
    if not len(xw.engines) or not len(xw.apps):
        return AppVoice(None)
    apps = list(xw.apps)
    return AppVoice(next((app for app in apps if app.hwnd == request.window), apps[0]))


def workbook_of(request: Invocation) -> LiveWorkbook:
    """The open workbook that the user was in.

    Raises:
        UserError: `no-workbook-open`.
    """
    attach(request)
    if request.book is None:
        raise UserError("no-workbook-open")
    name = _path_of(request.book)
    return LiveWorkbook(Attachment(fullname=name, window=request.window), turn=turn_of(name))


def turn_of(name: str) -> Turn:
    """What keeps the listener, a button and a tick from writing into one workbook at once; some workbooks share it."""
    slot = hashlib.blake2b(name.casefold().encode("utf-8", "surrogatepass"), digest_size=1).hexdigest()
    return Turn(home.data_folder_of(home.config_path()) / "turns" / f"{slot}.lock")


def _path_of(book: str) -> str:
    """The full name as the program itself gives it; Calc gives a URL for a file."""
    if not book.startswith("file:"):
        return book
    from xlsms.addin.calc.link import uno  # noqa: PLC0415 - only Calc gives such names

    return str(uno().fileUrlToSystemPath(book))


@contextmanager
def desk(request: Invocation) -> Iterator[Desk]:
    """The workbook, made known to the service, which is started if it does not run.

    Raises:
        UserError: see `workbook_of` and `Client.connect`; `workbook-copied`.
    """
    workbook, voice = workbook_of(request), voice_of(request)
    with Client.connect() as client:
        try:
            book = introduce(client, workbook, request)
        except UserError as error:
            if error.code != "workbook-copied" or request.verb not in BUTTONS:
                raise
            original = error.facts.get("original", "")
            if not voice.ask(word("ask-copy", request.language, book=workbook.attachment.name, original=original)):
                raise
            _make_own(workbook)
            book = introduce(client, workbook, request)
        yield Desk(request=request, workbook=workbook, client=client, book=book, voice=voice)


def _make_own(workbook: LiveWorkbook) -> None:
    """Take out what ties a copy to its original, and then give it an id of its own; see `renew` for a closed one.

    Raises:
        TransientError: `excel-busy`, when rows change meanwhile.
    """
    rows = [row for row in workbook.read().rows if row.id is not None]
    applied = workbook.apply([RowEdit(values=dict.fromkeys(RESULTS), placed=Placed.of(row)) for row in rows])
    if applied.stale or applied.waiting:
        raise TransientError("excel-busy")
    workbook.give_guid(new_guid())


def introduce(client: Client, workbook: LiveWorkbook, request: Invocation) -> LiveBook:
    """Make a workbook known to the service, with the id that it keeps for good."""
    name = workbook.attachment.fullname
    guid = workbook.guid() or workbook.give_guid(new_guid())
    path = Path(name) if "://" not in name and Path(name).is_absolute() else None
    return client.register(
        guid=guid or str(uuid.uuid5(uuid.NAMESPACE_URL, name)),
        path=path,
        name=workbook.attachment.name,
        host=Program(request.host.value),
        language=request.language,
    )
