"""Headers, marks and ids."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlsms.model import Role
from xlsms.workbook.identity import LETTERS, check, new_guid, new_row_id
from xlsms.workbook.roles import header, is_mark, language_of, role_of


@pytest.mark.parametrize(
    ("text", "role"),
    [
        ("Phone", Role.PHONE), ("  PHONE  number ", Role.PHONE), ("Teléfono", Role.PHONE), ("TELEFONO", Role.PHONE), ("Móvil:", Role.PHONE),
        ("N.º de teléfono", Role.PHONE), ("¿Enviar?", Role.SEND), ("Send SMS", Role.SEND), ("send_at", Role.SEND_AT), ("SMS ID", Role.ID), ("sms-id", Role.ID),
        ("Hora del estado", Role.STATUS_TIME), ("Status  Time", Role.STATUS_TIME), ("Mensaje", Role.MESSAGE),
        ("Phone list", None), ("", None), ("Price", None), ("State", None), ("Reason", None),
    ],
)  # fmt: skip
def test_headers_by_their_text(text, role):
    assert role_of(text) is role


def test_every_role_has_a_name_in_both_languages_that_reads_back():
    for role in Role:
        for language in ("en", "es"):
            assert role_of(header(role, language)) is role


def test_the_language_of_most_headers():
    assert language_of(["Name", "Phone", "SMS ID"]) == "en"
    assert language_of(["Nombre", "Teléfono", "Mensaje", "Send"]) == "es"
    assert language_of([]) == "en"


@pytest.mark.parametrize(
    "value", ["x", "X ", "✓", "✔", "yes", "Sí", "SI", "1", "TRUE", "send", " Enviar ", True, 1, 1.0]
)
def test_marks(value):
    assert is_mark(value)


@pytest.mark.parametrize("value", ["", " ", "no", "0", "xx", "-", "sent", False, 0, 2, None, "Enviado", "no enviar"])
def test_no_marks(value):
    assert not is_mark(value)


@given(st.integers())
def test_an_id_passes_its_check_and_no_slip_of_it_does(seed):
    rng = Random(seed)
    identity = new_row_id(rng)
    assert len(identity) == 13
    assert set(identity) <= set(LETTERS)
    assert check(f" {identity.lower()} ") == identity
    at = rng.randrange(13)
    wrong = identity[:at] + rng.choice(LETTERS.replace(identity[at], "")) + identity[at + 1 :]
    assert check(wrong) is None
    at = rng.randrange(12)
    swapped = identity[:at] + identity[at + 1] + identity[at] + identity[at + 2 :]
    assert swapped == identity or check(swapped) is None


@pytest.mark.parametrize("text", ["", "x", "B" * 12, "AEIOUAEIOUAEI", "BCDFGHJKMNPQ7", "B" * 14])
def test_other_texts_are_no_ids(text):
    assert check(text) is None


def test_ids_and_guids_come_from_the_given_chance():
    assert new_row_id(Random(1)) == new_row_id(Random(1)) != new_row_id(Random(2))
    assert new_guid(Random(1)) == new_guid(Random(1)) != new_guid()
