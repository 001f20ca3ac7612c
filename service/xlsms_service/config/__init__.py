"""Settings: what `xlsms.toml` says, checked once, with the line of whatever is wrong.

What a connector's own table means is the connector's affair: it gets the table as it stands in `options`, turns it
into its own typed settings, and names a bad key's place with `ConnectorSettings.place`.
"""

import locale
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from ipaddress import ip_address
from pathlib import Path
from typing import Literal, cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import phonenumbers

from xlsms import home
from xlsms.errors import Place, UserError
from xlsms.model import Priority
from xlsms.wording import LANGUAGES
from xlsms_service.config.secret import Secret
from xlsms_service.config.table import Source, Table
from xlsms_service.config.traffic import Limit, Route, limit, prices, route

__all__ = [
    "CONNECTOR_TYPES",
    "ConnectorSettings",
    "Limit",
    "Mark",
    "Route",
    "Secret",
    "ServiceSettings",
    "Settings",
    "Transliterate",
    "Uncertain",
    "Watch",
    "default_path",
    "load",
    "system_language",
]

Mark = Literal["marked", "all"]
Transliterate = Literal["off", "safe", "wide"]
Uncertain = Literal["hold", "resend"]
Log = Literal["text", "json"]
LogLevel = Literal["debug", "info", "warning", "error"]
LOG_LEVELS = ("debug", "info", "warning", "error")
CONNECTOR_TYPES = ("smpp", "ucp", "cimd2", "modem", "http", "simulator")

_LISTEN = re.compile(r"(?:\[[0-9a-fA-F:.]+\]|[\w.-]+):(\d{1,5})")
_PORTS = range(65_536)
_BACKUPS = range(1001)
_VALIDITY = range(1, 721)  # hours
_PRIORITIES = {"urgent": Priority.URGENT, "normal": Priority.NORMAL, "bulk": Priority.BULK}
_PARTS = range(1, 256)  # 3GPP TS 23.040 §9.2.3.24.1: the number of parts is one octet


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSettings:
    """The `[service]` table."""

    data: Path  #: folder of the embedded ledger and the log
    ledger: str | None = field(default=None, repr=False)  #: database URL instead of the embedded one; has a password
    country: str = "ES"  #: of numbers that are written without +
    language: str = "en"
    listen: str | None = None  #: address of the API; None: 127.0.0.1:8765, or any free port when that is taken
    zone: str | None = None  #: IANA zone in which send times are read; None: this computer's own
    sender: str | None = None  #: for rows that name none; None: the connector's own
    parts: int = 10  #: a text that needs more is a problem, not a bill
    transliterate: Transliterate = "off"  #: which characters may be replaced so that a text takes fewer SMS
    validity: timedelta = timedelta(hours=48)  #: a message that could not go for so long does not go any more
    uncertain: Uncertain = "hold"  #: what may have left: wait for word, or send it again and risk sending it twice
    metrics: str | None = None  #: address on this computer at which Prometheus reads; None: it does not
    log: Log = "text"  #: lines for people, or JSON for programs
    log_file: str | None = None  #: where the log of `xlsms run` goes, or "stderr"; None: a file in `data`
    log_level: LogLevel = "info"
    log_texts: bool = False  #: whether the log may hold what errors say, and with it numbers and texts
    backups: int = 3  #: how many versions of each workbook, as its user saved them, are kept in `data`


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """One `[[watch]]` table: a folder or one file, never both."""

    folder: Path | None = None
    file: Path | None = None
    mark: Mark = "marked"
    hidden: bool = False  #: whether hidden and filtered rows are sent too
    priority: Priority = Priority.NORMAL
    password: Secret | None = None  #: of workbooks that ask for one to open

    def holds(self, path: Path) -> bool:
        """Whether a file is looked after by this watch."""
        return path == self.file or path.parent == self.folder


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectorSettings:
    """One `[[connector]]` table; `options` is what the type's own module reads."""

    name: str
    type: str
    options: Mapping[str, object] = field(default_factory=dict, repr=False)  #: may hold passwords
    prices: Mapping[str, Decimal] = field(default_factory=dict)  #: of one SMS, by prefix
    source: Source | None = field(default=None, repr=False, compare=False)
    index: int = field(default=0, repr=False, compare=False)  #: which `[[connector]]` of the file it is

    def place(self, key: str | None = None) -> Place | None:
        """Where the table, or one of its keys, stands in the file."""
        if self.source is None:
            return None
        return self.source.place("connector", self.index, *([key] if key else []))


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything `xlsms.toml` says, or the defaults where there is none."""

    service: ServiceSettings
    watches: tuple[Watch, ...] = ()
    connectors: tuple[ConnectorSettings, ...] = ()
    routes: tuple[Route, ...] = ()
    limits: tuple[Limit, ...] = ()
    path: Path | None = None  #: the file it was read from


def default_path() -> Path:
    """Where `xlsms.toml` is looked for when nobody says: `$XLSMS_CONFIG`, else the user's config folder."""
    return home.config_path()


