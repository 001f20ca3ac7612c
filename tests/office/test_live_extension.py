"""The menu in a real LibreOffice: a command of it starts Python, which marks the row that is selected."""

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import openpyxl
import pytest

import xlsms
from tests.office.conftest import _office_python, until
from tests.office.live import Live
from xlsms.addin.calc.extension import IDENTIFIER
from xlsms.addin.calc.link import properties
from xlsms.addin.ribbon import buttons

pytestmark = pytest.mark.office

TOOLBAR = f"private:resource/toolbar/addon_{IDENTIFIER}"


INSTALLING = """
import sys
from pathlib import Path
from xlsms.addin.calc import installation
installation.install(Path(sys.argv[1]), profile=Path(sys.argv[2]))
assert installation.standing(profile=Path(sys.argv[2])) is installation.Standing.WHOLE
"""


def installed(folder):
    """A profile with the extension, installed as from a terminal where an environment of Python is active.

    LibreOffice's `unopkg` does not work for root, so it does for somebody else then.
    """
    python = _office_python()
    profile, active = folder / "profile", folder / "venv"
    subprocess.run([python, "-m", "venv", "--without-pip", active], check=True)
    shutil.copytree(Path(xlsms.__file__).parent, folder / "xlsms", ignore=shutil.ignore_patterns("__pycache__"))
    here = {
        "HOME": folder,
        "VIRTUAL_ENV": active,
        "PATH": f"{active / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": folder,
    }
    command = ["env", *(f"{name}={value}" for name, value in here.items())]
    command += [str(python), "-c", INSTALLING, sys.executable, str(profile)]
    if os.geteuid() == 0:
        # All that lies in the temporary folder may be its maker's alone; that folder itself is everybody's.
        for parent in (folder, *folder.parents):
            if not parent.is_relative_to(tempfile.gettempdir()) or parent == Path(tempfile.gettempdir()):
                break
            parent.chmod(0o755)
        shutil.chown(folder, "nobody")
        command = ["su", "-s", "/bin/sh", "nobody", "-c", shlex.join(command)]
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, cwd=folder, capture_output=True, text=True, timeout=180, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return profile


@pytest.fixture(scope="module")
def live(tmp_path_factory):
    office = Live(installed(tmp_path_factory.mktemp("extension")))
    yield office
    office.end()


def test_the_menu_is_there(live):
    provider = live.link.service("com.sun.star.configuration.ConfigurationProvider")
    node = properties(nodepath="/org.openoffice.Office.Addons/AddonUI/OfficeMenuBar")
    bar = provider.createInstanceWithArguments("com.sun.star.configuration.ConfigurationAccess", node)
    menu = bar.getByName(IDENTIFIER)
    assert menu.getByName("Title") == "SMS"
    entries = [menu.getByName("Submenu").getByName(name) for name in menu.getByName("Submenu").ElementNames]
    addresses = [entry.getByName("URL") for entry in entries]
    assert [one for one in addresses if one != "private:separator"] == [
        f"{IDENTIFIER}:{button.verb}" for button in buttons()
    ]


def test_the_toolbar_has_its_name_and_its_place_below_the_others(live, tmp_path):
    provider = live.link.service("com.sun.star.configuration.ConfigurationProvider")
    node = properties(nodepath="/org.openoffice.Office.UI.CalcWindowState/UIElements/States")
    states = provider.createInstanceWithArguments("com.sun.star.configuration.ConfigurationAccess", node)
    assert states.getByName(TOOLBAR).getByName("UIName") == "SMS"
    path = tmp_path / "list.xlsx"
    openpyxl.Workbook().save(path)
    document = live.open(path)
    layout = document.CurrentController.Frame.LayoutManager
    assert layout.isElementVisible(TOOLBAR)
    assert layout.isElementDocked(TOOLBAR)
    live.close_all()


def test_a_command_of_the_menu_reaches_the_row(live, tmp_path):
    book = openpyxl.Workbook()
    for row in (["Name", "Phone", "Send"], ["Ana", 600000001], ["Bob", 600000002], ["Eva", 600000003]):
        book.active.append(row)
    path = tmp_path / "my list & $(co) 100%.xlsx"
    book.save(path)
    document = live.open(path)
    sheet = document.Sheets.getByIndex(0)
    document.CurrentController.select(sheet.getCellRangeByName("A3:B4"))
    helper = live.link.service("com.sun.star.frame.DispatchHelper")
    helper.executeDispatch(document.CurrentController.Frame, f"{IDENTIFIER}:mark", "", 0, ())
    column = sheet.getCellRangeByName("C2:C4")
    until(lambda: column.getDataArray() == (("",), ("x",), ("x",)), why=column.getDataArray)
    live.close_all()
