import doctest
from pathlib import Path

import pytest

PAGES = Path(__file__).parents[3] / "docs" / "reference"


@pytest.mark.parametrize("page", ["text.md", "numbers.md"])
def test_examples_of_the_page_hold(page):
    result = doctest.testfile(
        str(PAGES / page), module_relative=False, optionflags=doctest.IGNORE_EXCEPTION_DETAIL, encoding="utf-8"
    )
    assert result.attempted
    assert not result.failed
