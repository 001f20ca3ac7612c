"""`xlsms addin`: what the commands say and write, in a made-up home of Windows."""

import functools
import os
import sys

import pytest

import tests.addin
from xlsms.addin.build import addin, sources
from xlsms.addin.place import places


@pytest.fixture
def windows(tmp_path, monkeypatch):
    monkeypatch.setenv("APPDATA", str(tmp_path / "Roaming"))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "Local"))
    monkeypatch.setattr("xlsms_service.cli.addin.places", functools.partial(places, system="win32"))
    return tmp_path / "Roaming" / "Microsoft" / "Excel" / "XLSTART" / "xlsms.xlam"


def test_installed_looked_at_and_taken_away(windows, xlsms):
    before = xlsms("addin", "status")
    assert (before.code, before.out.strip()) == (1, "The add-in is not installed. Install it: xlsms addin install")
    first = xlsms("addin", "install")
    assert (first.code, first.out.strip()) == (0, f"Installed: {windows}. Start Excel anew: the tab is called SMS.")
    assert tests.addin.problems(windows.read_bytes()) == []
    assert xlsms("addin", "install").out.strip() == f"{windows} is up to date."
    assert xlsms("addin", "status").code == 0
    assert xlsms("addin", "uninstall").out.startswith("Taken away: ")
    assert not windows.exists()
    assert xlsms("addin", "uninstall").out.strip() == "The add-in is not installed."


def test_figures(windows, xlsms):
    assert xlsms("addin", "install", "--json").figures == {"file": str(windows), "changed": True}
    assert xlsms("addin", "install", "--json").figures["changed"] is False
    standing = xlsms("addin", "status", "--json").figures
    assert standing["problems"] == []
    assert (standing["installed"], standing["current"], standing["interpreter"]) == (True, True, sys.executable)
    assert xlsms("addin", "uninstall", "--json").figures["changed"] is True


def test_what_is_wrong_is_said(windows, xlsms, tmp_path):
    gone = tmp_path / "python"
    gone.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    gone.chmod(0o755)
    assert xlsms("addin", "install", "--interpreter", gone).code == 0
    gone.unlink()
    assert f"Its Python is gone: {gone}." in xlsms("addin", "status").out
    with pytest.MonkeyPatch.context() as older:
        older.setattr("xlsms.__version__", "0.0.1")
        xlsms("addin", "install")
    assert "It is another version" in xlsms("addin", "status").out
    (windows.parent / "xlsms.xlam:Zone.Identifier").write_text("[ZoneTransfer]")
    assert "file from the web" in xlsms("addin", "status").out


def test_a_python_that_cannot_load_it_is_refused(windows, xlsms, tmp_path):
    refused = xlsms("addin", "install", "--interpreter", tmp_path / "none")
    assert refused.code == 2
    assert "[addin-interpreter]" in refused.complaint
    assert not windows.exists()


@pytest.mark.skipif(sys.platform != "linux", reason="where there is no Excel")
def test_without_excel_it_says_what_can_be_done(xlsms):
    refused = xlsms("addin", "install")
    assert (refused.code, refused.complaint.endswith("[addin-no-excel]")) == (2, True)


def test_built_for_everybody(xlsms, tmp_path):
    assert xlsms("addin", "build", "--output", tmp_path / "x.xlam").code == 0
    assert (tmp_path / "x.xlam").read_bytes() == addin()
    xlsms("addin", "build", "--output", tmp_path / "y.xlam", "--interpreter", r"%ProgramFiles%\xlsms\pythonw.exe")
    assert rb"%ProgramFiles%\xlsms\pythonw.exe" in (tmp_path / "y.xlam").read_bytes()
    refused = xlsms("addin", "build", "--output", tmp_path / "no" / "x.xlam")
    assert "[addin-not-written]" in refused.complaint
    refused = xlsms("addin", "build", "--output", tmp_path / "z.xlam", "--interpreter", 'C:\\a"b\\pythonw.exe')
    assert "[addin-interpreter]" in refused.complaint
    assert not (tmp_path / "z.xlam").exists()


def test_sources_are_written_as_they_are(xlsms, tmp_path):
    xlsms("addin", "sources", tmp_path / "out")
    written = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    assert {name: content for name, content in written.items() if name != "ribbon.xml"} == sources()
    again = xlsms("addin", "sources", tmp_path / "out")
    assert "[addin-folder-not-empty]" in again.complaint


def test_in_spanish(windows, xlsms, monkeypatch):
    monkeypatch.setenv("LANG", "es_ES.UTF-8")
    assert xlsms("addin", "status").out.strip() == "El complemento no está instalado. Instálelo: xlsms addin install"


@pytest.mark.parametrize(
    ("listed", "code", "whole", "said"),
    [
        ("Identifier: org.xlsms.calc\n  is registered: yes\n", 0, True, "The extension is in LibreOffice."),
        ("Identifier: org.xlsms.calc\n  is registered: no\n", 1, False, "could not load the extension's Python parts"),
        ("", 1, False, "The add-in is not installed."),
    ],
)
def test_status_says_whether_libreoffice_loaded_all_of_it(xlsms, monkeypatch, tmp_path, listed, code, whole, said):
    tool = tmp_path / "unopkg"
    tool.write_text(f"#!/bin/sh\nprintf '%s' '{listed}'\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    status = xlsms("addin", "status", "--libreoffice")
    assert (status.code, said in status.out) == (code, True)
    figures = xlsms("addin", "status", "--libreoffice", "--json").figures
    assert (figures["installed"], figures["whole"]) == (bool(listed), whole)


def test_a_terminal_that_libreoffice_must_not_be_started_from_is_told(xlsms, monkeypatch, tmp_path):
    tool, active = tmp_path / "tools" / "unopkg", tmp_path / "venv" / "bin"
    for folder in (tool.parent, active):
        folder.mkdir(parents=True)
    (active.parent / "pyvenv.cfg").touch()
    tool.write_text("#!/bin/sh\nprintf 'Identifier: org.xlsms.calc\\n  is registered: yes\\n'\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tool.parent))
    assert "Do not start" not in xlsms("addin", "status", "--libreoffice").out
    monkeypatch.setenv("PATH", f"{active}{os.pathsep}{tool.parent}")
    status = xlsms("addin", "status", "--libreoffice")
    assert (status.code, "Do not start LibreOffice from this terminal" in status.out) == (0, True)
