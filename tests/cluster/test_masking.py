"""What looks like a secret is hidden; what does not is left, so that logs stay readable."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paramedic.cluster.masking import HIDDEN, masked, masked_tree, shown

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("password=hunter2", "password=(hidden)"),
        ("PASSWORD: hunter2 next", "PASSWORD: (hidden) next"),
        ("db_password = 'hunter 2', port=5", "db_password = (hidden), port=5"),
        ('{"password":"hunter2","port":5}', '{"password":(hidden),"port":5}'),
        ('{\\"apiKey\\":\\"k-123\\"}', '{\\"apiKey\\":(hidden)}'),
        ("--token=abc --verbose", "--token=(hidden) --verbose"),
        ("SECRET_KEY_BASE=abc", "SECRET_KEY_BASE=(hidden)"),
        ("Authorization: Bearer abcdefghijklmnopqrst", "Authorization: (hidden) (hidden)"),
        ("sent bearer abcdefghijklmnopqrst to it", "sent bearer (hidden) to it"),
        ("GET https://api:hunter2@shop.example/x", "GET https://(hidden)@shop.example/x"),
        (f"jwt {JWT} given", "jwt (hidden) given"),
        ("key AKIAABCDEFGHIJKLMNOP given", "key (hidden) given"),
        ("xoxb-123456789-abc and ghp_abcdefghijklmnopqrstuv", "(hidden) and (hidden)"),
        ("-----BEGIN RSA PRIVATE KEY-----\nabc\ndef\n-----END RSA PRIVATE KEY-----\nafter", "(hidden)\nafter"),
        ("before -----BEGIN PRIVATE KEY-----\nabc", "before (hidden)"),
        ("Set-Cookie: id=5; path=/", "Set-Cookie: (hidden); path=/"),
    ],
)
def test_a_secret_is_hidden(text: str, left: str) -> None:
    assert masked(text) == left


@pytest.mark.parametrize(
    "text",
    [
        "GET /orders 500 in 12 ms",
        "fatal: no such table: orders",
        "user alice signed in from 10.0.0.1:5432",
        "https://shop.example/a@b",
        "basic authentication failed",
        "the secret was not found",
    ],
)
def test_what_is_none_is_left(text: str) -> None:
    assert masked(text) == text


@given(st.binary(max_size=2000))
def test_whatever_was_written_is_shown_as_printable_lines(raw: bytes) -> None:
    assert all(char.isprintable() or char == "\n" for char in shown(raw))


@pytest.mark.parametrize(
    "piece",
    [
        "token",
        "-eyJ",
        "eyJaaaaaaaa.",
        "://",
        "-----BEGIN PRIVATE KEY-----",
        "password='",
        'pwd=\\"',
        "Bearer ",
        "secret-",
    ],
)
def test_no_text_takes_long(piece: str) -> None:
    """A log is written by whoever runs there; masking it must not hold everything else up."""
    text = piece * (64 * 1024 // len(piece))
    began = time.perf_counter()
    masked(text)

    assert time.perf_counter() - began < 3


def test_a_tree_keeps_its_shape_and_hides_environments_and_whatever_looks_like_a_secret() -> None:
    env = [{"name": "PLAIN", "value": "hunter2"}, {"name": "REF", "valueFrom": {"fieldRef": {"fieldPath": "a"}}}]
    container = {
        "name": "api",
        "image": "registry.example/secret-santa:42",
        "args": ["--port=80", "--password=hunter2"],
        "env": env,
        "replicas": 3,
        "apiKey": "hunter2",
    }
    tree = {"op": "replace", "path": "/spec/template", "value": {"containers": [container]}}

    assert masked_tree(tree)["value"]["containers"] == [
        container
        | {
            "args": ["--port=80", "--password=(hidden)"],
            "env": [{"name": "PLAIN", "value": HIDDEN}, env[1]],
            "apiKey": HIDDEN,
        }
    ]
    assert (masked_tree(tree)["op"], masked_tree(tree)["path"]) == ("replace", "/spec/template")
