"""Every command ends with the promised exit code and, when something is wrong, one line."""

import sqlite3
import subprocess
import sys

import pytest
from sqlalchemy.exc import OperationalError

import xlsms
from xlsms_service.cli import entry
from xlsms_service.cli import main as start


@pytest.mark.parametrize("words", [[], ["--help"], ["-h"], ["send", "--help"], ["simulate", "smpp", "--help"]])
def test_help_is_done(xlsms, words):
    run = xlsms(*words)
    assert (run.code, run.err) == (0, "")
    assert "Usage" in run.out


def test_the_version_is_the_packages(xlsms):
    run = xlsms("--version")
    assert (run.code, run.out.split()) == (0, ["xlsms", xlsms_version()])


def xlsms_version():
    return xlsms.__version__


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["snd"], "usage-unknown", "did you mean send?"),
        (["connector", "lsit"], "usage-unknown", "did you mean list?"),
        (["send"], "usage-missing", "FILE"),
        (["text", "600000001"], "usage-missing", "TEXT"),
        (["send", "--wiat", "a.xlsx"], "usage-unknown", "did you mean --wait?"),
        (["send", "a.xlsx", "b.xlsx"], "usage-wrong", "b.xlsx"),
        (["demo", "--rows", "many"], "usage-value", "--rows"),
        (["demo", "--rows", "0"], "usage-value", "--rows"),
        (["send", "--timeout"], "usage-needs-value", "--timeout"),
        (["--config"], "usage-needs-value", "--config"),
        (["init", "a.xlsx", "--template", "surveys"], "template-unknown", "reminders"),
        (["init", "a.xlsx", "--lang", "fr"], "template-language", "en, es"),
        (["init", "a.csv"], "new-not-xlsx", "a.csv"),
        (["init", "nowhere/a.xlsx"], "new-not-written", "a.xlsx"),
        (["run"], "no-connector", "[[connector]]"),
        (["send", "none.xlsx"], "file-not-found", "none.xlsx"),
        (["check", "none.xlsx"], "file-not-found", "none.xlsx"),
        (["status", "none.xlsx"], "workbook-unknown", "none.xlsx"),
        (["connector", "list"], "no-connector", "[[connector]]"),
        (["connector", "test", "operator"], "connector-unknown", "operator"),
        (["text", "12", "hello"], "number-too-short", "12"),
        (["--config", "none.toml", "status"], "config-not-found", "none.toml"),
    ],
)
def test_wrong_use_is_one_line_and_code_two(xlsms, words, code, says):
    run = xlsms(*words)
    assert run.code == 2
    assert run.out == ""
    assert f"[{code}]" in run.complaint
    assert says in run.complaint


def test_a_group_without_a_command_shows_what_there_is(xlsms):
    run = xlsms("connector")
    assert run.code == 2
    assert "Log in to a network" in run.out
    assert run.err == ""


@pytest.mark.parametrize(
    "words", [["--config", "{}", "status"], ["status", "--config", "{}"], ["status", "--config={}"]]
)
def test_the_settings_file_may_be_named_anywhere(xlsms, settings, words):
    file = settings('language = "es"\n')
    run = xlsms(*(word.format(file) for word in words))
    assert run.code == 0
    assert "El servicio no está en marcha." in run.out


def test_what_follows_two_dashes_is_no_option():
    assert entry._take_config(["text", "--", "--config", "x"]) == (["text", "--", "--config", "x"], None)


def test_broken_settings_are_named_with_their_line(xlsms, settings):
    file = settings('country = "ES"\nlanguge = "es"\n')
    run = xlsms("--config", file, "status")
    assert run.code == 2
    assert run.complaint.startswith(f"{file}:4: ")
    assert "[config-unknown-key]" in run.complaint


def test_broken_settings_keep_nobody_from_help_and_doctor(xlsms, settings):
    file = settings("x")
    assert xlsms("--config", file, "--help").code == 0
    run = xlsms("--config", file, "doctor", "--json")
    assert run.code == 2
    assert "config-broken" in run.out


