"""`xlsms addin …`: the add-in for Excel, installed, taken away, looked at, built."""

import os
from pathlib import Path
from typing import Annotated

import typer

from xlsms.addin import build as builder
from xlsms.addin import install as installer
from xlsms.addin.calc import extension as calc_builder
from xlsms.addin.calc import installation as calc_installer
from xlsms.addin.genuine import genuine_project, running_excel
from xlsms.addin.place import Places, places
from xlsms.addin.ribbon import ribbon_xml
from xlsms.errors import UserError
from xlsms_service.cli.session import Ending, Session, session_of
from xlsms_service.cli.words import language, tr

__all__ = ["commands"]

commands = typer.Typer(no_args_is_help=True, help="The add-in for Excel: a tab SMS with everything on it.")

AsJson = Annotated[bool, typer.Option("--json", help="Print figures for programs.")]
Startup = Annotated[
    Path | None, typer.Option("--startup", metavar="FOLDER", help="Excel's start-up folder, where it is not the usual.")
]
Interpreter = Annotated[
    Path | None, typer.Option("--interpreter", metavar="FILE", help="The Python that Excel is to start; else this one.")
]

LibreOffice = Annotated[bool, typer.Option("--libreoffice", help="The extension for LibreOffice Calc instead.")]


def _places(startup: Path | None) -> Places:
    return places(os.environ, startup=startup.absolute() if startup else None)


def _python(given: Path | None) -> installer.Interpreter:
    return installer.Interpreter(given.absolute()) if given else installer.interpreter()


@commands.command("install", epilog="xlsms addin install")
def install_addin(
    context: typer.Context,
    *,
    startup: Startup = None,
    interpreter: Interpreter = None,
    with_excel: Annotated[
        bool,
        typer.Option("--with-excel", help="Let the Excel that runs make the VBA project from the sources (Windows)."),
    ] = False,
    libreoffice: LibreOffice = False,
    as_json: AsJson = False,
) -> None:
    """Put the add-in where Excel loads it at its next start. Installing again is the update."""
    session = session_of(context)
    if libreoffice:
        python = _python(interpreter)
        installer.usable(python)
        calc_installer.install(python)
        if as_json:
            session.json({"extension": calc_builder.IDENTIFIER, "changed": True})
        else:
            session.say(tr("Installed in LibreOffice. Start it anew: the menu is called SMS."), "green")
            _warn_of_environment(session)
        return
    where = _places(startup)
    project = genuine_project(running_excel()) if with_excel else None
    changed = installer.install(where, _python(interpreter), project=project)
    if as_json:
        session.json({"file": where.file, "changed": changed})
    elif changed:
        session.say(tr("Installed: {file}. Start Excel anew: the tab is called SMS.", file=where.file), "green")
    else:
        session.say(tr("{file} is up to date.", file=where.file), "green")


@commands.command("uninstall", epilog="xlsms addin uninstall")
def uninstall_addin(
    context: typer.Context, *, startup: Startup = None, libreoffice: LibreOffice = False, as_json: AsJson = False
) -> None:
    """Take the add-in away again. Your workbooks, the service and its ledger stay as they are."""
    session = session_of(context)
    if libreoffice:
        changed = calc_installer.uninstall()
        if as_json:
            session.json({"extension": calc_builder.IDENTIFIER, "changed": changed})
        else:
            session.say(tr("Taken out of LibreOffice.") if changed else tr("The add-in is not installed."))
        return
    where = _places(startup)
    changed = installer.uninstall(where)
    if as_json:
        session.json({"file": where.file, "changed": changed})
    elif changed:
        session.say(
            tr("Taken away: {file}. An Excel that is open keeps it until it is closed.", file=where.file), "green"
        )
    else:
        session.say(tr("The add-in is not installed."))


@commands.command("status", epilog="xlsms addin status")
def status_of_addin(
    context: typer.Context,
    *,
    startup: Startup = None,
    interpreter: Interpreter = None,
    libreoffice: LibreOffice = False,
    as_json: AsJson = False,
) -> None:
    """Whether the add-in is installed, up to date, and able to start Python; ends with 1 when it is not."""
    session = session_of(context)
    if libreoffice:
        _status_of_extension(session, as_json=as_json)
        return
    now = installer.standing(_places(startup), _python(interpreter))
    wrong = _wrong(now)
    if as_json:
        session.json(
            {
                "file": now.file,
                "installed": now.installed,
                "version": now.version,
                "current": now.current,
                "interpreter": now.interpreter,
                "interpreter_there": now.interpreter_there,
                "script_there": now.script_there,
                "from_the_web": now.from_the_web,
                "problems": wrong,
            }
        )
    elif wrong:
        for each in wrong:
            session.say(each, "yellow")
    else:
        session.say(tr("{file}: version {version}, up to date.", file=now.file, version=now.version), "green")
    session.end(Ending.SOME_NOT if wrong else Ending.DONE)


