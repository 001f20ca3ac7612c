"""The names that cloud folders give to the second version of a workbook."""

import pytest

from xlsms.files.conflict import original_of


@pytest.mark.parametrize(
    "name",
    [
        "list (Ana's conflicted copy 2026-11-22).xlsx",
        "list (PC7's conflicted copy).xlsx",
        "list (Copia en conflicto de Ana 2026-11-22).xlsx",
        "list (copie en conflit de Ana 2026-11-22).xlsx",
        "list (In Konflikt stehende Kopie von Ana 2026-11-22).xlsx",
        "list (conflicted copy 2026-11-22 091500).xlsx",
        "list.sync-conflict-20261122-091500-ABCDEFG.xlsx",
        "list (1).xlsx",
        "list(2).xlsx",
        "list-DESKTOP-AB12CD3.xlsx",
        "list-PC7.xlsx",
        "list-PC7-2.xlsx",
    ],
)
def test_a_conflict_copy_is_known_by_its_name_while_its_original_is_there(tmp_path, name):
    copy = tmp_path / name
    copy.touch()
    assert original_of(copy) is None
    (tmp_path / "list.xlsx").touch()
    assert original_of(copy) == tmp_path / "list.xlsx"


@pytest.mark.parametrize("name", ["list.xlsx", "list-may.xlsx", "list-2026.xlsx", "list (may).xlsx", "listing.xlsx"])
def test_other_names_are_not(tmp_path, name):
    (tmp_path / "list.xlsx").touch()
    (tmp_path / name).touch()
    assert original_of(tmp_path / name) is None
