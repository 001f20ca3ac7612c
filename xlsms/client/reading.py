"""From what the service says to the values of the client."""

from datetime import datetime
from decimal import Decimal

from xlsms.client import wire
from xlsms.client.model import (
    Changes,
    Conversation,
    Order,
    OrderKind,
    Plan,
    PlannedRow,
    RowState,
    Said,
    Totals,
    Trouble,
)
from xlsms.client.wire import Json
from xlsms.model import MessageId, RowId
from xlsms.states import State

__all__ = ["changes", "conversation", "moment", "money", "plan", "planned", "state", "trouble"]


def moment(said: str | None) -> datetime | None:
    """A time; None where there is none."""
    return datetime.fromisoformat(said) if said else None


def money(said: str | None) -> Decimal | None:
    """A sum; None where none is known."""
    return None if said is None else Decimal(said)


def trouble(said: Json) -> Trouble:
    """What keeps a row from going."""
    return Trouble(
        code=said["code"],
        message=said["message"],
        remedy=said["remedy"],
        place=wire.read_place(said.get("place")),
        facts=said.get("facts") or {},
    )


def plan(said: Json) -> Plan:
    """A plan with its rows."""
    totals = said["totals"]
    return Plan(
        id=said["id"],
        workbook=said["workbook"],
        hash=said["hash"],
        totals=Totals(**(totals | {"cost": money(totals["cost"])})),
        rows=tuple(planned(it) for it in said["rows"]),
    )


def planned(said: Json) -> PlannedRow:
    """One row of a plan."""
    return PlannedRow(
        sheet=said["sheet"],
        row=said["row"],
        goes=said["goes"],
        number=said["number"],
        repairs=tuple(said["repairs"]),
        text=said["text"],
        alphabet=said["alphabet"],
        parts=tuple(said["parts"]),
        culprits=tuple((index, character) for index, character in said["culprits"]),
        sender=said["sender"],
        send_at=moment(said["send_at"]),
        cost=money(said["cost"]),
        use=tuple(said["use"]),
        problem=trouble(said["problem"]) if said["problem"] else None,
        held=trouble(said["held"]) if said["held"] else None,
        earlier=State(said["earlier"]) if said["earlier"] else None,
        again=State(said["again"]) if said.get("again") else None,
    )


def state(said: Json) -> RowState:
    """How a row stands."""
    return RowState(
        row_id=RowId(said["row_id"]),
        message=MessageId(said["message"]),
        workbook=said["workbook"],
        sheet=said["sheet"],
        state=State(said["state"]),
        label=said["label"],
        detail=said["detail"],
        code=said["code"],
        at=datetime.fromisoformat(said["at"]),
        reply=said["reply"],
        reply_at=moment(said["reply_at"]),
    )


def changes(said: Json) -> Changes:
    """What is new."""
    return Changes(
        cursor=said["cursor"],
        more=said["more"],
        states=tuple(state(it) for it in said["states"]),
        edits=tuple(wire.read_edit({"id": it["row_id"], "values": it["cells"]}) for it in said["states"]),
        orders=tuple(
            Order(
                kind=OrderKind(it["kind"]),
                plan=it.get("plan"),
                hash=it.get("hash"),
                sheet=it.get("sheet"),
                row=it.get("row"),
                column=it.get("column"),
                row_id=it.get("row_id"),
            )
            for it in said["orders"]
        ),
        unconfirmed=tuple(RowId(it) for it in said["unconfirmed"]),
    )


def conversation(said: Json) -> Conversation:
    """What was said with a number."""
    return Conversation(
        number=said["number"],
        texts=tuple(
            Said(
                mine=it["mine"],
                text=it["text"],
                at=datetime.fromisoformat(it["at"]),
                state=State(it["state"]) if it["state"] else None,
                label=it["label"],
                detail=it["detail"],
                workbook=it["workbook"],
                sheet=it["sheet"],
                row_id=RowId(it["row_id"]) if it["row_id"] else None,
            )
            for it in said["texts"]
        ),
    )
