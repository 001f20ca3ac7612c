"""What the API answers when the ledger cannot be used."""

import asyncio
import sqlite3

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy.exc import OperationalError

from xlsms_service.api import problem


def ask(error):
    app = FastAPI()
    problem.install(app, "en")

    @app.get("/")
    async def _fail():
        raise error

    async def main():
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://here") as http:
            return await http.get("/")

    return asyncio.run(main())


@pytest.mark.parametrize(
    ("says", "status", "code"),
    [
        ("database is locked", 503, "ledger-busy"),
        ("database or disk is full", 503, "ledger-full"),
        ("no such table", 500, "unexpected-here"),
    ],
)
def test_a_ledger_that_another_program_holds_or_has_no_room_is_told_as_that(says, status, code):
    answer = ask(OperationalError("UPDATE message", {}, sqlite3.OperationalError(says)))
    assert (answer.status_code, answer.json()["code"]) == (status, code)
