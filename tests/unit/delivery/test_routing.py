"""Which way a message takes, and why."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlsms_service.config import Route
from xlsms_service.delivery.routing import DEFAULT, Router

ROUTER = Router(
    [Route(prefix="+34", use=("operator", "backup")), Route(prefix="+346", use=("mobile",))],
    ["operator", "backup", "mobile"],
)


def test_the_longest_prefix_decides():
    assert [ROUTER.key(number) for number in ("+34600111222", "+34910000000", "+5215500000000", "1234")] == [
        "+346",
        "+34",
        DEFAULT,
        DEFAULT,
    ]


def plain(keys):
    """Without those of answers."""
    return sorted(key for key in keys if not key.startswith("@"))


def test_a_connector_serves_the_routes_where_no_better_one_is_up():
    assert plain(ROUTER.keys_of("operator", {"operator", "backup"})) == [DEFAULT, "+34"]
    assert plain(ROUTER.keys_of("backup", {"operator", "backup"})) == []
    assert plain(ROUTER.keys_of("backup", {"backup"})) == [DEFAULT, "+34"]
    assert plain(ROUTER.keys_of("mobile", {"mobile"})) == [DEFAULT, "+346"]
    assert ROUTER.keys_of("mobile", set()) == []


def test_an_answer_takes_the_connector_that_it_answers_while_that_is_up_and_its_route_otherwise():
    landline, mobile = "+34910000000", "+34600111222"
    key = ROUTER.answer_key(landline, "mobile")  # whose route does not even name it
    everything = {"operator", "backup", "mobile"}
    assert key in ROUTER.keys
    assert [name for name in sorted(everything) if key in ROUTER.keys_of(name, everything)] == ["mobile"]
    assert [name for name in ("operator", "backup") if key in ROUTER.keys_of(name, {"operator", "backup"})] == [
        "operator"
    ]
    assert key in ROUTER.keys_of("backup", {"backup"})
    # what is the same as without a question of answers waits where everything else does
    assert ROUTER.answer_key(landline, "operator") == ROUTER.key(landline) == "+34"
    assert ROUTER.answer_key(mobile, None) == ROUTER.answer_key(mobile, "gone") == "+346"


def test_one_connector_has_no_keys_for_answers():
    assert Router([], ["only"]).keys == (DEFAULT,)


def router(*routes, prices=None):
    return Router(routes, ["a", "b", "c"], prices or {})


@pytest.mark.parametrize(
    ("number", "sender", "workbook", "use"),
    [
        ("+34600111222", None, None, ("b",)),
        ("+34910000000", None, None, ("c",)),
        ("+34600111222", "clinica", None, ("a",)),
        ("+44700900123", "CLINICA", "/in/x.xlsx", ("a",)),
        ("+34600111222", "Clinica", "/in/Alertas 2026.XLSX", ("c", "a")),
        ("+34600111222", None, "/in/alertas.csv", ("c", "a")),
        ("+5215512345678", None, None, ("c", "b")),
        ("+4930123456", None, None, ("a", "b", "c")),
        ("7777", None, None, ("a", "b", "c")),
    ],
)
def test_the_most_specific_route_decides(number, sender, workbook, use):
    known = router(
        Route(country="ES", use=("c",)),
        Route(prefix="+346", use=("b",)),
        Route(sender="Clinica", use=("a",)),
        Route(workbook="alertas*", use=("c", "a")),
        Route(country="MX", use=("c", "b")),
    )
    explained = known.explain(number, sender, workbook)
    assert explained.use == use
    assert explained.key == known.key(number, sender, workbook)
    assert explained.key in known.keys
    assert len(explained.key) <= 20


def test_the_cheapest_comes_first_and_what_has_no_price_last():
    prices = {"a": {"+34": Decimal("0.05"), "+346": Decimal("0.03")}, "b": {"": Decimal("0.04")}}
    known = router(Route(prefix="+", use=("c", "a", "b"), order="price"), prices=prices)
    mobile, landline, abroad = (known.explain(number) for number in ("+34600111222", "+34910000000", "+44700900123"))
    assert [each.use for each in (mobile, landline, abroad)] == [("a", "b", "c"), ("b", "a", "c"), ("b", "c", "a")]
    assert [each.price for each in (mobile, landline)] == [Decimal("0.03"), Decimal("0.04")]
    assert len({mobile.key, landline.key, abroad.key} & set(known.keys)) == 3
    assert plain(known.keys_of("b", {"a", "b"})) == sorted({landline.key, abroad.key})
    assert mobile.key in known.keys_of("b", {"b", "c"})


def test_the_price_is_told_also_where_it_does_not_decide():
    known = router(Route(prefix="+34", use=("b", "a")), prices={"a": {"": Decimal(1)}})
    assert known.explain("+34600111222").price is None
    assert known.explain("+34600111222").prices == {"a": Decimal(1)}
    assert known.explain("+44700900123").price == Decimal(1)


def test_other_conditions_make_other_keys_and_other_connectors_do_not():
    one = router(Route(sender="x", use=("a",))).key("1", "x")
    assert router(Route(sender="x", use=("b",))).key("1", "x") == one
    assert router(Route(sender="y", use=("a",))).key("1", "y") != one
    assert router(Route(prefix="+34", use=("a",))).key("+34600111222") == "+34"


@given(
    tables=st.dictionaries(
        st.sampled_from("abc"),
        st.dictionaries(st.sampled_from(["", "+3", "+34", "+346", "+44"]), st.integers(0, 3).map(Decimal), max_size=5),
    ),
    number=st.sampled_from(["+34600111222", "+34910000000", "+3312345678", "+44700900123", "7777"]),
)
def test_every_number_waits_under_a_key_that_is_served_in_the_order_of_its_prices(tables, number):
    known = router(Route(prefix="", use=("a", "b", "c"), order="price"), prices=tables)
    explained = known.explain(number)
    for at, name in enumerate(explained.use):
        assert explained.key in known.keys_of(name, set(explained.use[at:]))
    told = [explained.prices[name] for name in explained.use if name in explained.prices]
    assert told == sorted(told)
    assert list(explained.use[: len(told)]) == [name for name in explained.use if name in explained.prices]
