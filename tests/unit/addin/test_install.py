"""The add-in in made-up homes of Windows and macOS: put there, again, over an older one, and taken away."""

# ruff: noqa: N802 (names of Excel's object model)

import io
import re
import sys
import zipfile
from pathlib import Path

import pytest

import tests.addin
import xlsms
from xlsms.addin import install as installer
from xlsms.addin.build import addin, modules, sources, vba
from xlsms.addin.genuine import genuine_project, running_excel
from xlsms.addin.install import Interpreter, applescript, install, installed_settings, interpreter, standing, uninstall
from xlsms.addin.place import places
from xlsms.addin.project import Kind, Module, vba_project
from xlsms.addin.verb import Verb
from xlsms.errors import UserError

SYSTEMS = ("win32", "darwin")


@pytest.fixture(params=SYSTEMS)
def home(request, tmp_path):
    environment = {"HOME": str(tmp_path), "APPDATA": str(tmp_path / "Roaming"), "LOCALAPPDATA": str(tmp_path / "Local")}
    return places(environment, request.param)


@pytest.fixture
def python(tmp_path):
    path = tmp_path / "Żółw's venv" / "pythonw.exe"
    path.parent.mkdir()
    path.touch()
    return Interpreter(path)


def put(home, python, **more):
    return install(home, python, check=lambda _: None, **more)


