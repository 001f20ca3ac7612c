"""What the functions for cells say, and the library and registry by which Calc knows them."""

import io
import json
import struct
import threading
import xml.etree.ElementTree as ET
from decimal import Decimal

import pytest

from tests.unit.api.conftest import running
from xlsms.addin.calc.catalogue import FUNCTIONS, registry, types
from xlsms.addin.function import Live, compute, main


@pytest.mark.parametrize(
    ("question", "value"),
    [
        (("parts", "Hello"), 1),
        (("parts", "a" * 161), 2),
        (("parts", 0.0), 0),
        (("parts", None), 0),
        (("parts", 12.0), 1),
        (("e164", 600000001.0, None), "+34600000001"),
        (("e164", "55 1234 5678", "mx"), "+525512345678"),
    ],
)
def test_values(question, value):
    assert compute(question, "en", "ES") == value


@pytest.mark.parametrize("question", [("e164", "nobody", None), ("e164", 0.0, None), ("e164", "1", "XX"),
                                      ("parts", "a" * 60_000)])  # fmt: skip
def test_what_is_wrong_is_said_in_both_languages(question):
    english, spanish = compute(question, "en", "ES"), compute(question, "es", "ES")
    assert english != spanish
    assert "; " in english


def test_the_process_answers_line_by_line(monkeypatch, tmp_path):
    monkeypatch.setenv("XLSMS_CONFIG", str(tmp_path / "none.toml"))
    out = io.StringIO()
    main("en", ['{"number": 7, "question": ["parts", "Hi"]}', '{"number": 8, "question": ["there", null]}'], out)
    assert [json.loads(line)["number"] for line in out.getvalue().splitlines()] == [7, 8]


def test_costs_and_states_are_one_question_each(tmp_path):
    with running(tmp_path, prices={"+34": Decimal("0.05")}) as office:
        live = Live(lambda: office.client, lambda news: None)
        said = dict(
            live.answers(
                office.client,
                [
                    ("cost", "600000001", "a" * 161),
                    ("cost", "nobody" * 999, "x" * 60_000),
                    ("status", "unknown"),
                    ("reply", ""),
                ],
            )
        )
        assert said["cost", "600000001", "a" * 161] == pytest.approx(0.1)
        assert isinstance(said["cost", "nobody" * 999, "x" * 60_000], str)
        assert len(said) == 2
    assert threading.active_count() < 10


def test_the_library_has_every_name_at_its_place():
    made = types()
    assert made == types()
    assert made.startswith(b"UNOIDL\xff\x00")
    offset, count = struct.unpack_from("<II", made, 8)
    name, payload = struct.unpack_from("<II", made, offset)
    assert (count, made[name : made.index(b"\0", name)], made[payload]) == (1, b"org", 0)
    for one in FUNCTIONS:
        assert struct.pack("<I", len(one.method)) + one.method.encode() in made


def test_the_registry_names_every_function_and_argument():
    root = ET.fromstring(registry())
    values = [value.text for value in root.iter("value")]
    assert {one.name for one in FUNCTIONS} <= set(values)
    assert {argument.help[1] for one in FUNCTIONS for argument in one.arguments} <= set(values)
