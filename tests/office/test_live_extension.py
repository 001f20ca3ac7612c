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

from tests.office.conftest import until
from tests.office.live import Live
from xlsms.addin.calc.extension import IDENTIFIER, extension
from xlsms.addin.calc.link import properties
from xlsms.addin.ribbon import buttons

pytestmark = pytest.mark.office


def installed(folder):
    """A profile with the extension; `unopkg` does not work for root, so it does for somebody else then."""
    if shutil.which("unopkg") is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("LibreOffice is not here")
    file, profile = folder / "xlsms.oxt", folder / "profile"
    file.write_bytes(extension(sys.executable))
    root = os.geteuid() == 0
    if root:
        # All that lies in the temporary folder may be its maker's alone; that folder itself is everybody's.
        for parent in (folder, *folder.parents):
            if not parent.is_relative_to(tempfile.gettempdir()) or parent == Path(tempfile.gettempdir()):
                break
            parent.chmod(0o755)
        shutil.chown(folder, "nobody")
    command = [
        "env",
        f"HOME={folder}",
        "unopkg",
        "add",
        "--force",
        f"-env:UserInstallation={profile.as_uri()}",
        str(file),
    ]
    if root:
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
    until(lambda: column.getDataArray() == (("",), ("x",), ("x",)), 30, column.getDataArray)
    live.close_all()
