"""Who looks at a journal while it grows sees whole lines only: the system may show a write page by page."""

import json

from tests.journal import reached, taken


def test_half_a_line_does_not_count_yet(tmp_path):
    journal = tmp_path / "journal.jsonl"
    assert taken(journal) == []
    lines = [json.dumps({"destination": number, "text": "Hi"}) + "\n" for number in ("+346", "+347", "346")]
    for whole, cut in ((0, 1), (1, 20), (2, -1)):
        journal.write_text("".join(lines[:whole]) + lines[whole][:cut], "utf-8")
        assert len(taken(journal)) == whole
    journal.write_text("".join(lines), "utf-8")
    assert reached(journal) == {"346": 2, "347": 1}
