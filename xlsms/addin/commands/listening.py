"""A process in the background that hears of news and orders for the workbooks that are open.

In Excel it leaves word in the file where the workbook's tick looks, and the tick starts an update when Excel is ready;
in Calc, which has no tick, it writes into the sheet itself.
"""

import os
import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import unquote

from xlsms.addin.commands.desk import Desk, introduce, voice_of, workbook_of
from xlsms.addin.commands.news import AWAY, GONE, RUNNING, STOPPED, leave_word, show_service
from xlsms.addin.commands.refreshing import bring, obey
from xlsms.addin.invocation import Host, Invocation
from xlsms.client import Client, LiveBook
from xlsms.errors import TransientError, UserError, XlsmsError
from xlsms.workbook.live import LiveWorkbook

__all__ = ["Listener", "listen", "stay_with"]

_PAUSE = 5.0  # seconds, after the spreadsheet was busy or the service away
_LONGEST = 20.0  # seconds that one question waits for news

_LOOK = 2.0  # seconds between two rounds
_STALE = 60.0  # seconds after which a workbook whose tick has not shown life counts as closed
_LIFE = 30.0  # seconds between two signs of our own life
_SERVICE = 8.0  # seconds between two looks at the service
_LEFT = 3600.0  # seconds after which the files of a workbook are what a crash has left


@dataclass(slots=True)
class _Heard:
    """A workbook that is listened for."""

    request: Invocation
    book: LiveBook
    cursor: int
    next_beat: float


def listen(request: Invocation) -> None:
    """Stay as long as a workbook is open: one, by Calc's extension, or all that a tick follows, and a minute more."""
    if request.host is Host.CALC and request.book is not None:
        with Client.connect() as client:
            stay_with(client, workbook_of(request), request)
    elif request.news is not None:
        with Client.connect() as client:
            Listener(client, request.news.parent, request).stay()


def stay_with(
    client: Client, workbook: LiveWorkbook, request: Invocation, *, pause: Callable[[float], None] = time.sleep
) -> None:
    """Write what is new into one workbook, round after round, until it is closed."""
    book: LiveBook | None = None
    cursor, listed, opening = 0, 0, ""
    while True:
        try:
            now = _opening(workbook)
            if now != opening:  # opened again, perhaps without what was written before it was closed
                cursor, listed, opening = 0, 0, now
            # again each time: the service is to know that it is still open
            book = introduce(client, workbook, request)
            at = Desk(request=request, workbook=workbook, client=client, book=book, voice=voice_of(request))
            wait = min(book.beat / 3, _LONGEST)
            brought = bring(at, max(cursor, book.cursor), wait=wait, listed=listed)
            cursor, listed = brought.cursor, brought.listed
        except TransientError:
            pause(_PAUSE)
        except UserError as error:
            if error.code not in GONE:  # a sheet is protected, a header is being typed: it goes on when that is over
                pause(_PAUSE)
                continue
            if book is not None:
                with suppress(XlsmsError):
                    client.closed(book)
            return


def _opening(workbook: LiveWorkbook) -> str:
    """See `LiveWorkbook.opening`. A program that refuses even to tell that has gone."""
    try:
        return workbook.opening()
    except UserError as error:
        if error.code != "excel-refused":
            raise
        raise UserError("excel-not-running") from error


class Listener:
    """Listens for every workbook whose tick shows life in `folder`."""

    def __init__(
        self,
        client: Client,
        folder: Path,
        request: Invocation,
        *,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._client, self._folder, self._request = client, folder, request
        self._clock, self._sleep = clock, sleep
        self._heard: dict[Path, _Heard] = {}
        self._shown = self._looked = 0.0
        self._me = f"{os.getpid()}-{secrets.token_hex(4)}"

    def stay(self) -> None:
        """Round after round, until no workbook has been open for a while, or another one listens here."""
        quiet_since = self._clock()
        while self.alone() and self._clock() - quiet_since < _STALE:
            self.show_service()
            if self.round():
                quiet_since = self._clock()
            self._sleep(_LOOK)

    def alone(self) -> bool:
        """Show life, or learn that another one does: two Excels may each have started one."""
        now, life = self._clock(), self._folder / "listener.life"
        if now - self._shown <= _LIFE:
            return True
        with suppress(OSError):
            if life.read_text("ascii") != self._me and abs(now - life.stat().st_mtime) < 2 * _LIFE:
                return False
        with suppress(OSError):  # somebody reads it just now: in the next round
            self._folder.mkdir(parents=True, exist_ok=True)
            life.write_text(self._me, "ascii")
            os.utime(life, (now, now))
            self._shown = now
        return True

    def show_service(self) -> None:
        """Look every few seconds how the service is, for the ribbon."""
        now = self._clock()
        if now - self._looked < _SERVICE:
            return
        self._looked = now
        try:
            stopped = self._client.health().stopped
        except XlsmsError:
            show_service(self._folder, AWAY)
        else:
            show_service(self._folder, RUNNING if stopped is None else STOPPED)

    def round(self) -> int:
        """One look at everything; how many workbooks are open."""
        now = self._clock()
        self._clear(now)
        marks = {mark.with_suffix(".news"): mark for mark in self._folder.glob("*.open") if self._is_alive(mark, now)}
        for news in self._heard.keys() - marks.keys():
            with suppress(XlsmsError):
                self._client.closed(self._heard.pop(news).book)
        for news, mark in marks.items():
            with suppress(XlsmsError, OSError):  # busy, not saved yet, or the tick just writes: in the next round
                self._look(news, mark, now)
        return len(marks)

    def _clear(self, now: float) -> None:
        """Take away what workbooks left whose Excel ended without a word."""
        for file in (*self._folder.glob("*.open"), *self._folder.glob("*.news")):
            with suppress(OSError):
                if now - file.stat().st_mtime > _LEFT and not self._is_alive(file.with_suffix(".open"), now):
                    file.unlink()

    @staticmethod
    def _is_alive(mark: Path, now: float) -> bool:
        with suppress(OSError):
            return now - mark.stat().st_mtime < _STALE
        return False

    def _look(self, news: Path, mark: Path, now: float) -> None:
        heard = self._heard.get(news)
        if heard is None or now >= heard.next_beat:
            name = unquote(mark.read_text("ascii").strip())
            request = replace(self._request, book=name, news=news)
            book = introduce(self._client, workbook_of(request), request)
            cursor = heard.cursor if heard is not None else book.cursor
            heard = self._heard[news] = _Heard(request, book, cursor, now + book.beat / 3)
        changes = self._client.changes(heard.book, since=heard.cursor)
        if changes.orders:
            at = self._desk(heard)
            for order in changes.orders:
                obey(at, order)
        if changes.edits or changes.unconfirmed:
            leave_word(news, str(changes.cursor))
        heard.cursor = changes.cursor

    def _desk(self, heard: _Heard) -> Desk:
        request = heard.request
        return Desk(
            request=request,
            workbook=workbook_of(request),
            client=self._client,
            book=heard.book,
            voice=voice_of(request),
        )
