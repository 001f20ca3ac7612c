"""Workbooks in memory, and the ledger, the intake and the write-back around them."""

import asyncio
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from sqlalchemy import select

from xlsms.errors import UserError
from xlsms.model import Role, Row
from xlsms.workbook.base import Applied, Placed, Reading, Refusal, Sheet, Snapshot, Version
from xlsms_service.ledger import claim, settlement
from xlsms_service.ledger.ledger import Ledger
from xlsms_service.ledger.schema import message
from xlsms_service.ledger.settlement import Move
from xlsms_service.planning import Terms
from xlsms_service.sync.intake import Intake
from xlsms_service.sync.thread import WorkbookThread
from xlsms_service.sync.writeback import Writeback

NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
PATH = Path("/books/list.xlsx")


class PowerCutError(BaseException):
    """All ends where it is."""


def cut_power():
    raise PowerCutError


class Table:
    """A workbook in memory: rows as dictionaries, with the manners of the seam."""

    def __init__(self, path=PATH):
        self.path = path
        self.rows = []
        self.saves = 1
        self.guid = None
        self.before_propose = lambda: None
        self.before_apply = lambda: None
        self.after_apply = lambda: None
        self.formulas = set()  # roles whose cells cannot be written

    def add(self, phone, text="hola", mark="x", **cells):
        self.rows.append({Role.PHONE: phone, Role.MESSAGE: text, Role.SEND: mark, Role.ID: None, **cells})
        self.saves += 1
        return self.rows[-1]

    def version(self):
        return Version(size=1, mtime_ns=self.saves, inode=1, directory="d")

    def check_ready(self):
        self.before_propose()

    def read(self, *, marked_only=False):
        return Snapshot(
            path=self.path,
            version=self.version(),
            guid=self.guid,
            language="es",
            sheets=(
                Sheet(name="S", header_row=1, columns={Role.PHONE: "A", Role.REPLY: "H"}, headers={"H": "Respuesta"}),
            ),
            rows=tuple(self._row(number, cells) for number, cells in enumerate(self.rows, 2)),
        )

    def reading(self):
        return nullcontext(Reading.of(self.read()))

    def _row(self, number, cells):
        return Row(
            sheet="S",
            number=number,
            phone=cells[Role.PHONE],
            message=cells[Role.MESSAGE],
            marked=cells[Role.SEND] == "x",
            id=cells[Role.ID],
            status=cells.get(Role.STATUS) or "",
            detail=cells.get(Role.DETAIL) or "",
            values={"Respuesta": cells.get(Role.REPLY)},
        )

    def apply(self, edits):
        self.before_apply()
        before = self.version()
        now = [self._row(number, cells) for number, cells in enumerate(self.rows, 2)]
        done, missing, stale, refused = [], [], [], []
        for edit in edits:
            if edit.id is not None:
                found = [row for row in now if row.id == edit.id]
            else:
                found = [row for row in now if Placed.of(row) == edit.placed]
            if not found:
                (missing if edit.id is not None else stale).append(edit)
                continue
            cells = self.rows[found[0].number - 2]
            for role, value in edit.values.items():
                if role in self.formulas:
                    refused.append(Refusal(edit=edit, role=role, error=UserError("formula")))
                else:
                    cells[role] = value
            done.append(edit)
        self.saves += 1
        self.after_apply()
        return Applied(
            before=before,
            version=self.version(),
            done=tuple(done),
            missing=tuple(missing),
            stale=tuple(stale),
            refused=tuple(refused),
        )


class Desk:
    """Ledger, intake and write-back around tables."""

    def __init__(self, folder, pieces=(1000,), *, ahead=False):
        self.ledger = Ledger.open(folder)
        self.thread = WorkbookThread()
        self.writing = WorkbookThread() if ahead else None
        self.tables = {}
        self.now = NOW
        self.intake = Intake(
            self.ledger,
            self.thread,
            self.tables.__getitem__,
            route=lambda *_: "",
            now=lambda: self.now,
            rng=Random(1),
            pieces=pieces,
            writing=self.writing,
        )
        self.writeback = Writeback(self.ledger, self.thread, self.tables.__getitem__)

    def table(self, path=PATH):
        return self.tables.setdefault(path, Table(path))

    def take(self, path=PATH, **terms):
        return asyncio.run(self.intake.take(path, Terms(**terms)))

    def write_back(self):
        asyncio.run(self.writeback.flush())

    def messages(self):
        return self.ledger.do_now(lambda c: c.execute(select(message).order_by(message.c.id)).all())

    def claim(self, room=1000):
        return self.ledger.do_now(claim.claim, connector="c", routes=[""], room=room, idle=True, now=self.now)

    def move(self, key, state):
        self.ledger.do_now(settlement.move, [Move(message=key, state=state, at=self.now)])

    def close(self):
        self.thread.close()
        if self.writing:
            self.writing.close()
        self.ledger.close()
