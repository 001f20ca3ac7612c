"""The addresses of `/v1`. Numbers and texts stand in bodies only: addresses end up in logs and histories."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ValidationError

from xlsms_service import auth
from xlsms_service.api import requested, told
from xlsms_service.api.desk import Desk
from xlsms_service.api.session import Subject
from xlsms_service.ledger.live import Opened
from xlsms_service.sync.live import Asked

__all__ = ["router"]

#: Seconds after which a silent stream says that it is still there.
_ALIVE = 15.0

Json = dict[str, Any]
Challenge = Annotated[str, Query(min_length=16, max_length=128)]


def router(desk: Desk, token: str) -> APIRouter:
    """Every address."""
    made = APIRouter(prefix="/v1")
    _service(made, desk, token)
    _workbooks(made, desk)
    _campaigns(made, desk)
    _changes(made, desk)
    _texts(made, desk)
    return made


def _service(made: APIRouter, desk: Desk, token: str) -> None:
    @made.get("/hello", response_model=told.Hello, summary="Who is there", openapi_extra={"security": []})
    async def hello(challenge: Challenge) -> Json:
        """Proves that it knows the token, before anybody sends it there: HMAC-SHA-256 of the challenge, in hex."""
        return {"service": "xlsms", "proof": auth.prove(token, challenge)}

    @made.get("/health", response_model=told.Health, summary="How the service is")
    async def health() -> Json:
        """Version, links, whether it is stopped, and the newest cursor."""
        return await desk.health()

    @made.post("/stop", response_model=told.Stopped, summary="Stop all sending")
    async def stop() -> Json:
        """The red button. What waits is kept."""
        return await desk.stop()

    @made.post("/resume", response_model=told.Stopped, summary="Let sending go on")
    async def resume() -> Json:
        """After a stop."""
        return await desk.resume()

    @made.post("/pages", response_model=told.Address, summary="Open a page in a browser")
    async def pages(asked: requested.PageRequest) -> Json:
        """The address opens once, within two minutes; what it is about does not stand in it."""
        if asked.page == "preview":
            subject = Subject(page="preview", plan=(await desk.intake.look(asked.plan or "")).id)
        else:
            number = asked.number or await desk.number_of(asked.row_id or "")
            subject = Subject(page="conversation", number=desk.number(number), language=asked.language)
        return {"address": f"/{asked.page}#{desk.sessions.ticket(subject)}"}


def _workbooks(made: APIRouter, desk: Desk) -> None:
    @made.post("/workbooks", response_model=told.Workbook, summary="Register an open workbook")
    async def register(asked: requested.WorkbookRequest) -> Json:
        """Again every `beat` seconds, else it counts as closed; while it is open its file is not touched."""
        path = Path(asked.path) if asked.path else None
        return await desk.register(
            Opened(guid=asked.guid, path=path, name=asked.name, host=asked.host, language=asked.language)
        )

    @made.post("/workbooks/{workbook}/closed", status_code=204, summary="The workbook is being closed")
    async def closed(workbook: requested.Key) -> Response:
        """From now on the service writes into its file again."""
        await desk.closed(workbook)
        return Response(status_code=204)

    @made.post("/workbooks/{workbook}/seen", status_code=204, summary="Ids that stand in the workbook")
    async def seen(workbook: requested.Key, asked: requested.SeenRequest) -> Response:
        """Of those that `changes` called unconfirmed: their messages go."""
        await desk.seen(workbook, asked.ids)
        return Response(status_code=204)

    @made.post("/workbooks/{workbook}/replies", response_model=told.Replies, summary="Replies that its file lacks")
    async def replies(workbook: requested.Key, asked: requested.RepliesRequest) -> Json:
        """For its sheet of replies, oldest first. They stay lacking until the closed file lists them."""
        return await desk.replies(workbook, asked.after)


def _campaigns(made: APIRouter, desk: Desk) -> None:
    @made.post("/plans", response_model=told.Plan, summary="Plan rows", openapi_extra=_taking(requested.PlanRequest))
    async def plan(request: Request) -> Response:
        """What a send would do, row by row. Nothing is sent."""
        body = await request.body()  # of many thousand rows: it is read off the loop, where links must not wait for it
        return await _big(told.Plan, await desk.plan(await asyncio.to_thread(_asked, body)))

    @made.post("/campaigns", response_model=told.Campaign, summary="Approve a plan")
    async def approve(asked: requested.CampaignRequest) -> Response:
        """What is to be written into the sheet before anything goes. The same plan again is the same campaign."""
        return await _big(told.Campaign, await desk.approve(asked.plan, asked.hash))

    @made.post("/campaigns/{campaign}/written", response_model=told.Written, summary="Ids stand in the sheet")
    async def written(campaign: requested.Id, asked: requested.WrittenRequest) -> Json:
        """The messages whose ids were written may go; those that were refused are forgotten."""
        return await desk.written(campaign, asked.written, asked.refused, asked.standing)

    @made.post("/pause", response_model=told.Count, summary="Pause")
    async def pause(asked: requested.Selection) -> Json:
        """Hold what has not left; what is on a link follows if it comes back unsent."""
        return await desk.pause(asked.workbook)

    @made.post("/unpause", response_model=told.Count, summary="Go on after a pause")
    async def unpause(asked: requested.Selection) -> Json:
        """Let go on what was paused."""
        return await desk.unpause(asked.workbook)

    @made.post("/recall", response_model=told.Count, summary="Take back")
    async def recall(asked: requested.Selection) -> Json:
        """Cancel what has not left; what is on a link follows if it comes back unsent.

        What the network has accepted is asked back where the connector has `cancel`.
        """
        return await desk.recall(asked.workbook, asked.ids)


def _taking(model: type[BaseModel]) -> Json:
    """A body that FastAPI does not read, described as if it did."""
    schema = {"$ref": f"#/components/schemas/{model.__name__}"}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


def _asked(body: bytes) -> Asked:
    try:
        asked = requested.PlanRequest.model_validate_json(body)
    except ValidationError as error:
        found = [it | {"loc": ("body", *it["loc"])} for it in error.errors(include_input=False, include_url=False)]
        raise RequestValidationError(found) from None
    return Asked(
        book=asked.workbook,
        language=asked.language,
        hidden=asked.hidden,
        sheets=[it.model_dump(mode="json", exclude_unset=True) for it in asked.sheets],
        rows=[it.model_dump(mode="json", exclude_unset=True) for it in asked.rows],
    )


async def _big(model: type[BaseModel], said: Json) -> Response:
    """An answer that may have many thousand rows: put into words off the loop, where links must not wait for it."""
    text = await asyncio.to_thread(lambda: model.model_validate(said).model_dump_json())
    return Response(text, media_type="application/json")


def _changes(made: APIRouter, desk: Desk) -> None:
    @made.post("/changes", response_model=told.Changes, summary="What has changed")
    async def changes(asked: requested.ChangesRequest) -> Json:
        """States and replies since a cursor, in the order in which they became durable."""
        return await desk.changes(asked.workbook, asked.since, asked.wait)

    @made.post("/states", response_model=told.States, summary="How some rows stand")
    async def states(asked: requested.StatesRequest) -> Json:
        """Ids that are not known are left out."""
        return await desk.states(asked.ids)

    @made.get("/events", response_class=StreamingResponse, summary="Changes as they happen",
              responses={200: {"content": {"text/event-stream": {}}}})  # fmt: skip
    async def events(
        workbook: Annotated[requested.Key | None, Query()] = None,
        since: Annotated[requested.Key, Query()] = 0,
        last_event_id: Annotated[str | None, Header(max_length=20)] = None,
    ) -> StreamingResponse:
        """Server-sent events: the body of `changes`, its cursor as their id. `Last-Event-ID` goes on from there."""
        known = last_event_id if last_event_id and last_event_id.isascii() and last_event_id.isdecimal() else since
        if workbook is not None:
            await desk.check_registered(workbook)
        return _stream(desk, workbook, min(int(known), 2**63 - 1))


def _stream(desk: Desk, workbook: int | None, since: int) -> StreamingResponse:
    """The changes of a workbook, or all, as server-sent events."""

    async def lines() -> AsyncIterator[bytes]:
        cursor = since
        yield b"retry: 2000\n\n"
        while not desk.news.closing:
            found = await desk.changes(workbook, cursor, _ALIVE)
            if found["states"] or found["orders"] or found["cursor"] != cursor:
                cursor = found["cursor"]
                data = told.Changes.model_validate(found).model_dump_json()
                yield f"id: {cursor}\nevent: changes\ndata: {data}\n\n".encode()
            else:
                yield b": alive\n\n"

    return StreamingResponse(lines(), media_type="text/event-stream")


def _texts(made: APIRouter, desk: Desk) -> None:
    @made.post("/messages", response_model=told.Message, summary="Send one text")
    async def text(asked: requested.TextRequest) -> Json:
        """To a number that need not stand in any sheet, before all others.

        The same key again is the same message; with another number or text it is refused (`key-used`).
        """
        return await desk.text(asked.number, asked.text, asked.key)

    @made.post("/costs", response_model=told.Costs, summary="What some texts would cost")
    async def costs(asked: requested.CostsRequest) -> Json:
        """Over the connector that each prefers, in the order in which they are asked for; nothing is sent."""
        return await desk.costs(asked.texts)

    @made.post("/conversation", response_model=told.Conversation, summary="What was said with a number")
    async def conversation(asked: requested.ConversationRequest) -> Json:
        """Oldest first."""
        return await desk.conversation(asked.number)

    @made.get("/inbox", response_model=told.Inbox, summary="What came in")
    async def inbox(limit: Annotated[int, Query(ge=1, le=1_000)] = 50) -> Json:
        """Newest first."""
        return await desk.inbox(limit)
