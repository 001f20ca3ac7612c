"""What LibreOffice does more kindly than Excel, made to fail: a test that passes here must not mislead about Excel."""

from dataclasses import dataclass

__all__ = ["Guard", "ProtectedError", "QuirkError"]


class QuirkError(AssertionError):
    """LibreOffice would do it; Excel would silently do something else."""


class ProtectedError(Exception):
    """The cells are on a protected sheet and locked; Excel raises a COM error (1004) there."""


@dataclass(kw_only=True)
class Guard:
    """Counts the calls that move cells and, when `strict`, refuses what Excel would get wrong."""

    strict: bool = False
    reads: int = 0
    writes: int = 0

    def reset(self) -> None:
        """Count from 0 again."""
        self.reads = self.writes = 0

    def refuse(self, what: str) -> None:
        """Fail where Excel would not do what is asked for."""
        if self.strict:
            raise QuirkError(what)