def _warn_of_environment(session: Session) -> None:
    """Tell what LibreOffice makes of this terminal."""
    if calc_installer.overshadowed(os.environ):
        session.say(
            tr(
                "Do not start LibreOffice from this terminal: it would take the Python environment that is active here"
                " for its own, and open nothing."
            ),
            "yellow",
        )


def _wrong(now: installer.Standing) -> list[str]:
    """What someone should do something about."""
    if not now.installed:
        return [tr("The add-in is not installed. Install it: xlsms addin install")]
    wrong = []
    if not now.interpreter_there:
        wrong.append(
            tr("Its Python is gone: {file}. Install it again: xlsms addin install", file=now.interpreter or "–")
        )
    elif now.script_there is False:
        wrong.append(tr("The script that starts Python is missing. Install it again: xlsms addin install"))
    elif not now.current:
        wrong.append(tr("It is another version, or was changed. Install it again: xlsms addin install"))
    if now.from_the_web:
        wrong.append(tr("Windows takes it for a file from the web, and Excel will not load it: xlsms addin install"))
    return wrong


def _status_of_extension(session: Session, *, as_json: bool) -> None:
    found = calc_installer.standing()
    whole = found is calc_installer.Standing.WHOLE
    if as_json:
        there = found is not calc_installer.Standing.ABSENT
        session.json({"extension": calc_builder.IDENTIFIER, "installed": there, "whole": whole})
    elif found is calc_installer.Standing.PARTLY:
        session.say(UserError("calc-without-python").line(language()), "yellow")
    else:
        session.say(tr("The extension is in LibreOffice.") if whole else tr("The add-in is not installed."))
        if whole:
            _warn_of_environment(session)
    session.end(Ending.DONE if whole else Ending.SOME_NOT)


@commands.command("build", epilog="xlsms addin build --output xlsms.xlam")
def build_addin(
    context: typer.Context,
    *,
    output: Annotated[Path | None, typer.Option("--output", metavar="FILE", help="The file to write.")] = None,
    interpreter: Annotated[
        str,
        typer.Option("--interpreter", metavar="FILE", help="The Python that it starts; may have %VARIABLES% in it."),
    ] = "",
    libreoffice: LibreOffice = False,
    as_json: AsJson = False,
) -> None:
    """Build the add-in from its sources, for many computers: the same bytes each time.

    Without --interpreter it asks the file that `xlsms addin install` leaves for each user.
    """
    session = session_of(context)
    installer.startable(interpreter)
    if libreoffice:
        content = calc_builder.extension(interpreter)
    else:
        content = builder.addin(builder.Settings(interpreter=interpreter))
    output = output or Path(calc_builder.FILE_NAME if libreoffice else builder.FILE_NAME)
    try:
        output.write_bytes(content)
    except OSError as error:
        raise UserError("addin-not-written", file=output, reason=error.strerror or "") from error
    if as_json:
        session.json({"file": output, "bytes": len(content)})
    else:
        session.say(tr("Built: {file}", file=output), "green")


@commands.command("sources", epilog="xlsms addin sources my-review")
def export_sources(
    context: typer.Context,
    *,
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="An empty or new folder.")],
    as_json: AsJson = False,
) -> None:
    """Write out the VBA sources and the ribbon, to read, sign or import them."""
    session = session_of(context)
    if folder.is_dir() and any(folder.iterdir()):
        raise UserError("addin-folder-not-empty", folder=folder)
    files = builder.sources() | {"ribbon.xml": ribbon_xml().encode("utf-8")}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            (folder / name).write_bytes(content)
    except OSError as error:
        raise UserError("addin-not-written", file=folder, reason=error.strerror or "") from error
    if as_json:
        session.json({"folder": folder, "files": sorted(files)})
    else:
        session.say(tr("Written to {folder}: {files}", folder=folder, files=", ".join(sorted(files))), "green")
