"""A TOML file read key by key, that knows on which line each key stands."""

import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import reduce
from pathlib import Path

from xlsms.errors import Place, UserError

__all__ = ["Source", "Table"]

_WHERE = re.compile(r"(.*?)\s*\(at (?:line (\d+), column \d+|end of document)\)", re.DOTALL)


class Source:
    """The text of a settings file, and where in it each key stands."""

    def __init__(self, path: Path, text: str) -> None:
        self.path = path
        self._lines = text.splitlines()

    def root(self) -> "Table":
        """The whole file; raises `config-broken` or `config-backslash` with the line."""
        try:
            return Table(self, (), tomllib.loads("\n".join(self._lines)))
        except tomllib.TOMLDecodeError as error:
            found = _WHERE.fullmatch(str(error))
            reason = found[1] if found else str(error)
            line = int(found[2]) if found and found[2] else max(len(self._lines), 1)
        at_fault = self._lines[line - 1] if line <= len(self._lines) else ""
        code = "config-backslash" if "\\" in at_fault else "config-broken"
        raise UserError(code, place=Place(file=str(self.path), line=line), reason=reason)

    def place(self, *path: str | int) -> Place:
        """Where the statement at `path` begins: the first line with which the parser knows it.

        A path that is not there is looked for one step up.
        """
        begin = 1  # of the statement that is being read; one over several lines parses only when it is complete
        for end in range(1, len(self._lines) + 1):
            try:
                tree = tomllib.loads("\n".join(self._lines[:end]))
            except tomllib.TOMLDecodeError:
                continue
            if _holds(tree, path):
                return Place(file=str(self.path), line=begin)
            begin = end + 1
        return self.place(*path[:-1]) if path else Place(file=str(self.path))

    def beside(self, written: str) -> Path:
        """A path as written in the file: `~` is the user's home, a relative one stands beside the file."""
        return Path(os.path.abspath(self.path.parent / Path(written).expanduser()))  # noqa: PTH100 (links stay links)


def _holds(tree: object, path: tuple[str | int, ...]) -> bool:
    try:
        reduce(lambda inner, step: inner[step], path, tree)  # type: ignore[index]  # whatever has no such step says so
    except (KeyError, IndexError, TypeError):
        return False
    return True


class Table:
    """One table of the file. Each key is asked for by what it must be; `done` then refuses what nobody asked for."""

    def __init__(self, source: Source, path: tuple[str | int, ...], value: object) -> None:
        self.source = source
        self.path = path
        self._asked: list[str] = []
        if not isinstance(value, dict):
            raise self.error("config-not-a-table", name=path[0])
        self._rest: dict[str, object] = dict(value)

    def error(self, code: str, key: str | None = None, **facts: object) -> UserError:
        """The error to raise about `key`, or about the table where the key is missing."""
        name = self.path[0] if self.path else ""
        place = self.source.place(*self.path, *([key] if key else []))
        return UserError(code, place=place, **{"key": key, "table": name, **facts})

    def take(self, key: str) -> object:
        """Whatever stands there; None when nothing does."""
        self._asked.append(key)
        return self._rest.pop(key, None)

    def optional(self, key: str) -> str | None:
        """A text that is not blank, or None when it is not there."""
        value = self.take(key)
        if value is None or (isinstance(value, str) and value.strip()):
            return value
        raise self.error("config-expects-text", key)

    def text(self, key: str, default: str | None = None) -> str:
        """A text that is not blank; needed unless there is a default."""
        value = self.optional(key) or default
        if value is None:
            raise self.error("config-missing-key", key)
        return value

    def choice(self, key: str, known: tuple[str, ...], default: str | None = None) -> str:
        """One of the words in `known`."""
        value = self.text(key, default)
        if value in known:
            return value
        raise self.error("config-expects-choice", key, known=", ".join(known))

    def flag(self, key: str) -> bool:
        """True or false; false when it is not there."""
        value = self.take(key)
        if value is None or isinstance(value, bool):
            return bool(value)
        raise self.error("config-expects-flag", key)

    def whole(self, key: str, allowed: range, default: int) -> int:
        """A whole number in `allowed`."""
        value = self.take(key)
        if value is None:
            return default
        if isinstance(value, int) and not isinstance(value, bool) and value in allowed:
            return value
        raise self.error("config-expects-number", key, low=allowed[0], high=allowed[-1])

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of at least one text."""
        value = self.take(key)
        if value is None:
            raise self.error("config-missing-key", key)
        if isinstance(value, list) and value and all(isinstance(item, str) for item in value):
            return tuple(value)
        raise self.error("config-expects-list", key)

    def table(self, name: str) -> "Table":
        """The table `[name]`, empty when it is not there."""
        value = self.take(name)
        return Table(self.source, (*self.path, name), {} if value is None else value)

    def tables(self, name: str) -> Iterator["Table"]:
        """The tables `[[name]]`."""
        value = self.take(name)
        if not isinstance(value, list | None):
            raise self.error("config-single-brackets", name, name=name)
        for index, item in enumerate(value or []):
            yield Table(self.source, (*self.path, name, index), item)

    def rest(self) -> Mapping[str, object]:
        """What has not been asked for yet."""
        return dict(self._rest)

    def done(self, code: str = "config-unknown-key") -> None:
        """Refuse the first key that nobody asked for."""
        for key in self._rest:
            raise self.error(code, key, known=", ".join(self._asked))
