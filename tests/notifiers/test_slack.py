"""Notifier `slack` over the real HTTP client: one root, edited, its details in its thread, and nothing said twice."""

import logging
from dataclasses import replace
from pathlib import Path

import pytest

from paramedic.errors import Missing, ParamedicError, Permanent, Temporary, UnknownOutcome
from paramedic.plugin import Tools
from tests.contract.plugin_scene import PAGE, Wire, at_once
from tests.notifiers.slack_scene import KEY, LINES, LINK, NOTIFIER, detail, root, workspace
from tests.vendors.slack import CHANNEL, TOKEN, shown
from tests.vendors.tls import trusted
from tests.vendors.vendor import Mood


async def test_a_root_is_posted_once_and_then_edited() -> None:
    async with workspace() as (slack, tools):
        ref = await NOTIFIER.post(root(), {}, tools)
        again = await NOTIFIER.post(root(ref, ("P1 · x · resolved", "Fixed by paramedic in 2m45s", "")), {}, tools)

    assert ref == again == f"{CHANNEL}/{slack.roots()[0]['ts']}"
    assert [shown(one) for one in slack.roots()] == [
        f"P1 · x · resolved\nFixed by paramedic in 2m45s\n<{LINK}|INC-12>",
    ]


async def test_a_root_as_people_see_it() -> None:
    async with workspace() as (slack, tools):
        await NOTIFIER.post(root(), {}, tools)

    assert shown(slack.roots()[0]).splitlines() == [*LINES, f"<{LINK}|INC-12>"]
    assert slack.roots()[0]["text"] == f"{LINES[0]} · {LINES[1]}"
    assert slack.roots()[0]["metadata"] == {
        "event_type": "paramedic_message",
        "event_payload": {"incident": "INC-12", "audience": "engineering", "key": KEY},
    }


async def test_details_stand_in_its_thread() -> None:
    async with workspace() as (slack, tools):
        ref = await NOTIFIER.post(root(), {}, tools)
        assert await NOTIFIER.post(detail(ref, "02:14:07 alert: x", "02:14:08 guards: y"), {}, tools) == ref
        assert await NOTIFIER.post(detail(ref, "02:14:52 check: z", part=2), {}, tools) == ref

    assert len(slack.roots()) == 1
    assert slack.thread() == ["02:14:07 alert: x\n02:14:08 guards: y", "02:14:52 check: z"]


async def test_a_root_that_somebody_deleted_is_posted_anew() -> None:
    async with workspace() as (slack, tools):
        ref = await NOTIFIER.post(root(), {}, tools)
        slack.channels[CHANNEL].messages.clear()
        anew = await NOTIFIER.post(root(ref), {}, tools)

    assert anew != ref
    assert len(slack.roots()) == 1


async def test_a_detail_of_a_root_that_is_gone_is_given_up() -> None:
    async with workspace() as (slack, tools):
        ref = await NOTIFIER.post(root(), {}, tools)
        slack.channels[CHANNEL].messages.clear()
        with pytest.raises(Missing, match="thread_not_found"):
            await NOTIFIER.post(detail(ref, "x"), {}, tools)

    assert slack.channels[CHANNEL].messages == []


async def test_over_tls(tmp_path: Path) -> None:
    with trusted():
        async with workspace(tmp_path) as (slack, tools):
            assert await NOTIFIER.post(root(), {}, tools)

    assert slack.url.startswith("https://")
    assert len(slack.roots()) == 1


