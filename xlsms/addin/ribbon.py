"""The tab SMS: its controls as `ribbon.xml` has them, its texts as `ribbon.toml` has them."""

import tomllib
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from xlsms.addin.verb import Verb

__all__ = ["Button", "Text", "buttons", "ribbon_xml", "texts"]

_SOURCE = Path(__file__).with_name("ribbon.xml")
_NEW = "http://schemas.microsoft.com/office/2009/07/customui"
_OLD = "http://schemas.microsoft.com/office/2006/01/customui"
_PREFIX = "xlsms_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """What something on the ribbon says."""

    key: str
    en: str
    es: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    """One button as the ribbon has it."""

    verb: Verb
    group: str
    large: bool
    keytip: str


def ribbon_xml(*, old: bool = False) -> str:
    """The XML of the tab; the `old` form is for Office 2007, and says the same in another namespace."""
    xml = _SOURCE.read_text("utf-8")
    if xml.count(_NEW) != 1:
        raise ValueError("ribbon.xml is not in the namespace of Office 2010")
    return xml.replace(_NEW, _OLD) if old else xml


def buttons() -> Iterator[Button]:
    """The buttons, from left to right."""
    root = ET.fromstring(ribbon_xml())  # noqa: S314 (our own file)
    for group in root.iter(f"{{{_NEW}}}group"):
        for control in group:
            yield Button(
                verb=Verb(control.attrib["id"].removeprefix(_PREFIX).replace("_", "-")),
                group=group.attrib["id"].removeprefix(f"{_PREFIX}group_"),
                large=control.attrib["size"] == "large",
                keytip=control.attrib["keytip"],
            )


@cache
def texts() -> tuple[Text, ...]:
    """Everything that the add-in says, by the key that its VBA asks for."""
    known: dict[str, Any] = tomllib.loads(_SOURCE.with_suffix(".toml").read_text("utf-8"))
    said: list[Text] = []
    for verb, each in known["button"].items():
        for place, part in enumerate(("label", "tip")):
            said.append(Text(key=f"{verb}.{part}", en=each["en"][place], es=each["es"][place]))
    said += [Text(key=f"group-{name}.label", **each) for name, each in known["group"].items()]
    said += [Text(key=name, **each) for name, each in known["message"].items()]
    return tuple(said)
