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


def test_a_connector_serves_the_routes_where_no_better_one_is_up():
    assert sorted(ROUTER.keys_of("operator", {"operator", "backup"})) == [DEFAULT, "+34"]
    assert ROUTER.keys_of("backup", {"operator", "backup"}) == []
    assert sorted(ROUTER.keys_of("backup", {"backup"})) == [DEFAULT, "+34"]
    assert sorted(ROUTER.keys_of("mobile", {"mobile"})) == [DEFAULT, "+346"]
    assert ROUTER.keys_of("mobile", set()) == []
