"""The service put together: ledger, links, workbooks and inbox, wired by wake-ups only."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random, SystemRandom
from types import TracebackType
from typing import Self
from zoneinfo import ZoneInfo

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from xlsms.errors import TransientError, UserError, XlsmsError
from xlsms.files.backup import Backups
from xlsms.states import FINAL, State
from xlsms.workbook.opening import FileWorkbook
from xlsms.workbook.replies import Appended, Incoming, append_replies
from xlsms.workbook.source import kind_of
from xlsms.workbook.tidy import tidy
from xlsms_service.config import Mark, Settings, Watch
from xlsms_service.connectors.base import LinkStatus
from xlsms_service.connectors.registry import build
from xlsms_service.delivery.engine import Engine
from xlsms_service.delivery.routing import Router
from xlsms_service.ledger import acceptance, link, view
from xlsms_service.ledger import book as books
from xlsms_service.ledger.acceptance import Draft
from xlsms_service.ledger.lease import Lease
from xlsms_service.ledger.ledger import Ledger
from xlsms_service.ledger.link import LinkRow
from xlsms_service.ledger.view import BookCount, Tally
from xlsms_service.planning import Facts, PlanEntry, Terms, plan_text
from xlsms_service.simulators.rehearsal import rehearsal
from xlsms_service.sync.intake import Intake, Taken
from xlsms_service.sync.thread import WorkbookThread
from xlsms_service.sync.watch import Watcher
from xlsms_service.sync.writeback import Writeback
from xlsms_service.twoway import inbox

__all__ = ["App", "Event", "Patience", "Progress", "Report", "Status", "status", "terms"]

_log = logging.getLogger(__name__)

#: How long `send` and `text` wait for the first link before they give up, the workbook untouched.
_LINK_PATIENCE = timedelta(seconds=15)

#: Seconds between two tries to take a workbook in while another process does.
_TURN = 0.05

#: How often progress is told, in seconds.
_BEAT = 0.2

#: A workbook that is saved under our hands is read again this often.
_TRIES = 5

#: What someone can mend without saving the file: it is looked at again.
_MENDED_OUTSIDE = frozenset({"workbook-copied", "file-read-only", "file-not-readable", "file-not-found"})

#: These have not been handed over yet.
_NOT_OUT = frozenset({State.QUEUED, State.SENDING})

#: Nothing more happens to these unless someone acts.
_SETTLED = FINAL | {State.HELD, State.UNCERTAIN, State.SCHEDULED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a send is."""

    total: int
    by_state: Mapping[State, int]
    replies: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What became of a send when it ended, or when nobody waited any longer."""

    path: Path | None
    by_state: Mapping[State, int]
    parts: int
    replies: int
    duration: timedelta
    held: tuple[PlanEntry, ...] = ()  #: rows that go only when someone decides so
    problems: tuple[XlsmsError, ...] = ()  #: one a row that could not go
    finished: bool = True  #: everything is settled and stands in the workbook
    handed_over: bool = False  #: the running service delivers

    @property
    def total(self) -> int:
        """Messages."""
        return sum(self.by_state.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long a send is followed."""

    wait: bool = True  #: until all is settled, not only handed over to the network
    timeout: timedelta | None = None  #: not longer than this
    linger: timedelta = timedelta(0)  #: with `wait`: until nothing more came for this long; replies take their time


