"""What those outside may know of the running service: its metrics, and how fast its links are."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError

from xlsms.errors import UserError, XlsmsError
from xlsms.journal import note
from xlsms_service.app import live
from xlsms_service.app.counter import Counter
from xlsms_service.app.live import LinkLive, Live, Speed
from xlsms_service.config import Settings
from xlsms_service.connectors.base import Measured, Reading
from xlsms_service.delivery.breaker import Phase
from xlsms_service.delivery.engine import Engine
from xlsms_service.delivery.lane import Lane
from xlsms_service.ledger import stop
from xlsms_service.ledger.reader import Reader
from xlsms_service.measuring import Metric, Tallies, metric
from xlsms_service.sync.intake import Taken

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

__all__ = ["Observer", "saved_at"]

_log = logging.getLogger(__name__)

#: A file that was saved longer ago than this was not waited for: it has been copied or moved here.
_JUST_SAVED = timedelta(hours=1)

_BEAT = 1.0  # seconds between two looks at the links

_Values = Mapping[tuple[str, ...], float]


class Observer:
    """Looks at a running engine once a second. `tallies` are what the rooms tell; `registry` is for Prometheus."""

    def __init__(self, settings: Settings, now: Callable[[], datetime]) -> None:
        self.tallies = Tallies()
        self.live: Live | None = None  #: the links now; None while nothing runs
        self._settings = settings
        self._now = now
        self._accepted: dict[str, Speed] = {}
        self._throttled: dict[str, Speed] = {}
        self._complained = False

    async def run(self, engine: Engine) -> None:
        """Look, and leave what was seen in a file for other processes, until cancelled."""
        loop, folder = asyncio.get_running_loop(), self._settings.service.data
        try:
            while True:
                try:
                    self.live = self._look(engine, loop.time())
                    await asyncio.to_thread(live.write, folder, self.live)
                except OSError:
                    pass  # a full disk is told by those who need it
                except Exception as error:  # noqa: BLE001  # texts go before figures
                    self._complain(error)
                await asyncio.sleep(_BEAT)
        finally:
            self.live = None
            with suppress(OSError):
                live.forget(folder)

    def _complain(self, error: Exception) -> None:
        if not self._complained:  # once is enough, not every second
            self._complained = True
            note(_log, logging.ERROR, "log-not-measured", error)

    def _look(self, engine: Engine, clock: float) -> Live:
        accepted: dict[str, int] = {}
        throttled: dict[str, int] = {}
        for (name, result, code), count in self.tallies.counts(metric.ANSWERS).items():
            accepted[name] = accepted.get(name, 0) + count * (result == "accepted")
            throttled[name] = throttled.get(name, 0) + count * code.endswith("-throttled")
        for name in engine.lanes:
            self._accepted.setdefault(name, Speed()).saw(accepted.get(name, 0), clock)
            self._throttled.setdefault(name, Speed()).saw(throttled.get(name, 0), clock)
        return Live(at=self._now(), links=tuple(self._link(name, lane) for name, lane in engine.lanes.items()))

    def _link(self, name: str, lane: Lane) -> LinkLive:
        connector: object = lane.connector
        reading = connector.reading() if isinstance(connector, Measured) else Reading(window=0, used=0)
        status, speed = lane.status, self._accepted[name]
        return LinkLive(
            connector=name,
            link=str(status.link) if status else "down",
            code=status.error.code if status and status.error else None,
            breaker=str(lane.breaker.phase),
            window=reading.window,
            used=reading.used,
            limit=reading.limit,
            second=round(speed.rate(1.0), 1),
            minute=round(speed.rate(60.0), 1),
            throttled=self._throttled[name].growth(60.0),
        )

    async def taken_in(self, taking: Awaitable[Taken], saved_at: datetime | None) -> Taken:
        """What one look at a workbook brings, told to those who count."""
        try:
            taken = await taking
        except XlsmsError as error:
            self.tallies.count(metric.INTAKE_PROBLEMS, 1, error.code)
            raise
        results = {"accepted": taken.accepted, "held": len(taken.held), "problem": len(taken.problems)}
        for result, count in results.items():
            if count:
                self.tallies.count(metric.INTAKE_ROWS, count, result)
        took = self._now() - saved_at if saved_at is not None and taken.accepted else None
        if took is not None and timedelta(0) <= took <= _JUST_SAVED:
            self.tallies.took(metric.INTAKE_SECONDS, took.total_seconds())
        return taken

    # Prometheus.

    @contextmanager
    def registry(self) -> Iterator["CollectorRegistry"]:
        """Everything there is to know, to be rendered by whoever serves it, from any thread."""
        from xlsms_service.measuring.exposition import registry  # noqa: PLC0415  # most commands have no use for it

        service = self._settings.service
        with Reader.open(service.data, service.ledger) as reader:
            counter = Counter(reader)
            yield registry(self.tallies, lambda: self._gauges(reader, counter))

    @asynccontextmanager
    async def served(self, told: Callable[[XlsmsError], None]) -> AsyncIterator[None]:
        """Serve the metrics at the address in the settings, if any; what keeps us from it stops nothing else."""
        address = self._settings.service.metrics
        if address is None:
            yield
            return
        from prometheus_client import start_http_server  # noqa: PLC0415  # as above

        host, _, port = address.rpartition(":")
        with self.registry() as found:
            try:
                server, thread = start_http_server(int(port), host.strip("[]"), found)
            except OSError as error:
                told(UserError("metrics-not-served", address=address, reason=error.strerror or str(error)))
                yield
                return
            try:
                yield
            finally:
                await asyncio.to_thread(server.shutdown)
                server.server_close()
                thread.join()

    def _gauges(self, reader: Reader, counter: Counter) -> Mapping[Metric, _Values]:
        found: dict[Metric, _Values] = {}
        with suppress(SQLAlchemyError):  # then these are absent for once, and an alert may say so
            census = counter.count()
            found[metric.MESSAGES] = {(str(state),): count for state, count in census.tally.by_state.items()}
            found[metric.LACKING] = {(): census.tally.lacking}
            found[metric.STOPPED] = {(): reader.ask(stop.pressed) is not None}
        links = self.live.links if self.live is not None else ()
        found[metric.LINK_UP] = {(it.connector,): it.link == "up" for it in links}
        found[metric.BREAKER_OPEN] = {(it.connector,): it.breaker != Phase.CLOSED for it in links}
        found[metric.WINDOW] = {(it.connector,): it.window for it in links}
        found[metric.WINDOW_USED] = {(it.connector,): it.used for it in links}
        found[metric.RATE] = {(it.connector,): it.minute for it in links}
        found[metric.RATE_LIMIT] = {(it.connector,): it.limit for it in links if it.limit is not None}
        return found


def saved_at(path: Path) -> datetime | None:
    """When a workbook was saved; None when it is away."""
    with suppress(OSError):
        return datetime.fromtimestamp(path.stat().st_mtime, UTC)
    return None