def test_complaints_are_in_the_users_language(xlsms, monkeypatch):
    monkeypatch.setenv("LANG", "es_MX.UTF-8")
    assert "no existe" in xlsms("send", "none.xlsx").complaint or "no está" in xlsms("send", "none.xlsx").complaint
    assert "¿quería decir send?" in xlsms("snd").complaint


@pytest.mark.parametrize(
    ("says", "code"), [("database is locked", "ledger-busy"), ("database or disk is full", "ledger-full")]
)
def test_a_ledger_that_is_held_or_has_no_room_is_no_surprise(xlsms, monkeypatch, tmp_path, says, code):
    def hindered(*_):
        raise OperationalError("BEGIN IMMEDIATE", None, sqlite3.OperationalError(says))

    monkeypatch.setattr("xlsms_service.cli.status.looking_at", hindered)
    run = xlsms("status")
    assert run.code == 1
    assert f"[{code}]" in run.complaint
    assert not (tmp_path / "data" / "xlsms-errors.log").exists()


def test_a_surprise_is_one_line_and_the_rest_stands_in_a_file(xlsms, monkeypatch, tmp_path):
    details = "secret details"

    def broken(*_):
        raise ZeroDivisionError(details)

    monkeypatch.setattr("xlsms_service.cli.status.looking_at", broken)
    run = xlsms("status")
    assert run.code == 1
    log = tmp_path / "data" / "xlsms-errors.log"
    assert "[unexpected]" in run.complaint
    assert str(log) in run.complaint
    assert "secret details" not in run.complaint
    assert "ZeroDivisionError" in log.read_text("utf-8")
    assert "in broken" in log.read_text("utf-8")
    assert "secret details" not in log.read_text("utf-8")  # it may be somebody's number or text
    assert log.stat().st_mode & 0o077 == 0
    assert log.parent.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    "words", [["check", "none.xlsx", "--json"], ["check", "--json"], ["send", "none.xlsx", "--json"]]
)
def test_a_program_that_asked_for_figures_gets_the_error_as_figures(xlsms, words):
    run = xlsms(*words)
    assert run.code == 2
    assert set(run.figures["error"]) == {"code", "message", "remedy", "place"}
    assert f"[{run.figures['error']['code']}]" in run.complaint


def test_an_interruption_of_what_changes_nothing_is_quiet(xlsms, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("xlsms_service.cli.status.looking_at", interrupted)
    run = xlsms("status")
    assert (run.code, run.out, run.err) == (130, "", "")


def test_a_reader_that_left_is_no_error(xlsms, monkeypatch):
    def gone(*_):
        raise BrokenPipeError

    monkeypatch.setattr("xlsms_service.cli.status.looking_at", gone)
    assert (xlsms("status").code, xlsms("status").err) == (0, "")


def test_one_error_in_a_group_is_that_error(xlsms, monkeypatch):
    from xlsms.errors import TransientError

    def grouped(*_):
        raise ExceptionGroup("tasks", [ExceptionGroup("inner", [TransientError("no-link")])])

    monkeypatch.setattr("xlsms_service.cli.status.looking_at", grouped)
    run = xlsms("status")
    assert run.code == 3
    assert "[no-link]" in run.complaint


def test_a_missing_package_is_named(monkeypatch, capsys):
    import builtins

    real = builtins.__import__

    def without(name, *rest):
        if name == "xlsms_service.cli.entry":
            raise ModuleNotFoundError("No module named 'typer'", name="typer")
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    assert start(["--help"]) == 2
    assert "pip install 'xlsms[service]'" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["--help"], ["demo", "--help"], ["addin", "--help"], ["addin", "status", "--help"]])
def test_commands_are_there_without_the_packages_of_the_add_in(words):
    without = (
        "import sys; sys.modules['xlwings'] = None; from xlsms_service.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", without, *words], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
