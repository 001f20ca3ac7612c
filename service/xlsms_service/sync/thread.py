"""The one thread that touches workbooks: a big file never makes a link late, and no file is worked on twice at once."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

__all__ = ["WorkbookThread"]

P = ParamSpec("P")
T = TypeVar("T")


class WorkbookThread:
    """Runs functions one after the other in the thread `xlsms-workbook`."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="xlsms-workbook")

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What `function` returns; it is not interrupted when the caller is."""
        return await asyncio.wrap_future(self._pool.submit(function, *args, **kwargs))

    def close(self) -> None:
        """Wait for what is under way, drop what has not begun. Idempotent."""
        self._pool.shutdown(cancel_futures=True)
