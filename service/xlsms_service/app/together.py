"""Works that run beside another, all or none."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager

__all__ = ["together"]


@asynccontextmanager
async def together(*works: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """Run these beside the body; what stops one of them stops the body with it.

    A service that only half works would lose what the other half relies on. (A task group would wrap the body's own
    errors, which people are to read.)
    """
    body = asyncio.current_task()
    failures: list[BaseException] = []

    def ended(task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None:
            failures.append(error)
            if body is not None:
                body.cancel()

    tasks = [asyncio.create_task(work) for work in works]
    for task in tasks:
        task.add_done_callback(ended)
    try:
        yield
    except asyncio.CancelledError:
        if failures and body is not None:
            body.uncancel()
            raise failures[0] from None
        raise
    finally:
        for task in tasks:
            task.remove_done_callback(ended)
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
