"""What the C library finds is what Python finds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlsms.ooxml import needle

LITERALS = st.lists(
    st.sampled_from([b"ref", b"<!", b"<?", b"<row", b"f", b"\xc3\xa4", b'<c r="D']), min_size=1, max_size=3
)
PIECES = st.lists(
    st.sampled_from([b"re", b"ref", b"f", b"<", b"!", b"?", b"row", b'<c r="', b"D", b"\xc3\xa4", b"\xc3", b"\0"])
)


@pytest.mark.parametrize("quick", [True, False])
@given(pieces=PIECES, literals=LITERALS)
def test_a_literal_is_found_wherever_it_stands(quick, pieces, literals):
    xml = b"".join(pieces)
    with pytest.MonkeyPatch.context() as patch:
        if not quick:
            patch.setattr(needle, "_search", None)
        assert needle.holds(xml, *literals) == any(literal in xml for literal in literals)
