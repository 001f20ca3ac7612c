"""A desk with workbooks in memory."""

import pytest

from tests.unit.sync.table import Desk


@pytest.fixture
def desk(tmp_path):
    made = Desk(tmp_path)
    yield made
    made.close()
