import pytest

from xlsms.errors import UserError
from xlsms_service.simulators.phones import BEHAVIOURS, Pace, Reply, Report
from xlsms_service.simulators.script import parse_script, read_script

WHOLE = """
seed = 7
[pace]
receipt = 0.5
jitter = 0
[shares]
fails = 100
[[phone]]
number = "+34 600 111 222"
behaviour = "answers"
reply = "SI"
after = 2.0
[[phone]]
number = "+34600111333"
reply = ["¿Quién es?", "NO"]
[[phone]]
number = "+34600111444"
behaviour = "off"
receipt_after = 3
[[phone]]
number = "+34600111555"
state = "DELETED"
error = "045"
"""


def test_a_script_says_who_does_what():
    phones = parse_script(WHOLE)
    reaction = phones.phone("+34600111222").on_message("hola")
    assert reaction.report == Report(0.5, "DELIVRD", "000")
    assert reaction.reply == Reply(2.0, "SI")
    assert phones.phone("+34600111333").on_message("hola").reply == Reply(Pace().reply, "¿Quién es?")
    assert phones.phone("+34600111444").on_message("hola").report == Report(3.0, "EXPIRED", "027")
    assert phones.phone("+34600111555").on_message("hola").report == Report(0.5, "DELETED", "045")
    assert phones.phone("+34600999999").behaviour.name == "fails"


def test_an_empty_script_changes_nothing():
    phones = parse_script("", pace=Pace(receipt=9))
    assert phones.pace.receipt == 9
    assert {phones.phone(str(n)).behaviour.name for n in range(100, 200)} == {
        "delivers",
        "answers",
        "slow",
        "fails",
        "off",
        "rejects",
    }


def test_a_seed_from_outside_wins():
    def cards(phones):
        return [phones.phone(str(n)).behaviour for n in range(100, 200)]

    assert cards(parse_script("seed = 1")) != cards(parse_script("seed = 1", seed=2))
    assert cards(parse_script("seed = 2")) == cards(parse_script("seed = 1", seed=2))


@pytest.mark.parametrize("name", BEHAVIOURS)
def test_every_behaviour_can_be_named(name):
    phones = parse_script(f'[[phone]]\nnumber = "+34600"\nbehaviour = "{name}"')
    assert phones.phone("+34600").behaviour.name == name


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("seed = -1", "phones-wrong-value"),
        ("seed = true", "phones-wrong-value"),
        ("sed = 1", "phones-unknown-key"),
        ("pace = 1", "phones-wrong-value"),
        ("[pace]\nreceipt = -1", "phones-wrong-value"),
        ("[pace]\nreceipt = nan", "phones-wrong-value"),
        ("[pace]\njitter = 2", "phones-wrong-value"),
        ('[pace]\nslow = "yes"', "phones-wrong-value"),
        ("[pace]\nquick = 1", "phones-unknown-key"),
        ("[shares]\noff = 1.5", "phones-wrong-value"),
        ("[shares]\noff = 60\nfails = 60", "phones-shares-too-large"),
        ("[shares]\nasleep = 1", "phones-unknown-key"),
        ("phone = 3", "phones-wrong-value"),
        ("phone = [3]", "phones-wrong-value"),
        ("[[phone]]", "phones-number-missing"),
        ("[[phone]]\nnumber = 34600", "phones-number-missing"),
        ('[[phone]]\nnumber = "home"', "phones-number-missing"),
        ('[[phone]]\nnumber = "+34600"\n[[phone]]\nnumber = "34 600"', "phones-number-twice"),
        ('[[phone]]\nnumber = "+34600"\nbehaviour = "asleep"', "phones-unknown-behaviour"),
        ('[[phone]]\nnumber = "+34600"\nbehaviour = 3', "phones-unknown-behaviour"),
        ('[[phone]]\nnumber = "+34600"\nreply = 3', "phones-wrong-value"),
        ('[[phone]]\nnumber = "+34600"\nreply = ["SI", 3]', "phones-wrong-value"),
        ('[[phone]]\nnumber = "+34600"\nafter = "soon"', "phones-wrong-value"),
        ('[[phone]]\nnumber = "+34600"\nstate = "OK"', "phones-wrong-value"),
        ('[[phone]]\nnumber = "+34600"\nerror = "x"', "phones-wrong-value"),
        ('[[phone]]\nnumber = "+34600"\nanswer = "x"', "phones-unknown-key"),
    ],
)
def test_what_is_wrong_is_said(text, code):
    with pytest.raises(UserError) as caught:
        parse_script(text)
    assert caught.value.code == code
    for language in ("en", "es"):
        assert "…" not in caught.value.line(language)
        assert caught.value.message(language) != code


def test_the_line_of_broken_toml_and_the_file_are_named(tmp_path):
    path = tmp_path / "phones.toml"
    path.write_text('seed = 1\nnumber = "+34\n')
    with pytest.raises(UserError) as caught:
        read_script(path)
    assert caught.value.code == "phones-broken"
    assert f"{path}:2" in str(caught.value)


def test_the_file_is_named_without_a_line_too(tmp_path):
    path = tmp_path / "phones.toml"
    path.write_text("sed = 1\n")
    with pytest.raises(UserError) as caught:
        read_script(path)
    assert str(path) in str(caught.value)
    assert "sed" in str(caught.value)


@pytest.mark.parametrize("content", [None, b"seed = 1 # \xff"])
def test_an_unreadable_file_is_said(tmp_path, content):
    path = tmp_path / "phones.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError) as caught:
        read_script(path)
    assert caught.value.code == "phones-unreadable"
    assert str(path) in str(caught.value)


def test_a_good_file_is_read(tmp_path):
    path = tmp_path / "phones.toml"
    path.write_text(WHOLE, "utf-8")
    assert read_script(path).phone("34600111222").behaviour.replies == ("SI",)
