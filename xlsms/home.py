"""Where xlsms keeps its things for this user, and how its service is found there.

The service and those who talk to it agree on this module and on nothing else: the settings file names the data folder,
and in the data folder lie the token and, while the service runs, its address.
"""

import json
import os
import tomllib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import platformdirs

__all__ = ["Beacon", "config_path", "country_of", "data_folder", "data_folder_of", "read_beacon", "read_token"]

#: The file in the data folder that holds the token; only its user can read it.
TOKEN = "token"  # noqa: S105  # the name of the file
#: The file in the data folder that says where the running service listens.
BEACON = "service.json"
#: What the service printed when it was started by somebody else than a person.
LOG = "service.log"

_MOST = 4096  #: bytes that are read of either


def config_path() -> Path:
    """Where `xlsms.toml` is looked for when nobody says: `$XLSMS_CONFIG`, else the user's config folder."""
    named = os.environ.get("XLSMS_CONFIG")
    return Path(named).expanduser() if named else platformdirs.user_config_path("xlsms", appauthor=False) / "xlsms.toml"


def data_folder() -> Path:
    """Where the ledger lies when the settings do not say."""
    return platformdirs.user_data_path("xlsms", appauthor=False)


def data_folder_of(config: Path) -> Path:
    """The data folder that a settings file names. A file that cannot be read names none: the service says why."""
    named = _named(config, "data")
    if named:
        return Path(os.path.abspath(config.parent / Path(named).expanduser()))  # noqa: PTH100  # links stay links
    return data_folder()


def country_of(config: Path) -> str | None:
    """The country that a settings file names for numbers without one; None when it names none or cannot be read."""
    return _named(config, "country")


def _named(config: Path, key: str) -> str | None:
    with suppress(OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        service = tomllib.loads(config.read_text("utf-8-sig")).get("service")
        named = service.get(key) if isinstance(service, dict) else None
        return named if isinstance(named, str) and named.strip() else None
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Beacon:
    """Where a service listens."""

    address: str  #: such as http://127.0.0.1:8765
    pid: int
    version: str


def read_beacon(data: Path) -> Beacon | None:
    """Where the service of a data folder listens; None when none has said so. It may have died since."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        said = json.loads((data / BEACON).read_text("utf-8")[:_MOST])
        return Beacon(address=str(said["address"]), pid=int(said["pid"]), version=str(said["version"]))
    return None


def read_token(data: Path) -> str | None:
    """The token of the service of a data folder; None when there is none or it cannot be read."""
    with suppress(OSError, UnicodeDecodeError):
        return (data / TOKEN).read_text("ascii")[:_MOST].strip() or None
    return None
