"""The pages: a shell that holds nothing, its script and style, and what the script may ask with its key."""

import json
import tomllib
from collections import Counter
from collections.abc import AsyncIterator
from functools import cache
from importlib.resources import files
from typing import Annotated, Any

from fastapi import APIRouter, Header, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from xlsms.errors import UserError
from xlsms.model import RowId
from xlsms.states import LABELS, State
from xlsms.text.visible import PATTERN
from xlsms_service.api.desk import Desk
from xlsms_service.api.requested import NO_NUL
from xlsms_service.api.session import Subject
from xlsms_service.ledger import book as books
from xlsms_service.ledger import campaign, changes, live, stop

__all__ = ["pages", "words"]

Json = dict[str, Any]
Auth = Annotated[str | None, Header(max_length=200)]

#: Seconds after which a page's stream says that it is alive.
_ALIVE = 15.0

_LANGUAGES = ("en", "es")
_ASSETS = {"page.css": "text/css", "page.js": "text/javascript", "icon.svg": "image/svg+xml"}


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Ticket(_Asked):
    ticket: Annotated[str, StringConstraints(max_length=100)]


class _Approval(_Asked):
    hash: Annotated[str, StringConstraints(max_length=64)]


class _Cell(_Asked):
    sheet: Annotated[str, StringConstraints(max_length=1_000)]
    row: Annotated[int, Field(ge=1, le=1_048_576)]
    column: Annotated[str, StringConstraints(pattern="^[A-Z]{1,3}$")] | None = None
    row_id: Annotated[str, StringConstraints(pattern="^[A-Z]{13}$")] | None = None  #: finds the row where it is now


class _Answer(_Asked):
    text: Annotated[str, StringConstraints(min_length=1, max_length=2_000, pattern=NO_NUL)]
    key: Annotated[str, StringConstraints(min_length=8, max_length=64, pattern=NO_NUL)]


@cache
def words(language: str) -> dict[str, str]:
    """What the pages say."""
    catalogue: dict[str, list[str]] = tomllib.loads((files(__package__) / "words.toml").read_text("utf-8"))
    return {name: texts[_LANGUAGES.index(language)] for name, texts in catalogue.items()}


@cache
def _asset(name: str) -> bytes:
    return (files(__package__) / "assets" / name).read_bytes()


def pages(desk: Desk) -> APIRouter:
    """Every address of the pages."""
    made = APIRouter(include_in_schema=False)
    _shells(made)
    _opening(made, desk)
    _preview(made, desk)
    _approving(made, desk)
    _cells(made, desk)
    _conversation(made, desk)
    return made


def _shells(made: APIRouter) -> None:
    @made.get("/preview")
    @made.get("/conversation")
    async def shell() -> Response:
        return Response(_asset("page.html"), media_type="text/html")

    @made.get("/assets/{name}")
    async def asset(name: str) -> Response:
        if name not in _ASSETS:
            raise UserError("api-unknown-address")
        return Response(_asset(name), media_type=_ASSETS[name])


def _subject(desk: Desk, authorization: str | None, page: str | None = None) -> Subject:
    """What the key of a page opens."""
    subject = desk.sessions.of((authorization or "").partition(" ")[2])
    if subject is None or (page is not None and subject.page != page):
        raise UserError("page-expired")
    return subject


def _opening(made: APIRouter, desk: Desk) -> None:
    @made.post("/page/open")
    async def opened(asked: _Ticket) -> Json:
        found = desk.sessions.open(asked.ticket)
        if found is None:
            raise UserError("page-expired")
        key, subject = found
        language = subject.language or desk.language
        if subject.plan is not None:
            language = (await desk.intake.look(subject.plan)).language
        return {"key": key, "page": subject.page, "language": language, "words": words(language), "hidden": PATTERN}

    @made.get("/page/events")
    async def events(
        authorization: Auth = None, last_event_id: Annotated[str | None, Header(max_length=20)] = None
    ) -> StreamingResponse:
        subject = _subject(desk, authorization)
        book = None
        if subject.plan is not None:
            stored = await desk.read(campaign.find, subject.plan)
            if stored is None:
                raise UserError("plan-unknown")
            book = stored.book
        number = desk.number(subject.number) if subject.number is not None else None
        known = last_event_id if last_event_id and last_event_id.isascii() and last_event_id.isdecimal() else None
        since = min(int(known), 2**63 - 1) if known else await desk.read(changes.newest)
        return StreamingResponse(_bells(desk, since, book, number), media_type="text/event-stream")


