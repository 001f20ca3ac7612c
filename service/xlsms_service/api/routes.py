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
from xlsms_service.api import shape
from xlsms_service.api.desk import Desk
from xlsms_service.api.session import Subject
from xlsms_service.ledger.live import Opened
from xlsms_service.sync.live import Asked

__all__ = ["router", "stream"]

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
    @made.get("/hello", response_model=shape.Hello, summary="Who is there", openapi_extra={"security": []})
    async def hello(challenge: Challenge) -> Json:
        """Proves that it knows the token, before anybody sends it there: HMAC-SHA-256 of the challenge, in hex."""
        return {"service": "xlsms", "proof": auth.prove(token, challenge)}

    @made.get("/health", response_model=shape.Health, summary="How the service is")
    async def health() -> Json:
        """Version, links, whether it is stopped, and the newest cursor."""
        return await desk.health()

    @made.post("/stop", response_model=shape.Stopped, summary="Stop all sending")
    async def stop() -> Json:
        """The red button. What waits is kept."""
        return await desk.stop()

    @made.post("/resume", response_model=shape.Stopped, summary="Let sending go on")
    async def resume() -> Json:
        """After a stop."""
        return await desk.resume()

    @made.post("/pages", response_model=shape.Address, summary="Open a page in a browser")
    async def pages(asked: shape.PageRequest) -> Json:
        """The address opens once, within two minutes; what it is about does not stand in it."""
        if asked.page == "preview":
            subject = Subject(page="preview", plan=(await desk.intake.look(asked.plan or "")).id)
        else:
            number = asked.number or await desk.number_of(asked.row_id or "")
            subject = Subject(page="conversation", number=desk.number(number))
        return {"address": f"/{asked.page}#{desk.sessions.ticket(subject)}"}


def _workbooks(made: APIRouter, desk: Desk) -> None:
    @made.post("/workbooks", response_model=shape.Workbook, summary="Register an open workbook")
    async def register(asked: shape.WorkbookRequest) -> Json:
        """Again every `beat` seconds, else it counts as closed; while it is open its file is not touched."""
        path = Path(asked.path) if asked.path else None
        return await desk.register(
            Opened(guid=asked.guid, path=path, name=asked.name, host=asked.host, language=asked.language)
        )

    @made.post("/workbooks/{workbook}/closed", status_code=204, summary="The workbook is being closed")
    async def closed(workbook: shape.Key) -> Response:
        """From now on the service writes into its file again."""
        await desk.closed(workbook)
        return Response(status_code=204)

    @made.post("/workbooks/{workbook}/seen", status_code=204, summary="Ids that stand in the workbook")
    async def seen(workbook: shape.Key, asked: shape.SeenRequest) -> Response:
        """Of those that `changes` called unconfirmed: their messages go."""
        await desk.seen(workbook, asked.ids)
        return Response(status_code=204)

    @made.post("/workbooks/{workbook}/replies", response_model=shape.Replies, summary="Replies that its file lacks")
    async def replies(workbook: shape.Key, asked: shape.RepliesRequest) -> Json:
        """For its sheet of replies, oldest first. They stay lacking until the closed file lists them."""
        return await desk.replies(workbook, asked.after)


