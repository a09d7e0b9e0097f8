"""Addresses and paths: nothing out of an alert may choose the host, leave the path or stand for everything."""

import pytest
from yarl import URL

from paramedic.clients.url import LONGEST_PATH, address, base_url, path_fault
from paramedic.errors import Fault


@pytest.mark.parametrize(
    ("text", "base"),
    [
        ("http://127.0.0.1:9000", "http://127.0.0.1:9000"),
        ("http://127.0.0.1:9000/", "http://127.0.0.1:9000"),
        ("https://hooks.example.org/restart/", "https://hooks.example.org/restart"),
        ("https://a-b.example/x%20y/z", "https://a-b.example/x%20y/z"),
        ("http://[::1]:8080/x", "http://[::1]:8080/x"),
        ("http://my_service", "http://my_service"),
        ("http://x:65535", "http://x:65535"),
    ],
)
def test_an_address_is_taken_without_its_last_slash(text: str, base: str) -> None:
    assert base_url(text) == base


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is not http://"),
        ("/x", "is not http://"),
        ("127.0.0.1:9000", "is not http://"),
        ("ftp://example.org", "is not http://"),
        ("file:///etc/passwd", "is not http://"),
        ("http://", "is not http://"),
        ("http:///x", "is not http://"),
        ("http://a..b/", "is not http://"),
        ("http://-a/", "is not http://"),
        (f"http://{'a' * 64}.org", "is not http://"),
        ("http://ex ample.org", "is not http://"),
        ("http://example.org\r\n", "is not http://"),
        ("http://example.org\n", "is not http://"),
        ("http://ex\u00e4mple.org", "is not http://"),
        ("http://example.org?x=1", "is not http://"),
        ("http://example.org/#x", "is not http://"),
        ("http://example.org//x", "is not http://"),
        ("http://example.org/../x", 'holds the part "."'),
        ("http://example.org:0/x", "port 0 does not exist"),
        ("http://example.org:65536/x", "port 65536 does not exist"),
        ("http://example.org:port/x", "is not http://"),
        ("https://me:secret@example.org", "holds a user or a password"),
        ("https://me@example.org/x", "holds a user or a password"),
    ],
)
def test_anything_else_is_a_fault_that_says_what_would_be_right(text: str, said: str) -> None:
    with pytest.raises(Fault) as caught:
        base_url(text)

    assert caught.value.where == "url"
    assert said in caught.value.what
    assert caught.value.right
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/act?id=7",
        "/a/b/c.d-e_f~g",
        "/act?id=a%20b&note=%E2%82%AC",
        "/search?q=a//b&up=..",
        "/x:restart",
        "/a/...",
        "/a/.hidden/b..",
        "/shop%2Fapi",
        "/a;v=1/b",
        "/?next=http://other.example/",
        "/" + "a" * (LONGEST_PATH - 1),
    ],
)
def test_a_sound_path(path: str) -> None:
    assert path_fault(path) == ""
    whole = address("http://example.org:8080/base", path)
    url = URL(whole, encoded=True)
    assert (url.host, url.port, url.raw_path_qs) == ("example.org", 8080, "/base" + path)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("", 'does not start with "/"'),
        ("x", 'does not start with "/"'),
        ("@evil.example", 'does not start with "/"'),
        (":9@evil.example", 'does not start with "/"'),
        ("http://evil.example/", 'does not start with "/"'),
        ("?x", 'does not start with "/"'),
        ("\\evil", 'does not start with "/"'),
        (" /x", 'does not start with "/"'),
        ("//evil.example", "has an empty part"),
        ("/hosts//restart", "has an empty part"),
        ("/x\\y", r"holds '\\': percent-encode it"),
        ("/x y", "holds ' ': percent-encode it"),
        ("/x\ty", r"holds '\t': percent-encode it"),
        ("/x\r\nHost: evil", r"holds '\r': percent-encode it"),
        ("/x\n", r"holds '\n': percent-encode it"),
        ("/x\0", r"holds '\x00': percent-encode it"),
        ("/caf\u00e9", r"holds '\xe9': percent-encode it"),
        ("/x\u202ey", r"holds '\u202e': percent-encode it"),
        ("/x\ud800y", r"holds '\ud800': percent-encode it"),
        ("/x#y", "holds '#': percent-encode it"),
        ("/x${y}", "holds '{': percent-encode it"),
        ('/x"y', "holds '\"': percent-encode it"),
        ("/100%", "a % without two hexadecimal digits"),
        ("/%zz", "a % without two hexadecimal digits"),
        ("/x%0d%0aHost:%20evil", "an encoded control character"),
        ("/x?y=%00", "an encoded control character"),
        ("/x?y=%1F", "an encoded control character"),
        ("/x%7f", "an encoded control character"),
        ("/..", 'holds the part "." or ".."'),
        ("/a/./b", 'holds the part "." or ".."'),
        ("/a/../b", 'holds the part "." or ".."'),
        ("/a/%2e%2E/b", 'holds the part "." or ".."'),
        ("/a/..%2f..%2fetc", 'holds the part "." or ".."'),
        ("/a/..%5c..%5cetc", 'holds the part "." or ".."'),
        ("/a/%252e%252e%252fb", 'holds the part "." or ".."'),
        ("/a/..;/b", 'holds the part "." or ".."'),
        ("/" + "a" * LONGEST_PATH, f"is longer than {LONGEST_PATH}"),
    ],
)
def test_an_unsound_path_says_why(path: str, said: str) -> None:
    assert said in path_fault(path)
    if path:
        with pytest.raises(Fault, match="path"):
            address("http://example.org", path)


def test_without_a_path_the_address_is_the_endpoints_own() -> None:
    assert address("https://hooks.example.org/page", "") == "https://hooks.example.org/page"
