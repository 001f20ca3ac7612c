"""Settings: everything the file may say, and every way in which it can be wrong with the line named."""

import os
import sys
import types
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from xlsms.errors import UserError
from xlsms.model import Priority
from xlsms.wording import codes
from xlsms_service.config import ConnectorSettings, Limit, Route, Secret, Watch, default_path, load, system_language

FULL = """\
# a comment
[service]
data = "ledger"
country = "MX"
language = "es"
listen = "[::1]:9000"
zone = "America/Mexico_City"
sender = "Clinica"
parts = 3
backups = 0
transliterate = "safe"

[[watch]]
folder = "inbox"
hidden = true

[[watch]]
file = "/srv/list.xlsx"
mark = "all"

[[connector]]
name = "operator"
type = "smpp"
host = "smsc.example"
port = 2775
password = { env = "OPERATOR_PASSWORD" }

[[connector]]
name = "backup"
type = "simulator"

[[route]]
prefix = "+52"
use = [
    "operator",
    "backup",
]

[[route]]
prefix = ""
use = ["backup"]
"""


@pytest.fixture
def write(tmp_path):
    def write(text, encoding="utf-8"):
        file = tmp_path / "xlsms.toml"
        file.write_bytes(text.encode(encoding))
        return file

    return write


def refused(path):
    with pytest.raises(UserError) as caught:
        load(path)
    error = caught.value
    assert error.code in codes()
    assert error.place.file == str(path)
    for language in ("en", "es"):
        assert "…" not in error.line(language), "a fact is missing from the error"
        assert "\n" not in error.line(language)
    return error.code, error.place.line


def test_a_whole_file_is_read(write, tmp_path):
    settings = load(write(FULL))
    service = settings.service
    assert service.data == tmp_path / "ledger", "a relative path stands beside the file"
    assert (service.country, service.language, service.listen) == ("MX", "es", "[::1]:9000")
    assert service.backups == 0
    assert (service.zone, service.sender, service.parts, service.transliterate) == (
        "America/Mexico_City",
        "Clinica",
        3,
        "safe",
    )
    assert settings.watches == (
        Watch(folder=tmp_path / "inbox", hidden=True),
        Watch(file=Path("/srv/list.xlsx"), mark="all"),
    )
    operator, backup = settings.connectors
    assert (operator.name, operator.type, operator.options["port"]) == ("operator", "smpp", 2775)
    assert backup == ConnectorSettings(name="backup", type="simulator")
    assert settings.routes == (Route(prefix="+52", use=("operator", "backup")), Route(prefix="", use=("backup",)))
    assert settings.path == tmp_path / "xlsms.toml"


def test_no_file_means_the_defaults(monkeypatch, tmp_path):
    monkeypatch.delenv("XLSMS_CONFIG", raising=False)
    monkeypatch.setattr("platformdirs.user_config_path", lambda *_, **__: tmp_path)
    monkeypatch.setenv("LC_ALL", "es_CO.UTF-8")
    settings = load()
    assert (settings.service.country, settings.service.language, settings.service.parts) == ("ES", "es", 10)
    assert (settings.watches, settings.connectors, settings.routes, settings.path) == ((), (), (), None)
    assert settings.service.data.is_absolute()


def test_the_file_is_found_in_the_users_folder_and_by_the_variable(monkeypatch, write, tmp_path):
    monkeypatch.delenv("XLSMS_CONFIG", raising=False)
    monkeypatch.setattr("platformdirs.user_config_path", lambda *_, **__: tmp_path)
    file = write('[service]\ncountry = "PE"\n')
    assert default_path() == file
    assert load().service.country == "PE"
    monkeypatch.setattr("platformdirs.user_config_path", lambda *_, **__: tmp_path / "elsewhere")
    assert load().service.country == "ES"
    monkeypatch.setenv("XLSMS_CONFIG", str(file))
    assert load().service.country == "PE"


def test_a_file_asked_for_by_name_must_be_there(monkeypatch, tmp_path):
    assert refused(tmp_path / "none.toml") == ("config-not-found", None)
    monkeypatch.setenv("XLSMS_CONFIG", str(tmp_path / "gone.toml"))
    with pytest.raises(UserError, match="config-not-found"):
        load()


def test_an_editor_may_write_a_byte_order_mark(write):
    assert load(write('[service]\ncountry = "AR"\n', "utf-8-sig")).service.country == "AR"


def test_a_folder_in_place_of_the_file_is_refused(tmp_path):
    code, line = refused(tmp_path)
    assert (code, line) == ("config-unreadable", None)


