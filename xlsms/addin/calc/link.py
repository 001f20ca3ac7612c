"""The way to a running LibreOffice: its own UNO bridge, over a pipe or a socket on this computer."""

import importlib.machinery
import importlib.util
import shutil
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any

from xlsms.errors import TransientError, UserError

__all__ = ["Link", "Uno", "properties", "uno"]

Uno = Any  #: an object on the other side of the bridge: its attributes are known there only

_SERVICE = "com.sun.star.sheet.SpreadsheetDocument"


def _places() -> Iterator[Path]:
    """Folders that may hold LibreOffice's `uno.py`: the distribution's, and the office's own."""
    yield Path("/usr/lib/python3/dist-packages")
    yield from (Path(f"/usr/lib{bits}/python3.{sys.version_info.minor}/site-packages") for bits in ("", "64"))
    office = shutil.which("soffice")
    if office is not None:
        yield Path(office).resolve().parent
    yield from (Path(folder) for folder in ("/usr/lib/libreoffice/program", "/opt/libreoffice/program"))


def _load(name: str, file: Path) -> ModuleType:
    """Load one module from a file, with nothing else of its folder coming into reach."""
    loader: importlib.machinery.SourceFileLoader | importlib.machinery.ExtensionFileLoader
    kind = importlib.machinery.SourceFileLoader if file.suffix == ".py" else importlib.machinery.ExtensionFileLoader
    loader = kind(name, str(file))
    spec = importlib.util.spec_from_loader(name, loader)
    if spec is None:  # pragma: no cover - both loaders make one
        raise ImportError(name)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def uno() -> Uno:
    """LibreOffice's Python module `uno`, which no package index has.

    Raises:
        UserError: `calc-no-uno` when it is not on this computer, or is made for another Python.
    """
    if "uno" in sys.modules:
        return sys.modules["uno"]
    try:
        return importlib.import_module("uno")
    except ImportError:
        pass
    reason = "uno.py was not found"
    for place in _places():
        if not (place / "uno.py").is_file():
            continue
        try:
            native = next(
                (found for folder in (place, *_places()) if (found := folder / "pyuno.so").is_file()),
                None,
            )
            if native is not None and "pyuno" not in sys.modules:
                _load("pyuno", native)
            return _load("uno", place / "uno.py")
        except ImportError as error:
            reason = str(error)
    raise UserError("calc-no-uno", reason=reason)


def properties(**values: object) -> tuple[Uno, ...]:
    """Values as UNO's services take them."""
    made = []
    for name, value in values.items():
        item = uno().createUnoStruct("com.sun.star.beans.PropertyValue")
        item.Name, item.Value = name, value
        made.append(item)
    return tuple(made)


class Link:
    """One connection. `address` is what follows `uno:` in a UNO URL: `pipe,name=xlsms` or `socket,host=…,port=…`."""

    def __init__(self, address: str) -> None:
        self.address = address
        bridge = uno()
        local = bridge.getComponentContext()
        resolver = local.ServiceManager.createInstanceWithContext("com.sun.star.bridge.UnoUrlResolver", local)
        try:
            self.context: Uno = resolver.resolve(f"uno:{address};urp;StarOffice.ComponentContext")
        except Exception as error:  # each bridge raises its own, all of them made at run time
            raise TransientError("calc-not-reachable", address=address) from error
        self.desktop: Uno = self.service("com.sun.star.frame.Desktop")

    def service(self, name: str) -> Uno:
        """A new service of the office."""
        return self.context.ServiceManager.createInstanceWithContext(name, self.context)

    def documents(self) -> Iterator[Uno]:
        """The spreadsheets that are open."""
        for document in enumerated(self.desktop.Components):
            open_here = False
            with suppress(Exception):  # whatever the bridge makes of one that was closed in this instant
                open_here = document.supportsService(_SERVICE) and document.URL is not None
            if open_here:
                yield document

    def frame(self) -> Uno:
        """The frame in front; where the office knows of none, that of an open spreadsheet; None without any."""
        front = self.desktop.CurrentFrame
        if front is not None:
            return front
        controllers = (document.CurrentController for document in self.documents())
        return next((controller.Frame for controller in controllers if controller is not None), None)


def enumerated(access: Uno) -> Iterator[Uno]:
    """What a UNO container enumerates."""
    elements = access.createEnumeration()
    while elements.hasMoreElements():
        yield elements.nextElement()
