"""The functions for cells, inside LibreOffice: `SMS.PARTS`, `SMS.E164`, `SMS.COST`, `SMS.STATUS` and `SMS.REPLY`.

LibreOffice's own Python runs this file, without xlsms. It asks one process, `python -I -m xlsms.addin.function`, by
lines of JSON: what is computed here and now one by one, and remembered; what the service knows for many cells at once.

Calc calls under its one lock and waits; so whoever tells Calc of news, which needs that lock, is a thread of its own
and holds no lock of ours meanwhile.
"""

import json
import os
import queue
import subprocess
import threading
import time
from collections import OrderedDict
from contextlib import suppress
from pathlib import Path

import uno
import unohelper
from com.sun.star.lang import IllegalArgumentException, Locale, XServiceInfo, XServiceName
from com.sun.star.sheet import ResultEvent, XAddIn, XVolatileResult
from com.sun.star.task import XJob
from org.xlsms.calc import XFunctions

EXTENSION = "org.xlsms.calc"
SERVICE, OPENED = f"{EXTENSION}.Functions", f"{EXTENSION}.FunctionsOpened"
SAVED = f"{EXTENSION}.FunctionsSaved"
OURS = (
    r"\bSMS\.(PARTS|E164|COST|STATUS|REPLY)\(|\borg\.xlsms\.calc\.functions\.get"  # as typed, and as it stands in files
)
PLAIN = "General;-General"  # shows what the standard format shows, and is not the standard format
STANDARDS = 10_000  # number formats of one language; the first of each is the standard one
FORMULAS = 16  # com.sun.star.sheet.CellFlags.FORMULA: the rest need not be looked through
NUMBERS = 1  # com.sun.star.sheet.FormulaResult.VALUE
COLLECT = 0.1  # seconds without another cell after which those that came are one question
LONGEST = 1.0  # seconds that the first of them waits at most
PATIENCE = 10.0  # seconds that Calc waits for a value that is computed here; Python may just be starting
REMEMBERED = 50_000  # values


class Value(unohelper.Base, XVolatileResult):
    """What a live cell shows: nothing until it is known, then always the last that was heard."""

    def __init__(self):
        self.known, self.listeners = "", []

    def addResultListener(self, listener):
        self.listeners.append(listener)
        self._show(listener)

    def removeResultListener(self, listener):
        if listener in self.listeners:
            self.listeners.remove(listener)

    def become(self, known):
        if known != self.known:
            self.known = known
            for listener in tuple(self.listeners):
                self._show(listener)

    def _show(self, listener):
        event = ResultEvent()
        event.Source, event.Value = self, self.known
        listener.modified(event)


