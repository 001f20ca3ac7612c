"""The ASGI application: the addresses of `/v1` behind the gate."""

import json
from collections.abc import Iterable
from typing import Any

from fastapi import APIRouter, FastAPI
from pydantic.json_schema import models_json_schema

import xlsms
from xlsms_service.api import problem, requested, told
from xlsms_service.api.desk import Desk
from xlsms_service.api.gate import Gate
from xlsms_service.api.routes import router

__all__ = ["build", "description"]

_TITLE = "xlsms"
_ABOUT = "Two-way SMS from the workbook. Errors are problem+json (RFC 9457); their codes are those of the sheet."


def build(desk: Desk, token: str, hosts: Iterable[str], pages: Iterable[APIRouter] = ()) -> Gate:
    """The application for these hosts, with `pages` beside the API."""
    app = _app(desk, token)
    for each in pages:
        app.include_router(each)
    return Gate(app, token=token, hosts=hosts, language=desk.language)


def _app(desk: Desk | None, token: str) -> FastAPI:
    app = FastAPI(
        title=_TITLE,
        version=xlsms.__version__,
        description=_ABOUT,
        docs_url=None,  # they load scripts from elsewhere
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,  # an address that is none is told as that
        responses={
            "default": {
                "model": told.Problem,
                "description": "What is wrong",
                "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
            }
        },
    )
    problem.install(app, desk.language if desk else "en")
    app.include_router(router(desk, token))  # type: ignore[arg-type]  # to be described, not asked
    return app


def description() -> str:
    """The OpenAPI document."""
    app = _app(None, "")
    document: dict[str, Any] = app.openapi()
    _, read = models_json_schema([(requested.PlanRequest, "validation")], ref_template="#/components/schemas/{model}")
    document["components"]["schemas"] = dict(sorted((read["$defs"] | document["components"]["schemas"]).items()))
    document["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    document["security"] = [{"token": []}]
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