def _campaigns(made: APIRouter, desk: Desk) -> None:
    @made.post("/plans", response_model=shape.Plan, summary="Plan rows", openapi_extra=_taking(shape.PlanRequest))
    async def plan(request: Request) -> Response:
        """What a send would do, row by row. Nothing is sent."""
        body = await request.body()  # of many thousand rows: it is read off the loop, where links must not wait for it
        return await _big(shape.Plan, await desk.plan(await asyncio.to_thread(_asked, body)))

    @made.post("/campaigns", response_model=shape.Campaign, summary="Approve a plan")
    async def approve(asked: shape.CampaignRequest) -> Response:
        """What is to be written into the sheet before anything goes. The same plan again is the same campaign."""
        return await _big(shape.Campaign, await desk.approve(asked.plan, asked.hash))

    @made.post("/campaigns/{campaign}/written", response_model=shape.Written, summary="Ids stand in the sheet")
    async def written(campaign: shape.Id, asked: shape.WrittenRequest) -> Json:
        """The messages whose ids were written may go; those that were refused are forgotten."""
        return await desk.written(campaign, asked.written, asked.refused, asked.standing)

    @made.post("/pause", response_model=shape.Count, summary="Pause")
    async def pause(asked: shape.Selection) -> Json:
        """Hold what has not left; what is on a link follows if it comes back unsent."""
        return await desk.pause(asked.workbook)

    @made.post("/unpause", response_model=shape.Count, summary="Go on after a pause")
    async def unpause(asked: shape.Selection) -> Json:
        """Let go on what was paused."""
        return await desk.unpause(asked.workbook)

    @made.post("/recall", response_model=shape.Count, summary="Take back")
    async def recall(asked: shape.Selection) -> Json:
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
        asked = shape.PlanRequest.model_validate_json(body)
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
    @made.post("/changes", response_model=shape.Changes, summary="What has changed")
    async def changes(asked: shape.ChangesRequest) -> Json:
        """States and replies since a cursor, in the order in which they became durable."""
        return await desk.changes(asked.workbook, asked.since, asked.wait)

    @made.post("/states", response_model=shape.States, summary="How some rows stand")
    async def states(asked: shape.StatesRequest) -> Json:
        """Ids that are not known are left out."""
        return await desk.states(asked.ids)

    @made.get("/events", response_class=StreamingResponse, summary="Changes as they happen",
              responses={200: {"content": {"text/event-stream": {}}}})  # fmt: skip
    async def events(
        workbook: Annotated[shape.Key | None, Query()] = None,
        since: Annotated[shape.Key, Query()] = 0,
        last_event_id: Annotated[str | None, Header(max_length=20)] = None,
    ) -> StreamingResponse:
        """Server-sent events: the body of `changes`, its cursor as their id. `Last-Event-ID` goes on from there."""
        known = last_event_id if last_event_id and last_event_id.isascii() and last_event_id.isdecimal() else since
        return stream(desk, workbook, min(int(known), 2**63 - 1))


def stream(desk: Desk, workbook: int | None, since: int) -> StreamingResponse:
    """The changes of a workbook, or all, as server-sent events."""

    async def told() -> AsyncIterator[bytes]:
        cursor = since
        yield b"retry: 2000\n\n"
        while not desk.news.closing:
            found = await desk.changes(workbook, cursor, _ALIVE)
            if found["states"] or found["orders"] or found["cursor"] != cursor:
                cursor = found["cursor"]
                data = shape.Changes.model_validate(found).model_dump_json()
                yield f"id: {cursor}\nevent: changes\ndata: {data}\n\n".encode()
            else:
                yield b": alive\n\n"

    return StreamingResponse(told(), media_type="text/event-stream")


def _texts(made: APIRouter, desk: Desk) -> None:
    @made.post("/messages", response_model=shape.Message, summary="Send one text")
    async def text(asked: shape.TextRequest) -> Json:
        """To a number that need not stand in any sheet, before all others. The same key again is the same message."""
        return await desk.text(asked.number, asked.text, asked.key)

    @made.post("/costs", response_model=shape.Costs, summary="What some texts would cost")
    async def costs(asked: shape.CostsRequest) -> Json:
        """Over the connector that each prefers, in the order in which they are asked for; nothing is sent."""
        return await desk.costs(asked.texts)

    @made.post("/conversation", response_model=shape.Conversation, summary="What was said with a number")
    async def conversation(asked: shape.ConversationRequest) -> Json:
        """Oldest first."""
        return await desk.conversation(asked.number)

    @made.get("/inbox", response_model=shape.Inbox, summary="What came in")
    async def inbox(limit: Annotated[int, Query(ge=1, le=1_000)] = 50) -> Json:
        """Newest first."""
        return await desk.inbox(limit)
