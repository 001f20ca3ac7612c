"""`xlsms.oxt`: the extension that gives LibreOffice Calc a menu and a toolbar with the ribbon's commands.

Made from what the ribbon is made of: the same verbs, texts and pictures. Equal input gives equal bytes.
"""

import io
import json
import zipfile
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

import xlsms
from xlsms.addin.calc.catalogue import SERVICE, names, registry, types
from xlsms.addin.icon import png
from xlsms.addin.ribbon import Button, buttons, texts

__all__ = ["FILE_NAME", "IDENTIFIER", "extension"]

FILE_NAME = "xlsms.oxt"
IDENTIFIER = "org.xlsms.calc"

_TOOLBAR = f"private:resource/toolbar/addon_{IDENTIFIER}"
_SAVED = f"{SERVICE}.Saved"  # a job
_WHEN = (1980, 1, 1, 0, 0, 0)  # of a zip file
_SPREADSHEET = "com.sun.star.sheet.SpreadsheetDocument"
_SIZES = {"ImageSmall": 16, "ImageBig": 26}  # pixels, of LibreOffice's small and large symbols
_CONFIGURATION = "application/vnd.sun.star.configuration-data"
_COMPONENT = "application/vnd.sun.star.uno-component;type=Python"
_TYPES = "application/vnd.sun.star.uno-typelibrary;type=RDB"
_REGISTRY = 'xmlns:oor="http://openoffice.org/2001/registry" xmlns:xs="http://www.w3.org/2001/XMLSchema"'


def extension(interpreter: str = "") -> bytes:
    """The file; `interpreter` is the Python that is started, which has xlsms."""
    members: dict[str, str | bytes] = {
        "mimetype": "application/vnd.openofficeorg.extension",
        "META-INF/manifest.xml": _manifest(),
        "description.xml": _description(),
        "description/en.txt": "Two-way SMS from the workbook: mark rows, send, see states and replies beside them.\n",
        "description/es.txt": "SMS de ida y vuelta desde el libro: marque filas, envíe y vea estados y respuestas.\n",
        "Addons.xcu": _addons(),
        "CalcWindowState.xcu": _window(),
        "ProtocolHandler.xcu": _handler(),
        "Jobs.xcu": _jobs(),
        "component.py": Path(__file__).with_name("component.py").read_bytes(),
        "cell_function.py": Path(__file__).with_name("cell_function.py").read_bytes(),
        "CalcAddIns.xcu": registry(),
        "functions.json": names(),
        "types.rdb": types(),
        "xlsms.json": json.dumps({"interpreter": interpreter}, indent=1) + "\n",
    }
    for verb in sorted({button.verb for button in buttons()}):
        for size in _SIZES.values():
            members[_picture(verb, size)] = png(verb, size)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as package:  # deflated it would depend on the version of zlib
        for name, content in members.items():
            package.writestr(zipfile.ZipInfo(name, _WHEN), content)
    return out.getvalue()


def _picture(verb: str, size: int) -> str:
    return f"pictures/{verb}_{size}.png"


def _manifest() -> str:
    kinds = {
        "Addons.xcu": _CONFIGURATION,
        "CalcWindowState.xcu": _CONFIGURATION,
        "ProtocolHandler.xcu": _CONFIGURATION,
        "Jobs.xcu": _CONFIGURATION,
        "CalcAddIns.xcu": _CONFIGURATION,
        "types.rdb": _TYPES,
        "component.py": _COMPONENT,
        "cell_function.py": _COMPONENT,
    }
    entries = "".join(
        f' <manifest:file-entry manifest:full-path="{path}" manifest:media-type="{kind}"/>\n'
        for path, kind in kinds.items()
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<manifest:manifest xmlns:manifest="http://openoffice.org/2001/manifest">\n{entries}</manifest:manifest>\n'
    )


def _description() -> str:
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<description xmlns="http://openoffice.org/extensions/description/2006" xmlns:xlink="http://www.w3.org/1999/xlink">
 <identifier value="{IDENTIFIER}"/>
 <version value="{xlsms.__version__}"/>
 <display-name><name lang="en">xlsms</name><name lang="es">xlsms</name></display-name>
 <extension-description>
  <src lang="en" xlink:href="description/en.txt"/>
  <src lang="es" xlink:href="description/es.txt"/>
 </extension-description>
