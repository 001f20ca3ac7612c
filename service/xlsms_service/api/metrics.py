"""The metrics as a page beside the API; they name nobody, so they ask for no token."""

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

__all__ = ["page"]


def page(registry: CollectorRegistry) -> APIRouter:
    """The address `/metrics`."""
    router = APIRouter()

    @router.get("/metrics", include_in_schema=False)
    def metrics() -> Response:  # not a coroutine: counting a big ledger takes a while, so it has a thread of its own
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    return router
