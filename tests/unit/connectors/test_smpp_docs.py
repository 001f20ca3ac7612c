"""The reference page of SMPP says what the code does."""

import importlib.util
import re
from pathlib import Path

from xlsms.wording import LANGUAGES, wording

ROOT = Path(__file__).parents[3]


def test_tables_of_the_reference_are_up_to_date() -> None:
    spec = importlib.util.spec_from_file_location("generate_smpp", ROOT / "docs" / "generate_smpp.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    page = (ROOT / "docs" / "reference" / "smpp.md").read_text("utf-8")
    assert page == module.generated(page), "run: python docs/generate_smpp.py"


def test_every_code_that_the_connector_raises_has_words() -> None:
    source = "".join(path.read_text("utf-8") for path in (ROOT / "service/xlsms_service/connectors/smpp").glob("*.py"))
    used = set(re.findall(r'"((?:smsc|link|answer)-[a-z-]+)"', source))
    assert len(used) > 15
    for code in used - {"answer-hex"}:
        for language in LANGUAGES:
            assert wording(code, language).remedy, code