def system_language() -> str:
    """The user's language if it is one of ours, else English."""
    names = (os.environ.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
    name = next((name for name in names if name), None) or locale.getlocale()[0] or ""
    return "es" if name.casefold().startswith(("es", "spanish")) else "en"


def load(path: Path | None = None) -> Settings:
    """The settings in `path`, or in `default_path()`; no file there means the defaults.

    Raises `UserError` with the file and line: `config-not-found` for a file that was asked for by name, and the other
    codes of `wording/config.toml`.
    """
    asked = path is not None or bool(os.environ.get("XLSMS_CONFIG"))
    path = path or default_path()
    place = Place(file=str(path))
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        if asked:
            raise UserError("config-not-found", place=place) from None
        return Settings(service=ServiceSettings(data=_data_folder(), language=system_language()))
    except OSError as error:
        raise UserError("config-unreadable", place=place, reason=error.strerror or "") from error
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise UserError("config-not-utf8", place=Place(file=str(path), line=line)) from None
    return _settings(Source(path, text))


def _data_folder() -> Path:
    return home.data_folder()


def _settings(source: Source) -> Settings:
    root = source.root()
    service = _service(root.table("service"))
    watches = tuple(_watch(table) for table in root.tables("watch"))
    connectors: dict[str, ConnectorSettings] = {}
    for table in root.tables("connector"):
        connector = _connector(table, len(connectors))
        if connector.name in connectors:
            raise table.error("config-same-name", "name", name=connector.name)
        connectors[connector.name] = connector
    routes = tuple(route(table, tuple(connectors)) for table in root.tables("route"))
    limits = tuple(limit(table) for table in root.tables("limit"))
    root.done("config-unknown-table")
    return Settings(
        service=service,
        watches=watches,
        connectors=tuple(connectors.values()),
        routes=routes,
        limits=limits,
        path=source.path,
    )


def _service(table: Table) -> ServiceSettings:
    data = table.optional("data")
    service = ServiceSettings(
        data=table.source.beside(data) if data else _data_folder(),
        ledger=table.optional("ledger"),
        country=table.text("country", "ES"),
        language=table.choice("language", LANGUAGES, system_language()),
        listen=table.optional("listen"),
        zone=table.optional("zone"),
        sender=table.optional("sender"),
        parts=table.whole("parts", _PARTS, 10),
        transliterate=cast(Transliterate, table.choice("transliterate", ("off", "safe", "wide"), "off")),
        validity=timedelta(hours=table.whole("validity", _VALIDITY, 48)),
        uncertain=cast(Uncertain, table.choice("uncertain", ("hold", "resend"), "hold")),
        metrics=table.optional("metrics"),
        log=cast(Log, table.choice("log", ("text", "json"), "text")),
        log_file=_log_file(table),
        log_level=cast(LogLevel, table.choice("log_level", LOG_LEVELS, "info")),
        log_texts=table.flag("log_texts"),
        backups=table.whole("backups", _BACKUPS, 3),
    )
    table.done()
    if service.country not in phonenumbers.SUPPORTED_REGIONS:
        raise table.error("config-expects-country", "country", value=service.country)
    for key, address in (("listen", service.listen), ("metrics", service.metrics)):
        found = _LISTEN.fullmatch(address) if address is not None else None
        if address is not None and (found is None or int(found[1]) not in _PORTS):
            raise table.error("config-expects-address", key, value=address)
    if service.metrics is not None and not _is_here(service.metrics):
        raise table.error("config-expects-loopback", "metrics", value=service.metrics)
    if service.zone is not None:
        try:
            ZoneInfo(service.zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):  # a folder's name or an absolute path is the last two
            raise table.error("config-expects-zone", "zone", value=service.zone) from None
    return service


def _log_file(table: Table) -> str | None:
    written = table.optional("log_file")
    return written if written in (None, "stderr") else str(table.source.beside(written))


def _is_here(address: str) -> bool:
    """Whether only this computer reaches it."""
    host = address.rpartition(":")[0].strip("[]")
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _watch(table: Table) -> Watch:
    folder, file = table.optional("folder"), table.optional("file")
    password = table.take("password")
    watch = Watch(
        folder=table.source.beside(folder) if folder else None,
        file=table.source.beside(file) if file else None,
        mark=cast(Mark, table.choice("mark", ("marked", "all"), "marked")),
        hidden=table.flag("hidden"),
        priority=_PRIORITIES[table.choice("priority", tuple(_PRIORITIES), "normal")],
        password=None if password is None else Secret.read(password, table.source.place(*table.path, "password")),
    )
    table.done()
    if (folder is None) == (file is None):
        raise table.error("config-folder-or-file")
    return watch


def _connector(table: Table, index: int) -> ConnectorSettings:
    return ConnectorSettings(
        name=table.text("name"),
        type=table.choice("type", CONNECTOR_TYPES),
        prices=prices(table),
        options=table.rest(),
        source=table.source,
        index=index,
    )
