"""The part of the extension that runs inside LibreOffice, with as much of LibreOffice as it asks for."""

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

import xlsms.addin.calc
from xlsms.addin.calc.extension import IDENTIFIER
from xlsms.addin.verb import BUTTONS, Verb


class Base:
    """What a component of UNO is made of."""


class Uno(ModuleType):
    """A module in which everything is a plain thing."""

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {})


class Process:
    def __init__(self, command, env, **more):
        self.command, self.env, self.more, self.ended = command, env, more, None

    def poll(self):
        return self.ended


class Office:
    """A context of UNO: its settings, its language, its pipes."""

    def __init__(self, folder, language="en-US"):
        (folder / "xlsms.json").write_text(json.dumps({"interpreter": "/opt/xlsms/python"}))
        self.folder, self.language, self.boxes = folder, language, []
        self.ServiceManager = self

    def getValueByName(self, name):  # noqa: N802 - as UNO has it
        return SimpleNamespace(getPackageLocation=lambda package: str(self.folder))

    def createInstanceWithContext(self, name, context):  # noqa: N802 - same
        access = SimpleNamespace(getByName=lambda name: self.language)
        return SimpleNamespace(
            initialize=lambda arguments: None, createInstanceWithArguments=lambda name, arguments: access
        )


@pytest.fixture
def component(monkeypatch, tmp_path):
    """The module, as LibreOffice loads it; what it starts is kept in `component.processes`."""
    names = ["uno", "unohelper", "com", "com.sun", "com.sun.star", "com.sun.star.frame", "com.sun.star.lang",
             "com.sun.star.task"]  # fmt: skip
    for name in names:
        monkeypatch.setitem(sys.modules, name, Uno(name))
    uno, helper = sys.modules["uno"], sys.modules["unohelper"]
    uno.fileUrlToSystemPath = lambda url: url
    uno.createUnoStruct = lambda name: SimpleNamespace()
    uno.Enum = lambda kind, name: name
    helper.Base = Base
    helper.ImplementationHelper = lambda: SimpleNamespace(addImplementation=lambda *_: None)
    spec = importlib.util.spec_from_file_location(
        "xlsms_component", Path(xlsms.addin.calc.__file__).with_name("component.py")
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.processes = []

    def started(command, **more):
        module.processes.append(Process(command, **more))
        return module.processes[-1]

    monkeypatch.setattr(module.subprocess, "Popen", started)
    return module


def document(url="file:///p.xlsx", title="p.xlsx", uid="1", *, ours=True, selection=None):
    known = SimpleNamespace(hasPropertyByName=lambda name: ours and name == "xlsmsId")
    properties = SimpleNamespace(UserDefinedProperties=SimpleNamespace(PropertySetInfo=known))
    return SimpleNamespace(
        URL=url, Title=title, RuntimeUID=uid, DocumentProperties=properties,
        supportsService=lambda name: name == "com.sun.star.sheet.SpreadsheetDocument",
    )  # fmt: skip


def pressed(component, office, model, verb, selection=None):
    boxes = []
    window = SimpleNamespace(
        Toolkit=SimpleNamespace(
            createMessageBox=lambda *given: SimpleNamespace(execute=lambda: boxes.append(given[-1]))
        )
    )
    commands = component.Commands(office)
    controller = SimpleNamespace(Model=model, Selection=selection, ActiveSheet=SimpleNamespace(Name="People"))
    commands.initialize((SimpleNamespace(Controller=controller, ContainerWindow=window),))
    commands.dispatch(SimpleNamespace(Path=str(verb), Protocol=f"{IDENTIFIER}:"), ())
    return boxes


def verbs(component):
    return [process.command[-1] for process in component.processes]


def area(first, last, column=1):
    return SimpleNamespace(StartRow=first, EndRow=last, StartColumn=column)


def test_a_command_is_one_isolated_process_of_the_interpreter(component, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "/evil")
    monkeypatch.setenv("XLSMS_SHEET", "from elsewhere")
    office, model = Office(tmp_path, "es-MX"), document(url="file:///a%20b.xlsx")
    pressed(component, office, model, Verb.MARK, SimpleNamespace(RangeAddresses=[area(4, 8), area(11, 11)]))
    process = component.processes[0]
    assert process.command == ["/opt/xlsms/python", "-I", "-m", "xlsms.addin", "mark"]
    assert "PYTHONPATH" not in process.env
    given = {name[6:]: value for name, value in process.env.items() if name.startswith("XLSMS_")}
    assert (given["SHEET"], given["SELECTION"], given["CELL"], given["SELECTED"]) == (
        "People", "5%3A9%2C12%3A12", "B5", "Range",
    )  # fmt: skip
    assert (given["LANGUAGE"], given["BOOK"]) == ("es", "file%3A%2F%2F%2Fa%2520b.xlsx")


def test_a_chart_that_is_selected_is_no_row(component, tmp_path):
    pressed(component, Office(tmp_path), document(), Verb.MARK, SimpleNamespace())
    assert component.processes[0].env["XLSMS_SELECTED"] == "Shape"
    assert component.processes[0].env["XLSMS_SELECTION"] == ""


def test_after_a_command_for_a_workbook_somebody_listens_for_it_once(component, tmp_path):
    office, model = Office(tmp_path), document()
    for verb in (Verb.SEND, Verb.REFRESH):
        pressed(component, office, model, verb)
    assert verbs(component) == ["send", "listen", "refresh"]
    component.processes[1].ended = 1
    pressed(component, office, model, Verb.REFRESH)
    assert verbs(component)[-2:] == ["refresh", "listen"]


@pytest.mark.parametrize("verb", sorted(BUTTONS))
def test_nobody_listens_after_what_is_for_no_workbook(component, tmp_path, verb):
    pressed(component, Office(tmp_path), document(), verb)
    alone = verb in {Verb.NEW, Verb.SETTINGS, Verb.HELP, Verb.STOP, Verb.START}
    assert verbs(component) == ([str(verb)] if alone else [str(verb), "listen"])


def test_a_workbook_that_was_never_saved_is_listened_for_by_its_title_and_then_by_its_name(component, tmp_path):
    office, model = Office(tmp_path), document(url="", title="Untitled 1")
    pressed(component, office, model, Verb.SEND)
    assert verbs(component) == ["send", "listen"]
    assert component.processes[1].env["XLSMS_BOOK"] == "Untitled%201"
    model.URL = "file:///p.xlsx"
    opened(component, office, model)  # saved under a name
    assert verbs(component) == ["send", "listen", "listen"]
    assert component.processes[2].env["XLSMS_BOOK"] == "file%3A%2F%2F%2Fp.xlsx"


def test_listeners_of_closed_workbooks_are_let_go_when_the_next_one_is_started(component, tmp_path):
    """Each of them would stay in the list of processes until somebody asks what became of it."""
    office = Office(tmp_path)
    for nth in range(3):
        opened(component, office, document(url=f"file:///{nth}.xlsx"))
    assert len(component._listening) == 3
    component.processes[0].ended = component.processes[2].ended = 0
    opened(component, office, document(url="file:///3.xlsx"))
    assert list(component._listening.values()) == [component.processes[1], component.processes[3]]


def opened(component, office, model):
    environment = (SimpleNamespace(Name="Model", Value=model),)
    component.Opened(office).execute((SimpleNamespace(Name="Environment", Value=environment),))


def test_a_workbook_of_ours_is_listened_for_when_it_is_opened(component, tmp_path):
    office = Office(tmp_path)
    opened(component, office, document(ours=False))
    assert component.processes == []
    opened(component, office, document())
    assert verbs(component) == ["listen"]


def test_a_python_that_has_gone_is_told(component, tmp_path, monkeypatch):
    def gone(*_, **__):
        raise FileNotFoundError(2, "No such file or directory", "/opt/xlsms/python")

    monkeypatch.setattr(component.subprocess, "Popen", gone)
    (said,) = pressed(component, Office(tmp_path, "es"), document(), Verb.SEND)
    assert "/opt/xlsms/python" in said
    assert "Instálelo de nuevo: xlsms addin install --libreoffice" in said
