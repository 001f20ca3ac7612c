"""The one thread that writes the ledger: many callers' work in one transaction, one fsync for all of it."""

import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine

from xlsms_service.ledger.driver import savepoint
from xlsms_service.measuring import NOTHING, Measures, metric

__all__ = ["Work", "Writer"]

Work = Callable[[Connection], Any]

#: Works that share a transaction at most: bounds how long the first of them waits for its commit.
_GROUP = 64


@dataclass(frozen=True, slots=True)
class _Job:
    work: Work
    future: Future[Any]


class Writer:
    """Runs work on one connection in one named thread; a future is resolved only when its work is durable.

    Works that wait together are committed together. One that fails is rolled back alone; the others stand.
    """

    def __init__(
        self, engine: Engine, measures: Measures = NOTHING, turn: AbstractContextManager[object] | None = None
    ) -> None:
        """`turn` is entered for each transaction: other processes write as well."""
        self._engine = engine
        self._turn = turn or nullcontext()
        self._measures = measures
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="xlsms-ledger", daemon=True)
        self._thread.start()

    def submit(self, work: Work) -> Future[Any]:
        """Queue `work`; the future holds its result once it is committed."""
        future: Future[Any] = Future()
        self._jobs.put(_Job(work, future))
        return future

    def close(self) -> None:
        """Finish what is queued and end the thread. Idempotent."""
        if self._thread.is_alive():
            self._jobs.put(None)
            self._thread.join()

    def _run(self) -> None:
        ended = False
        while not ended:
            group, ended = self._gather()
            try:
                with self._engine.connect() as connection:
                    ended = self._serve(connection, group, ended=ended)
            except Exception as error:  # noqa: BLE001  # no connection, or a broken one: each caller must know
                _tell(group, error)

    def _serve(self, connection: Connection, group: list[_Job], *, ended: bool) -> bool:
        """Commit group after group on one connection, until the end or until one fails as a whole."""
        whole = self._commit(connection, group)
        while whole and not ended:
            group, ended = self._gather()
            whole = self._commit(connection, group)
        return ended

    def _gather(self) -> tuple[list[_Job], bool]:
        """Wait for a job; those that have queued up behind it share its commit. Whether the last has been seen."""
        group: list[_Job] = []
        while not group or (len(group) < _GROUP and not self._jobs.empty()):
            job = self._jobs.get()
            if job is None:
                return group, True
            group.append(job)
        return group, False

    def _commit(self, connection: Connection, group: list[_Job]) -> bool:
        """Whether the transaction went well, whatever became of single works."""
        done: list[tuple[Future[Any], Any]] = []
        alone = len(group) == 1
        began = time.perf_counter()
        try:
            with self._turn, connection.begin() as transaction:
                for job in group:
                    if not job.future.set_running_or_notify_cancel():
                        continue
                    try:
                        # A savepoint keeps a work's failure from the others; one that is alone needs none.
                        with nullcontext() if alone else savepoint(connection):
                            result = job.work(connection)
                    except Exception as error:  # noqa: BLE001  # handed to the caller, who knows what it means
                        if alone:
                            transaction.rollback()
                        job.future.set_exception(error)
                    else:
                        done.append((job.future, result))
        except Exception as error:  # noqa: BLE001  # not begun or not committed: none of it is durable
            _tell(group, error)
            return False
        self._measures.took(metric.COMMIT_SECONDS, time.perf_counter() - began)
        for future, result in done:
            future.set_result(result)
        return True


def _tell(group: list[_Job], error: Exception) -> None:
    """Every caller of the group that has no answer yet gets the error."""
    for job in group:
        if not job.future.done():
            job.future.set_exception(error)
