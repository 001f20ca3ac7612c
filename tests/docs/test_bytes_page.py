"""The page about the bytes says what a run on this computer does."""

import importlib.util
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"


def test_the_page_is_what_a_run_writes_now():
    spec = importlib.util.spec_from_file_location("generate_bytes", DOCS / "generate_bytes.py")
    generator = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generator)
    page = generator.page()
    assert generator.PAGE.read_text("utf-8") == page, "run python docs/generate_bytes.py"
    assert page.count("**") == 4, "one part changed, twice"
