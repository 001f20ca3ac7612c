"""Settings of a service that sends to a network on this computer, as `xlsms simulate smpp` is one."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

__all__ = ["settings_text"]


def settings_text(
    port: int,
    *,
    watched: Path | str | None = "watched",
    service: Mapping[str, object] | None = None,
    name: str = "network",
    **connector: object,
) -> str:
    """An `xlsms.toml` with a folder that is watched, and one connector, which leads to `port`.

    `service` and `connector` are more of the settings in those tables.
    """
    login = {"host": "127.0.0.1", "port": port, "system_id": "xlsms", "password": "rehearse"}
    lines = [*_table("[service]", {"data": "data", "country": "ES", **(service or {})})]
    if watched is not None:
        lines += _table("[[watch]]", {"folder": watched})
    lines += _table("[[connector]]", {"name": name, "type": "smpp", **login, **connector})
    return "\n".join(lines)


def _table(head: str, entries: Mapping[str, object]) -> Iterator[str]:
    yield head
    yield from (f"{key} = {json.dumps(value, default=str)}" for key, value in entries.items())
    yield ""
