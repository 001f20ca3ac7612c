"""Both languages say the same things."""

import ast
import string
from pathlib import Path

import pytest
import typer

import xlsms_service.cli
from xlsms_service.cli.entry import app, command_tree, walk
from xlsms_service.cli.words import catalogue, language, shown, speak, tr

FOLDER = Path(xlsms_service.cli.__file__).parent
#: Said by a name that is only known when it runs.
SAID_BY_NAME = {"up", "down", "connecting", "refused"}


@pytest.fixture(autouse=True)
def _english():
    yield
    speak("en")


def literals():
    """Every text given to `tr`."""
    for file in FOLDER.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if (
                isinstance(node, ast.Call)
                and getattr(node.func, "id", "") == "tr"
                and isinstance(node.args[0], ast.Constant)
            ):
                yield node.args[0].value


def helped():
    """Every text of a help page."""
    for _, command in walk(typer.main.get_command(app)):
        yield command.help
        yield from (parameter.help for parameter in command.params if getattr(parameter, "help", None))


def constants():
    """Every text in the modules: what is said by name is one of them."""
    for file in FOLDER.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


def test_everything_is_said_in_spanish_too():
    missing = {text for text in (*literals(), *helped()) if text} - set(catalogue("es"))
    assert not missing


def test_nothing_is_translated_that_is_no_longer_said():
    stale = set(catalogue("es")) - set(constants()) - set(helped()) - SAID_BY_NAME - {"Show this message and exit."}
    assert not stale


def test_both_languages_name_the_same_facts():
    for english, spanish in catalogue("es").items():
        facts = [
            {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}
            for text in (english, spanish)
        ]
        assert facts[0] == facts[1], english


def test_help_pages_are_in_the_language_of_the_user():
    def texts():
        return {path: command.help for path, command in walk(command_tree())}

    english = texts()
    speak("es")
    assert language() == "es"
    spanish = texts()
    assert all(spanish[path] != english[path] for path in english)
    assert tr("held: {count}", count=3) == "retenidas: 3"


def test_every_command_has_a_help_with_an_example():
    for path, command in walk(command_tree()):
        assert command.help, path
        if not hasattr(command, "commands"):
            assert f"Example: {' '.join(path)}" in f"{command.help} {command.epilog}", path


def test_a_text_cannot_steer_the_terminal():
    assert shown("a\x1b[31mb\x07c\u202ed\ne\x9bf") == "aU+001B[31mbU+0007cU+202Ed␣eU+009Bf"
    assert shown("ñ 😊 é") == "ñ 😊 é"
