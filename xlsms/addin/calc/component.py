"""The part of the extension that runs inside LibreOffice: it starts `python -I -m xlsms.addin VERB` at a click.

LibreOffice's own Python runs this file, from the extension and without xlsms: it needs nothing but the standard library
and `uno`. It opens a pipe of a random name, of this user only, by which the new process speaks to this office.
"""

import json
import os
import subprocess
import uuid
from pathlib import Path
from urllib.parse import quote

import uno
import unohelper
from com.sun.star.frame import FeatureStateEvent, XDispatch, XDispatchProvider
from com.sun.star.lang import XInitialization, XServiceInfo
from com.sun.star.task import XJob

EXTENSION = "org.xlsms.calc"
PROTOCOL = f"{EXTENSION}:"
HANDLER, WATCHER = f"{EXTENSION}.Commands", f"{EXTENSION}.Opened"
IDENTITY = "xlsmsId"  # the property that a workbook of ours has
KEPT = ("new", "settings", "help", "stop", "start")  # verbs after which nobody needs to listen for the workbook

_office = {}  # the pipe that was opened, and what keeps it open
_listening = {}  # processes that write news into workbooks, by the opening and the address or, unsaved, the title


def pipe(context):
    """The address of this office for our processes; opened at the first need."""
    if "address" not in _office:
        address = f"pipe,name=xlsms{uuid.uuid4().hex}"
        acceptor = context.ServiceManager.createInstanceWithContext("com.sun.star.office.Acceptor", context)
        acceptor.initialize((f"{address};urp;StarOffice.ComponentContext", True))
        _office.update(address=address, acceptor=acceptor)
    return _office["address"]


def settings(context):
    """What was put into the extension when it was made."""
    provider = context.getValueByName("/singletons/com.sun.star.deployment.PackageInformationProvider")
    folder = uno.fileUrlToSystemPath(provider.getPackageLocation(EXTENSION))
    return json.loads(Path(folder, "xlsms.json").read_text("utf-8"))


def language(context):
    """The language of the menus, as far as xlsms speaks it."""
    provider = context.ServiceManager.createInstanceWithContext(
        "com.sun.star.configuration.ConfigurationProvider", context
    )
    node = uno.createUnoStruct("com.sun.star.beans.PropertyValue")
    node.Name, node.Value = "nodepath", "/org.openoffice.Setup/L10N"
    access = provider.createInstanceWithArguments("com.sun.star.configuration.ConfigurationAccess", (node,))
    return "es" if str(access.getByName("ooLocale")).lower().startswith("es") else "en"


def selection(controller):
    """Kind, rows and first cell of what is selected."""
    chosen = controller.Selection
    if chosen is None:
        return "", "", ""
    if hasattr(chosen, "RangeAddresses"):
        areas = list(chosen.RangeAddresses)
    elif hasattr(chosen, "RangeAddress"):
        areas = [chosen.RangeAddress]
    else:
        return "Shape", "", ""
    rows = ",".join(f"{area.StartRow + 1}:{area.EndRow + 1}" for area in areas)
    column, letters = areas[0].StartColumn + 1, ""
    while column:
        column, letter = divmod(column - 1, 26)
        letters = chr(65 + letter) + letters
    return "Range", rows, f"{letters}{areas[0].StartRow + 1}"


def started(context, verb, model, controller=None):
    """Start one of our processes for a workbook."""
    given = {
        "HOST": "calc",
        "LANGUAGE": language(context),
        "OFFICE": pipe(context),
        "BOOK": model.URL or model.Title,
        "NAME": model.Title,
    }
    if controller is not None and hasattr(controller, "ActiveSheet"):
        kind, rows, cell = selection(controller)
        given.update(SHEET=controller.ActiveSheet.Name, SELECTED=kind, CELL=cell)
        given["SELECTION"] = rows
    unwanted = ("PYTHON", "LD_LIBRARY_PATH", "XLSMS_", "URE_", "UNO_")
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(unwanted) or name == "XLSMS_CONFIG"
    }
    environment.update({f"XLSMS_{name}": quote(str(value), safe="") for name, value in given.items()})
    return subprocess.Popen(
        [settings(context)["interpreter"], "-I", "-m", "xlsms.addin", verb],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def listen(context, model):
    """See that somebody writes news into a workbook, as long as it goes by this name."""
    for ended in [key for key, process in _listening.items() if process.poll() is not None]:
        del _listening[ended]  # seen by `poll`, or they would stay in the list of processes as long as the office runs
    key = model.RuntimeUID, model.URL or model.Title
    if key not in _listening:
        _listening[key] = started(context, "listen", model)


class Commands(unohelper.Base, XDispatchProvider, XDispatch, XInitialization, XServiceInfo):
    """Takes the commands of the menu and the toolbar."""

    def __init__(self, context):
        self.context, self.frame = context, None

    def initialize(self, arguments):
        self.frame = arguments[0] if arguments else None

    def queryDispatch(self, url, target, flags):
        return self if url.Protocol == PROTOCOL else None

    def queryDispatches(self, requests):
        return tuple(self.queryDispatch(one.FeatureURL, one.FrameName, one.SearchFlags) for one in requests)

    def dispatch(self, url, arguments):
        controller = self.frame.Controller
        try:
            started(self.context, url.Path, controller.Model, controller)
            if url.Path not in KEPT:
                listen(self.context, controller.Model)
        except OSError as error:
            self._tell(error)

    def _tell(self, error):
        window = self.frame.ContainerWindow
        kind = uno.Enum("com.sun.star.awt.MessageBoxType", "ERRORBOX")
        remedy = {"en": "Install it again", "es": "Instálelo de nuevo"}[language(self.context)]
        text = f"{error}\n\n{remedy}: xlsms addin install --libreoffice"
        window.Toolkit.createMessageBox(window, kind, 1, "SMS", text).execute()

    def addStatusListener(self, listener, url):
        event = FeatureStateEvent()
        event.FeatureURL, event.Source, event.IsEnabled = url, self, True
        listener.statusChanged(event)

    def removeStatusListener(self, listener, url):
        pass

    def getImplementationName(self):
        return HANDLER

    def supportsService(self, name):
        return name in self.getSupportedServiceNames()

    def getSupportedServiceNames(self):
        return ("com.sun.star.frame.ProtocolHandler",)


class Opened(unohelper.Base, XJob, XServiceInfo):
    """Hears that a document was opened, or saved under another name, and sees to the news of one that is ours."""

    def __init__(self, context):
        self.context = context

    def execute(self, arguments):
        values = {one.Name: one.Value for one in arguments}
        model = {one.Name: one.Value for one in values.get("Environment", ())}.get("Model")
        if model is not None and model.supportsService("com.sun.star.sheet.SpreadsheetDocument"):
            custom = model.DocumentProperties.UserDefinedProperties
            if custom.PropertySetInfo.hasPropertyByName(IDENTITY):
                listen(self.context, model)
        return ()

    def getImplementationName(self):
        return WATCHER

    def supportsService(self, name):
        return name in self.getSupportedServiceNames()

    def getSupportedServiceNames(self):
        return ("com.sun.star.task.Job",)


g_ImplementationHelper = unohelper.ImplementationHelper()
g_ImplementationHelper.addImplementation(Commands, HANDLER, ("com.sun.star.frame.ProtocolHandler",))
g_ImplementationHelper.addImplementation(Opened, WATCHER, ("com.sun.star.task.Job",))