class Helper:
    """The process that knows, and what it has said."""

    def __init__(self, interpreter, language):
        self._interpreter, self._language = interpreter, language
        self._lock, self._process = threading.Lock(), None
        self._answers, self._count = {}, 0
        self._computed, self._values = OrderedDict(), {}
        self._wanted, self._news = queue.SimpleQueue(), queue.SimpleQueue()
        for work in (self._collect, self._tell):
            threading.Thread(target=work, daemon=True).start()

    def compute(self, *question):
        """What is computed from the arguments alone; None when nobody answers."""
        known = self._computed.get(question)
        if known is None:
            known = self.ask(*question)
            if known is not None:
                self._computed[question] = known
                if len(self._computed) > REMEMBERED:
                    self._computed.popitem(last=False)
        return known

    def ask(self, *question):
        """The answer to one question, waited for; None when nobody answers."""
        answer = queue.SimpleQueue()
        with self._lock:
            self._count += 1
            number = self._count
            self._answers[number] = answer
        try:
            self._write({"number": number, "question": question})
            return answer.get(timeout=PATIENCE)
        except (OSError, queue.Empty):
            return None
        finally:
            self._answers.pop(number, None)

    def live(self, *question):
        """The value of a question that the service answers; the same for all cells that ask the same."""
        with self._lock:
            value = self._values.get(question)
            if value is None:
                value = self._values[question] = Value()
                self._wanted.put(question)
        return value

    def _collect(self):
        """All questions in one line, as long as they follow one another."""
        while True:
            questions = [self._wanted.get()]
            until = time.monotonic() + LONGEST
            with suppress(queue.Empty):
                while time.monotonic() < until:
                    questions.append(self._wanted.get(timeout=COLLECT))
            try:
                self._write({"live": questions})
            except OSError:
                for question in questions:  # the process could not be started: the next cell tries again
                    self._values.pop(question, None)

    def _write(self, line):
        with self._lock:
            if self._process is None or self._process.poll() is not None:
                self._process = self._started()
                threading.Thread(target=self._read, args=(self._process,), daemon=True).start()
                if self._values:  # those that an earlier process was asked
                    self._send({"live": list(self._values)})
            self._send(line)

    def _send(self, line):
        self._process.stdin.write(json.dumps(line).encode() + b"\n")
        self._process.stdin.flush()

    def _started(self):
        unwanted = ("PYTHON", "LD_LIBRARY_PATH", "XLSMS_", "URE_", "UNO_")
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith(unwanted) or name == "XLSMS_CONFIG"
        }
        return subprocess.Popen(
            [self._interpreter, "-I", "-m", "xlsms.addin.function", self._language],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def _read(self, process):
        for text in process.stdout:
            line = json.loads(text)
            if "number" in line:
                waiting = self._answers.get(line["number"])
                if waiting is not None:
                    waiting.put(line["value"])
            else:
                self._news.put(line["news"])
        for waiting in list(self._answers.values()):
            waiting.put(None)

    def _tell(self):
        while True:
            for question, known in self._news.get():
                value = self._values.get(tuple(question))
                if value is not None:
                    with suppress(Exception):  # the workbook was closed in this instant
                        value.become(known)


_helpers, _known = [], {}


def read(context, name):
    """A file of the extension."""
    provider = context.getValueByName("/singletons/com.sun.star.deployment.PackageInformationProvider")
    folder = uno.fileUrlToSystemPath(provider.getPackageLocation(EXTENSION))
    return json.loads(Path(folder, name).read_text("utf-8"))


def helper(context, language):
    if not _helpers:
        _helpers.append(Helper(read(context, "xlsms.json")["interpreter"], language))
    return _helpers[0]


def known(context):
    """Names and help of the functions, by method."""
    if not _known:
        _known.update(read(context, "functions.json"))
    return _known


class Functions(unohelper.Base, XFunctions, XAddIn, XServiceName, XServiceInfo):
    """What Calc calls."""

    def __init__(self, context, *arguments):
        self.context, self.locale = context, Locale("en", "US", "")

    def getParts(self, text):
        return self._compute("parts", self._one(text, 0))

    def getE164(self, number, country):
        return self._compute("e164", self._one(number, 0), self._one(country, 1))

    def getCost(self, number, text):
        return self._live("cost", self._one(number, 0), self._one(text, 1))

    def getStatus(self, id):  # noqa: A002  # as in the interface
        return self._live("status", self._one(id, 0))

    def getReply(self, id):  # noqa: A002  # as in the interface
        return self._live("reply", self._one(id, 0))

    def _compute(self, *question):
        known = self._helper().compute(*question)
        return "#N/A" if known is None else known

    def _live(self, *question):
        return Value() if None in question else self._helper().live(*question)

    def _one(self, argument, position):
        """A number, a text or None; a range must be of one cell."""
        if isinstance(argument, tuple):
            if len(argument) != 1 or not isinstance(argument[0], tuple) or len(argument[0]) != 1:
                raise IllegalArgumentException("one cell is expected", self, position)
            argument = argument[0][0]
        return argument if isinstance(argument, str | int | float) else None

    def _helper(self):
        return helper(self.context, self._language())

    def setLocale(self, locale):
        self.locale = locale

    def getLocale(self):
        return self.locale

    # Calc asks for these once the component is there, and what it hears counts more than the registry.

    def getProgrammaticFuntionName(self, shown):
        return next((method for method, one in known(self.context).items() if one["name"] == shown), "")

    def getDisplayFunctionName(self, method):
        return known(self.context)[method]["name"] if method in known(self.context) else ""

    def getFunctionDescription(self, method):
        return self._said(method, "help")

    def getDisplayArgumentName(self, method, number):
        return self._said(method, "name", number)

    def getArgumentDescription(self, method, number):
        return self._said(method, "help", number)

    def _said(self, method, what, number=None):
        one = known(self.context).get(method)
        if one is not None and number is not None:
            one = one["arguments"][number] if 0 <= number < len(one["arguments"]) else None
        return "" if one is None else one[what][self._language()]

    def _language(self):
        return "es" if self.locale.Language == "es" else "en"

    def getProgrammaticCategoryName(self, name):
        return "Add-In"

    def getDisplayCategoryName(self, name):
        return "Add-In"

    def getServiceName(self):
        return SERVICE

    def getImplementationName(self):
        return SERVICE

    def supportsService(self, name):
        return name in self.getSupportedServiceNames()

    def getSupportedServiceNames(self):
        return (SERVICE, "com.sun.star.sheet.AddIn")


def spreadsheet(arguments):
    """The workbook that a job is about; None when it is another document."""
    values = {one.Name: one.Value for one in arguments}
    model = {one.Name: one.Value for one in values.get("Environment", ())}.get("Model")
    return model if model is not None and model.supportsService("com.sun.star.sheet.SpreadsheetDocument") else None


def ours(sheet):
    """How to look for the cells of a sheet that have one of our functions."""
    search = sheet.createSearchDescriptor()
    search.SearchRegularExpression = True
    search.SearchString = OURS
    return search


class Saved(unohelper.Base, XJob, XServiceInfo):
    """Sees to it that a workbook keeps the numbers of its functions where nobody has the extension.

    What it opens of `.ods`, LibreOffice computes anew where a number has the standard format, and then shows `#NAME?`.
    So each such cell gets a format that shows the same and is not the standard one, just before it is saved.
    """

    def __init__(self, context, *arguments):
        self.context = context

    def execute(self, arguments):
        model = spreadsheet(arguments)
        if model is not None:
            for sheet in model.Sheets:
                found = None if sheet.isProtected() else sheet.queryFormulaCells(NUMBERS).findAll(ours(sheet))
                if found is not None:
                    self._keep(model, found)
        return ()

    def _keep(self, model, cells):
        formats, nowhere = model.NumberFormats, Locale()
        undo = model.UndoManager
        hidden = undo.isUndoPossible()  # it goes with what the user did last, for this was not the user's doing
        if hidden:
            undo.enterHiddenUndoContext()
        try:
            for at in range(cells.Count):
                pieces = cells.getByIndex(at).CellFormatRanges
                for piece in [pieces.getByIndex(each) for each in range(pieces.Count)]:
                    if piece.NumberFormat % STANDARDS == 0:
                        key = formats.queryKey(PLAIN, nowhere, False)
                        piece.NumberFormat = formats.addNew(PLAIN, nowhere) if key < 0 else key
        finally:
            if hidden:
                undo.leaveUndoContext()

    def getImplementationName(self):
        return SAVED

    def supportsService(self, name):
        return name in self.getSupportedServiceNames()

    def getSupportedServiceNames(self):
        return ("com.sun.star.task.Job",)


class Opened(unohelper.Base, XJob, XServiceInfo):
    """Has the functions of a workbook that was opened computed again, if the service is there to answer.

    Else its cells keep the values that they were saved with.
    """

    def __init__(self, context, *arguments):
        self.context = context

    def execute(self, arguments):
        model = spreadsheet(arguments)
        if model is not None and any(self._has(sheet) for sheet in model.Sheets):
            threading.Thread(target=self._refresh, args=(model,), daemon=True).start()
        return ()

    def _has(self, sheet):
        return sheet.queryContentCells(FORMULAS).findFirst(ours(sheet)) is not None

    def _refresh(self, model):
        if helper(self.context, "en").ask("there", None):
            with suppress(Exception):  # the workbook was closed in this instant
                modified = model.isModified()
                model.calculateAll()
                model.setModified(modified)

    def getImplementationName(self):
        return OPENED

    def supportsService(self, name):
        return name in self.getSupportedServiceNames()

    def getSupportedServiceNames(self):
        return ("com.sun.star.task.Job",)


g_ImplementationHelper = unohelper.ImplementationHelper()
g_ImplementationHelper.addImplementation(Functions, SERVICE, (SERVICE, "com.sun.star.sheet.AddIn"))
g_ImplementationHelper.addImplementation(Opened, OPENED, ("com.sun.star.task.Job",))
g_ImplementationHelper.addImplementation(Saved, SAVED, ("com.sun.star.task.Job",))
