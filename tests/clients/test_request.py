"""What a playbook may say about a request, with its expressions still in it and without."""

import pytest

from paramedic.clients.request import (
    LARGEST,
    check_headers,
    check_path,
    check_reference,
    encode_body,
    endpoint_of,
    sound_path,
)
from paramedic.core.bundle import Endpoint
from paramedic.errors import Fault, Permanent

HOOK = {"hook": Endpoint("hook", "http://127.0.0.1:9000")}


@pytest.mark.parametrize(
    "path",
    [
        "/act",
        "/act?id=${params.id}",
        "/hosts/${params.host}/restart",
        '/x/${params.a + "}"}/y',
        "/x/${params.a == '{' ? 'b' : 'c'}",
        "/x/${ {'a': 'b'}[params.a] }",
        "/${params.a}${params.b}",
    ],
)
def test_a_path_with_expressions_is_checked_around_them(path: str) -> None:
    assert check_path(path) == path


@pytest.mark.parametrize(
    "path",
    ["act", "${params.url}", "//${params.host}/", "/a/../${params.b}", "/x ${params.a}", "/${params.a", "/$params.a#b"],
)
def test_a_path_that_can_never_be_sound_is_refused_when_loaded(path: str) -> None:
    with pytest.raises(ValueError, match=r"^(does not start|has an empty|holds) "):
        check_path(path)


@pytest.mark.parametrize("path", ["/hosts/${params.host}", "/hosts//x", "/hosts/.."])
def test_when_planned_nothing_may_be_left_open(path: str) -> None:
    with pytest.raises(Permanent, match="the path "):
        sound_path(path)


def test_headers_a_playbook_may_set() -> None:
    headers = {"X-Reason": "an alert", "Content-Type": "application/x-www-form-urlencoded", "Accept": "*/*"}

    assert check_headers(headers) == headers


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("Authorization", "Bearer x", "is set for you"),
        ("aUTHORIZATION", "Bearer x", "is set for you"),
        ("Host", "evil.example", "is set for you"),
        ("Content-Length", "0", "is set for you"),
        ("Idempotency-Key", "1", "is set for you"),
        ("Transfer-Encoding", "chunked", "about the connection"),
        ("Connection", "close", "about the connection"),
        ("Expect", "100-continue", "about the connection"),
        ("Proxy-Authorization", "x", "about the connection"),
        ("X: y\r\nX", "1", "is not the name of a header"),
        ("", "1", "is not the name of a header"),
        ("X" * 65, "1", "is not the name of a header"),
        ("X-A", "b\r\nX-Evil: 1", "is not printable ASCII"),
        ("X-A", "\u00e9", "is not printable ASCII"),
        ("X-A", "x" * 1025, "is not printable ASCII of at most 1024"),
    ],
)
def test_headers_it_may_not(name: str, value: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        check_headers({name: value})


@pytest.mark.parametrize(
    ("body", "encoded", "kind"),
    [
        (None, None, ""),
        ({"a": [1, None, "\u20ac"]}, '{"a":[1,null,"\u20ac"]}'.encode(), "application/json"),
        ([], b"[]", "application/json"),
        ({}, b"{}", "application/json"),
        (False, b"false", "application/json"),
        (0, b"0", "application/json"),
        ("a=1&b=2", b"a=1&b=2", "text/plain; charset=utf-8"),
        ("", b"", "text/plain; charset=utf-8"),
    ],
)
def test_bodies(body: object, encoded: bytes | None, kind: str) -> None:
    assert encode_body(body) == (encoded, kind)


@pytest.mark.parametrize("body", ["\ud800", {"a": "\ud800"}, {"\ud800": 1}, {"a": object()}])
def test_a_body_that_has_no_encoding_is_permanent(body: object) -> None:
    with pytest.raises(Permanent, match="cannot be written"):
        encode_body(body)


def test_a_body_may_have_64_kib() -> None:
    assert encode_body("x" * LARGEST)[0] == b"x" * LARGEST
    with pytest.raises(Permanent, match=f"the body has {LARGEST + 1} bytes, {LARGEST} is the most"):
        encode_body("x" * (LARGEST + 1))


def test_names_of_endpoints() -> None:
    check_reference("hook", HOOK)
    assert endpoint_of("hook", HOOK) is HOOK["hook"]
    with pytest.raises(Fault) as caught:
        check_reference("hok", HOOK)
    assert (caught.value.where, caught.value.what) == ("endpoint", 'there is no endpoint "hok"')
    assert caught.value.right == "endpoints: hook"
    with pytest.raises(Fault, match="none is declared"):
        check_reference("hook", {})
    with pytest.raises(Permanent, match="there is no endpoint hok"):
        endpoint_of("hok", HOOK)
