"""Who is let in: nobody without the token, no page of another site, no name that is not ours, nothing too large."""

import json
import logging
import socket
import stat
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.api.conftest import running, snapshot
from xlsms import home
from xlsms.client import Client
from xlsms.client.starting import Found, find, prove
from xlsms.errors import UserError
from xlsms_service import auth
from xlsms_service.api.serving import _Sparing, bind, hosts_of
from xlsms_service.api.session import Sessions, Subject


def problem(answer, status, code):
    assert answer.headers["content-type"] == "application/problem+json"
    said = answer.json()
    assert (answer.status_code, said["status"], said["code"]) == (status, status, code)
    assert said["type"] == f"urn:xlsms:error:{code}"
    return said


@pytest.mark.parametrize(
    "authorization", [None, "", "Bearer", "Bearer x", "Basic {}", "{}", "Bearer {}x", "Bearer \xff"]
)
def test_without_the_token_nothing_is_answered(shared, authorization):
    headers = {} if authorization is None else {"Authorization": authorization.format(shared.token).encode("latin-1")}
    with shared.http() as http:
        problem(http.get("/v1/health", headers=headers), 401, "api-not-allowed")
        problem(http.post("/v1/stop", headers=headers), 401, "api-not-allowed")
    assert shared.client.health().stopped is None


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "0.0.0.0:{port}", ""]
)
def test_a_name_that_is_not_ours_is_refused(shared, host):
    with shared.authorized(Host=host.format(port=shared.host.split(":")[1])) as http:
        problem(http.get("/v1/health"), 403, "api-wrong-host")
        problem(http.get("/preview"), 403, "api-wrong-host")


def test_localhost_is_ours(shared):
    with shared.authorized(Host=f"localhost:{shared.host.split(':')[1]}") as http:
        assert http.get("/v1/health").status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
    ids=str,
)
def test_pages_of_others_are_refused_even_with_the_token(shared, headers):
    with shared.authorized(**headers) as http:
        problem(http.post("/v1/stop"), 403, "api-wrong-origin")
        problem(http.post("/page/open", json={"ticket": "x"}), 403, "api-wrong-origin")


def test_our_own_pages_are_let_in(shared):
    with shared.authorized(Origin=shared.address) as http:
        assert http.get("/v1/health").status_code == 200


def test_a_header_said_twice_is_refused(shared):
    host, port = shared.host.split(":")
    with socket.create_connection((host, int(port))) as stream:
        stream.sendall(
            f"GET /v1/health HTTP/1.1\r\nHost: {shared.host}\r\nAuthorization: Bearer {shared.token}\r\n"
            f"Authorization: Bearer x\r\nConnection: close\r\n\r\n".encode()
        )
        assert b" 401 " in stream.makefile("rb").readline()


def test_too_much_is_refused_before_it_is_read(shared):
    with shared.authorized() as http:
        problem(http.post("/v1/messages", content=b"x" * (9 << 20)), 413, "api-too-large")
        chunks = (b" " * (1 << 20) for _ in range(9))  # nobody says how long it is
        problem(http.post("/v1/messages", content=chunks), 413, "api-too-large")


