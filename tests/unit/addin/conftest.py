"""The add-in, built once."""

import pytest

from xlsms.addin.build import addin


@pytest.fixture(scope="session")
def built():
    return addin()
