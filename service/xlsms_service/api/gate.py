"""Who may ask: the right host, no foreign page, the token, and not more than fits.

A page of somebody else in the user's browser can send requests to this computer. It cannot know the token; its `Origin`
is refused; and a name of its own that it lets point to this computer (DNS rebinding) is not among the hosts.
"""

from collections.abc import Iterable
from contextlib import suppress

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from xlsms.errors import UserError
from xlsms_service import auth
from xlsms_service.api import problem

__all__ = ["OPEN", "Gate"]

#: Answered without the token: it proves that the service knows it, and says nothing else.
OPEN = frozenset({"/v1/hello"})

#: Bytes of a body: of a plan, of anything else.
_MOST_PLAN = 128 * 1024 * 1024
_MOST = 8 * 1024 * 1024

_POLICY = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    b"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

#: Every answer, page or not, may be shown only by itself, and load nothing from elsewhere.
HEADERS = (
    (b"content-security-policy", _POLICY),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
)


class _TooLargeError(Exception):
    """More came than was to be read."""


class Gate:
    """Lets through what may be answered. `hosts` are the values of `Host` that mean us; others are refused."""

    def __init__(self, app: ASGIApp, *, token: str, hosts: Iterable[str], language: str) -> None:
        self._app = app
        self._token = token
        self._hosts = frozenset(hosts)
        self._origins = frozenset(f"http://{host}" for host in self._hosts)
        self._language = language

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            return  # a websocket is never opened; there is no lifespan
        begun = too_large = False

        async def answer(message: Message) -> None:
            nonlocal begun
            if too_large and not begun:
                return  # whatever the application makes of half a body
            if message["type"] == "http.response.start":
                begun = True
                known = {name for name, _ in HEADERS}
                kept = [(name, value) for name, value in message.get("headers", ()) if name not in known]
                message["headers"] = [*kept, *HEADERS]
            await send(message)

        left = most = _MOST_PLAN if scope["path"] == "/v1/plans" else _MOST

        async def bounded() -> Message:
            nonlocal left, too_large
            message = await receive()
            left -= len(message.get("body", b""))
            if left < 0:
                too_large = True
                raise _TooLargeError
            return message

        wrong = self._wrong(scope, most)
        if wrong is None:
            with suppress(_TooLargeError):
                await self._app(scope, bounded, answer)
            if begun or not too_large:
                return
            wrong, too_large = UserError("api-too-large", most=most), False
        await problem.answer(wrong, self._language)(scope, receive, answer)

    def _wrong(self, scope: Scope, most: int) -> UserError | None:
        """What is wrong with a request, before anything of its body is read."""
        headers: dict[bytes, list[bytes]] = {}
        for name, value in scope["headers"]:
            headers.setdefault(name, []).append(value)

        def said(name: bytes) -> str | None:
            """The value of a header; of one that is said twice nobody knows which is meant."""
            values = headers.get(name, [])
            return None if not values else values[0].decode("latin-1") if len(values) == 1 else "\0"

        host = said(b"host")
        if host is None or host.lower() not in self._hosts:
            return UserError("api-wrong-host")
        origin = said(b"origin")
        if origin is not None and origin.lower() not in self._origins:
            return UserError("api-wrong-origin")
        if said(b"sec-fetch-site") in ("cross-site", "same-site"):
            return UserError("api-wrong-origin")
        length = said(b"content-length")
        if length is not None and (not length.isdecimal() or int(length[:20]) > most):
            return UserError("api-too-large", most=most)
        path: str = scope["path"]
        if path.startswith("/v1/") and path not in OPEN and not self._knows(said(b"authorization")):
            return UserError("api-not-allowed")
        return None

    def _knows(self, authorization: str | None) -> bool:
        kind, _, given = (authorization or "").partition(" ")
        return kind.lower() == "bearer" and auth.matches(given.strip(), self._token)
