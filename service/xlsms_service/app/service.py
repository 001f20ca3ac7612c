"""The whole service in one process: ledger, links, workbooks and inbox, wired by wake-ups only."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import chain, repeat
from pathlib import Path
from random import Random, SystemRandom
from typing import Self

from xlsms.errors import TransientError, XlsmsError
from xlsms.model import Priority
from xlsms.states import State
from xlsms.workbook.tidy import tidy
from xlsms_service.api.news import News
from xlsms_service.app.delivering import Delivery
from xlsms_service.app.event import Event, noted, recorded
from xlsms_service.app.following import SETTLED, Patience, Progress, Report, follow, when_free
from xlsms_service.app.observing import Observer, saved_at
from xlsms_service.app.terms import terms
from xlsms_service.config import Mark, Settings, Watch
from xlsms_service.delivery.routing import Router
from xlsms_service.desk import child
from xlsms_service.desk.desk import Desk, is_long, is_quick
from xlsms_service.desk.handling import Handling
from xlsms_service.ledger import acceptance, talk, view
from xlsms_service.ledger import book as books
from xlsms_service.ledger.acceptance import Draft
from xlsms_service.ledger.book import Book
from xlsms_service.ledger.ledger import Ledger
from xlsms_service.measuring import metric
from xlsms_service.planning import Facts, PlanEntry, Terms, plan_text
from xlsms_service.sync.folder import Folder
from xlsms_service.sync.intake import Taken

__all__ = ["App"]

_ALL_SETTLED = Patience()

#: A workbook that is saved under our hands is read again this often.
_TRIES = 5

#: Rows of a long list that the service takes in itself while its desk is being started.
_FIRST = 4_000

#: These have not been handed over yet.
_NOT_OUT = frozenset({State.QUEUED, State.SENDING})


def _now() -> datetime:
    return datetime.now(UTC)


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
        coming: Path | None = None,
    ) -> None:
        """`password` opens workbooks that ask for one, where the settings do not say.

        `coming` is a workbook that is going to be sent: the desk for a long one is there sooner.
        """
        self._settings = settings
        # A clock or a chance of the caller's own cannot be handed to another process.
        own = now is not _now or rng is not None
        heard: dict[str, Callable[..., None]] = {
            "admitted": self._admitted,
            "written": self._written,
            "problem": self._problem,
        }
        self._desk = None if own else Desk((settings, password), heard)
        self._password = password
        self._coming = coming
        self._now = now
        self._rng = rng or SystemRandom()
        self._on_event = recorded(on_event)
        self.observer = Observer(settings, now)
        self._news = News()

    async def __aenter__(self) -> Self:
        if self._coming is not None and (desk := self._desk_for(self._coming)):
            desk.branch_off(child.main)  # before anything is open, and any thread begins
        service = self._settings.service
        measures = self.observer.tallies
        self._ledger = Ledger.open(service.data, service.ledger, measures)
        self._router = Router.of(self._settings)
        self._handling = Handling(
            self._settings,
            self._ledger,
            self._router,
            password=self._password,
            clock=(self._now, self._rng),
            admitted=self._admitted,
            told=self._problem,
            measures=measures,
            elsewhere=self._elsewhere,
        )
        self.delivery = Delivery(
            self._settings,
            self._ledger,
            self._router,
            self._handling.writeback,
            observer=self.observer,
            news=self._news,
            told=self._on_event,
            clock=(self._now, self._rng),
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._desk is not None:
            await self._desk.close()
        self._handling.close()
        self._ledger.close()
        self.delivery.lease.give_back()

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

        How long that takes is up to `patience`; with `wait`, a workbook that somebody has open is waited for too.
        When a service runs on the same ledger, that one delivers.

        Raises:
            UserError: the file, the settings or the login cannot be used; nothing was sent, the file is untouched.
            TransientError: the file is open elsewhere or no link came up; nothing was sent, the file is untouched.
        """
        began = time.monotonic()
        on_progress(Progress(total=0, by_state={}, replies=0))
        path = await asyncio.to_thread(path.resolve)
        if desk := self._desk_for(path):
            desk.start()  # it needs a moment
        told = partial(self._problem, path)
        # what is wrong with the file is said before any link opens
        _, patience = await when_free(
            lambda: self._handling.thread.run(self._handling.open(path).check), patience, told
        )
        async with self.delivery.here() as here:
            given = path
            path, patience = await when_free(
                lambda: self._handling.thread.run(self._handling.open(given).prepare), patience, told
            )
            newest = await self._ledger.do(view.newest)
            known = await self._ledger.do(books.find, path)
            earlier = await self._ledger.do(view.tally, known.id) if known else None
            asked = terms(self._settings, mark)
            (taken, problems, held), patience = await when_free(partial(self._take, path, asked), patience, told)
            # What an earlier send has left counts too.
            anew = taken.accepted and not (earlier and set(earlier.by_state) & _NOT_OUT)
            sent = view.Some(book=taken.book.id, after=newest if anew else None)
            finished = await self._follow(sent, patience, on_progress, here=here)
        report = await self._report(sent, patience, on_progress, began=began, finished=finished, here=here)
        return replace(report, path=path, held=held, problems=problems, new=taken.accepted > 0)

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
        async with self.delivery.here() as here:
            over = await self._ledger.do(talk.came_over, entry.number.e164)
            draft = Draft(
                number=entry.number.e164,
                text=entry.text,
                alphabet=entry.parts.alphabet,
                parts=len(entry.parts.parts),
                fingerprint=entry.fingerprint,
                route=self._router.answer_key(entry.number.e164, over, entry.sender),
                sender=entry.sender,
                priority=Priority.URGENT,
                expires_at=self._now() + self._settings.service.validity,
            )
            message = await self._ledger.do(acceptance.accept_text, draft, self._now())
            sent = view.Some(only=message)
            finished = await self._follow(sent, patience, on_progress, here=here)
        return await self._report(sent, patience, on_progress, began=began, finished=finished, here=here)

    async def _report(
        self,
        sent: view.Some,
        patience: Patience,
        on_progress: Callable[[Progress], None],
        *,
        began: float,
        finished: bool,
        here: bool,
    ) -> Report:
        """What became of some messages; unless `finished` they are followed by whoever delivers now."""
        while not finished:  # the process that delivered has ended: it is our turn
            async with self.delivery.here() as now:
                here, finished = now, await self._follow(sent, patience, on_progress, here=now)
        tally = await self._ledger.do(view.tally, *sent)
        return Report(
            path=None,
            by_state=tally.by_state,
            parts=tally.parts,
            replies=tally.replies,
            duration=timedelta(seconds=time.monotonic() - began),
            finished=tally.lacking == 0 and all(state in SETTLED for state in tally.by_state),
            handed_over=not here,
        )

    async def run(self) -> None:
        """Watch the folders of the settings, answer the API and deliver, until cancelled.

        Raises:
            UserError: `service-running` when another service delivers from this ledger; no connector; no port.
        """
        metrics = self.observer.served(partial(self._problem, None))
        async with (
            self.delivery.here(patient=False, only_here=True),
            noted(),
            metrics,
            self._face(),
            asyncio.TaskGroup() as group,
        ):
            for watch in self._settings.watches:
                folder = watch.folder or (watch.file and watch.file.parent)
                with suppress(OSError):  # it is away: its watcher waits for it
                    if folder:
                        await self._handling.thread.run(tidy, folder)
            for watch in self._settings.watches:
                group.create_task(self._folder(watch).watch())
            await asyncio.Event().wait()  # without a folder there is still the API

    def _face(self) -> AbstractAsyncContextManager[str]:
        # A web server takes half a second to import: only the service pays.
        from xlsms_service.app.face import face  # noqa: PLC0415

        return face(
            self._settings,
            self._ledger,
            self._router,
            alone=self._handling.alone,
            observer=self.observer,
            terms=lambda hidden: terms(self._settings, hidden=hidden),
            wake=self.delivery.wake,
            news=self._news,
            clock=(self._now, self._rng),
        )

    # Workbooks.

    async def _take(self, path: Path, asked: Terms) -> tuple[Taken, tuple[XlsmsError, ...], tuple[PlanEntry, ...]]:
        """Take a workbook in; again while it is saved under our hands. What could not go is told once a row."""
        problems: dict[str, XlsmsError] = {}
        held: list[PlanEntry] = []
        accepted = 0
        saved = await asyncio.to_thread(saved_at, path)
        for most in chain(await self._first(path), repeat(None, _TRIES)):
            desk = self._desk_for(path) if most is None else None
            taking = desk.do("take_in", path, asked) if desk else self._handling.take_in(path, asked, most)
            taken = await self.observer.taken_in(taking, saved)
            accepted += taken.accepted
            held += taken.held
            problems |= {str(problem.place): problem for problem in taken.problems}
            self.delivery.wake()
            if taken.more:
                continue
            self._handling.writeback.hurry(taken.book.id)
            if not taken.changed:
                break
        else:
            raise TransientError("file-keeps-changing", path=path.name)
        taken = replace(taken, accepted=accepted)
        if accepted or problems:
            self._on_event(Event(kind="accepted", at=self._now(), path=path, taken=taken))
        return taken, tuple(problems.values()), tuple(held)

    async def _first(self, path: Path) -> tuple[int, ...]:
        """How many rows of a long list are taken in here while a desk is being started, where that saves time."""
        desk = self._desk_for(path)
        if desk is None or desk.ready or not await asyncio.to_thread(is_quick, path):
            return ()
        desk.start()
        return (_FIRST,)

    def _elsewhere(self, book: Book) -> Awaitable[bool] | None:
        """The same by the desk, if that is where it belongs, and not while that takes in a list: others come first."""
        desk = self._desk_for(book.path)
        if desk is None:
            return None
        return _later() if desk.doing == "take_in" else desk.do("write_back", book, through=True)

    def _desk_for(self, path: Path) -> Desk | None:
        return self._desk if self._desk is not None and is_long(path) else None

    def _admitted(self) -> None:
        """Some rows of a workbook are free to go."""
        self.delivery.wake()

    def _written(self, rows: int) -> None:
        """The desk has written states."""
        self.observer.tallies.count(metric.WRITEBACK_ROWS, rows)

    async def _follow(
        self, some: view.Some, patience: Patience, on_progress: Callable[[Progress], None], *, here: bool
    ) -> bool:
        lease = None if here else self.delivery.lease
        return await follow(self._ledger, some, patience, on_progress, instead_of=lease)

    def _folder(self, watch: Watch) -> Folder:
        place = watch.folder or watch.file
        if place is None:
            raise RuntimeError("a watch with neither a folder nor a file")
        asked = terms(self._settings, watch.mark, hidden=watch.hidden, priority=watch.priority)
        return Folder(
            place,
            ledger=self._ledger,
            thread=self._handling.thread,
            open_workbook=self._handling.open,
            take=lambda path: self._take(path, asked),
            problem=self._problem,
        )

    def _problem(self, path: Path | None, error: XlsmsError) -> None:
        self._on_event(Event(kind="problem", at=self._now(), path=path, error=error))


async def _later() -> bool:
    return False