def at_once(body):
    """The same, but for a wait that the test would sit through."""
    waits = isinstance(body, dict) and isinstance(body.get("wait"), int | float) and body["wait"] > 0
    return body | {"wait": min(body["wait"], 0.01)} if waits else body


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    path=st.sampled_from(["/v1/workbooks", "/v1/plans", "/v1/campaigns", "/v1/changes", "/v1/states", "/v1/messages",
                          "/v1/conversation", "/v1/pages", "/v1/recall", "/v1/workbooks/1/seen", "/v1/campaigns/x/written",
                          "/page/open", "/page/plan", "/page/show", "/page/reply"]),
    body=st.binary(max_size=200)
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
        lambda inner: st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["workbook", "rows", "sheets", "number", "text", "key", "plan", "hash", "ids", "guid", "path",
                             "name", "host", "since", "wait", "page", "ticket", "sheet", "phone", "at", "written"])
            | st.text(max_size=5),
            inner,
            max_size=6,
        ),
        max_leaves=12,
    ).map(lambda it: json.dumps(at_once(it)).encode()),
)  # fmt: skip
def test_garbage_is_answered_with_a_problem_and_never_breaks_anything(shared, path, body):
    with shared.authorized() as http:
        answer = http.post(path, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in range(200, 500)
    if answer.is_error:
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["code"]


def test_what_was_wrong_is_named_and_not_repeated(shared):
    with shared.authorized() as http:
        answer = http.post("/v1/messages", json={"number": "+34600111222", "text": "", "key": "k" * 8, "geheim": 1})
        said = problem(answer, 422, "api-invalid")
    assert "text" in said["message"]
    assert "600111222" not in answer.text


def test_an_address_that_is_none_says_so(shared):
    with shared.authorized() as http:
        problem(http.get("/v1/nothing"), 404, "api-unknown-address")
        problem(http.get("/docs"), 404, "api-unknown-address")
        problem(http.delete("/v1/health"), 405, "api-wrong-method")


def test_every_answer_may_load_nothing_from_elsewhere(shared):
    with shared.authorized() as http:
        for path in ("/v1/health", "/preview", "/assets/page.js", "/nothing"):
            headers = http.get(path).headers
            assert "default-src 'none'" in headers["content-security-policy"]
            assert "unsafe" not in headers["content-security-policy"]
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["cache-control"] == "no-store"
            assert "access-control-allow-origin" not in headers
            assert "server" not in headers


# The token.


def test_only_its_user_can_read_the_token(shared):
    assert stat.S_IMODE((shared.data / home.TOKEN).stat().st_mode) == 0o600
    assert stat.S_IMODE((shared.data / home.BEACON).stat().st_mode) == 0o600
    assert stat.S_IMODE(shared.data.stat().st_mode) == 0o700


def test_a_token_stays_until_others_could_have_read_it(tmp_path):
    first = auth.token(tmp_path)
    assert auth.token(tmp_path) == first
    (tmp_path / home.TOKEN).chmod(0o644)
    second = auth.token(tmp_path)
    assert second != first
    (tmp_path / home.TOKEN).unlink()
    (tmp_path / home.TOKEN).symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere").write_text("x" * 43)
    (tmp_path / "elsewhere").chmod(0o600)
    assert auth.token(tmp_path) not in (first, second, "x" * 43)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_a_folder_where_the_token_should_be_is_told(tmp_path):
    (tmp_path / home.TOKEN).mkdir()
    with pytest.raises(UserError, match="token-unusable"):
        auth.token(tmp_path)


def test_a_stranger_on_our_port_never_gets_the_token(shared):
    seen = []

    def stranger(request):
        seen.append(request)
        return httpx.Response(200, json={"service": "xlsms", "proof": prove("guess", "x")})

    assert find(shared.data, httpx.MockTransport(stranger)) is None
    assert all(shared.token not in str(dict(request.headers)) for request in seen)
    assert len(seen) == 1


# The port.


def test_a_port_that_is_taken_is_an_error_when_it_was_asked_for(tmp_path):
    with bind("127.0.0.1:0") as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UserError, match="listen-taken") as caught, running(tmp_path, listen=f"127.0.0.1:{port}"):
            pass
    assert str(port) in caught.value.message()


def test_without_a_setting_any_free_port_will_do():
    with bind(None) as one, bind(None) as other:
        assert one.getsockname() != other.getsockname()


@pytest.mark.parametrize("listen", ["0.0.0.0:0", "192.168.1.1:0", "[::]:0", "example.com:80"])
def test_other_computers_cannot_be_let_in(listen):
    with pytest.raises(UserError, match="listen-not-loopback"):
        bind(listen)


def test_the_sixth_version_is_named_as_browsers_do():
    try:
        made = bind("[::1]:0")
    except UserError:
        pytest.skip("no IPv6 here")
    with made:
        assert hosts_of(made)[0].startswith("[::1]:")


# Silence.


