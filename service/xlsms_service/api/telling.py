"""How a plan, a message and what was said are told: as the objects that stand in answers of the API."""

from decimal import Decimal
from typing import Any

from xlsms.client import wire
from xlsms.states import LABELS
from xlsms.wording import detail
from xlsms.workbook import identity
from xlsms_service.delivery.routing import Router
from xlsms_service.ledger.changes import MessageState
from xlsms_service.ledger.talk import Said
from xlsms_service.planning import PlanEntry
from xlsms_service.sync.live import LivePlan
from xlsms_service.sync.writeback import values

__all__ = ["Json", "message_told", "plan_told", "text_told"]

Json = dict[str, Any]


def plan_told(it: LivePlan, router: Router) -> Json:
    """A plan as it is told."""
    said = {"goes": False, "held": None}
    gone = [_row(entry, it, router) | said | {"earlier": str(found.state)} for entry, found in it.earlier]
    rows = [_row(entry, it, router) for entry in it.plan.entries]
    costs = [row["cost"] for row in rows if row["goes"]]
    known = [Decimal(cost) for cost in costs if cost is not None]
    totals = it.plan.totals
    return {
        "id": it.id,
        "workbook": it.book.id,
        "hash": it.plan.hash,
        "totals": {
            "rows": totals.rows + len(gone),
            "go": totals.go,
            "scheduled": totals.scheduled,
            "held": totals.held,
            "problems": totals.problems,
            "parts": totals.parts,
            "hidden": totals.hidden,
            "earlier": len(gone),
            "again": len(it.again),
            "cost": str(sum(known, Decimal(0))) if known else None,
            "unpriced": costs.count(None),
        },
        "rows": sorted([*rows, *gone], key=lambda row: (it.sheets.get(row["sheet"], 0), row["row"])),
    }


def _row(entry: PlanEntry, it: LivePlan, router: Router) -> Json:
    number = entry.number.e164 if entry.number else None
    way = router.explain(number, entry.sender, it.book.path) if number else None
    parts = entry.parts
    price = way.price if way else None
    return {
        "sheet": entry.row.sheet,
        "row": entry.row.number,
        "row_id": identity.check(entry.row.id) if entry.row.id else None,
        "goes": entry.goes,
        "number": number,
        "repairs": [note.words(it.language) for note in entry.number.mended] if entry.number else [],
        "text": entry.text,
        "alphabet": parts.alphabet if parts else None,
        "parts": list(parts.parts) if parts else [],
        "culprits": list(parts.culprits) if parts else [],
        "sender": entry.sender,
        "send_at": entry.send_at,
        "cost": None if price is None or parts is None else str(price * len(parts.parts)),
        "use": list(way.use) if way else [],
        "problem": wire.error(entry.problem, it.language) if entry.problem else None,
        "held": wire.error(entry.held, it.language) if entry.held else None,
        "earlier": None,
        "again": it.again.get(entry.row.id) if entry.row.id else None,
    }


def message_told(it: MessageState, language: str) -> Json:
    """How a message stands, in words and as cells."""
    return {
        "message": it.message,
        "row_id": it.row_id,
        "workbook": it.workbook,
        "sheet": it.sheet,
        "state": str(it.state),
        "label": LABELS[language][it.state],
        "detail": detail(it.code, language, it.facts) if it.code else "",
        "code": it.code,
        "at": it.state_at,
        "reply": it.reply,
        "reply_at": it.reply_at,
        "cells": {str(role): wire.cell(value) for role, value in values(it, language).items()},
    }


def text_told(it: Said, language: str) -> Json:
    """What was said, by whom and when."""
    return {
        "mine": it.mine,
        "text": it.text,
        "at": it.at,
        "state": str(it.state) if it.state else None,
        "label": LABELS[language][it.state] if it.state else "",
        "detail": detail(it.code, language, it.facts) if it.code else "",
        "workbook": it.workbook,
        "sheet": it.sheet,
        "row_id": it.row_id,
    }