def everything(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_places_are_those_of_the_manuals(tmp_path):
    windows = places({"APPDATA": "/r", "LOCALAPPDATA": "/l"}, "win32")
    assert windows.file == Path("/r/Microsoft/Excel/XLSTART/xlsms.xlam")
    assert windows.desk_text == "/l/xlsms/addin\\"
    mac = places({"HOME": "/Users/ana"}, "darwin")
    office = "/Users/ana/Library/Group Containers/UBF8T346G9.Office"
    assert mac.file == Path(f"{office}/User Content.localized/Startup.localized/Excel/xlsms.xlam")
    assert mac.script == Path("/Users/ana/Library/Application Scripts/com.microsoft.Excel/xlsms.applescript")
    assert mac.desk_text == f"{office}/xlsms/"
    assert places({"APPDATA": "/r", "LOCALAPPDATA": "/l"}, "win32", Path("/s")).file == Path("/s/xlsms.xlam")


@pytest.mark.parametrize(
    ("system", "environment", "code"),
    [
        ("linux", {"HOME": "/home/ana"}, "addin-no-excel"),
        ("win32", {"APPDATA": "/r"}, "addin-no-home"),
        ("win32", {"APPDATA": "r", "LOCALAPPDATA": "/l"}, "addin-no-home"),
        ("darwin", {}, "addin-no-home"),
    ],
)
def test_without_excel_or_a_home_it_says_so(system, environment, code):
    with pytest.raises(UserError, match=code):
        places(environment, system)


def test_installing_puts_a_whole_add_in_there(home, python):
    assert put(home, python) is True
    content = home.file.read_bytes()
    assert tests.addin.problems(content, {module.name: module.text() for module in modules()}) == []
    settings = installed_settings(content)
    assert (settings["interpreter"], settings["folder"]) == (str(python), home.desk_text)
    now = standing(home, python)
    assert (now.installed, now.current, now.interpreter_there, now.from_the_web) == (True, True, True, False)
    assert now.script_there in (None, True)
    assert [path.name for path in home.startup.iterdir()] == ["xlsms.xlam"]  # Excel opens all that lies there
    assert home.desk.stat().st_mode & 0o077 == 0


def test_installing_again_changes_nothing(home, python, tmp_path):
    put(home, python)
    before = everything(tmp_path)
    assert put(home, python) is False
    assert everything(tmp_path) == before


def test_an_older_one_is_replaced(home, python):
    with pytest.MonkeyPatch.context() as older:
        older.setattr("xlsms.__version__", "0.0.9")
        put(home, python)
    before = standing(home, python)
    assert (before.version, before.current) == ("0.0.9", False)
    assert put(home, python) is True
    after = standing(home, python)
    assert (after.version, after.current) == (xlsms.__version__, True)


def test_another_python_is_another_add_in(home, python, tmp_path):
    put(home, python)
    other = Interpreter(tmp_path / "python")
    assert not standing(home, other).current
    assert put(home, other) is True
    now = standing(home, other)
    assert (now.current, now.interpreter, now.interpreter_there) == (True, str(other), False)


def test_uninstalling_leaves_nothing_and_is_no_error_twice(home, python, tmp_path):
    kept = tmp_path / "Roaming" / "Microsoft" / "Excel" / "XLSTART" / "personal.xlsb"
    kept.parent.mkdir(parents=True)
    kept.write_bytes(b"mine")
    before = everything(tmp_path)
    put(home, python)
    (home.desk / "1-2.open").write_text("a.xlsx")
    assert uninstall(home) is True
    assert everything(tmp_path) == before
    assert uninstall(home) is False
    assert standing(home, python) == installer.Standing(file=home.file, installed=False)


@pytest.mark.parametrize("content", [b"", b"something else", None])
def test_what_is_not_ours_is_left_alone(home, python, content):
    if content is None:
        other = io.BytesIO()
        with zipfile.ZipFile(other, "w") as package:
            package.writestr("xl/worksheets/sheet1.xml", "<worksheet/>")
        content = other.getvalue()
    home.file.parent.mkdir(parents=True)
    home.file.write_bytes(content)
    for do in (lambda: put(home, python), lambda: uninstall(home)):
        with pytest.raises(UserError, match="addin-not-ours"):
            do()
    assert home.file.read_bytes() == content


def test_a_file_in_use_is_told(home, python, monkeypatch):
    def refuse(self, target):
        raise PermissionError(13, "in use", str(self), None, str(target))

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(UserError, match=r"xlsms.*is in use; close Excel and try again"):
        put(home, python)
    assert not list(home.startup.parent.glob(".xlsms*"))


def test_a_folder_that_is_none_is_told(home, python):
    home.startup.parent.mkdir(parents=True)
    home.startup.write_text("a file where the folder should be")
    with pytest.raises(UserError, match="addin-not-written"):
        put(home, python)


def test_the_python_for_an_add_in_of_everybody_is_in_a_file_that_vba_can_read(tmp_path, python):
    home = places({"APPDATA": str(tmp_path), "LOCALAPPDATA": str(tmp_path)}, "win32")
    put(home, python)
    assert home.interpreter.read_bytes()[:2] == b"\xff\xfe"  # FileSystemObject takes UTF-16 with its mark
    assert home.interpreter.read_bytes().decode("utf-16") == f"{python}\r\n"


def test_a_python_is_tried_as_excel_will_start_it(tmp_path):
    installer.usable(Path(sys.executable))
    lacking = tmp_path / "python"
    lacking.write_text(
        '#!/bin/sh\n[ "$1" = -I ] && echo "ModuleNotFoundError: No module named \'xlsms\'" >&2\nexit 1\n'
    )
    lacking.chmod(0o755)
    for path, reason in (
        (lacking, "No module named 'xlsms'"),
        (tmp_path / "none", "FileNotFoundError"),
        (Path('a"b'), '"'),
    ):
        with pytest.raises(UserError) as caught:
            installer.usable(path)
        assert reason in str(caught.value)
        assert "virtual environment" in caught.value.remedy


def test_on_windows_python_has_no_console_window(tmp_path):
    for name in ("python.exe", "pythonw.exe"):
        (tmp_path / name).touch()
    assert interpreter(str(tmp_path / "python.exe"), "win32").name == "pythonw.exe"
    assert interpreter(str(tmp_path / "pythonw.exe"), "win32").name == "pythonw.exe"
    assert interpreter(str(tmp_path / "python3"), "darwin").name == "python3"
    (tmp_path / "pythonw.exe").unlink()
    assert interpreter(str(tmp_path / "python.exe"), "win32").name == "python.exe"


def test_the_script_has_one_fixed_command():
    script = applescript(Path('/Users/a"na\\/venv/bin/python'))
    assert 'property interpreter : "/Users/a\\"na\\\\/venv/bin/python"' in script
    assert re.findall(r'"([a-z-]+)"', script.split("property verbs")[1].split("\n")[0]) == [str(verb) for verb in Verb]
    looked, command = re.findall(r"do shell script (.*)", script)
    assert looked == '"/bin/test -x " & quoted form of interpreter'
    assert command == (
        '"/usr/bin/env " & environment & quoted form of interpreter & " -I -m xlsms.addin " & quoted form of verb & '
        '" >/dev/null 2>&1 &"'
    )
    assert "set environment to environment & quoted form of (each as text)" in script
    assert "INTERPRETER" not in script
    assert "VERBS" not in script
    code = "\n".join(module.text() for module in modules())
    assert 'answer = AppleScriptTask("xlsms.applescript", "startPython", verb & vbLf & Join(lines, vbLf))' in code


def test_all_that_the_script_answers_is_understood():
    """What fails in it is told as failed, what is not there as missing."""
    script = applescript(Path("/usr/bin/python3"))
    assert re.findall(r'return "([a-z-]+)"', script) == ["refused", "refused", "no-interpreter", "failed", "started"]
    for command in re.findall(r"\n(.*\n.*do shell script .*\n.*)\n", script):
        assert [line.strip() for line in command.split("\n")][::2] == ["try", "on error"]
    assert script.count("\ttry\n") == script.count("\tend try\n") == script.count("do shell script") == 2


def test_on_windows_nothing_stands_between_excel_and_the_interpreter():
    """The text of the procedure only: nothing here can run it."""
    code = "\n".join(module.text() for module in modules())
    (body,) = re.findall(r"(?s)Private Function StartedOnWindows\(.*?End Function", code)
    body = "\n".join(line.split(" ' ")[0].rstrip() for line in body.splitlines())
    assert re.findall(r"shell\.Run.*", body) == ["shell.Run command, 0, False"]
    assert "cmd" not in body.lower()
    assert body.count("environment(Left$(line, at - 1)) = ") == body.count("environment.Remove ") == 1
    assert body.index("shell.Run") < body.index("environment.Remove")


@pytest.mark.parametrize(
    ("name", "way"),
    [
        ("FirstLine", "LineBySystem(path)"),
        ("WriteLine", "WriteBySystem path, text"),
        ("ChangedAt", "TimeBySystem(path)"),
        ("Remove", "RemoveBySystem path"),
        ("MakeFolder", "MakeBySystem above, inner"),
    ],
)
def test_files_of_any_name_go_the_way_of_the_system_on_windows(name, way):
    """The text of the procedures only: LibreOffice has no file system object."""
    code = "\n".join(module.text() for module in modules())
    ((kind, body),) = re.findall(rf"(?s)Public (Sub|Function) {name}\((.*?)End (?:Sub|Function)", code)
    (line,) = [line for line in body.splitlines() if way in line]
    assert re.search(r"^\s*If .*IsWindows\(\) Then ", line), (kind, line)
    name_of_it = way.split("(")[0].split()[0]
    (own,) = re.findall(rf"(?s)Private (?:Sub|Function) {name_of_it}\(.*?End (?:Sub|Function)", code)
    assert "System()." in own
    assert "On Error Resume Next" in own


#: AppleScript Language Guide, "Keywords": none of them can be a name. And commands of its own, which a handler replaces.
RESERVED = """
    about above after against and apart around as aside at back before beginning behind below beneath beside between but by
    considering contain contains continue copy div does eighth else end equal equals error every exit false fifth first for
    fourth from front get given global if ignoring in instead into is it its last local me middle mod my ninth not of on
    onto or out over prop property put ref reference repeat return returning script second set seventh since sixth some
    tell tenth that the then third through thru timeout times to transaction true try until where while whose with without
    activate count launch log open print quit reopen run store load delay beep say display choose
"""


def test_no_name_in_the_script_is_a_word_of_the_language():
    script = applescript(Path("/usr/bin/python3"))
    names = re.findall(r"(?m)^\s*(?:on|property|set|repeat with) (\w+)(?= to |\(| : | in )", script)
    assert {"startPython", "handedLines", "environment", "verb"} <= set(names)
    assert not set(names) & set(RESERVED.split())


class Component:
    def __init__(self, name):
        self.Name, self.CodeModule, self.text = name, self, ""

    @property
    def CountOfLines(self):
        return len(self.text.splitlines())

    def DeleteLines(self, first, count):
        assert (first, count) == (1, self.CountOfLines)
        self.text = ""

    def AddFromString(self, text):
        self.text += text


class Excel:
    """What the object model is documented to do with a new workbook, its modules and a saved add-in; no more.

    It saves what it was given, so the test sees whether the right things were handed over in the right way.
    """

    def __init__(self, *, trusted=True):
        self.trusted, self.closed, self.Workbooks = trusted, None, self
        self.components = {"DieseArbeitsmappe": Component("DieseArbeitsmappe"), "Tabelle1": Component("Tabelle1")}
        self.components["DieseArbeitsmappe"].text = "Option Explicit\r\n"
        self.imported, self.CodeName, self.Worksheets, self.IsAddin = {}, "DieseArbeitsmappe", self.Sheets(self), False

    class Sheets:
        def __init__(self, book):
            self.book, self.names = book, ["Tabelle1"]

        @property
        def Count(self):
            return len(self.names)

        def Add(self):
            name = f"Tabelle{self.Count + 1}"
            self.names.insert(0, name)  # a new sheet comes before the others
            self.book.components[name] = Component(name)

        def Item(self, number):
            return type("Sheet", (), {"CodeName": self.names[number - 1]})

    def Add(self):
        return self

    @property
    def VBProject(self):
        if not self.trusted:
            raise OSError("Programmatic access to Visual Basic Project is not trusted")
        self.VBComponents = self
        self.Name = None
        return self

    def Item(self, name):
        return self.components[name]

    def Import(self, path):
        file = Path(path)
        self.imported[file.stem] = (file.suffix, file.read_bytes())

    def SaveAs(self, path, kind):
        assert (self.IsAddin, kind) == (True, 55)
        behind = self.components["DieseArbeitsmappe"]
        modules = [Module(name=behind.Name, kind=Kind.WORKBOOK, source=behind.text)]
        modules += [Module(name=self.components[name].Name, kind=Kind.SHEET) for name in self.Worksheets.names]
        modules += [
            Module(name=name, kind=Kind.CLASS if suffix == ".cls" else Kind.STANDARD, source=content.decode("cp1252"))
            for name, (suffix, content) in self.imported.items()
        ]
        project = vba_project(self.Name, "{00000000-0000-0000-0000-000000000001}", modules)
        with zipfile.ZipFile(path, "w") as package:
            package.writestr("xl/vbaProject.bin", project)

    def Close(self, save):
        self.closed = save


def test_excel_can_make_the_project_itself(home, python):
    excel = Excel()
    project = genuine_project(excel)
    assert excel.closed is False
    assert project != vba()
    assert put(home, python, project=project) is True
    expected = {module.name: module.text() for module in modules()}
    assert tests.addin.problems(home.file.read_bytes(), expected) == []
    assert set(excel.imported) == {name.split(".")[0] for name in sources()} - {"ThisWorkbook"}
    assert standing(home, python).current  # Excel's own project is not taken for an old one


def test_an_excel_that_trusts_no_program_says_where_to_allow_it():
    excel = Excel(trusted=False)
    with pytest.raises(UserError, match="Trust Center"):
        genuine_project(excel)
    assert excel.closed is False


def test_no_excel_is_started_for_it(monkeypatch):
    import xlwings

    monkeypatch.setattr(xlwings, "engines", [])
    with pytest.raises(UserError, match="addin-open-excel"):
        running_excel()


def test_an_add_in_without_settings_is_the_same_for_all(built):
    assert addin() == built
    assert installed_settings(built)["interpreter"] == ""