def test_no_log_holds_a_number_a_text_or_an_address_that_was_asked(tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    for name in ("httpx", "httpcore", "asyncio", "watchdog"):
        logging.getLogger(name).setLevel(logging.WARNING)
    with running(tmp_path) as office:
        book = office.book()
        campaign = office.client.send(office.client.plan(book, snapshot("600111222", text="geheim {Nombre}")))
        assert campaign.edits
        office.client.text("600333444", "auch geheim")
        office.client.conversation("600333444")
        with pytest.raises(UserError):
            office.client.text("6003", "geheim")
        with pytest.raises(UserError), Client(Found(address=office.address, token="falsch")) as stranger:
            stranger.health()
        with office.authorized() as http:
            http.get("/v1/600333444")
    for line in [record.getMessage() + str(record.exc_text or "") for record in caplog.records]:
        for secret in ("600111222", "600333444", "geheim", office.token):
            assert secret not in line


def test_answers_do_not_wait_for_an_acknowledgement():
    """asyncio sets TCP_NODELAY on what is accepted only where the socket names its protocol."""
    listening = bind("127.0.0.1:0")
    assert listening.proto == socket.IPPROTO_TCP
    listening.close()


def test_a_plan_that_is_none_is_told_with_its_place(office):
    with office.authorized() as http:
        for body, field in (
            (b"{", "JSON (EOF while parsing an object at line 1 column 1)"),
            (b'{"workbook": "x", "sheets": [], "rows": []}', "workbook"),
            (b'{"workbook": 1, "sheets": [], "rows": [{"sheet": 7}]}', "rows.0"),
        ):
            said = http.post("/v1/plans", content=body, headers={"Content-Type": "application/json"})
            assert (said.status_code, said.json()["code"]) == (422, "api-invalid")
            assert field in said.text


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("messages", {"number": "600000001", "text": "a\0b", "key": "0" * 16}, "text"),
        ("messages", {"number": "600\0", "text": "ab", "key": "0" * 16}, "number"),
        ("messages", {"number": "600000001", "text": "ab", "key": "\0" * 16}, "key"),
        ("conversation", {"number": "\0"}, "number"),
        ("costs", {"texts": [["600000001", "a\0"]]}, "texts.0.1"),
        ("states", {"ids": ["\0"]}, "ids.0"),
        ("workbooks", {"guid": "0" * 8, "name": "a\0b", "host": "calc"}, "name"),
        ("workbooks", {"guid": "0" * 8, "name": "a", "path": "/a\0b", "host": "calc"}, "path"),
        (
            "plans",
            {"workbook": 1, "sheets": [], "rows": [{"sheet": "A", "number": 2, "message": "\0"}]},
            "rows.0.message",
        ),
    ],
)
def test_a_nul_is_refused_by_the_name_of_its_field(shared, path, body, field):
    with shared.authorized() as http:
        said = problem(http.post(f"/v1/{path}", json=body), 422, "api-invalid")
    assert said["facts"] == {"field": field, "reason": "U+0000"}


def test_a_path_is_one_from_the_root(shared):
    with shared.authorized() as http:
        body = {"guid": "0" * 8, "name": "a.xlsx", "path": "../../etc/passwd", "host": "calc"}
        said = problem(http.post("/v1/workbooks", json=body), 422, "api-invalid")
    assert said["facts"] == {"field": "path", "reason": "path_not_absolute"}


def test_news_of_a_workbook_that_nobody_registered_are_refused(shared):
    with shared.authorized() as http:
        problem(http.post("/v1/changes", json={"workbook": 999_999}), 404, "workbook-not-registered")
        problem(http.get("/v1/events?workbook=999999"), 404, "workbook-not-registered")


@pytest.mark.parametrize(
    ("body", "reason"),
    [(b"[" * 200_000, "nested too deeply"), (b'{"number": "\xff"}', "not UTF-8")],
    ids=["deep", "utf"],
)
def test_why_a_body_cannot_be_read_is_told(shared, body, reason):
    with shared.authorized(**{"Content-Type": "application/json"}) as http:
        said = problem(http.post("/v1/messages", content=body), 422, "api-invalid")
    assert said["facts"] == {"field": "JSON", "reason": reason}


def test_an_address_with_a_slash_too_many_is_none(shared):
    with shared.authorized() as http:
        problem(http.get("/v1/health/"), 404, "api-unknown-address")


def test_what_is_no_http_is_told_once_a_minute(shared, caplog):
    host, port = shared.host.split(":")
    sparing = _Sparing()
    for _ in range(3):
        with socket.create_connection((host, int(port)), timeout=60) as stream:
            stream.sendall(b"no HTTP at all\r\n\r\n")
            assert stream.recv(1_000).startswith(b"HTTP/1.1 400 ")
    ours = [record for record in caplog.records if getattr(record, "code", "") == "log-no-http"]
    assert len(ours) == 1
    assert not any("Invalid HTTP" in record.getMessage() for record in caplog.records)
    # and by the clock of the records
    caplog.clear()
    for second in (0, 1, 59, 61, 62, 130):
        said = logging.makeLogRecord({"msg": "Invalid HTTP request received.", "created": 1e9 + second})
        assert not sparing.filter(said)
    counts = [record.facts["count"] for record in caplog.records if getattr(record, "code", "") == "log-no-http"]
    assert counts == [1, 3, 2]
    assert sparing.filter(logging.makeLogRecord({"msg": "something else"}))


def test_a_ticket_lasts_two_minutes_and_a_key_half_a_day():
    now = [datetime(2030, 1, 1, tzinfo=UTC)]
    sessions = Sessions(lambda: now[0])
    first, second = (sessions.ticket(Subject(page="preview", plan="p")) for _ in range(2))
    now[0] += timedelta(minutes=2)
    key, _ = sessions.open(first)
    now[0] += timedelta(seconds=1)
    assert sessions.open(second) is None
    now[0] += timedelta(hours=12) - timedelta(seconds=1)
    assert sessions.of(key).plan == "p"
    now[0] += timedelta(seconds=1)
    assert sessions.of(key) is None
