"""The one typed client of the service: what the add-in, the command line and tests call."""

import json
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any, Self
from zoneinfo import ZoneInfo

import httpx

from xlsms import home
from xlsms.client import reading, wire
from xlsms.client.model import (
    Campaign,
    Changes,
    Conversation,
    Cost,
    Health,
    Host,
    InboxText,
    LinkState,
    LiveBook,
    Plan,
    Reach,
    Reply,
    RowState,
    SentText,
    Written,
)
from xlsms.client.starting import Found, find, start
from xlsms.client.wire import Json
from xlsms.errors import TransientError, UserError
from xlsms.model import MessageId, Role, RowId
from xlsms.states import State
from xlsms.workbook.base import Applied, Language, RowEdit, Snapshot

__all__ = ["Client"]

#: Seconds to wait for an answer; a big plan takes a while.
_PATIENCE = httpx.Timeout(120.0, connect=5.0)

#: Seconds that a service which is being started may take.
_STARTING = 20.0

#: Ids that one question holds.
_MANY = 5_000


class Client:
    """Talks to the service of this user. Every order carries a key, so a repeated one is carried out once.

    Use `Client.connect()`; it is a context manager. Every method raises:

        UserError: the service refuses, with the place and the remedy.
        TransientError: `service-not-answering`; the same again later does no harm.
    """

    def __init__(self, found: Found, *, data: Path | None = None, transport: httpx.BaseTransport | None = None) -> None:
        """With the folder `data`, a service that was started anew, at another address, is found again."""
        self._found = found
        self._data = data
        self._transport = transport
        self._http = self._open()

    @classmethod
    def connect(cls, *, config: Path | None = None, starting: bool = True, patience: float = _STARTING) -> Self:
        """The client of the service that belongs to a settings file: that in `config`, `$XLSMS_CONFIG` or the usual.

        A service that does not run is started, unless `starting` is false, and may take `patience` seconds to answer.

        Raises:
            UserError: `service-not-running` when it is not to be started, or why it could not be.
        """
        data = home.data_folder_of(config or home.config_path())
        found = find(data)
        if found is None:
            if not starting:
                raise UserError("service-not-running")
            found = start(data, config, patience=patience)
        return cls(found, data=data)

    def _open(self) -> httpx.Client:
        return httpx.Client(
            base_url=self._found.address,
            headers={"Authorization": f"Bearer {self._found.token}"},
            timeout=_PATIENCE,
            trust_env=False,  # a proxy has no business between us
            transport=self._transport,
        )

    def close(self) -> None:
        """Let go of the connection. Idempotent."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # The service as a whole.

    def health(self) -> Health:
        """How the service is."""
        said = self._ask("GET", "/v1/health")
        return Health(
            version=said["version"],
            stopped=reading.moment(said["stopped"]),
            links=tuple(
                LinkState(connector=it["connector"], state=it["state"], code=it["code"]) for it in said["links"]
            ),
            cursor=said["cursor"],
        )

    def stop(self) -> datetime:
        """The red button: nothing more goes out, since the time that is returned, until `resume`."""
        since = reading.moment(self._ask("POST", "/v1/stop")["stopped"])
        if since is None:
            raise TransientError("service-not-answering")
        return since

    def resume(self) -> bool:
        """Let sending go on; whether it was stopped."""
        return bool(self._ask("POST", "/v1/resume")["was_stopped"])

    # Open workbooks.

    def register(self, *, guid: str, path: Path | None, name: str, host: Host, language: Language) -> LiveBook:
        """Make an open workbook known, or say that it is still open: again at least every `LiveBook.beat` seconds.

        `path` is None for a workbook that was never saved. While it is open, the service does not touch its file.

        Raises:
            UserError: `workbook-copied`; another workbook has this GUID. Give this one a new GUID to send from it.
        """
        said = self._ask(
            "POST",
            "/v1/workbooks",
            {"guid": guid, "path": str(path) if path else None, "name": name, "host": host, "language": language},
        )
        return LiveBook(
            id=said["id"],
            guid=said["guid"],
            path=Path(said["path"]) if said["path"] else None,
            cursor=said["cursor"],
            beat=said["beat"],
            zone=ZoneInfo(said["zone"]) if said["zone"] else None,
        )

    def closed(self, book: LiveBook) -> None:
        """The workbook is being closed: from now on the service writes into its file again."""
        self._ask("POST", f"/v1/workbooks/{book.id}/closed")

    def plan(self, book: LiveBook, snapshot: Snapshot, *, hidden: bool = False) -> Plan:
        """What sending the marked rows of `snapshot` would do; nothing is sent.

        The snapshot holds every row with an id, marked or not: only so a copied row is known for a copy. Rows that are
        sent because they were selected are marked in the snapshot. With `hidden`, rows that a filter hides go too.
        """
        replies = {
            it.name: it.headers.get(it.columns[Role.REPLY]) for it in snapshot.sheets if Role.REPLY in it.columns
        }
        rows = [wire.row(it, reply=replies.get(it.sheet)) for it in snapshot.rows if it.marked or it.id]
        said = self._ask(
            "POST",
            "/v1/plans",
            {
                "workbook": book.id,
                "language": snapshot.language,
                "hidden": hidden,
                "sheets": [wire.sheet(it) for it in snapshot.sheets],
                "rows": rows,
            },
        )
        return reading.plan(said)

    def preview_page(self, plan: Plan | str) -> str:
        """The address of a page that shows a plan; it opens once, within two minutes."""
        return self._page({"page": "preview", "plan": plan if isinstance(plan, str) else plan.id})

    def conversation_page(self, number: str, language: str | None = None) -> str:
        """The address of a page with what was said with a number; it opens once, within two minutes."""
        return self._page({"page": "conversation", "number": number, "language": language})

    def row_page(self, row_id: RowId, language: str | None = None) -> str:
        """The address of the page with the conversation of a row; it opens once, within two minutes."""
        return self._page({"page": "conversation", "row_id": row_id, "language": language})

    def _page(self, what: Json) -> str:
        return self._found.address + str(self._ask("POST", "/v1/pages", what)["address"])

    def send(self, plan: Plan | str, hash: str | None = None) -> Campaign:  # noqa: A002  # what it is called everywhere
        """Approve a plan, named by itself or by its id and `hash`; nothing goes before `written` says that it may.

        The same plan again gives the same campaign.

        Raises:
            UserError: `plan-changed`; what would go now is not what was approved: plan anew. `plan-unknown`: too old.
        """
        if isinstance(plan, Plan):
            hash = hash or plan.hash  # noqa: A001
            plan = plan.id
        said = self._ask("POST", "/v1/campaigns", {"plan": plan, "hash": hash})
        return Campaign(
            id=said["id"],
            plan=said["plan"],
            edits=tuple(wire.read_edit(it) for it in said["edits"]),
            troubles=tuple(reading.trouble(it) for it in said["troubles"]),
        )

    def written(self, campaign: Campaign, applied: Applied) -> Written:
        """Tell what became of a campaign's edits in the open workbook: the rows whose id stands there may go now.

        After an error from `apply` nothing needs to be told: what was not written is sent with the next send, once.
        """
        given = {it: edit for edit in campaign.edits if (it := _id_given(edit))}
        nameless = {_id_given(it.edit) for it in applied.refused if it.role is Role.ID}
        standing = {_id_given(it.edit) for it in applied.refused if it.role is Role.SEND}
        done = ({_id_given(edit) for edit in applied.done} & set(given)) - nameless
        body = {
            "written": sorted(done),
            "refused": sorted(set(given) - done),
            "standing": sorted(standing & done),
        }
        said = self._ask("POST", f"/v1/campaigns/{campaign.id}/written", body)
        return Written(accepted=said["accepted"], held=said["held"], withdrawn=said["withdrawn"])

    def seen(self, book: LiveBook, row_ids: Iterable[RowId]) -> None:
        """These ids, of those that `changes` called unconfirmed, do stand in the open workbook."""
        self._ask("POST", f"/v1/workbooks/{book.id}/seen", {"ids": sorted(row_ids)})

    def replies(self, book: LiveBook, *, after: int = 0) -> Iterator[Reply]:
        """The replies that the file of an open workbook does not list yet, oldest first, from an id on.

        They stay lacking until the service has written them into the closed file, or has found them there.
        """
        more = True
        while more:
            said = self._ask("POST", f"/v1/workbooks/{book.id}/replies", {"after": after})
            more = bool(said["more"])
            for it in said["texts"]:
                after = it["id"]
                yield Reply(
                    id=after,
                    number=it["number"],
                    text=it["text"],
                    at=datetime.fromisoformat(it["at"]),
                    sheet=it["sheet"],
                    row_id=RowId(it["row_id"]),
                )

    def changes(self, book: LiveBook | None = None, *, since: int, wait: float = 0.0) -> Changes:
        """What has changed after the cursor `since`, in one workbook or in all; waits up to `wait` seconds for news.

        Edits name rows by their ids; write what the sheet still has, leave out the rest. What is not written now can be
        asked for again with the same cursor.
        """
        body = {"workbook": book.id if book else None, "since": since, "wait": wait}
        return reading.changes(self._ask("POST", "/v1/changes", body))

    def follow(self, book: LiveBook | None = None, *, since: int) -> Iterator[Changes]:
        """Changes as they happen, without end; close the iterator to stop.

        After an interruption (`service-not-answering`) go on with the cursor of the last.
        """
        params = {"workbook": book.id} if book else {}
        headers = {"Last-Event-ID": str(since), "Accept": "text/event-stream"}
        try:
            with self._http.stream("GET", "/v1/events", params=params, headers=headers, timeout=None) as answer:
                if answer.is_error:
                    answer.read()
                    raise _refusal(answer)
                for line in answer.iter_lines():
                    if line.startswith("data:"):
                        yield reading.changes(json.loads(line.removeprefix("data:")))
        except httpx.TransportError as error:
            self._look_again()
            raise TransientError("service-not-answering") from error

    def states(self, row_ids: Sequence[RowId]) -> dict[RowId, RowState]:
        """What became of the messages of these rows; ids that are not known are left out."""
        found: dict[RowId, RowState] = {}
        for begin in range(0, len(row_ids), _MANY):
            said = self._ask("POST", "/v1/states", {"ids": list(row_ids[begin : begin + _MANY])})
            found |= {state.row_id: state for state in map(reading.state, said["states"])}
        return found

    # Campaigns under way, of one workbook or of all.

    def pause(self, book: LiveBook | int | None = None) -> Reach:
        """Hold what has not left yet, of a workbook (by its number, where it is not open) or of all."""
        return self._reach("/v1/pause", book)

    def unpause(self, book: LiveBook | int | None = None) -> Reach:
        """Let go on what was paused."""
        return self._reach("/v1/unpause", book)

    def recall(self, book: LiveBook | int | None = None, row_ids: Sequence[RowId] | None = None) -> Reach:
        """Take back for good what has not left yet, of a workbook or of these rows."""
        return self._reach("/v1/recall", book, row_ids)

    def _reach(self, path: str, book: LiveBook | int | None, row_ids: Sequence[RowId] | None = None) -> Reach:
        body = {
            "workbook": book.id if isinstance(book, LiveBook) else book,
            "ids": None if row_ids is None else list(row_ids),
        }
        said = self._ask("POST", path, body)
        return Reach(count=said["count"], under_way=said["under_way"], asked_back=said["asked_back"])

    # Single texts and what came back.

    def text(self, number: str, text: str, *, key: str | None = None) -> SentText:
        """Send one text to a number. With the `key` of an earlier call, that call's message is returned."""
        body = {"number": number, "text": text, "key": key or uuid.uuid4().hex}
        said = self._ask("POST", "/v1/messages", body)
        return SentText(
            message=MessageId(said["message"]),
            number=said["number"],
            text=said["text"],
            parts=said["parts"],
            state=State(said["state"]),
        )

    def reply(self, number: str, text: str, *, key: str | None = None) -> SentText:
        """Answer a number, from the sender that it was last written to from."""
        return self.text(number, text, key=key)

    def costs(self, texts: Sequence[tuple[str, str]]) -> tuple[Cost, ...]:
        """What texts would cost, each a number and a text; nothing is sent."""
        found: list[Cost] = []
        for begin in range(0, len(texts), _MANY):
            said = self._ask("POST", "/v1/costs", {"texts": list(texts[begin : begin + _MANY])})
            found += [Cost(cost=reading.money(it["cost"]), problem=it["problem"]) for it in said["costs"]]
        return tuple(found)

    def conversation(self, number: str) -> Conversation:
        """What was said with a number, oldest first."""
        return reading.conversation(self._ask("POST", "/v1/conversation", {"number": number}))

    def inbox(self, *, limit: int = 50) -> tuple[InboxText, ...]:
        """The newest texts that came in, newest first."""
        said = self._ask("GET", "/v1/inbox", params={"limit": limit})
        return tuple(
            InboxText(
                id=it["id"],
                number=it["number"],
                text=it["text"],
                at=datetime.fromisoformat(it["at"]),
                workbook=it["workbook"],
                sheet=it["sheet"],
                row_id=RowId(it["row_id"]) if it["row_id"] else None,
            )
            for it in said["texts"]
        )

    def _ask(self, method: str, path: str, body: Json | None = None, params: dict[str, Any] | None = None) -> Json:
        """One question; once more when the connection broke, as no order is carried out twice."""
        content = None if body is None else json.dumps(body, ensure_ascii=False).encode("utf-8", "surrogatepass")
        headers = {"Content-Type": "application/json"} if content is not None else {}
        try:
            answer = self._http.request(method, path, content=content, params=params, headers=headers)
        except httpx.TransportError:
            self._look_again()
            try:
                answer = self._http.request(method, path, content=content, params=params, headers=headers)
            except httpx.TransportError as error:
                raise TransientError("service-not-answering") from error
        if answer.is_error:
            raise _refusal(answer)
        said: Json = answer.json() if answer.content else {}
        return said

    def _look_again(self) -> None:
        """Go to where the service is now; it listens at any free port, another one each time that it starts."""
        found = find(self._data, self._transport) if self._data is not None else None
        if found is not None and found != self._found:
            self._http.close()
            self._found = found
            self._http = self._open()


def _refusal(answer: httpx.Response) -> Exception:
    with suppress(ValueError, KeyError, TypeError):
        said = answer.json()
        if isinstance(said, dict) and "code" in said:
            return wire.read_error(said)
    return TransientError("service-not-answering")


def _id_given(edit: RowEdit) -> RowId:
    return RowId(str(edit.values.get(Role.ID) or ""))
