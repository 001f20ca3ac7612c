"""How the tick in Excel learns cheaply that there is news: files in one folder, the desk, and one process that listens.

For each workbook that is followed the tick keeps `NAME.open`, with the workbook's full name in it and touched at every
look. The one who listens keeps `listener.life`, and leaves a word in `NAME.news` when something has changed for that
workbook; the tick starts Python for the workbook when the word is another than before. Nothing of any message is ever
written here: a word is a number.
"""

import os
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import unquote

from xlsms.errors import TransientError, UserError

if TYPE_CHECKING:
    from xlsms.client import Client

__all__ = ["Desk", "Followed", "Heard", "Source", "listen", "listen_to_the_service"]

LIFE = "listener.life"
BEAT = 20.0  #: seconds between two signs of life; the tick waits two minutes for one
STALE = 600.0  #: seconds without a tick after which a workbook counts as closed: a long dialog, or a crash


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """A workbook that the tick looks after."""

    news: Path  #: where a word is left for it
    book: str  #: its full name
    workbook: int | None  #: its number at the service, as soon as somebody has said it


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What has changed: up to which cursor, and in which workbooks."""

    cursor: int
    workbooks: frozenset[int | None] = frozenset()


class Source(Protocol):
    """Who knows of changes."""

    def newest(self) -> int:
        """The cursor of now. Raises `TransientError` or `UserError` when nobody answers."""

    def changed(self, since: int, wait: float) -> Heard:
        """What has changed since; waits for something, no longer than `wait` seconds. Raises as `newest`."""


@dataclass(frozen=True, slots=True)
class Desk:
    """The folder."""

    folder: Path

    def followed(self, now: float) -> Iterator[Followed]:
        """The workbooks that are open; what is left of others is cleared away."""
        for mark in sorted(self.folder.glob("*.open")):
            news = mark.with_suffix(".news")
            with suppress(OSError):  # the tick may be writing it, or taking it away
                if now - mark.stat().st_mtime > STALE:
                    self._clear(news)
                    continue
                yield Followed(news=news, book=unquote(mark.read_text("ascii").strip()), workbook=_number(news))

    def belongs(self, news: Path, workbook: int) -> None:
        """Say which number a workbook has at the service, so that it is told only of its own news."""
        news.with_suffix(".book").write_text(str(workbook), "ascii")

    def leave(self, news: Path, word: str) -> None:
        """Leave a word for the tick; the same word again is no news."""
        made = news.with_suffix(".tmp")
        made.write_text(f"{word}\n", "ascii")
        made.replace(news)

    def ask_again(self, news: Path) -> None:
        """What was news could not be written now: let the tick come back to it."""
        self.leave(news, f"again-{secrets.token_hex(4)}")

    def live(self, me: str, now: float) -> bool:
        """Show life, or learn that another one listens."""
        life = self.folder / LIFE
        with suppress(OSError):
            if life.read_text("ascii") != me and 0 <= now - life.stat().st_mtime < 3 * BEAT:
                return False
        life.write_text(me, "ascii")
        os.utime(life, (now, now))
        return True

    def leave_off(self, me: str) -> None:
        """Nobody listens any more; the tick starts another when it needs one."""
        life = self.folder / LIFE
        with suppress(OSError):
            if life.read_text("ascii") == me:
                life.unlink()

    def _clear(self, news: Path) -> None:
        for suffix in (".open", ".news", ".book"):
            news.with_suffix(suffix).unlink(missing_ok=True)


def _number(news: Path) -> int | None:
    with suppress(OSError, ValueError):
        return int(news.with_suffix(".book").read_text("ascii"))
    return None


def listen(
    desk: Desk,
    source: Source,
    *,
    me: str,
    clock: Callable[[], float] = time.time,
    pause: Callable[[float], None] = time.sleep,
) -> None:
    """Tell the workbooks that are open of what changes for them, until none is open or another one listens."""
    told: set[Path] = set()
    since: int | None = None
    try:
        while desk.live(me, clock()):
            books = list(desk.followed(clock()))
            if not books:
                return
            try:
                if since is None:
                    since = source.newest()
                heard = source.changed(since, 0 if _new(books, told) else BEAT)
            except (TransientError, UserError):
                pause(BEAT)  # the service is away: there is no news
                continue
            for book in books:
                # one that has just come may lack what happened before
                if book.news not in told or (heard.cursor != since and _concerns(heard, book)):
                    desk.leave(book.news, str(heard.cursor))
                    told.add(book.news)
            since = heard.cursor
    finally:
        desk.leave_off(me)


def _new(books: list[Followed], told: set[Path]) -> bool:
    return any(book.news not in told for book in books)


def _concerns(heard: Heard, book: Followed) -> bool:
    return book.workbook is None or not heard.workbooks or book.workbook in heard.workbooks


class _Service:
    """The companion service; found anew after it was away."""

    def __init__(self) -> None:
        self._client: Client | None = None

    def newest(self) -> int:
        """See `Source`."""
        return self._ask().health().cursor

    def changed(self, since: int, wait: float) -> Heard:
        """See `Source`."""
        try:
            found = self._ask().changes(since=since, wait=wait)
        except TransientError:
            if self._client is not None:
                self._client.close()
            self._client = None
            raise
        return Heard(cursor=found.cursor, workbooks=frozenset(state.workbook for state in found.states))

    def _ask(self) -> "Client":
        from xlsms.client import Client  # noqa: PLC0415 (the commands leave word here too, and need not wait for it)

        if self._client is None:
            self._client = Client.connect(starting=False)
        return self._client


def listen_to_the_service(folder: Path) -> None:
    """What `python -m xlsms.addin listen` does: stay until no workbook is open."""
    listen(Desk(folder), _Service(), me=f"{os.getpid()}-{secrets.token_hex(4)}")