# -- doubt ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mood", ["lost", "reset", "broken", "slow"])
async def test_after_an_answer_that_never_came_it_is_looked_for_first(
    mood: Mood, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether it had been posted or not: afterwards it stands there once, with the newest text."""
    monkeypatch.setattr("paramedic.clients.slack._WRITE", 0.3)
    async with workspace() as (slack, tools):
        slack.moods = [mood]
        with pytest.raises(UnknownOutcome):
            await NOTIFIER.post(root(), {}, tools)
        assert len(slack.roots()) == (mood == "lost")
        ref = await NOTIFIER.post(root(lines=("newer", "", ""), doubtful=True), {}, tools)

    assert [one["ts"] for one in slack.roots()] == [ref.partition("/")[2]]
    assert shown(slack.roots()[0]).startswith("newer")


async def test_a_detail_is_looked_for_in_its_thread() -> None:
    async with workspace() as (slack, tools):
        ref = await NOTIFIER.post(root(), {}, tools)
        for expected in (1, 1, 2):
            slack.moods = ["lost"] if expected == 1 else []
            part = detail(ref, "x", part=expected)
            if not slack.thread():
                with pytest.raises(UnknownOutcome):
                    await NOTIFIER.post(part, {}, tools)
            slack.moods = []
            assert await NOTIFIER.post(replace(part, doubtful=True), {}, tools) == ref
            assert len(slack.thread()) == expected


async def test_it_is_found_on_a_later_page_and_among_others() -> None:
    async with workspace() as (slack, tools):
        ref = await NOTIFIER.post(root(), {}, tools)
        for n in range(40):
            slack.channels[CHANNEL].messages.append({"ts": f"{1_700_000_100 + n}.0", "text": "people talk"})
        assert await NOTIFIER.post(root(doubtful=True), {}, tools) == ref

    reads = [sent for method, sent in slack.requests if method == "conversations.history"]
    assert [sent.get("cursor", "") for sent in reads] == ["", "15=", "30="]
    assert all(sent["include_all_metadata"] == "true" for sent in reads)


async def test_it_does_not_look_for_ever() -> None:
    """A channel that is all talk: what lies behind ten pages is posted again, because twice is better than never."""
    async with workspace() as (slack, tools):
        await NOTIFIER.post(root(), {}, tools)
        for n in range(300):
            slack.channels[CHANNEL].messages.append({"ts": f"{1_700_000_100 + n}.0", "text": "people talk"})
        await NOTIFIER.post(root(doubtful=True), {}, tools)

    assert sum(method == "conversations.history" for method, _ in slack.requests) == 10
    assert sum("metadata" in one for one in slack.roots()) == 2


async def test_what_is_older_than_the_first_try_is_not_read() -> None:
    async with workspace() as (slack, tools):
        slack.channels[CHANNEL].messages = [{"ts": "1600000000.0", "text": "long ago"}] * 100
        await NOTIFIER.post(root(doubtful=True), {}, tools)

    assert sum(method == "conversations.history" for method, _ in slack.requests) == 1
    assert slack.requests[0][1]["oldest"] == "1699999700.000000"


async def test_pages_that_are_too_long_to_read_are_read_in_smaller_ones() -> None:
    async with workspace() as (slack, tools):
        ref = await NOTIFIER.post(root(), {}, tools)
        talk = [{"ts": f"{1_700_000_100 + n}.0", "text": "x" * 12_000} for n in range(10)]
        slack.channels[CHANNEL].messages += talk
        assert await NOTIFIER.post(root(doubtful=True), {}, tools) == ref

    assert [sent["limit"] for method, sent in slack.requests if "history" in method] == ["15", "7", "3", "3", "3", "3"]


async def test_a_bot_that_may_not_look_posts_again_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    async with workspace() as (slack, tools):
        await NOTIFIER.post(root(), {}, tools)
        slack.scopes = {"chat:write"}
        await NOTIFIER.post(root(doubtful=True), {}, tools)

    assert len(slack.roots()) == 2
    assert "needs channels:history" in caplog.text


async def test_somebody_elses_message_is_not_taken_for_ours() -> None:
    async with workspace() as (slack, tools):
        other = {"event_type": "deploy", "event_payload": {"key": KEY}}
        slack.channels[CHANNEL].messages.append({"ts": "1700000001.0", "text": "x", "metadata": other})
        await NOTIFIER.post(root(doubtful=True), {}, tools)

    assert len(slack.roots()) == 2


# -- refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        ("channel_not_found", Permanent, "there is no such channel or user that the bot can see (channel_not_found"),
        ("not_in_channel", Permanent, "the bot is not in the channel: invite it"),
        ("is_archived", Permanent, "the channel is archived"),
        ("invalid_auth", Permanent, "Slack does not accept the token in SLACK_BOT_TOKEN"),
        ("missing_scope", Permanent, "needs channels:history"),
        ("something_new", Permanent, "Slack refuses (something_new from chat.postMessage)"),
        ("rate_limited", Temporary, "rate_limited"),
        ("service_unavailable", Temporary, "service_unavailable"),
        ("internal_error", UnknownOutcome, "internal_error"),
    ],
)
async def test_what_slack_says_with_status_200(error: str, kind: type[ParamedicError], words: str) -> None:
    async with workspace() as (slack, tools):
        slack.errors = [error]
        with pytest.raises(kind) as caught:
            await NOTIFIER.post(root(), {}, tools)

    assert type(caught.value) is kind
    assert words in str(caught.value)


async def test_it_waits_as_long_as_slack_says() -> None:
    async with workspace() as (slack, tools):
        slack.moods, slack.retry_after = ["limited"], "30"
        with pytest.raises(Temporary) as caught:
            await NOTIFIER.post(root(), {}, tools)

    assert caught.value.delay == 30.0


async def test_a_wrong_token_is_told_without_the_token(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        async with workspace(SLACK_BOT_TOKEN=f"{TOKEN}-old") as (_, tools):
            with pytest.raises(Permanent, match="does not accept the token") as caught:
                await NOTIFIER.post(root(), {}, tools)

    assert TOKEN not in caplog.text + str(caught.value)


# -- dry --------------------------------------------------------------------------------------------------------------


def test_without_a_token_it_is_dry() -> None:
    wire = Wire()
    tools = Tools(http=wire)

    assert at_once(NOTIFIER.post(root(), {}, tools)) == "dry: SLACK_BOT_TOKEN is not set"
    assert at_once(NOTIFIER.post(detail("dry: x", "y"), {}, tools)).startswith("dry")
    assert at_once(NOTIFIER.send(PAGE, {}, tools)) == "dry: SLACK_BOT_TOKEN is not set"
    assert wire.asked == []


async def test_once_there_is_a_token_a_dry_root_is_posted() -> None:
    async with workspace() as (slack, tools):
        assert await NOTIFIER.post(detail("dry: x", "y"), {}, tools) == "dry"
        ref = await NOTIFIER.post(root("dry: SLACK_BOT_TOKEN is not set"), {}, tools)

    assert ref.startswith(CHANNEL)
    assert len(slack.roots()) == 1


@pytest.mark.parametrize(
    ("to", "what"),
    [
        ("C0123456789", ""),
        ("G01", ""),
        ("", "slack needs a channel"),
        ("#outages", '"#outages" is not the id of a channel'),
        ("outages", '"outages" is not the id of a channel'),
        ("U0123456789", '"U0123456789" is not the id of a channel'),
        ("C01\n", '"C01" is not the id of a channel'),
        ("С01", '"С01" is not the id of a channel'),  # noqa: RUF001 - a Cyrillic letter, on purpose
    ],
)
def test_a_channel_is_named_by_its_id(to: str, what: str) -> None:
    assert NOTIFIER.address_fault(to)[0] == what


# -- pages ------------------------------------------------------------------------------------------------------------


async def test_a_page_is_a_direct_message() -> None:
    page = replace(PAGE, contact="U07", title="ServiceDown shop/api", text="not treated: <!channel> *now*")
    async with workspace() as (slack, tools):
        for verb in ("trigger", "acknowledge", "resolve"):
            assert (await NOTIFIER.send(replace(page, verb=verb), {}, tools)).startswith("D07/")

    assert [shown(one).splitlines()[0] for one in slack.roots("D07")] == [
        "P1 · ServiceDown shop/api",
        "ServiceDown shop/api: acknowledged",
        "ServiceDown shop/api: resolved",
    ]
    assert "not treated: <!channel> *now*\nlevel 1" in shown(slack.roots("D07")[0])
    assert all(text["type"] == "plain_text" for text in [slack.roots("D07")[0]["blocks"][1]["text"]])


async def test_a_page_that_may_not_have_arrived_is_sent_again() -> None:
    async with workspace() as (slack, tools):
        slack.moods = ["lost"]
        with pytest.raises(Temporary):
            await NOTIFIER.send(replace(PAGE, contact="U07"), {}, tools)


async def test_somebody_who_is_not_there_is_paged_by_the_second_channel() -> None:
    async with workspace() as (_, tools):
        with pytest.raises(Permanent, match="there is no such channel or user"):
            await NOTIFIER.send(replace(PAGE, contact="alice"), {}, tools)
