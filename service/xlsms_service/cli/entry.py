"""From the words typed to the command run, and from what went wrong to one line and an exit code."""

import difflib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from typer import rich_utils

import xlsms
from xlsms.errors import UserError, XlsmsError
from xlsms_service.app.logbook import logbook
from xlsms_service.cli import addin, connector, control, demo, doctor, sending, status, talking, watching, workbook
from xlsms_service.cli.figures import complaint
from xlsms_service.cli.session import Ending, Session, ending_of
from xlsms_service.cli.simulate import simulate
from xlsms_service.cli.words import language, speak, tr
from xlsms_service.config import Settings, load, system_language
from xlsms_service.ledger.ledger import hindrance

__all__ = ["app", "command_tree", "run", "walk"]

app = typer.Typer(
    name="xlsms",
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["--help", "-h"]},
)
for _group in (demo, workbook, sending, talking, watching, status, control, doctor):
    app.add_typer(_group.commands)
app.add_typer(addin.commands, name="addin")
app.add_typer(connector.commands, name="connector")
app.add_typer(simulate, name="simulate")

#: What typer itself says in a help page, by the name of its constant.
_HELP_PAGE = {
    "ARGUMENTS_PANEL_TITLE": "Arguments",
    "OPTIONS_PANEL_TITLE": "Options",
    "COMMANDS_PANEL_TITLE": "Commands",
    "DEFAULT_STRING": "[default: {}]",
    "REQUIRED_LONG_STRING": "[required]",
}


def _version(asked: bool) -> None:  # noqa: FBT001 (typer's signature)
    if asked:
        typer.echo(f"xlsms {xlsms.__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def root(
    context: typer.Context,
    *,
    config: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Settings file; else $XLSMS_CONFIG, else xlsms.toml in your config folder."),
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and leave.")
    ] = False,
) -> None:
    """Two-way SMS from the workbook: mark rows, send, and see states and replies beside the right row."""
    del config, version  # read before the commands are: they decide the language
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def run(arguments: Sequence[str]) -> int:
    """Run one command; every error becomes one line on stderr, never a traceback."""
    words, config = _take_config(arguments)
    loaded = _load(config)
    speak(loaded.service.language if isinstance(loaded, Settings) else system_language())
    session = Session(loaded)
    try:
        with logbook(language=language()):
            result = command_tree().main(args=words, prog_name="xlsms", standalone_mode=False, obj=session)
    except (KeyboardInterrupt, typer.Abort):
        return 130  # what a shell expects of an interrupted program
    except Exception as error:  # noqa: BLE001 (the last resort: the user gets a line, the file the rest)
        return int(_ended(session, error, as_json="--json" in words))
    return result if isinstance(result, int) else int(Ending.DONE)


def _ended(session: Session, error: Exception, *, as_json: bool) -> Ending:
    """Tell the user in one line, and a program that asked for figures in JSON; choose the exit code."""

    def tell(told: XlsmsError) -> None:
        session.complain(told)
        if as_json and not session.told:
            session.json_line({"error": complaint(told)})

    while isinstance(error, ExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    match error:
        case XlsmsError():
            tell(error)
            return ending_of(error)
        case typer.TyperException() if type(error).__name__ == "NoArgsIsHelpError":
            return Ending.WRONG_USE  # the help page is out already
        case typer.TyperException():
            tell(_misused(error))
            return Ending.WRONG_USE
        case BrokenPipeError():
            return Ending.DONE  # whoever read our output has seen enough
    hindered = hindrance(error)
    tell(session.surprise(error) if hindered is None else hindered)
    return Ending.SOME_NOT if hindered is None else ending_of(hindered)


def _take_config(arguments: Sequence[str]) -> tuple[list[str], Path | None]:
    """`--config FILE` may stand anywhere; it is taken out, for the language of everything else depends on it."""
    rest: list[str] = []
    config: Path | None = None
    words = iter(arguments)
    for word in words:
        if word == "--":
            return [*rest, word, *words], config
        if word.startswith("--config="):
            config = Path(word.removeprefix("--config=")).expanduser()
        elif word == "--config":
            value = next(words, None)
            if value is None:
                return [*rest, word], config  # the parser says that a value is missing
            config = Path(value).expanduser()
        else:
            rest.append(word)
    return rest, config


def _load(config: Path | None) -> Settings | XlsmsError:
    try:
        return load(config)
    except XlsmsError as error:
        return error


def command_tree() -> Any:
    """The root command in the language that is spoken."""
    for name, text in _HELP_PAGE.items():
        if hasattr(rich_utils, name):
            setattr(rich_utils, name, tr(text))
    tree = typer.main.get_command(app)
    for _, command in walk(tree):
        command.help = tr(command.help or "")
        command.epilog = _example(command.epilog)
        context = typer.Context(command, help_option_names=["--help", "-h"])
        for parameter in (*command.params, command.get_help_option(context)):
            if getattr(parameter, "is_flag", False):
                parameter.metavar = ""  # it takes no value
            if getattr(parameter, "help", None):
                parameter.help = tr(parameter.help)
    return tree


def _example(epilog: str | None) -> str | None:
    return None if epilog is None else f"{tr('Example:')} {epilog}"


def walk(command: Any, path: tuple[str, ...] = ("xlsms",)) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command of the tree with the words that call it, parents first."""
    yield path, command
    for name, child in getattr(command, "commands", {}).items():
        yield from walk(child, (*path, name))


def _misused(error: typer.TyperException) -> UserError:
    """What the parser says, in our own words."""
    context: Any = getattr(error, "ctx", None)
    parameter: Any = getattr(error, "param", None)
    facts: dict[str, Any] = {"command": context.command_path if context else "xlsms"}
    facts["name"] = getattr(error, "option_name", None) or _quoted(error.message)
    if parameter is not None:
        facts["name"] = parameter.opts[0] if parameter.opts[0].startswith("-") else parameter.metavar or parameter.name
    match type(error).__name__:
        case "MissingParameter":
            return UserError("usage-missing", **facts)
        case "BadParameter":
            return UserError("usage-value", **facts)
        case "BadOptionUsage":
            return UserError("usage-needs-value", **facts)
        case "NoSuchOption":
            known = [name for each in context.command.params for name in each.opts] if context else []
            return UserError("usage-unknown", **facts, near=_near(facts["name"], known))
        case "UsageError" | "NoSuchCommand" if context and getattr(context.command, "commands", None):
            return UserError("usage-unknown", **facts, near=_near(facts["name"], list(context.command.commands)))
    return UserError("usage-wrong", **facts, reason=error.format_message().rstrip("."))


def _quoted(message: str) -> str:
    return message.split("'")[1] if message.count("'") > 1 else message


def _near(name: str, known: list[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f" ({tr('did you mean {name}?', name=close[0])})" if close else ""