</description>
"""


def _configuration(package: str, name: str, content: str) -> str:
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<oor:component-data {_REGISTRY} oor:package="{package}" '
        f'oor:name="{name}">\n{content}</oor:component-data>\n'
    )


def _handler() -> str:
    return _configuration(
        "org.openoffice.Office",
        "ProtocolHandler",
        f' <node oor:name="HandlerSet">\n  <node oor:name="{IDENTIFIER}.Commands" oor:op="replace">\n'
        f'   <prop oor:name="Protocols" oor:type="oor:string-list"><value>{IDENTIFIER}:*</value></prop>\n'
        "  </node>\n </node>\n",
    )


def _jobs() -> str:
    """What is done when a document is opened or has got another name, and just before it is saved."""
    services = {IDENTIFIER: f"{IDENTIFIER}.Opened", SERVICE: f"{SERVICE}Opened", _SAVED: f"{SERVICE}Saved"}
    events = {
        "OnLoad": (IDENTIFIER, SERVICE),
        "OnSaveAsDone": (IDENTIFIER,),
        **dict.fromkeys(("OnSave", "OnSaveAs", "OnCopyTo"), (_SAVED,)),
    }
    jobs = "".join(
        f'  <node oor:name="{name}" oor:op="replace">\n'
        f'   <prop oor:name="Service"><value>{service}</value></prop>\n  </node>\n'
        for name, service in services.items()
    )
    heard = "".join(
        f'  <node oor:name="{event}" oor:op="fuse">\n   <node oor:name="JobList">\n'
        + "".join(f'    <node oor:name="{name}" oor:op="replace"/>\n' for name in names)
        + "   </node>\n  </node>\n"
        for event, names in events.items()
    )
    return _configuration(
        "org.openoffice.Office",
        "Jobs",
        f' <node oor:name="Jobs">\n{jobs} </node>\n <node oor:name="Events">\n{heard} </node>\n',
    )


def _addons() -> str:
    grouped = [list(group) for _, group in groupby(buttons(), key=lambda button: button.group)]
    menu = "".join(_entries(grouped))
    tools = "".join(_entries(grouped, toolbar=True))
    pictures = "".join(map(_images, buttons()))
    return _configuration(
        "org.openoffice.Office",
        "Addons",
        f' <node oor:name="AddonUI">\n  <node oor:name="OfficeMenuBar">\n'
        f'   <node oor:name="{IDENTIFIER}" oor:op="replace">\n{_prop("Context", _SPREADSHEET)}'
        f'{_said("Title", "SMS", "SMS")}    <node oor:name="Submenu">\n{menu}    </node>\n   </node>\n  </node>\n'
        f'  <node oor:name="OfficeToolBar">\n   <node oor:name="{IDENTIFIER}" oor:op="replace">\n'
        f"{_said('Title', 'SMS', 'SMS')}{tools}   </node>\n  </node>\n"
        f'  <node oor:name="Images">\n{pictures}  </node>\n </node>\n',
    )


def _window() -> str:
    """What the toolbar is called, and where it is at first: below the others, in a row of its own."""
    stands = {"Docked": ("boolean", "true"), "DockPos": ("string", "0,3"), "Visible": ("boolean", "true")}
    props = "".join(
        f'    <prop oor:name="{name}" oor:type="xs:{kind}"><value>{value}</value></prop>\n'
        for name, (kind, value) in stands.items()
    )
    return _configuration(
        "org.openoffice.Office.UI",
        "CalcWindowState",
        f' <node oor:name="UIElements">\n  <node oor:name="States">\n   <node oor:name="{_TOOLBAR}" oor:op="replace">\n'
        f"{_said('UIName', 'SMS', 'SMS')}{props}   </node>\n  </node>\n </node>\n",
    )


def _entries(groups: list[list[Button]], *, toolbar: bool = False) -> Iterator[str]:
    """The commands in their order, with a line between two groups."""
    known = {text.key: text for text in texts()}
    number = 0
    for at, group in enumerate(groups):
        if at:
            number += 1
            yield f'     <node oor:name="N{number:02}" oor:op="replace">{_prop("URL", "private:separator")}</node>\n'
        for button in group:
            number += 1
            label = known[f"{button.verb}.label"]
            yield (
                f'     <node oor:name="N{number:02}" oor:op="replace">\n'
                f"{_prop('URL', f'{IDENTIFIER}:{button.verb}')}{_said('Title', label.en, label.es)}"
                f"{_prop('Target', '_self')}{_prop('Context', _SPREADSHEET) if toolbar else ''}     </node>\n"
            )


def _images(button: Button) -> str:
    files = "".join(_prop(f"{kind}URL", f"%origin%/{_picture(button.verb, size)}") for kind, size in _SIZES.items())
    return (
        f'   <node oor:name="{IDENTIFIER}.{button.verb}" oor:op="replace">\n'
        f"{_prop('URL', f'{IDENTIFIER}:{button.verb}')}"
        f'    <node oor:name="UserDefinedImages">\n{files}    </node>\n   </node>\n'
    )


def _prop(name: str, value: str) -> str:
    return f'     <prop oor:name={quoteattr(name)} oor:type="xs:string"><value>{escape(value)}</value></prop>\n'


def _said(name: str, english: str, spanish: str) -> str:
    return (
        f'     <prop oor:name="{name}" oor:type="xs:string"><value xml:lang="en">{escape(english)}</value>'
        f'<value xml:lang="es">{escape(spanish)}</value></prop>\n'
    )
