"""Errors as answers: problem+json (RFC 9457) with our stable codes.

One may repeat the number or the field that it is about, to whoever asked and nobody else; the log gets neither.
"""

import logging
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import OperationalError
from starlette.exceptions import HTTPException

from xlsms.client import wire
from xlsms.errors import TransientError, UserError, XlsmsError
from xlsms.journal import note
from xlsms_service.api.requested import NO_NUL
from xlsms_service.ledger.ledger import hindrance

__all__ = ["answer", "install"]

#: Why a body cannot be read, by what reading it ended with.
_WHY_NO_BODY: Mapping[type, str] = {RecursionError: "nested too deeply", UnicodeDecodeError: "not UTF-8"}

_log = logging.getLogger(__name__)

#: HTTP states of codes; any other error that someone can mend is 422, one that may pass 503.
_STATES: Mapping[str, int] = {
    "api-unknown-address": 404,
    "api-wrong-method": 405,
    "api-not-allowed": 401,
    "api-wrong-host": 403,
    "api-wrong-origin": 403,
    "api-too-large": 413,
    "key-used": 409,
    "message-unknown": 404,
    "page-expired": 403,
    "plan-changed": 409,
    "plan-unknown": 404,
    "unexpected-here": 500,
    "workbook-copied": 409,
    "workbook-not-registered": 404,
}


def answer(error: XlsmsError, language: str = "en") -> JSONResponse:
    """The answer that tells an error."""
    said = wire.error(error, language)
    status = _STATES.get(error.code, 503 if isinstance(error, TransientError) else 422)
    body = {
        "type": f"urn:xlsms:error:{error.code}",
        "title": said["message"],
        "status": status,
        "detail": error.line(language),
        **said,
    }
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {}  # noqa: PLR2004  # RFC 9110 §15.5.2
    return JSONResponse(body, status, headers, media_type="application/problem+json")


def install(app: FastAPI, language: str) -> None:
    """Make the app answer every error so."""

    @app.exception_handler(XlsmsError)
    async def _ours(_request: Request, error: XlsmsError) -> JSONResponse:
        return answer(error, language)

    @app.exception_handler(RequestValidationError)
    async def _invalid(_request: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        reason = str(first["type"])
        if reason == "json_invalid":  # its place is a position, and says nothing of a field
            return answer(UserError("api-invalid", field="JSON", reason=_why_no_json(first)), language)
        if first.get("ctx", {}).get("pattern") == NO_NUL:
            reason = "U+0000"
        at = ".".join(str(step) for step in first["loc"][1:6]) or "–"
        return answer(UserError("api-invalid", field=at[:200], reason=reason), language)

    @app.exception_handler(HTTPException)
    async def _plain(_request: Request, error: HTTPException) -> JSONResponse:
        codes = {404: "api-unknown-address", 405: "api-wrong-method"}
        reason = _WHY_NO_BODY.get(type(error.__cause__), f"HTTP {error.status_code}")
        return answer(UserError(codes.get(error.status_code, "api-invalid"), field="JSON", reason=reason), language)

    @app.exception_handler(OperationalError)
    async def _ledger(_request: Request, error: OperationalError) -> JSONResponse:
        return answer(surprise(error), language)

    @app.exception_handler(Exception)
    async def _surprise(_request: Request, error: Exception) -> JSONResponse:
        return answer(surprise(error), language)


def _why_no_json(error: Mapping[str, Any]) -> str:
    """What the reader of JSON says, and where; never what stands there."""
    said, at = str(error.get("ctx", {}).get("error", "json_invalid")), error["loc"][-1]
    return f"{said}: {at}" if isinstance(at, int) else said


def surprise(error: Exception) -> XlsmsError:
    """What nobody foresaw: its kind and its lines of code go into the log, not what it says, which may hold a text.

    But for a ledger that another program holds or has no room for, as when it is opened.
    """
    hindered = hindrance(error)
    if hindered is not None:
        return hindered
    note(_log, logging.ERROR, "log-answer-failed", error)
    return UserError("unexpected-here", reason=type(error).__name__)
