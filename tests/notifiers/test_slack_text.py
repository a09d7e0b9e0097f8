"""What comes out of an alert is plain text in Slack, whatever it holds, and never more than Slack takes."""

import re
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from paramedic.plugin import MessageText, Reply, Tools
from tests.contract.plugin_scene import Wire, at_once
from tests.notifiers.slack_scene import LINES, LINK, NOTIFIER, detail, root
from tests.vendors.slack import CHANNEL, POST, TOKEN, UPDATE, check_message, shown, texts_of

FINE = msgspec.json.encode({"ok": True, "channel": CHANNEL, "ts": "1.0"})
HOSTILE = [
    "<!channel>",
    "<!here|all of you>",
    "<@U0123456789>",
    "<https://evil.example|paramedic>",
    "*bold* _it_ ~gone~ `code` ```block```",
    "&lt;!channel&gt;",
    ":rotating_light:",
    "> quoted",
    "@channel #general",
    "a\r\nb\u2028c\x00d\u202ee\ud800",
]


def sent(message: MessageText) -> dict[str, Any]:
    """The request that a message becomes; it must be one that Slack takes."""
    wire = Wire([Reply(200, {}, FINE)])
    at_once(
        NOTIFIER.post(message, {}, Tools(http=wire, setting=lambda name: TOKEN if name == "SLACK_BOT_TOKEN" else ""))
    )
    body: dict[str, Any] = msgspec.json.decode(wire.asked[0]["body"])
    check_message(body, UPDATE if "ts" in body else POST)
    return body


@pytest.mark.parametrize("hostile", HOSTILE)
@pytest.mark.parametrize("make", [lambda text: root(lines=(text, text, text)), lambda text: detail("C01/1.0", text)])
def test_an_alert_can_neither_mention_link_nor_format(hostile: str, make: Any) -> None:
    body = sent(make(hostile))
    texts = [text for block in body["blocks"] for text in texts_of(block)]
    ours = [text for text in texts if text["type"] != "plain_text"]

    assert all(text["emoji"] is False for text in texts if text not in ours)
    assert [text["text"] for text in ours] == ([f"<{LINK}|INC-12>"] if "thread_ts" not in body else [])
    for text in [body["text"], *(text["text"] for text in texts if text not in ours)]:
        assert not re.search(r"[<>]|&(?!amp;|lt;|gt;)", text)
        assert "".join(text.split("\n")).isprintable()
    assert body["parse"] == "none"
    assert body["unfurl_links"] is body["unfurl_media"] is False


def test_an_edit_is_what_chat_update_takes() -> None:
    body = sent(root("C01/1.0"))

    assert (body["channel"], body["ts"]) == ("C01", "1.0")
    assert body["blocks"]


def test_a_link_cannot_break_out_of_its_brackets() -> None:
    body = sent(root(link="https://x.example/a|b>c&d e"))

    assert body["blocks"][-1]["elements"][-1]["text"] == "<https://x.example/a%7Cb&gt;c&amp;d%20e|INC-12>"


def test_without_an_address_of_the_console_the_incident_is_only_named() -> None:
    body = sent(root(link=""))

    assert body["blocks"][-1]["elements"][-1] == {"type": "plain_text", "text": "INC-12", "emoji": False}


@pytest.mark.parametrize(("length", "kind"), [(150, "header"), (151, "section")])
def test_a_title_is_a_header_as_long_as_slack_takes_it(length: int, kind: str) -> None:
    assert sent(root(lines=("x" * length, "y", "z")))["blocks"][0]["type"] == kind


@pytest.mark.parametrize(("length", "shown_length"), [(3000, 3000), (3001, 3000)])
def test_a_text_is_cut_at_its_limit(length: int, shown_length: int) -> None:
    text = sent(root(lines=("t", "x" * length, "")))["blocks"][1]["text"]["text"]

    assert len(text) == shown_length
    assert text.endswith("…") is (length > shown_length)


def test_a_text_is_never_cut_inside_an_entity() -> None:
    for length in range(2990, 3003):
        text = sent(root(lines=("t", "x" * (length - 600) + "&" * 300, "")))["blocks"][1]["text"]["text"]
        assert re.fullmatch(r"x+(&amp;)+…", text)
        assert len(text) <= 3000


def test_many_lines_become_few_sections_and_what_is_too_much_is_counted() -> None:
    lines = [f"{n:03} " + "x" * 500 for n in range(40)]
    body = sent(detail("C01/1.0", *lines))
    said = shown(body).splitlines()

    assert len(body["blocks"]) == 4
    assert said[-1] == f"{40 - (len(said) - 1)} more in the timeline"
    assert said[:-1] == lines[: len(said) - 1]
    assert body["text"].startswith("000 x")


TEXTS = st.text(st.sampled_from("a<>&*_`~\n\u202e\U0001f600é") | st.characters(), max_size=5000)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(TEXTS, TEXTS, TEXTS, st.lists(TEXTS, max_size=25))
def test_whatever_a_message_says_slack_takes_it(title: str, doing: str, foot: str, lines: list[str]) -> None:
    sent(root(lines=(title, doing, foot)))
    sent(root("C01/1.0", lines=(title, doing, foot)))
    sent(detail("C01/1.0", *lines))


def test_what_people_read_is_what_was_meant() -> None:
    lines = ("P1 · a<b & c>d · responding", LINES[1], "")

    assert shown(sent(root(lines=lines, link=""))).splitlines() == [lines[0], lines[1], "INC-12"]