async def _bells(desk: Desk, since: int, book: int | None, number: str | None) -> AsyncIterator[bytes]:
    """A bare cursor whenever a page's own workbook or number has news: what it is, the page asks for with its key."""
    yield b"retry: 2000\n\n"
    while not desk.news.closing:
        since, own = await desk.heard(since, _ALIVE, book=book, number=number)
        yield f"id: {since}\nevent: news\ndata:\n\n".encode() if own else b": alive\n\n"


def _preview(made: APIRouter, desk: Desk) -> None:
    @made.post("/page/plan")
    async def plan(authorization: Auth = None) -> Json:
        key = _subject(desk, authorization, "preview").plan or ""
        looked, stored = await desk.intake.look(key), await desk.read(campaign.find, key)
        if stored is None:
            raise UserError("plan-unknown")
        shown = desk.shown(looked)
        for row in shown["rows"]:
            for sent in ("earlier", "again"):
                row[f"{sent}_label"] = LABELS[looked.language][State(row[sent])] if row[sent] else None
        stage = await _stage(desk, stored, looked.language)
        if stage["stage"] == "open" and looked.plan.hash != stored.hash:
            stage["stage"] = "changed"
        name = await desk.read(live.name_of, looked.book.id)
        return shown | stage | {"hash": stored.hash, "name": name}

    @made.post("/page/stage")
    async def stage(authorization: Auth = None) -> Json:
        stored = await desk.read(campaign.find, _subject(desk, authorization, "preview").plan or "")
        if stored is None:
            raise UserError("plan-unknown")
        return await _stage(desk, stored, json.loads(stored.asked)["language"])


def _approving(made: APIRouter, desk: Desk) -> None:
    @made.post("/page/approve", status_code=204)
    async def approve(asked: _Approval, authorization: Auth = None) -> Response:
        key = _subject(desk, authorization, "preview").plan or ""
        looked = await desk.intake.look(key)
        if looked.plan.hash != asked.hash:
            raise UserError("plan-changed")
        if not await desk.read(live.is_open, looked.book.id, desk.now()):
            raise UserError("page-workbook-closed")
        await desk.want(key)
        return Response(status_code=204)


def _cells(made: APIRouter, desk: Desk) -> None:
    @made.post("/page/show", status_code=204)
    async def show(asked: _Cell, authorization: Auth = None) -> Response:
        key = _subject(desk, authorization, "preview").plan or ""
        stored = await desk.read(campaign.find, key)
        if stored is None:
            raise UserError("plan-unknown")
        book = await desk.read(books.get, stored.book)
        desk.order(book.id, {"kind": "show", **asked.model_dump()})
        return Response(status_code=204)


async def _stage(desk: Desk, stored: campaign.Stored, language: str) -> Json:
    """How far a plan is, what of it did not go for its row had changed, and whether anything goes out at all."""
    told: Json = {"stage": "wanted" if stored.wanted else "open", "states": [], "withdrawn": 0}
    if stored.answer is not None:
        drafts = [RowId(it) for it in stored.answer["drafts"]]
        withdrawn = len(drafts) - len(await desk.read(campaign.drafted, drafts))
        states = await _states(desk, stored.answer, language)
        # As long as the sheet has not told that their ids stand there, nothing is sent.
        stage = "wanted" if drafts and not states and withdrawn == 0 else "approved"
        told = {"stage": stage, "states": states, "withdrawn": withdrawn}
    return told | {"stopped": await desk.read(stop.pressed) is not None}


async def _states(desk: Desk, answer: Json, language: str) -> list[tuple[str, int]]:
    """How many messages of a campaign are in which state, in words."""
    ids = [RowId(it) for it in (*answer["drafts"], *answer["again"])]
    counts = Counter(it.state for it in await desk.read(changes.of_rows, ids))
    return [(LABELS[language][state], counts[state]) for state in State if counts[state]]


def _conversation(made: APIRouter, desk: Desk) -> None:
    @made.post("/page/conversation")
    async def conversation(authorization: Auth = None) -> Json:
        subject = _subject(desk, authorization, "conversation")
        return await desk.conversation(subject.number or "", subject.language)

    @made.post("/page/reply", status_code=204)
    async def reply(asked: _Answer, authorization: Auth = None) -> Response:
        number = _subject(desk, authorization, "conversation").number or ""
        await desk.text(number, asked.text, asked.key)
        return Response(status_code=204)
