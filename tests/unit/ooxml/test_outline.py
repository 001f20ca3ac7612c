"""Small parts edited in place: what is not named stays byte for byte, however the part is written."""

import pytest

from xlsms.errors import UserError
from xlsms.ooxml.outline import Edits, outline, with_attribute
from xlsms.ooxml.stylesheet import EMPTY, Stylesheet
from xlsms.ooxml.table import longer, wider

ODD = (
    b"\xef\xbb\xbf<?xml version='1.0' encoding='UTF-8'?>\n<!-- <a> -->"
    b"<x:a xmlns:x='u' b = '1>2'\n><x:c d=\"\xc3\xa9\"/><![CDATA[<c/>]]><x:c/>t<e xmlns='u'/></x:a>"
)


def test_elements_are_found_where_they_stand():
    root = outline(ODD)
    assert [child.name for child in root.children] == ["c", "c", "e"]
    assert ODD[root.children[0].start : root.children[0].end] == b'<x:c d="\xc3\xa9"/>'
    assert ODD[root.closing : root.end] == b"</x:a>"
    assert (root.prefix, root.children[2].prefix) == ("x:", "")
    assert root.text == "<c/>t"


def test_only_what_is_named_changes():
    edits = Edits(ODD)
    assert not edits.changed
    assert edits.result() == ODD
    first, second, last = edits.root.children
    edits.set(edits.root, "b", 'new "<&')
    edits.set(first, "z", "1")
    edits.append(second, "<y/>")
    edits.drop(last)
    edits.append(edits.root, "<x:last/>")
    assert edits.changed
    expected = (
        ODD.replace(b"'1>2'", b'"new &quot;&lt;&amp;"')
        .replace(b'\xa9"/>', b'\xa9" z="1"/>')
        .replace(b"<x:c/>", b"<x:c><y/></x:c>")
        .replace(b"<e xmlns='u'/>", b"<x:last/>")
    )
    assert edits.result() == expected


def test_an_attribute_whose_name_ends_like_another_is_not_mistaken():
    assert with_attribute(b'<c xml:ref="A" ref="B"/>', "ref", "C") == b'<c xml:ref="A" ref="C"/>'
    assert with_attribute(b"<c >", "ref", "C") == b'<c ref="C">'


@pytest.mark.parametrize("xml", ["<a/>".encode("utf-16"), b"<?xml version='1.0' encoding='ISO-8859-1'?><a/>"])
def test_other_encodings_are_refused(xml):
    with pytest.raises(UserError, match="sheet-not-writable"):
        outline(xml)


def test_a_table_grows_to_the_right_and_down():
    xml = (
        b'<table id="4" name="T" ref="B2:C5" totalsRowCount="1"><autoFilter ref="B2:C4"/>'
        b'<tableColumns count="2"><tableColumn id="7" name="a"/><tableColumn id="3" name="b"/></tableColumns></table>'
    )
    wide = wider(xml, ["x & y", "z"])
    assert b'ref="B2:E5"' in wide
    assert b'<autoFilter ref="B2:E4"/>' in wide
    assert b'count="4"' in wide
    assert b'<tableColumn id="8" name="x &amp; y"/><tableColumn id="9" name="z"/></tableColumns>' in wide
    assert longer(xml, 3) == xml.replace(b'"B2:C5"', b'"B2:C8"').replace(b'"B2:C4"', b'"B2:C7"')


def test_formats_are_added_once_and_at_the_end():
    styles = Stylesheet(EMPTY)
    assert styles.derived(0, 0) == 0
    assert not styles.changed
    number = styles.number_format('d "of" m')
    assert number == styles.number_format('d "of" m') == 164
    assert styles.number_format("0.0") == 165
    assert styles.derived(0, number) == styles.derived(0, number) == 1
    assert styles.derived(999, number) == 1, "a format that does not exist is the plain one"
    assert (styles.coloured("FFFFFF", "000000"), styles.coloured("000000", "FFFFFF")) == (0, 1)
    xml = styles.result().decode()
    assert xml.index('<numFmts count="2">') < xml.index("<fonts") < xml.index("<cellStyles") < xml.index("<dxfs")
    assert '<cellXfs count="2">' in xml
    assert 'formatCode="d &quot;of&quot; m"' in xml


def test_numbers_lose_their_place_on_the_right_when_text_comes():
    right = EMPTY.replace(
        b'xfId="0"/></cellXfs>',
        b'xfId="0"><alignment horizontal="right" vertical="top"/><protection locked="0"/></xf></cellXfs>',
    )
    styles = Stylesheet(right)
    assert styles.derived(0, 0) == 1
    added = styles.result().decode().partition("<cellXfs")[2]
    assert '<alignment horizontal="left" vertical="top" indent="0"/><protection locked="0"/></xf></cellXfs>' in added
