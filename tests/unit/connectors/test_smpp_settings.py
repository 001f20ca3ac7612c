"""The settings of an SMPP connector: what its table may say, and which key is wrong."""

from pathlib import Path

import pytest

from xlsms.errors import Place, UserError
from xlsms_service.connectors.setting import documented
from xlsms_service.connectors.smpp import SmppSettings, settings_from


def test_host_is_all_that_is_needed() -> None:
    settings = settings_from({"host": "smsc.example"})
    assert settings == SmppSettings(host="smsc.example", password=settings.password)
    assert (settings.port, settings.bind, settings.window, settings.verify) == (2775, "transceiver", 10, True)
    assert settings.rate is settings.ca is settings.sender is None


def test_every_kind_of_value_is_taken() -> None:
    settings = settings_from(
        {
            "host": "smsc.example",
            "port": 3550,
            "password": {"env": "SMSC_PASSWORD"},
            "bind": "receiver",
            "tls": True,
            "ca": "operator.pem",
            "rate": 30,
            "data_coding_0": "latin1",
            "receipt_zone": "Europe/Madrid",
        },
        lambda key: Place(file="/etc/xlsms/xlsms.toml", line=7),
    )
    assert (settings.port, settings.bind, settings.tls, settings.rate) == (3550, "receiver", True, 30)
    assert settings.ca == Path("/etc/xlsms/operator.pem")


def test_password_is_never_shown() -> None:
    assert "s3cret" not in repr(settings_from({"host": "h", "password": "s3cret"}))


@pytest.mark.parametrize(
    ("options", "code", "named"),
    [
        ({}, "config-missing-key", "host"),
        ({"host": "h", "prot": 1}, "config-unknown-key", "prot"),
        ({"host": 5}, "config-expects-text", "host"),
        ({"host": " "}, "config-expects-text", "host"),
        ({"host": "h", "port": "2775"}, "config-expects-number", "port"),
        ({"host": "h", "port": 0}, "config-expects-number", "port"),
        ({"host": "h", "window": 1001}, "config-expects-number", "window"),
        ({"host": "h", "window": True}, "config-expects-number", "window"),
        ({"host": "h", "rate": 1.5}, "config-expects-number", "rate"),
        ({"host": "h", "tls": "yes"}, "config-expects-flag", "tls"),
        ({"host": "h", "bind": "both"}, "config-expects-choice", "bind"),
        ({"host": "h", "bind": ["transceiver"]}, "config-expects-choice", "bind"),
        ({"host": "h", "ca": 7}, "config-expects-text", "ca"),
    ],
)
def test_wrong_key_is_named_with_its_place(options: dict[str, object], code: str, named: str) -> None:
    with pytest.raises(UserError) as caught:
        settings_from(options, lambda key: Place(file="xlsms.toml", column=key))
    assert caught.value.code == code
    assert caught.value.facts["key"] == named
    assert caught.value.place.column == (None if code == "config-missing-key" else named)
    assert "…" not in caught.value.line()


@pytest.mark.parametrize("zone", ["Mars/Olympus", "/etc/localtime", "Europe"])
def test_zone_has_to_exist(zone: str) -> None:
    with pytest.raises(UserError) as caught:
        settings_from({"host": "h", "receipt_zone": zone})
    assert caught.value.code == "config-expects-zone"


def test_password_that_is_neither_text_nor_a_reference_is_refused() -> None:
    with pytest.raises(UserError) as caught:
        settings_from({"host": "h", "password": 5})
    assert caught.value.code == "config-wrong-secret"


def test_every_setting_has_words() -> None:
    for name, (_, setting) in documented(SmppSettings).items():
        assert setting.words, name


@pytest.mark.parametrize(
    ("key", "value", "code"),
    [
        ("sender", "ThisSenderIsFarTooLong", "config-expects-sender"),
        ("sender", "Clínica", "config-expects-sender"),
        ("sender", "Hola 😀", "config-expects-sender"),
        ("service_type", "TOOLONG", "config-too-long"),
        ("system_type", "x" * 13, "config-too-long"),
        ("system_id", "x" * 16, "config-too-long"),
        ("system_id", "señor", "config-too-long"),
        ("address_range", "1" * 41, "config-too-long"),
        ("outbind_system_id", "x" * 16, "config-too-long"),
    ],
)
def test_what_no_message_and_no_login_could_carry_is_refused_with_its_line(key, value, code):
    with pytest.raises(UserError) as caught:
        settings_from({"host": "smsc.example", key: value}, lambda key: Place(file="xlsms.toml", line=len(key)))
    assert (caught.value.code, caught.value.place.line) == (code, len(key))
    assert caught.value.message("es") != caught.value.message("en")


@pytest.mark.parametrize("sender", ["Clinica", "+34600000001", "12345", "A & B 24"])
def test_what_can_be_a_sender_is_taken(sender):
    assert settings_from({"host": "smsc.example", "sender": sender, "service_type": "CMT"}).sender == sender
