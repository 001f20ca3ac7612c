"""What the API's addresses work with: the ledger, the intake of open workbooks, and who is to be woken."""

import asyncio
import hashlib
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection

import xlsms
from xlsms import phone
from xlsms.errors import UserError
from xlsms.model import Priority, RowId
from xlsms_service.api.news import News
from xlsms_service.api.session import Sessions
from xlsms_service.api.telling import Json, message_told, plan_told, text_told
from xlsms_service.delivery.routing import Router
from xlsms_service.ledger import acceptance, campaign, changes, intervention, link, live, reply, stop, talk, view
from xlsms_service.ledger import book as books
from xlsms_service.ledger.acceptance import Draft
from xlsms_service.ledger.book import NEVER_SAVED
from xlsms_service.ledger.changes import Changed, MessageState
from xlsms_service.ledger.ledger import Ledger
from xlsms_service.ledger.live import Opened
from xlsms_service.ledger.reader import Reader
from xlsms_service.planning import Facts, Terms, plan_text
from xlsms_service.sync.live import LiveIntake, LivePlan

__all__ = ["Desk", "Json"]

P = ParamSpec("P")
T = TypeVar("T")

#: Seconds between two looks while somebody waits: another process may have put something into the ledger.
_LOOK = 1.0

#: Orders from pages that are kept for a workbook that does not ask for them.
_ORDERS = 20

#: An order to send that no open workbook has taken for so long lapses: it would come as a surprise.
_ORDER_LASTS = timedelta(minutes=10)

#: Texts that one answer holds.
_REPLIES = 1_000


