"""What every connector can carry is planned so, before anything goes."""

import pytest

from tests.hand import NOW
from xlsms_service.app.terms import terms
from xlsms_service.config import ConnectorSettings, ServiceSettings, Settings
from xlsms_service.planning import Facts, plan_text


def smpp(**options):
    return ConnectorSettings(name="net", type="smpp", options={"host": "h", **options})


@pytest.mark.parametrize(
    ("connectors", "euro", "accent"),
    [
        ([smpp()], "gsm7", "gsm7"),
        ([smpp(data_coding_0="latin1")], "ucs2", "gsm7"),
        ([smpp(plain_text="latin1")], "ucs2", "gsm7"),
        ([smpp(data_coding_0="ascii")], "ucs2", "ucs2"),
        ([smpp(data_coding_0="ascii", plain_text="latin1")], "ucs2", "gsm7"),
        ([smpp(data_coding_0="latin1"), smpp(data_coding_0="ascii"), smpp()], "ucs2", "ucs2"),
        ([ConnectorSettings(name="trial", type="simulator", options={"data_coding_0": "ascii"})], "gsm7", "gsm7"),
    ],
)
def test_the_plan_says_what_the_narrowest_connector_needs(tmp_path, connectors, euro, accent):
    asked = terms(Settings(service=ServiceSettings(data=tmp_path), connectors=tuple(connectors)))
    planned = [plan_text("+34600111222", text, asked, Facts(now=NOW)).parts for text in ("Son 5 €", "Mañana")]
    assert [parts.alphabet for parts in planned] == [euro, accent]
