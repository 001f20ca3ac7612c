"""The detail cell of a row."""

from xlsms.wording import detail


def test_it_begins_as_a_sentence_but_leaves_what_the_user_wrote_as_it_is():
    assert detail("text-empty") == "There is no text to send: write a text in the message column [text-empty]"
    assert detail("sender-unusable", "en", {"sender": "éva"}).startswith("éva cannot be")
    assert detail("sender-unusable", "es", {"sender": "éva"}).startswith("éva no puede")
    assert detail("smsc-own-code") == "smsc-own-code [smsc-own-code]"