@dataclass(slots=True, kw_only=True)
class Desk:
    """Everything that the API does, apart from speaking HTTP."""

    ledger: Ledger
    reader: Reader
    intake: LiveIntake
    router: Router
    sessions: Sessions
    terms: Callable[[bool], Terms]
    now: Callable[[], datetime]
    wake: Callable[[], None]  #: something may go out
    language: str
    take_back: Collection[str] = ()  #: connectors that can take back what their network has accepted
    news: News = field(default_factory=News)
    _orders: dict[int, list[Json]] = field(default_factory=dict)
    _given: set[str] = field(default_factory=set)  #: plans whose order to send has been given out

    async def read(self, function: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What a function of the ledger finds; it never waits for what is being written."""
        return await asyncio.to_thread(lambda: self.reader.ask(function, *args, **kwargs))

    # The service as a whole.

    async def health(self) -> Json:
        """How the service is."""
        links, stopped = await self.read(link.links), await self.read(stop.pressed)
        return {
            "version": xlsms.__version__,
            "stopped": stopped,
            "links": [{"connector": it.connector, "state": it.state, "code": it.code} for it in links],
            "cursor": await self.read(changes.newest),
        }

    async def stop(self) -> Json:
        """Nothing more goes."""
        since = await self.ledger.do(stop.press, self.now())
        self.news.ring()
        return {"stopped": since, "was_stopped": since is not None}

    async def resume(self) -> Json:
        """It goes on."""
        was_stopped = await self.ledger.do(stop.release)
        self._changed()
        return {"stopped": None, "was_stopped": was_stopped}

    def _changed(self) -> None:
        self.wake()
        self.news.ring()

    # Open workbooks.

    async def register(self, opened: Opened) -> Json:
        """An open workbook says that it is open."""
        file = await asyncio.to_thread(_file_state, opened.path)
        opened = Opened(
            guid=opened.guid, path=opened.path, name=opened.name, host=opened.host, language=opened.language, file=file
        )
        book = await self.ledger.do(live.register, opened, now=self.now(), exists=Path.exists)
        lacking = await self.read(live.first_lacking, book.id)
        cursor = await self.read(changes.newest) if lacking is None else lacking - 1
        path = None if str(book.path).startswith(NEVER_SAVED) else str(book.path)
        beat, zone = live.BEAT.total_seconds(), self.terms(False).zone
        said = {"id": book.id, "guid": opened.guid, "path": path, "cursor": cursor, "beat": beat}
        return said | {"zone": str(zone) if zone is not None else None}

    async def closed(self, book: int) -> None:
        """An open workbook is being closed."""
        path = await self._registered(book)
        await self.ledger.do(live.close, book, await asyncio.to_thread(_file_state, path), self.now())
        self._changed()

    async def check_registered(self, book: int) -> None:
        """Make sure that a workbook was registered once; `workbook-not-registered`."""
        if await self.read(live.opened_at, book) is None:
            raise UserError("workbook-not-registered")

    async def _registered(self, book: int) -> Path:
        await self.check_registered(book)
        return (await self.read(books.get, book)).path

    async def seen(self, book: int, row_ids: Sequence[str]) -> None:
        """These ids do stand in the open workbook."""
        await self._registered(book)
        await self.intake.seen(book, [RowId(it) for it in row_ids])
        self._changed()

    async def replies(self, book: int, after: int) -> Json:
        """What came in for an open workbook and its file does not list yet."""
        await self._registered(book)
        found = await self.read(reply.lacking, book, after=after, most=_REPLIES + 1)
        names = ("id", "number", "text", "at", "sheet", "row_id")
        texts = [{name: getattr(it, name) for name in names} for it in found[:_REPLIES]]
        return {"texts": texts, "more": len(found) > _REPLIES}

    # Plans and campaigns.

    async def plan(self, asked: Any) -> Json:
        """Plan what was read."""
        await self._registered(asked.book)
        return await asyncio.to_thread(self.shown, await self.intake.plan(asked))

    async def approve(self, plan: str, hash: str) -> Json:  # noqa: A002  # what it is called everywhere
        """Approve a plan."""
        self._given.discard(plan)
        return await self.intake.approve(plan, hash)

    async def written(self, key: str, done: Sequence[str], refused: Sequence[str], standing: Sequence[str]) -> Json:
        """What became of the cells of a campaign."""
        admitted = await self.intake.written(
            key,
            done=[RowId(it) for it in done],
            refused=[RowId(it) for it in refused],
            standing=[RowId(it) for it in standing],
        )
        self._changed()
        return {"accepted": admitted.accepted, "held": admitted.held, "withdrawn": admitted.withdrawn}

    async def pause(self, book: int | None) -> Json:
        """Hold what has not left."""
        return self._reach(await self.ledger.do(intervention.pause, self.now(), book=book))

    async def unpause(self, book: int | None) -> Json:
        """Let go on what was paused."""
        return self._reach(await self.ledger.do(intervention.unpause, self.now(), book=book))

    async def recall(self, book: int | None, row_ids: Sequence[str] | None) -> Json:
        """Take back what has not left, and what the network has where it can be taken back."""
        ids = None if row_ids is None else [RowId(it) for it in row_ids]
        recalled = self.ledger.do(intervention.recall, self.now(), book=book, row_ids=ids, networks=self.take_back)
        return self._reach(await recalled)

    def _reach(self, reach: intervention.Reach) -> Json:
        self._changed()
        return asdict(reach)

    # What has changed.

    async def changes(self, book: int | None, since: int, wait: float) -> Json:
        """What has changed since then; waits for something to change, no longer than that."""
        if book is not None:
            await self.check_registered(book)
        loop = asyncio.get_running_loop()
        until = loop.time() + wait
        while True:
            found = await self.read(changes.since, since, book)
            orders = await self._take_orders(book) if book is not None else []
            left = until - loop.time()
            if found.states or found.more or orders or left <= 0 or self.news.closing:
                break
            since = found.cursor
            await self.news.wait(min(left, _LOOK))
        waiting = await self.read(live.unconfirmed, book, self.now()) if book is not None else []
        return self._changes(found, orders, waiting)

    async def heard(self, since: int, wait: float, *, book: int | None, number: str | None) -> tuple[int, bool]:
        """Up to where was looked, and whether a workbook or a number has news; waits for some, no longer than that."""
        loop = asyncio.get_running_loop()
        until = loop.time() + wait
        while True:
            since, own = await self.read(changes.heard, since, book=book, number=number)
            left = until - loop.time()
            if own or left <= 0 or self.news.closing:
                return since, own
            await self.news.wait(min(left, _LOOK))

    def _changes(self, found: Changed, orders: list[Json], waiting: list[RowId]) -> Json:
        states = [self.state(it) for it in found.states if it.row_id]
        return {
            "cursor": found.cursor,
            "more": found.more,
            "states": states,
            "orders": orders,
            "unconfirmed": waiting,
        }

    def shown(self, it: LivePlan) -> Json:
        """A plan as it is told."""
        return plan_told(it, self.router)

    def state(self, it: MessageState) -> Json:
        """How a message stands, in words and as cells."""
        return message_told(it, it.language or self.language)

    async def states(self, row_ids: Sequence[str]) -> Json:
        """How the messages of some rows stand."""
        found = await self.read(changes.of_rows, [RowId(it) for it in row_ids])
        return {"states": [self.state(it) for it in found]}

    # Orders from pages.

    def order(self, book: int, order: Json) -> None:
        """Something is asked of an open workbook."""
        waiting = self._orders.setdefault(book, [])
        waiting.append(order)
        del waiting[:-_ORDERS]
        self.news.ring()

    async def want(self, plan: str) -> None:
        """Somebody said yes on a plan's page."""
        await self.ledger.do(campaign.want, plan, self.now())
        self._given.discard(plan)
        self.news.ring()

    async def _take_orders(self, book: int) -> list[Json]:
        orders = self._orders.pop(book, [])
        for key, hash, since in await self.read(campaign.wanted, book):  # noqa: A001  # what it is called everywhere
            if since < self.now() - _ORDER_LASTS:
                await self.ledger.do(campaign.want, key, None)
            elif key not in self._given:
                self._given.add(key)
                orders.append({"kind": "send", "plan": key, "hash": hash})
        return orders

    # Single texts.

    async def text(self, number: str, text: str, key: str) -> Json:
        """Send one text; the same key again is the same message."""
        terms = self.terms(False)
        entry = plan_text(number, text, terms, Facts(now=self.now()))
        if entry.problem is not None:
            raise entry.problem
        if entry.number is None or entry.parts is None or entry.fingerprint is None:
            raise RuntimeError("a planned text with neither a problem nor a message")
        to = entry.number.e164
        sender = await self.read(talk.sender_to, to) or entry.sender
        over = await self.read(talk.came_over, to)
        draft = Draft(
            number=to,
            text=entry.text,
            alphabet=entry.parts.alphabet,
            parts=len(entry.parts.parts),
            fingerprint=entry.fingerprint,
            route=self.router.answer_key(to, over, sender),
            sender=sender,
            priority=Priority.URGENT,
            expires_at=self.now() + terms.validity,
            key=hashlib.sha256(f"text\n{key}".encode("utf-8", "surrogatepass")).hexdigest(),
        )
        message = await self.ledger.do(acceptance.accept_text, draft, self.now())
        self._changed()
        state = next(iter((await self.ledger.do(view.tally, only=message)).by_state))
        return {"message": message, "number": to, "text": draft.text, "parts": draft.parts, "state": str(state)}

    async def costs(self, texts: Sequence[tuple[str, str]]) -> Json:
        """What some texts would cost; nothing is sent."""
        terms, facts = self.terms(False), Facts(now=self.now())
        return {"costs": await asyncio.to_thread(lambda: [self._cost(*it, terms, facts) for it in texts])}

    def _cost(self, number: str, text: str, terms: Terms, facts: Facts) -> Json:
        entry = plan_text(number, text, terms, facts)
        if entry.problem is not None or entry.number is None or entry.parts is None:
            return {"cost": None, "problem": entry.problem.message(self.language) if entry.problem else None}
        price = self.router.explain(entry.number.e164, entry.sender).price
        return {"cost": None if price is None else str(price * len(entry.parts.parts)), "problem": None}

    def number(self, written: str) -> str:
        """A number as it stands in the ledger; one that is none of a phone may still be somebody's sender."""
        try:
            return phone.parse(written, self.terms(False).country).e164
        except UserError:
            return written.strip()

    async def number_of(self, row_id: str) -> str:
        """The number that a row's message goes to."""
        number = await self.read(talk.number_of, RowId(row_id))
        if number is None:
            raise UserError("message-unknown")
        return number

    async def conversation(self, number: str, language: str | None = None) -> Json:
        """What was said with a number."""
        number = self.number(number)
        texts = await self.read(talk.thread, number)
        return {"number": number, "texts": [text_told(it, language or self.language) for it in texts]}

    async def inbox(self, limit: int) -> Json:
        """The newest texts that came in."""
        texts = await self.read(talk.inbox, limit)
        names = ("id", "number", "text", "at", "workbook", "sheet", "row_id")
        return {"texts": [{name: getattr(it, name) for name in names} for it in texts]}


def _file_state(path: Path | None) -> str | None:
    """Size and time of a file; None when there is none."""
    if path is None:
        return None
    try:
        status = path.stat()
    except (OSError, ValueError):
        return None
    return f"{status.st_size}:{status.st_mtime_ns}"
