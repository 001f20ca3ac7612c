"""The button Settings: the file there is, or after a yes a first one to rehearse with, in an editor."""

import os
import stat
import time
from pathlib import Path

import pytest

from xlsms.addin import editor
from xlsms.addin.commands import telling
from xlsms.addin.invocation import Host, Invocation
from xlsms.addin.verb import Verb
from xlsms.errors import UserError
from xlsms_service.config import load


class Ears:
    def __init__(self, *, yes):
        self.yes, self.asked, self.edited = yes, [], []

    def ask(self, text):
        self.asked.append(text)
        return self.yes

    def edit(self, path):
        self.edited.append(path)


@pytest.fixture
def press(tmp_path, monkeypatch):
    """Presses the button of a user whose settings file would stand in a folder that is not there."""
    path = tmp_path / "config" / "xlsms.toml"
    monkeypatch.setattr(telling.locale, "getlocale", lambda: ("English_United Kingdom", "1252"))
    monkeypatch.setenv("XLSMS_CONFIG", str(path))

    def pressed(language="en", *, yes=True):
        ears = Ears(yes=yes)
        monkeypatch.setattr(telling, "voice_of", lambda _: ears)
        telling.settings(Invocation(verb=Verb.SETTINGS, host=Host.CALC, language=language))
        return path, ears

    return pressed


@pytest.mark.parametrize("language", ["en", "es"])
def test_a_first_settings_file_is_made_after_a_yes_and_can_be_used_as_it_is(press, language):
    path, ears = press(language)
    assert str(path) in ears.asked[0]
    assert ears.edited == [path]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    settings = load(path)
    assert settings.service.language == language
    assert settings.service.country == {"en": "GB", "es": "ES"}[language]
    assert [connector.type for connector in settings.connectors] == ["simulator"]


def test_its_numbers_are_of_the_country_that_the_computer_is_set_up_for(press, monkeypatch):
    monkeypatch.setattr(telling.locale, "getlocale", lambda: ("es_MX", "UTF-8"))
    path, _ = press("es")
    assert load(path).service.country == "MX"


@pytest.mark.parametrize("language", ["en", "es"])
def test_its_second_half_without_the_marks_is_an_operator(press, language, tmp_path):
    path, _ = press(language)
    head, _, tail = path.read_text("utf-8").partition("[[connector]]")
    _, _, tail = tail.partition("# [[connector]]")
    lines = ["[[connector]]", *(line.removeprefix("# ") for line in tail.splitlines())]
    path.write_text(head + "\n".join(lines), "utf-8")
    (connector,) = load(path).connectors
    assert (connector.type, connector.options["host"]) == ("smpp", "smpp.example.net")


def test_after_a_no_nothing_is_made(press):
    with pytest.raises(UserError) as caught:
        press(yes=False)
    assert caught.value.code == "addin-no-settings"
    assert not Path(os.environ["XLSMS_CONFIG"]).parent.exists()


def test_a_file_that_is_there_is_only_opened(press, tmp_path):
    path = Path(os.environ["XLSMS_CONFIG"])
    path.parent.mkdir()
    path.write_text("mine")
    _, ears = press()
    assert (ears.asked, ears.edited, path.read_text()) == ([], [path], "mine")


def test_it_is_opened_by_an_editor_that_is_there(tmp_path, monkeypatch):
    said = tmp_path / "said"
    script = tmp_path / "mousepad"
    script.write_text(f'#!/bin/sh\nprintf %s "$1" > "{said}.part" && mv "{said}.part" "{said}"\n')
    script.chmod(0o700)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    path = tmp_path / "with spaces & 100% ñ.toml"
    editor.edit(path)
    until = time.monotonic() + 60
    while not said.exists():
        assert time.monotonic() < until
        time.sleep(0.01)
    assert said.read_text("utf-8") == str(path)


def test_without_an_editor_it_goes_to_whatever_opens_such_files(tmp_path, monkeypatch):
    opened = []
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(editor.webbrowser, "open", opened.append)
    editor.edit(tmp_path / "xlsms.toml")
    assert opened == [(tmp_path / "xlsms.toml").as_uri()]
