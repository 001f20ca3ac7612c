"""The pages say what is so: generated ones are fresh, settings and codes are all there, links lead somewhere."""

import dataclasses
import importlib.util
import re
import shlex
import subprocess
import sys
from pathlib import Path

import openpyxl
import pytest
import typer

from xlsms.errors import UserError
from xlsms.states import LABELS, State
from xlsms.wording import codes
from xlsms.workbook.roles import is_mark
from xlsms_service.cli.entry import app, walk
from xlsms_service.config import CONNECTOR_TYPES, Route, ServiceSettings, Watch, load
from xlsms_service.connectors.setting import documented
from xlsms_service.connectors.simulator import SimulatorSettings
from xlsms_service.measuring import METRICS

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted(DOCS.rglob("*.md"))]


def read(name):
    return (DOCS / "reference" / name).read_text("utf-8")


@pytest.fixture(scope="module")
def generator():
    spec = importlib.util.spec_from_file_location("generate_docs", DOCS / "generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_generated_pages_are_fresh(generator):
    for name, content in generator.pages().items():
        assert read(name) == content, f"run python docs/generate.py ({name})"


def test_every_command_is_on_its_page():
    page = read("commands.md")
    for path, command in walk(typer.main.get_command(app)):
        assert f"## {' '.join(path)}\n" in page
        for parameter in command.params:
            assert parameter.opts[0] in page or (parameter.metavar or parameter.name) in page


def test_every_state_is_on_its_page(generator):
    page = read("states.md")
    for state in State:
        assert f"`{state}`" in page
        assert all(labels[state] in page for labels in LABELS.values())
        assert state in generator.MEANINGS


def test_every_code_is_on_both_pages():
    for page in (read("errors.md"), read("errores.md")):
        assert {code for code in codes() if f"| `{code}` |" not in page} == set()


def test_every_mark_on_the_page_is_one(generator):
    assert all(is_mark(mark) for mark in generator.MARKS)


def test_the_page_on_prometheus_names_metrics_that_there_are():
    page = (DOCS / "howto" / "watch-with-prometheus.md").read_text("utf-8")
    named = set(re.findall(r"\bxlsms_\w+", page))
    known = {each.name for each in METRICS}
    times = {f"{each.name}_{end}" for each in METRICS if each.bounds for end in ("bucket", "count", "sum")}
    assert named - {"xlsms_info"} <= known | times
    assert named & known
    assert named & times


def section(page, title):
    """The part of a page under one heading."""
    return re.split(r"^#{2,3} ", page.split(f"\n{title}\n", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]


@pytest.mark.parametrize(
    ("title", "kind"),
    [
        ("## [service]", ServiceSettings),
        ("## [[watch]]", Watch),
        ("## [[route]]", Route),
        ('### type = "simulator"', SimulatorSettings),
    ],
)
def test_every_setting_is_on_its_page_and_nothing_else(title, kind):
    written = set(re.findall(r"^\| `(\w+)` \|", section(read("settings.md"), title), re.MULTILINE))
    known = set(documented(kind)) if kind is SimulatorSettings else {field.name for field in dataclasses.fields(kind)}
    assert written == known


def test_every_setting_of_a_limit_is_on_its_page(tmp_path):
    written = set(re.findall(r"^\| `(\w+)` \|", section(read("settings.md"), "## [[limit]]"), re.MULTILINE))
    (tmp_path / "xlsms.toml").write_text('[[limit]]\ncount = 5\nper = "day"\nnone = 1\n')
    with pytest.raises(UserError) as caught:
        load(tmp_path / "xlsms.toml")
    assert written == set(caught.value.facts["known"].split(", "))


def test_every_connector_type_is_on_its_page():
    page = section(read("settings.md"), "## [[connector]]")
    assert all(f"`{kind}`" in page or f'"{kind}"' in page for kind in CONNECTOR_TYPES)


@pytest.mark.parametrize("page", [DOCS / "reference" / "settings.md", DOCS / "tutorial.md"], ids=lambda page: page.name)
def test_the_settings_that_a_page_shows_are_right(page, tmp_path):
    (block,) = re.findall(r"```toml\n(.*?)```", page.read_text("utf-8"), re.DOTALL)
    (tmp_path / "xlsms.toml").write_text(block, "utf-8")
    settings = load(tmp_path / "xlsms.toml")
    assert settings.watches
    assert settings.connectors


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\((?!https?:|#)([^)#\s]+)", page.read_text("utf-8")):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_that_a_page_shows_exist(page):
    tree = typer.main.get_command(app)
    for language, block in re.findall(r"^```(\w*)\n(.*?)^```", page.read_text("utf-8"), re.DOTALL | re.MULTILINE):
        for line in block.splitlines() if language in ("", "sh", "powershell") else ():
            for call in re.findall(r"(?:^|[/\\ ])xlsms( .*?)?(?:$|&&|;)", line):
                words = [word for word in shlex.split(call) if word != "--config" and not word.endswith(".toml")]
                command, path = tree, ["xlsms"]
                while words and getattr(command, "commands", None):
                    path.append(words.pop(0))
                    assert path[-1] in command.commands, f"{page.name}: {line}"
                    command = command.commands[path[-1]]
                options = {name for parameter in command.params for name in parameter.opts}
                used = {word for word in words if word.startswith("--")}
                assert used <= options, f"{page.name}: {line}"


def command_after(marker):
    """The code block that follows a marker in the README, as CI takes it."""
    text = (ROOT / "README.md").read_text("utf-8")
    return re.search(rf"<!-- {marker} -->\n```sh\n(.*?)\n```", text, re.DOTALL)[1]


def test_the_readme_has_one_line_to_run_and_one_to_test():
    for marker, end in (("run", "xlsms demo"), ("test", "pytest")):
        command = command_after(marker)
        assert "\n" not in command
        assert end in command
        assert command.startswith("python3 -m venv .venv && ")


@pytest.mark.skipif(sys.platform == "win32", reason="a shell script")
@pytest.mark.parametrize("marker", ["run", "test"])
def test_ci_takes_the_readmes_commands(marker):
    script = (ROOT / ".ci" / "run").read_text("utf-8")
    (function,) = re.findall(r"^of_readme\(\) \{\n.*?^\}\n", script, re.DOTALL | re.MULTILINE)
    assert f"command=$(of_readme {marker})\n" in script
    asked = ["sh", "-c", f"{function}of_readme {marker}"]
    taken = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert taken.strip() == command_after(marker)


@pytest.mark.parametrize("name", ["before.png", "after.png", "init-before.png", "init-after.png"])
def test_pictures_are_small(name):
    assert (DOCS / "images" / name).stat().st_size < 250_000


def test_the_readmes_python_works(tmp_path, monkeypatch, capsys):
    (example,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    book = openpyxl.Workbook()
    book.active.append(("Phone", "Message", "Send"))
    book.active.append((600000001.0, "Hello 👋", "x"))
    book.save(tmp_path / "list.xlsx")
    monkeypatch.chdir(tmp_path)
    exec(example, {})
    assert capsys.readouterr().out == "2 +34600000001 1\n"
    assert openpyxl.load_workbook("list.xlsx").active["D2"].value == "checked"