_ALL_SETTLED = Patience()


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened, for those who watch the service run."""

    kind: str  #: link, accepted, problem, reply, stranger
    at: datetime
    path: Path | None = None
    count: int = 0
    link: LinkStatus | None = None
    error: XlsmsError | None = None
    taken: Taken | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """What the ledger holds."""

    running: bool  #: a service delivers from this ledger now
    tally: Tally
    books: tuple[BookCount, ...]
    links: tuple[LinkRow, ...]


def _now() -> datetime:
    return datetime.now(UTC)


def terms(settings: Settings, mark: Mark = "marked", *, hidden: bool = False) -> Terms:
    """What the settings say about a send."""
    service = settings.service
    return Terms(
        country=service.country,
        sender=service.sender,
        parts=service.parts,
        transliterate=service.transliterate,
        all_rows=mark == "all",
        hidden=hidden,
        zone=ZoneInfo(service.zone) if service.zone else None,
    )


def status(settings: Settings) -> Status:
    """What the ledger of these settings holds; works beside a running service."""
    with Ledger.open(settings.service.data, settings.service.ledger) as ledger:
        with Lease(settings.service.data) as lease:
            running = not lease.held
        return Status(
            running=running,
            tally=ledger.do_now(view.tally),
            books=tuple(ledger.do_now(view.book_counts)),
            links=tuple(ledger.do_now(link.links)),
        )


class App:
    """The whole service in one process. Use it as an asynchronous context manager."""

    def __init__(
        self,
        settings: Settings,
        *,
        now: Callable[[], datetime] = _now,
        rng: Random | None = None,
        on_event: Callable[[Event], None] = lambda _event: None,
        password: str | None = None,
    ) -> None:
        """`password` opens workbooks that ask for one, where the settings do not say."""
        self._settings = settings
        self._password = password
        self._now = now
        self._rng = rng or SystemRandom()
        self._on_event = on_event
        self._zone = ZoneInfo(settings.service.zone) if settings.service.zone else None
        self._backups = Backups(folder=settings.service.data / "backups", keep=settings.service.backups)
        self._engine: Engine | None = None

    async def __aenter__(self) -> Self:
        service = self._settings.service
        self._ledger = Ledger.open(service.data, service.ledger)
        self._lease = Lease(service.data)
        self._thread = WorkbookThread()
        names = [connector.name for connector in self._settings.connectors]
        self._router = Router({route.prefix: route.use for route in self._settings.routes}, names)
        self._writeback = Writeback(
            self._ledger, self._thread, self._open, append=self._append, now=self._now, told=self._problem
        )
        self._inbox_wake = asyncio.Event()
        self._intake = Intake(
            self._ledger, self._thread, self._open, route=self._router.key, now=self._now, rng=self._rng
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._thread.close()
        self._ledger.close()
        self._lease.give_back()

    def _open(self, path: Path) -> FileWorkbook:
        return FileWorkbook(path, zone=self._zone, backups=self._backups, passwords=lambda: self._passwords(path))

    def _append(self, path: Path, incoming: Sequence[Incoming]) -> Appended | None:
        return append_replies(path, incoming, zone=self._zone) if kind_of(path) == "package" else None

    def _passwords(self, path: Path) -> list[str]:
        given = [self._password] if self._password is not None else []
        watches = self._settings.watches
        return given + [watch.password.reveal() for watch in watches if watch.password and watch.holds(path)]

    # What users ask for.

    async def send(
        self,
        path: Path,
        *,
        mark: Mark = "marked",
        patience: Patience = _ALL_SETTLED,
        on_progress: Callable[[Progress], None] = lambda _progress: None,
    ) -> Report:
        """Send what is marked in one workbook; states and replies are in it when this returns.

        How long that takes is up to `patience`. When a service runs on the same ledger, that one delivers.

        Raises:
            UserError: the file, the settings or the login cannot be used; nothing was sent, the file is untouched.
            TransientError: the file is open elsewhere or no link came up; nothing was sent, the file is untouched.
        """
        began = time.monotonic()
        path = await asyncio.to_thread(path.resolve)
        await self._thread.run(self._open(path).check)  # what is wrong with the file is said before any link opens
        async with self._delivery() as here:
            path = await self._thread.run(self._open(path).prepare)
            newest = await self._ledger.do(view.newest)
            known = await self._ledger.do(books.find, path)
            earlier = await self._ledger.do(view.tally, known.id) if known else None
            taken, problems, held = await self._take(path, terms(self._settings, mark))
            # What an earlier send has left counts too.
            anew = taken.accepted and not (earlier and set(earlier.by_state) & _NOT_OUT)
            count = partial(view.tally, book=taken.book.id, after=newest if anew else None)
            finished = await self._follow(count, patience, on_progress, here=here)
        while not finished:  # the process that delivered has ended: it is our turn
            async with self._delivery() as here:
                finished = await self._follow(count, patience, on_progress, here=here)
        tally = await self._ledger.do(count)
        return Report(
            path=path,
            by_state=tally.by_state,
            parts=tally.parts,
            replies=tally.replies,
            duration=timedelta(seconds=time.monotonic() - began),
            held=held,
            problems=problems,
            finished=tally.lacking == 0 and all(state in _SETTLED for state in tally.by_state),
            handed_over=not here,
        )

    async def text(
        self,
        number: str,
        text: str,
        *,
        patience: Patience = _ALL_SETTLED,
        on_progress: Callable[[Progress], None] = lambda _progress: None,
    ) -> Report:
        """Send one text that stands in no workbook.

        Raises:
            UserError: the number or the text cannot be used.
            TransientError: no link came up; nothing was sent.
        """
        began = time.monotonic()
        entry = plan_text(number, text, terms(self._settings), Facts(now=self._now()))
        if entry.problem is not None:
            raise entry.problem
        if entry.number is None or entry.parts is None or entry.fingerprint is None:
            raise RuntimeError("a planned text with neither a problem nor a message")
        async with self._delivery() as here:
            draft = Draft(
                number=entry.number.e164,
                text=entry.text,
                alphabet=entry.parts.alphabet,
                parts=len(entry.parts.parts),
                fingerprint=entry.fingerprint,
                route=self._router.key(entry.number.e164),
                sender=entry.sender,
            )
            message = await self._ledger.do(acceptance.accept_text, draft, self._now())
            count = partial(view.tally, only=message)
            finished = await self._follow(count, patience, on_progress, here=here)
        while not finished:
            async with self._delivery() as here:
                finished = await self._follow(count, patience, on_progress, here=here)
        tally = await self._ledger.do(count)
        return Report(
            path=None,
            by_state=tally.by_state,
            parts=tally.parts,
            replies=tally.replies,
            duration=timedelta(seconds=time.monotonic() - began),
            finished=all(state in _SETTLED for state in tally.by_state),
            handed_over=not here,
        )

    async def run(self) -> None:
        """Watch the folders of the settings and deliver, until cancelled.

        Raises:
            UserError: `service-running` when another service delivers from this ledger; no connector; no folder.
        """
        if not self._settings.watches:
            raise UserError("nothing-to-watch")
        async with self._delivery(patient=False, only_here=True), asyncio.TaskGroup() as group:
            for watch in self._settings.watches:
                folder = watch.folder or (watch.file and watch.file.parent)
                with suppress(OSError):  # it is away: its watcher waits for it
                    if folder:
                        await self._thread.run(tidy, folder)
            for watch in self._settings.watches:
                group.create_task(self._watcher(watch).run())

    # Delivery: links, write-back and inbox, as long as somebody needs them.

    @asynccontextmanager
    async def _delivery(self, *, patient: bool = True, only_here: bool = False) -> AsyncIterator[bool]:
        """Deliver in this process, or, when another one does, leave it to that. Whether it is this one."""
        if not self._lease.take():
            if only_here:
                raise UserError("service-running", folder=self._settings.service.data)
            yield False
            return
        try:
            if not self._settings.connectors:
                raise UserError("no-connector")
            async with self._links(patient=patient):
                yield True
        finally:
            self._lease.give_back()

    @asynccontextmanager
    async def _links(self, *, patient: bool) -> AsyncIterator[None]:
        connectors = {
            each.name: build(each, now=self._now, rng=self._rng, rehearsal=rehearsal)
            for each in self._settings.connectors
        }
        engine = Engine(
            self._ledger, connectors, self._router, now=self._now, changed=self._changed, on_link=self._link_changed
        )
        try:
            await engine.start()
            if patient and not await engine.wait_for_link(_LINK_PATIENCE):
                raise _why_down(engine.links.values())
            self._engine = engine
            async with _together(engine.watch(), self._writeback.run(), self._keep_inbox()):
                yield
        finally:
            self._engine = None
            await engine.close()
            await self._ledger.do(inbox.handle, self._now(), self._settings.service.country)
            await self._writeback.flush()

    def _changed(self) -> None:
        self._inbox_wake.set()
        self._writeback.wake()

    def _link_changed(self, status: LinkStatus) -> None:
        self._on_event(Event(kind="link", at=self._now(), link=status))

    async def _keep_inbox(self) -> None:
        wait: float | None = None
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._inbox_wake.wait()
            self._inbox_wake.clear()
            try:
                handled = await self._ledger.do(inbox.handle, self._now(), self._settings.service.country)
            except SQLAlchemyError:
                _log.exception("the inbox cannot be read; trying again")
                wait = 1.0
                continue
            wait = (handled.next_at - self._now()).total_seconds() if handled.next_at else None
            if handled.replies:
                self._writeback.wake()
                self._on_event(Event(kind="reply", at=self._now(), count=handled.replies))
            if handled.strangers:
                self._on_event(Event(kind="stranger", at=self._now(), count=handled.strangers))

    # Workbooks.

    async def _take(self, path: Path, asked: Terms) -> tuple[Taken, tuple[XlsmsError, ...], tuple[PlanEntry, ...]]:
        """Take a workbook in; again while it is saved under our hands. What could not go is told once a row."""
        problems: dict[str, XlsmsError] = {}
        held: list[PlanEntry] = []
        accepted = 0
        for _ in range(_TRIES):
            async with self._alone():
                taken = await self._intake.take(path, asked)
            accepted += taken.accepted
            held += taken.held
            problems |= {str(problem.place): problem for problem in taken.problems}
            self._writeback.hurry(taken.book.id)
            self._wake()
            if not taken.changed:
                break
        else:
            raise TransientError("file-keeps-changing", path=path.name)
        taken = replace(taken, accepted=accepted)
        if accepted or problems:
            self._on_event(Event(kind="accepted", at=self._now(), path=path, taken=taken))
        return taken, tuple(problems.values()), tuple(held)

    @asynccontextmanager
    async def _alone(self) -> AsyncIterator[None]:
        """One process at a time takes workbooks in: what one has read, the other must not change under its hands."""
        turn = Lease(self._settings.service.data, "intake")
        while not turn.take():  # noqa: ASYNC110  # no event crosses from one process to another
            await asyncio.sleep(_TURN)
        try:
            yield
        finally:
            turn.give_back()

    def _wake(self) -> None:
        if self._engine is not None:
            self._engine.wake()

    def _watcher(self, watch: Watch) -> Watcher:
        place = watch.folder or watch.file
        if place is None:
            raise RuntimeError("a watch with neither a folder nor a file")
        asked = terms(self._settings, watch.mark, hidden=watch.hidden)
        seen: dict[Path, tuple[int, int, int]] = {}
        homes: dict[Path, Path] = {}  # where the states of a file stand that is not written itself
        said: dict[Path, str] = {}

        async def look(path: Path) -> None:
            stat = await asyncio.to_thread(path.stat)
            now = (stat.st_size, stat.st_mtime_ns, stat.st_ino)
            if seen.get(path) == now and path not in homes:
                return
            try:
                home = await self._home(path, homes.get(path) if seen.get(path) == now else None)
                if home != path:
                    homes[path], seen[path] = home, now
                    await look(home)
                elif await self._is_news(path):
                    await self._take(path, asked)
                    return
                else:
                    seen[path] = now
            except XlsmsError as error:
                if isinstance(error, TransientError) or error.code in _MENDED_OUTSIDE:
                    raise
                seen[path] = now  # it stays as wrong until it is saved again
                raise
            said.pop(path, None)

        async def told(path: Path, error: XlsmsError) -> None:
            await self._ledger.do(books.note_problem, path, error)
            if said.get(path) == error.code and isinstance(error, TransientError):
                return  # a file may be open for hours
            said[path] = error.code
            self._problem(path, error)

        return Watcher([place], look, told=told)

    async def _home(self, path: Path, known: Path | None) -> Path:
        """The file that the states of this one stand in: where it is known to be, unless that has gone."""
        if known is not None and await asyncio.to_thread(known.exists):
            return known
        return await self._thread.run(self._open(path).prepare)

    async def _is_news(self, path: Path) -> bool:
        """Whether a file holds other bytes than the ledger knows."""
        book = await self._ledger.do(books.find, path)
        version = await self._thread.run(self._open(path).version)
        return book is None or book.version != version.text

    def _problem(self, path: Path, error: XlsmsError) -> None:
        self._on_event(Event(kind="problem", at=self._now(), path=path, error=error))

    # Following a send.

    async def _follow(
        self,
        count: Callable[[Connection], Tally],
        patience: Patience,
        on_progress: Callable[[Progress], None],
        *,
        here: bool,
    ) -> bool:
        """Tell progress until everything is out (or settled, when asked to wait), or the time is over.

        False when another process was to deliver and has ended before.
        """
        loop = asyncio.get_running_loop()
        began = quiet_since = loop.time()
        last: Tally | None = None
        while True:
            asked = loop.time()
            tally = await self._ledger.do(count)
            now = loop.time()
            if last is None or (tally.by_state, tally.replies) != (last.by_state, last.replies):
                quiet_since, last = now, tally
                on_progress(Progress(total=tally.total, by_state=tally.by_state, replies=tally.replies))
            open_states = set(tally.by_state) - (_SETTLED if patience.wait else _SETTLED | {State.SENT})
            lingered = not patience.wait or now - quiet_since >= patience.linger.total_seconds()
            if not open_states and lingered:
                return True
            if patience.timeout is not None and now - began >= patience.timeout.total_seconds():
                return True
            if not here and self._lease.take():
                return False
            # Counting a big campaign takes a while itself: it never gets more than a tenth of the ledger's time.
            await asyncio.sleep(max(_BEAT, 10 * (now - asked)))


@asynccontextmanager
async def _together(*works: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """Run these beside the body; what stops one of them stops the body with it.

    A service that only half works would lose what the other half relies on. (A task group would wrap the body's own
    errors, which people are to read.)
    """
    body = asyncio.current_task()
    failures: list[BaseException] = []

    def ended(task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None:
            failures.append(error)
            if body is not None:
                body.cancel()

    tasks = [asyncio.create_task(work) for work in works]
    for task in tasks:
        task.add_done_callback(ended)
    try:
        yield
    except asyncio.CancelledError:
        if failures and body is not None:
            body.uncancel()
            raise failures[0] from None
        raise
    finally:
        for task in tasks:
            task.remove_done_callback(ended)
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _why_down(links: Iterable[LinkStatus | None]) -> XlsmsError:
    """The reason of the first link that gave one."""
    return next((link.error for link in links if link is not None and link.error), TransientError("no-link"))