def test_another_encoding_is_refused_with_its_line(write):
    file = write('[service]\ncountry = "ES"\nsender = "Peñón"\n', "latin-1")
    assert refused(file) == ("config-not-utf8", 3)


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ('[service]\ncountry "ES"\n', "config-broken", 2),
        ('[service]\n\nsender = "never ends\n', "config-broken", 3),
        ('[service]\ncountry = "ES"\ncountry = "MX"\n', "config-broken", 3),
        ("[[route]]\nuse = [\n  'a',\n", "config-broken", 3),
        ('[service]\ndata = "C:\\Users\\ana"\n', "config-backslash", 2),
        ('[service]\ncountry = "ES"\nlanguge = "es"\n', "config-unknown-key", 3),
        ('[service]\n[[watch]]\nfolder = "a"\n[[watch]]\nfolder = "b"\nmrak = "all"\n', "config-unknown-key", 6),
        ("[servize]\n", "config-unknown-table", 1),
        ('country = "ES"\n', "config-unknown-table", 1),
        ('service = "on"\n', "config-not-a-table", 1),
        ('[watch]\nfolder = "a"\n', "config-single-brackets", 1),
        ("[[watch]]\n[[watch]]\n", "config-folder-or-file", 1),
        ('[[watch]]\nfolder = "a"\n[[watch]]\nfolder = "a"\nfile = "b"\n', "config-folder-or-file", 3),
        ('[[watch]]\nfolder = "a"\nmark = "some"\n', "config-expects-choice", 3),
        ('[[watch]]\nfolder = "a"\nhidden = "yes"\n', "config-expects-flag", 3),
        ("[service]\nsender = 34\n", "config-expects-text", 2),
        ('[service]\nsender = " "\n', "config-expects-text", 2),
        ('[service]\ncountry = "Spain"\n', "config-expects-country", 2),
        ('[service]\nlanguage = "fr"\n', "config-expects-choice", 2),
        ('[service]\nlisten = "8765"\n', "config-expects-address", 2),
        ('[service]\nlisten = "127.0.0.1:70000"\n', "config-expects-address", 2),
        ('[service]\nmetrics = "9464"\n', "config-expects-address", 2),
        ('[service]\nmetrics = "0.0.0.0:9464"\n', "config-expects-loopback", 2),
        ('[service]\nmetrics = "prometheus.example:9464"\n', "config-expects-loopback", 2),
        ('[service]\nzone = "Madrid"\n', "config-expects-zone", 2),
        ('[service]\nzone = "Europe"\n', "config-expects-zone", 2),
        ('[service]\nzone = "../../etc/passwd"\n', "config-expects-zone", 2),
        ("[service]\nparts = 0\n", "config-expects-number", 2),
        ("[service]\nbackups = -1\n", "config-expects-number", 2),
        ("[service]\nparts = true\n", "config-expects-number", 2),
        ("[service]\nparts = 1.5\n", "config-expects-number", 2),
        ("[service]\ntransliterate = true\n", "config-expects-text", 2),
        ('[service]\ntransliterate = "on"\n', "config-expects-choice", 2),
        ('[[connector]]\ntype = "smpp"\n', "config-missing-key", 1),
        ('\n[[connector]]\nname = "a"\n', "config-missing-key", 2),
        ('[[connector]]\nname = "a"\ntype = "smtp"\n', "config-expects-choice", 3),
        (
            '[[connector]]\nname = "a"\ntype = "smpp"\n[[connector]]\ntype = "smpp"\nname = "a"\n',
            "config-same-name",
            6,
        ),
        ('[[route]]\nprefix = "+34"\n', "config-missing-key", 1),
        ('[[route]]\nuse = ["a"]\n', "config-missing-key", 1),
        ('[[route]]\nprefix = "+34"\nuse = "a"\n', "config-expects-list", 3),
        ('[[route]]\nprefix = "+34"\nuse = []\n', "config-expects-list", 3),
        ('[[route]]\ncountry = "Spain"\nuse = ["a"]\n', "config-expects-country", 2),
        ('[[connector]]\nname = "a"\ntype = "smpp"\nprice = "dear"\n', "config-expects-price", 4),
        ('[[connector]]\nname = "a"\ntype = "smpp"\nprice = { Spain = 1 }\n', "config-expects-price", 4),
        ('[[limit]]\nper = "day"\n', "config-missing-key", 1),
        ("[[limit]]\ncount = 5\n", "config-missing-key", 1),
        ('[[limit]]\ncount = 0\nper = "day"\n', "config-expects-number", 2),
        ('[[limit]]\ncount = 5\nper = "year"\n', "config-expects-choice", 3),
        ('[[limit]]\ncount = 5\nper = "day"\nprefix = 34\n', "config-expects-prefix", 4),
        ("[service]\nvalidity = 0\n", "config-expects-number", 2),
        ('[service]\nuncertain = "drop"\n', "config-expects-choice", 2),
        ('[[watch]]\nfolder = "a"\npriority = "high"\n', "config-expects-choice", 3),
        ('[[route]]\nprefix = "Spain"\nuse = ["a"]\n', "config-expects-prefix", 2),
        ('[[route]]\nprefix = 34\nuse = ["a"]\n', "config-expects-prefix", 2),
        ('[[route]]\nprefix = ""\n# all\nuse = [\n  "a",\n  "b",\n]\n', "config-unknown-connector", 4),
    ],
)
def test_what_is_wrong_is_named_with_its_line(write, text, code, line):
    assert refused(write(text)) == (code, line)


