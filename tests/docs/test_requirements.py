"""Each thing that must hold of the patcher names the tests that protect it, and they are there."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "why" / "a-patcher.md").read_text("utf-8")
ROWS = re.findall(r"^\| (\d+)\. (.*?) \| (.*?) \|$", PAGE, re.MULTILINE)


def test_none_is_left_out():
    assert [int(number) for number, _, _ in ROWS] == list(range(1, 25))


@pytest.mark.parametrize(("number", "what", "tests"), ROWS, ids=[number for number, _, _ in ROWS])
def test_it_is_protected_by_tests_that_exist(number, what, tests):
    named = re.findall(r"`([\w/.]+)::(test_\w+)`", tests)
    assert named, what
    for file, test in named:
        tree = ast.parse((ROOT / file).read_text("utf-8"))
        functions = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
        assert test in functions, f"{number}: {file} has no {test}"


def test_what_is_refused_says_why():
    for _, what, _ in ROWS:
        for refused in what.split("*Refused:*")[1:]:
            assert re.search(r"because|which", refused), what
