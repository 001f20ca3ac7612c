"""The extension for LibreOffice: what is in it, and that it is the same each time."""

import io
import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
import zipfile

import pytest

from xlsms.addin.calc import installation
from xlsms.addin.calc.extension import IDENTIFIER, extension
from xlsms.addin.ribbon import buttons
from xlsms.addin.verb import BUTTONS
from xlsms.errors import UserError

OOR = "{http://openoffice.org/2001/registry}"


@pytest.fixture(scope="module")
def members():
    with zipfile.ZipFile(io.BytesIO(extension("/opt/x & y/python"))) as package:
        return {name: package.read(name) for name in package.namelist()}


def test_equal_input_gives_equal_bytes():
    other = [
        sys.executable,
        "-c",
        "import sys; from xlsms.addin.calc.extension import extension; sys.stdout.buffer.write(extension('p'))",
    ]
    made = subprocess.run(
        other, capture_output=True, check=True, env={**os.environ, "TZ": "Asia/Tokyo", "PYTHONHASHSEED": "7"}
    )
    assert made.stdout == extension("p")
    assert extension("p") != extension("q")


def test_every_part_is_named_and_well_formed(members):
    for name, content in members.items():
        if name.endswith((".xml", ".xcu")):
            ET.fromstring(content)
    listed = [
        node.attrib["{http://openoffice.org/2001/manifest}full-path"]
        for node in ET.fromstring(members["META-INF/manifest.xml"])
    ]
    assert set(listed) <= members.keys()
    assert json.loads(members["xlsms.json"]) == {"interpreter": "/opt/x & y/python"}


def test_menu_and_toolbar_have_the_commands_of_the_ribbon_in_its_order(members):
    root = ET.fromstring(members["Addons.xcu"])
    wanted = [f"{IDENTIFIER}:{button.verb}" for button in buttons()]
    assert len(wanted) == len(BUTTONS)
    for place in ("OfficeMenuBar", "OfficeToolBar"):
        part = root.find(f".//node[@{OOR}name='{place}']")
        addresses = [prop.findtext("value") for prop in part.iter("prop") if prop.attrib[f"{OOR}name"] == "URL"]
        assert [address for address in addresses if address != "private:separator"] == wanted
    titles = [prop for prop in root.iter("prop") if prop.attrib[f"{OOR}name"] == "Title"]
    assert all(len({value.text for value in prop}) in (1, 2) and len(prop) == 2 for prop in titles)


def test_every_picture_is_there(members):
    root = ET.fromstring(members["Addons.xcu"])
    pictures = {
        value.text.removeprefix("%origin%/") for value in root.iter("value") if value.text.startswith("%origin%")
    }
    assert pictures == {name for name in members if name.startswith("pictures/")}
    assert len(pictures) == 2 * len(BUTTONS)


def test_the_component_needs_nothing_of_ours(members):
    source = members["component.py"].decode() + members["cell_function.py"].decode()
    assert "import xlsms" not in source
    assert "from xlsms" not in source


def test_without_libreoffice_it_is_said(monkeypatch):
    monkeypatch.setattr("shutil.which", lambda name: None)
    with pytest.raises(UserError) as caught:
        installation.installed()
    assert caught.value.code == "calc-not-installed"


def test_what_unopkg_says_is_told(monkeypatch, tmp_path):
    tool = tmp_path / "unopkg"
    tool.write_text("#!/bin/sh\necho 'ERROR: the profile is locked' >&2\nexit 1\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError) as caught:
        installation.install(tmp_path / "python")
    assert "the profile is locked" in caught.value.message()
    tool.write_text("#!/bin/sh\necho 'ERROR: Cannot run unopkg as root without --allow-root' >&2\nexit 1\n")
    with pytest.raises(UserError) as caught:
        installation.install(tmp_path / "python")
    assert caught.value.code == "calc-root"


def test_a_part_that_could_not_be_loaded_is_told(monkeypatch, tmp_path):
    tool = tmp_path / "unopkg"
    other, ours = (
        "Identifier: org.other\n  is registered: no\n",
        f"Identifier: {IDENTIFIER}\n  is registered: unknown\n",
    )
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    for part, standing in (("yes", installation.Standing.WHOLE), ("no", installation.Standing.PARTLY)):
        said = f"{ours}  bundled Packages: {{\n      is registered: {part}\n  }}\n{other}"
        tool.write_text(f"#!/bin/sh\nif [ $1 = add ]; then exit 1; fi\ncat <<'END'\n{said}END\n")
        tool.chmod(0o755)
        assert installation.standing() is standing
    with pytest.raises(UserError) as caught:
        installation.install(tmp_path / "python")
    assert caught.value.code == "calc-without-python"
    tool.write_text(f"#!/bin/sh\ncat <<'END'\n{other}END\n")
    assert installation.standing() is installation.Standing.ABSENT


def test_unopkg_sees_no_environment_of_python(monkeypatch, tmp_path):
    tool, active, conda = tmp_path / "tools" / "unopkg", tmp_path / "venv" / "bin", tmp_path / "conda" / "bin"
    for folder in (tool.parent, active, conda):
        folder.mkdir(parents=True)
    (active.parent / "pyvenv.cfg").touch()
    (conda.parent / "conda-meta").mkdir()
    tool.write_text(f'#!/bin/sh\necho "$PATH|$VIRTUAL_ENV|$PYTHONHOME|$PYTHONPATH|$HOME" >{tmp_path / "seen"}\n')
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", os.pathsep.join(map(str, (active, conda, tool.parent))))
    for name in ("VIRTUAL_ENV", "PYTHONHOME", "PYTHONPATH"):
        monkeypatch.setenv(name, str(active.parent))
    monkeypatch.setenv("HOME", "/home/ana")
    installation.installed()
    assert (tmp_path / "seen").read_text().strip() == f"{tool.parent}||||/home/ana"


def test_the_jobs_hear_of_opened_and_of_saved_workbooks(members):
    root = ET.fromstring(members["Jobs.xcu"])
    heard = {
        event.attrib[f"{OOR}name"]: {job.attrib[f"{OOR}name"] for job in event.find("node").iter("node")} - {"JobList"}
        for event in root.find(f"node[@{OOR}name='Events']")
    }
    assert IDENTIFIER in heard["OnLoad"]
    assert heard["OnSaveAsDone"] == {IDENTIFIER}
    assert heard["OnSave"] == heard["OnSaveAs"] == heard["OnCopyTo"] != set()