def test_routes_prices_and_limits_are_read(write):
    settings = load(
        write(
            """
            [service]
            validity = 24
            uncertain = "resend"
            [[watch]]
            folder = "alerts"
            priority = "urgent"
            [[connector]]
            name = "a"
            type = "smpp"
            price = { "+34" = 0.045, "" = 0.1 }
            [[connector]]
            name = "b"
            type = "smpp"
            price = 1
            [[route]]
            country = "ES"
            sender = "Clinica"
            workbook = "alert*"
            use = ["a", "b"]
            order = "price"
            [[limit]]
            count = 5
            per = "hour"
            burst = 2
            each = "number"
            """
        )
    )
    assert (settings.service.validity, settings.service.uncertain) == (timedelta(hours=24), "resend")
    assert settings.watches[0].priority is Priority.URGENT
    assert [connector.prices for connector in settings.connectors] == [
        {"+34": Decimal("0.045"), "": Decimal("0.1")},
        {"": Decimal(1)},
    ]
    assert settings.connectors[0].options == {}
    assert settings.routes == (Route(country="ES", sender="Clinica", workbook="alert*", use=("a", "b"), order="price"),)
    assert settings.limits == (Limit(interval=timedelta(minutes=12), burst=2, each="number"),)


def test_windows_line_ends_count_as_one(write):
    assert refused(write('[service]\r\n\r\ncountry = "Spain"\r\n'))[1] == 3


def test_a_connector_can_name_the_place_of_its_own_keys(write):
    operator, backup = load(write(FULL)).connectors
    assert operator.place("port").line == FULL.splitlines().index("port = 2775") + 1
    assert backup.place().line == FULL.splitlines().index('name = "backup"')
    assert backup.place("host").line == backup.place().line, "a key that is missing is the table's fault"
    assert ConnectorSettings(name="a", type="smpp").place("port") is None


def test_secrets_are_looked_up_when_used_and_never_show(write, monkeypatch):
    settings = load(write(FULL))
    secret = Secret.read(settings.connectors[0].options["password"])
    monkeypatch.delenv("OPERATOR_PASSWORD", raising=False)
    with pytest.raises(UserError, match="OPERATOR_PASSWORD") as caught:
        secret.reveal()
    assert caught.value.code == "secret-not-set"
    monkeypatch.setenv("OPERATOR_PASSWORD", "hunter2")
    assert secret.reveal() == "hunter2"
    assert Secret.read("hunter2").reveal() == "hunter2"
    assert Secret.read(secret) is secret
    shown = f"{secret} {secret!r} {Secret('hunter2')} {settings} {secret!s} {[secret]}"
    assert "hunter2" not in shown
    assert "…" in repr(secret)


def test_a_database_password_does_not_show(write):
    settings = load(write('[service]\nledger = "postgresql+psycopg://me:hunter2@db/sms"\n'))
    assert settings.service.ledger.endswith("@db/sms")
    assert "hunter2" not in repr(settings)


@pytest.mark.parametrize("value", [{"env": ""}, {"env": 1}, {"file": "a"}, {"env": "A", "keyring": "B"}, 5, None, []])
def test_a_secret_written_in_another_way_is_refused(value):
    with pytest.raises(UserError) as caught:
        Secret.read(value)
    assert caught.value.code == "config-wrong-secret"
    assert '{env = "NAME"}' in caught.value.remedy


def test_a_secret_comes_from_the_keyring(monkeypatch):
    stored = {("xlsms", "operator"): "hunter2"}
    fake = types.SimpleNamespace(get_password=lambda service, name: stored.get((service, name)))
    monkeypatch.setitem(sys.modules, "keyring", fake)
    assert Secret.read({"keyring": "operator"}).reveal() == "hunter2"
    with pytest.raises(UserError) as caught:
        Secret.read({"keyring": "other"}).reveal()
    assert caught.value.code == "secret-not-in-keyring"


def test_a_keyring_that_is_absent_or_broken_says_so(monkeypatch):
    def locked(*_):
        raise RuntimeError("no backend")

    for module in (None, types.SimpleNamespace(get_password=locked)):
        monkeypatch.setitem(sys.modules, "keyring", module)
        with pytest.raises(UserError) as caught:
            Secret.read({"keyring": "operator"}).reveal()
        assert caught.value.code == "secret-no-keyring"


@pytest.mark.parametrize(
    ("variables", "language"),
    [
        ({"LANG": "es_ES.UTF-8"}, "es"),
        ({"LANG": "en_US.UTF-8"}, "en"),
        ({"LANG": "es_ES", "LC_ALL": "C"}, "en"),
        ({"LANG": "en_US", "LC_MESSAGES": "es_MX"}, "es"),
        ({"LC_ALL": "", "LANG": "fr_FR"}, "en"),
    ],
)
def test_the_language_is_the_users(monkeypatch, variables, language):
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert system_language() == language


def test_the_home_folder_may_be_short(write):
    settings = load(write('[[watch]]\nfolder = "~/inbox"\n'))
    assert settings.watches[0].folder == Path(os.path.expanduser("~")) / "inbox"  # noqa: PTH111 (says the same otherwise)
