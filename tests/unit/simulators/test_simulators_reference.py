import re
from pathlib import Path

import pytest
import typer

from xlsms_service.cli.simulate import simulate
from xlsms_service.simulators import IdForm, Population
from xlsms_service.simulators.phones import BEHAVIOURS, SHARES, Pace
from xlsms_service.simulators.script import parse_script

PAGE = (Path(__file__).parents[3] / "docs" / "reference" / "simulators.md").read_text("utf-8")


def test_every_option_is_explained():
    group = typer.main.get_command(simulate)
    options = {name for parameter in group.commands["smpp"].params for name in parameter.opts} - {"--help"}
    explained = set(re.findall(r"`(--[a-z-]+)[ `]", PAGE))
    assert explained == options


def test_every_behaviour_and_its_share_is_explained():
    rows = {name: int(share) for share, name in re.findall(r"^\| (\d+) \| `(\w+)` \|", PAGE, re.MULTILINE)}
    assert set(rows) == set(BEHAVIOURS)
    assert {name: share for name, share in rows.items() if share} == SHARES | {"delivers": 100 - sum(SHARES.values())}


@pytest.mark.parametrize("name", ["fails", "off", "rejects"])
def test_the_endings_are_as_the_page_says(name):
    ending = re.search(rf"`{name}` .*ending in (\d\d)\)", PAGE)[1]
    assert Population().phone(f"+346001112{ending}").behaviour.name == name


def test_the_example_is_a_file_that_can_be_read_and_names_every_key():
    example = re.search(r"```toml\n(.*?)```", PAGE, re.DOTALL)[1]
    phones = parse_script(example)
    assert phones.phone("34600111555").behaviour.error == "045"
    for key in ("seed", "reply", "after", "receipt_after", "state", "error", *Pace.__dataclass_fields__):
        assert re.search(rf"^{key} = ", example, re.MULTILINE), key
    assert parse_script(example.replace("jitter = 0.5", "")).pace == Pace()


@pytest.mark.parametrize("form", IdForm)
def test_every_id_form_is_named(form):
    assert f"`{form}`" in PAGE
