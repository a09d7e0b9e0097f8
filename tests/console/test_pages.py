"""The pages say what is going on and what happened, in plain words, and never run or show what an alert smuggles in."""

import re
from datetime import timedelta
from html.parser import HTMLParser
from importlib.resources import files
from typing import Any

import pytest

from paramedic.console import pages as under_test
from paramedic.core.decision import Entry
from paramedic.core.model import Approval, Ask, Change, Exemplar, Firing, Paging, Temporary, Verdict
from paramedic.core.words import Answer, Outcome, Phase, Severity, Stage
from paramedic.store.connect import Connection
from tests.console.seed import HOSTILE, NOW, an_incident, approval, keep_evidence, paged, past, run, told, write
from tests.console.serving import Serving

ELSEWHERE = {"Host": "paramedic.example.org"}


class Read(HTMLParser):
    """A page as a browser takes it: its elements, the text people see, the text of each element with an id."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(html)
        self.text = " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """The attributes of every element of this kind."""
        return [attributes for name, attributes in self.tags if name == tag]


async def read(console: Serving, path: str = "/", status: int = 200) -> Read:
    return Read(await console.page(path, status))


async def test_nothing_is_going_on(bare: Serving) -> None:
    page = await read(bare)

    assert "Waiting for a person 0 Nothing waits for you." in page.text
    assert "Open, in hand 0 No incident is open." in page.text
    assert "There was none yet." in page.text


async def test_what_waits_for_a_person_is_on_top(console: Serving, seeding: Connection) -> None:
    await write(
        seeding,
        an_incident(1, severity=Severity.P0, run=run()),
        paged(2, 1, severity=Severity.P3),
        approval(3, severity=Severity.P2),
        an_incident(4, open=False, phase=Phase.REVIEWED, fixed_by="paramedic"),
    )

    page = await read(console)
    order = [str(row["id"]) for row in page.all("li")]

    assert order == ["INC-3", "INC-2", "INC-1", "INC-4"]
    assert "Waiting for a person 2" in page.text
    assert "waits for an approval of INC-3.1 until 02:41: image api:42 → api:41" in page.text
    assert "paramedic runs approve INC-3.1" in page.text
    assert "Open, in hand 1" in page.text
    assert "fixed by paramedic" in page.text
    assert "open 3m" in page.text
    assert "<title>(2) Incidents - Paramedic</title>" in await console.page("/")


async def test_what_is_resolved_is_over_though_it_may_come_back(console: Serving, seeding: Connection) -> None:
    await write(seeding, an_incident(1, phase=Phase.RESOLVED, severity=Severity.P0, fixed_by="itself"), an_incident(2))

    page = await read(console)

    assert [row["id"] for row in page.all("li")] == ["INC-2", "INC-1"]
    assert "Open, in hand 1" in page.text


async def test_an_approval_is_on_top_even_if_the_list_is_too_long_for_it(
    console: Serving, seeding: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(under_test, "OPEN", 2)
    await write(seeding, *(an_incident(n, severity=Severity.P0) for n in (1, 2, 3)), approval(9, severity=Severity.P3))

    page = await read(console)

    assert [row["id"] for row in page.all("li")] == ["INC-9", "INC-3", "INC-2"]
    assert "in hand 2 and more" in page.text
    assert "/?open=true" in [link["href"] for link in page.all("a")]


async def test_older_ones_are_a_link_away(
    console: Serving, seeding: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(under_test, "PAST", 2)
    await write(seeding, *(an_incident(n, open=False) for n in range(1, 5)))

    older = next(str(link["href"]) for link in (await read(console)).all("a") if "cursor" in str(link["href"]))
    page = await read(console, older)

    assert [row["id"] for row in page.all("li")] == ["INC-3", "INC-4"]


async def test_a_search(console: Serving, seeding: Connection) -> None:
    await write(seeding, an_incident(1, title="Down shop/payments"), an_incident(2))

    page = await read(console, "/?q=payments")

    assert [row["id"] for row in page.all("li")] == ["INC-1"]
    assert "payments" in [field.get("value") for field in page.all("input")]
    assert "None found." in (await read(console, "/?q=nothing+like+it")).text


async def test_a_wrong_search_is_a_page_that_says_so(bare: Serving) -> None:
    page = await read(bare, "/?severity=P9", 400)

    assert "This request is wrong" in page.text
    assert "severity: Input should be 'P0', 'P1', 'P2' or 'P3'" in page.text


async def test_what_happened_in_one_incident(console: Serving, seeding: Connection) -> None:
    about = await keep_evidence(seeding, "logs of api", b"x")
    rows = [
        (Entry("alert", "HighErrorRate shop/api is firing (critical)", "alertmanager main"),),
        (Entry("guards", "7 of 7 allow", "playbook roll-back-bad-change", seen={"age": "4m", "n": [1]}),),
        (Entry("plan", "roll back deployment/api.shop", evidence=(about,)),),
        (Entry("note", "called the vendor", who="alice"), Entry("acknowledged", "by bob", who="bob")),
    ]
    await write(seeding, an_incident(7, severity=Severity.P1, previous=3, owner="carol"), rows=rows)

    html = await console.page("/incidents/INC-7")
    page = Read(html)

    assert [entry["id"] for entry in page.all("li")] == ["e1", "e2", "e3", "e4", "e5"]
    assert "02:24:00 alert HighErrorRate shop/api is firing (critical) alertmanager main" in page.text
    assert '"age": "4m"' in page.text
    assert f"/api/v1/evidence/{about.digest}" in [link["href"] for link in page.all("a")]
    assert "called the vendor by alice" in page.text
    assert "by bob by bob" not in page.text
    assert "The record is whole: 5 entries" in page.text
    assert "/incidents/INC-3" in [link["href"] for link in page.all("a")]
    assert "Tuesday 12 May 2026" in page.text
    assert "Owner carol" in page.text
    assert len(page.all("details")) == 3, "two pieces of evidence and the alert, all folded"
    assert not [each for each in page.all("details") if "open" in each]


async def test_a_plan_that_waits_for_an_approval_is_shown_before_and_after(
    console: Serving, seeding: Connection
) -> None:
    after = {"uid": "u-1", "replicas": 3, "spec": {"a": [1]}}
    change = Change("scale", after, {"replicas": 2, "paused": True}, None, "d1" * 32)
    await write(seeding, approval(7), an_incident(8, run=run(Stage.APPROVAL, change=change)))

    shown, other = await read(console, "/incidents/7"), await read(console, "/incidents/8")

    assert "what before after image api:42 api:41 It can be taken back." in shown.text
    assert [each for each in shown.all("details") if each.get("id") == "plan" and "open" in each]
    assert "what before after replicas 2 3 paused true The request itself" in other.text
    assert 'what before after uid u-1 spec { "a": [ 1 ] } It cannot be taken back.' in other.text
    assert [each for each in other.all("details") if each.get("id") == "patch" and "open" not in each]
    assert not [each for each in shown.all("details") if each.get("id") == "patch"], "nothing is folded"


async def test_runs_that_ended_and_alerts(console: Serving, seeding: Connection) -> None:
    alert = Exemplar("a", {"alertname": "Down", "job": "api"}, {"summary": "It is down"}, NOW, open=False)
    firing = Firing(open=0, total=2, exemplars=(alert,))
    ended = past(Outcome.REFUSED, "not_firing: KubeAPIDown")
    await write(seeding, an_incident(7, firing=firing, past=(ended,), paging=Paging()))

    page = await read(console, "/incidents/7")

    assert "INC-7.1: restart on main/shop/deployment/api ended refused : not_firing: KubeAPIDown" in page.text
    assert "Down , over, since 02:31:00" in page.text
    assert "summary (annotation) It is down" in page.text
    assert "0 of 2 alerts, source main" in page.text
    assert "nobody: no escalation policy" in page.text


async def test_a_broken_record_is_said_in_red_letters(console: Serving, seeding: Connection) -> None:
    """Promise 8, as a person sees it."""
    await write(seeding, an_incident(7), rows=told("one", "two"))
    await seeding.execute("update timeline set body = '[]' where seq = 2")

    html = await console.page("/incidents/7")

    assert "The record is broken: entry 2 is not what was written" in Read(html).text
    assert 'class="chain red"' in html
    assert "The record is whole" not in html


async def test_a_long_timeline_ends_with_the_newest_and_leads_back(
    console: Serving, seeding: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(under_test, "ENTRIES", 3)
    await write(seeding, an_incident(7), rows=told(*(f"text {n}" for n in range(1, 9))))

    newest = await read(console, "/incidents/7")
    links = [str(link["href"]) for link in newest.all("a") if "after=" in str(link["href"])]
    earlier = await read(console, f"/incidents/7{links[0]}")
    first = await read(console, "/incidents/7?after=0")

    assert [entry["id"] for entry in newest.all("li")] == ["e6", "e7", "e8"]
    assert [entry["id"] for entry in earlier.all("li")] == ["e3", "e4", "e5"]
    assert [entry["id"] for entry in first.all("li")] == ["e1", "e2", "e3"]
    assert "?after=3" in [link["href"] for link in first.all("a")]
    assert "Earlier entries" not in first.text


@pytest.mark.parametrize(
    ("mode", "words"),
    [
        ("freeze", "Mode freeze: nothing is written at all. Set by carol at 02:31:00 until 03:31:00: restore"),
        ("off", "Mode off: no remedy is started."),
        ("shadow", "Mode shadow: plans are told, nothing is changed."),
        ("approve", "Mode approve: every change waits for a person."),
        ("auto", ""),
    ],
)
async def test_a_switch_that_holds_back_is_on_every_page(
    console: Serving, seeding: Connection, mode: str, words: str
) -> None:
    statement = "update switch set mode = $1, who = 'carol', reason = 'restore', at = $2, until = $3"
    await seeding.execute(statement, mode, NOW, NOW + timedelta(hours=1))
    await write(seeding, an_incident(7))

    for path in ("/", "/incidents/7", "/?q=x"):
        text = re.sub(r" (?=[:.])", "", (await read(console, path)).text)
        assert words in text
        assert ("Mode" in text) is (mode != "auto")


HOSTILE_ROWS = [[Entry(HOSTILE, HOSTILE, HOSTILE, HOSTILE, {HOSTILE: [HOSTILE, {HOSTILE: HOSTILE}]})]]


def hostile(number: int) -> Any:
    alert = Exemplar("a", {"alertname": HOSTILE, HOSTILE: HOSTILE}, {HOSTILE: HOSTILE}, NOW)
    change = Change(HOSTILE, {HOSTILE: HOSTILE}, {HOSTILE: [HOSTILE]}, {}, HOSTILE)
    said = Approval(HOSTILE, NOW, HOSTILE, (0,))
    asked: Any = {
        "asks": (Ask(2, (HOSTILE,)),),
        "approvals": (said,),
        "answers": {0: Verdict("budget", Answer.ALLOW, HOSTILE)},
    }
    return an_incident(
        number,
        key=HOSTILE,
        title=HOSTILE,
        source=HOSTILE,
        rule=HOSTILE,
        owner=HOSTILE,
        parked=HOSTILE,
        firing=Firing(open=1, total=1, exemplars=(alert,)),
        run=run(Stage.APPROVAL, change=change, playbook=HOSTILE, target=HOSTILE, approved_by=HOSTILE, **asked),
        past=(past(Outcome.FAILED, HOSTILE),),
        paging=Paging(policy=HOSTILE, level=1, acked_by=HOSTILE),
    )


async def test_no_word_of_an_alert_becomes_part_of_a_page(console: Serving, seeding: Connection) -> None:
    await write(seeding, hostile(7), rows=HOSTILE_ROWS)
    await write(seeding, an_incident(8))
    await seeding.execute("update switch set mode = 'off', who = $1, reason = $1, at = now()", HOSTILE)
    plain = await read(console, "/incidents/8")

    for path in ("/", "/incidents/7", "/?q=%3Cscript%3E", "/?q=%22%3E%3Cscript%3Ealert(1)%3C/script%3E"):
        html = await console.page(path)
        page = Read(html)
        assert len(page.all("script")) == len(plain.all("script")) == 1, path
        assert page.all("script")[0]["src"] == plain.all("script")[0]["src"]
        assert not [name for _, about in page.tags for name in about if name.startswith("on")]
        assert not [about for _, about in page.tags if "style" in about]
        assert all(char.isprintable() or char in "\n\t" for char in html), path
    assert "<script>alert(1)</script>" in (await read(console, "/incidents/7")).text


async def test_nothing_inline_and_nothing_from_elsewhere_is_on_a_page(console: Serving, seeding: Connection) -> None:
    await write(seeding, approval(7), rows=told("one"))

    for path in ("/", "/incidents/7", "/?q=x"):
        page = await read(console, path)
        for tag, attributes in page.tags:
            assert tag not in ("style", "iframe", "object", "embed", "base")
            for name in ("src", "href", "action"):
                assert str(attributes.get(name, "/")).startswith(("/", "#", "?")), attributes


async def test_pages_can_be_used_without_eyes_and_without_a_mouse(console: Serving, seeding: Connection) -> None:
    await write(seeding, approval(7), rows=told("one"))

    for path in ("/", "/incidents/7", "/?q=x"):
        page = await read(console, path)
        assert page.all("html")[0]["lang"] == "en"
        assert page.all("a")[0] == {"class": "skip", "href": "#main"}
        assert len(page.all("h1")) == 1
        labelled = {label.get("for") for label in page.all("label")}
        assert {field["id"] for field in page.all("input")} <= labelled
        found = [str(about["id"]) for _, about in page.tags if "id" in about]
        assert len(found) == len(set(found)), "an id is there once"


async def test_styles_and_scripts_are_kept_by_the_browser_until_they_change(bare: Serving) -> None:
    page = await read(bare)
    for address in (*(str(link["href"]) for link in page.all("link")), str(page.all("script")[0]["src"])):
        async with bare.http.get(bare.url + address, headers=ELSEWHERE) as answer:
            assert answer.status == 200
            assert "immutable" in answer.headers["Cache-Control"]
            name = address.partition("?")[0].rpartition("/")[2]
            assert await answer.read() == (files("paramedic.console") / "static" / name).read_bytes()


@pytest.mark.parametrize("name", ["nothing.css", "..%2Fpages.py", "%2e%2e%2fbase.html", "console.css%00"])
async def test_nothing_else_is_handed_out(bare: Serving, name: str) -> None:
    assert "Not found" in (await read(bare, f"/static/{name}", 404)).text


@pytest.mark.parametrize(
    ("path", "status", "words"), [("/incidents/99", 404, "Not found"), ("/incidents/x", 400, "wrong")]
)
async def test_a_page_that_there_is_not(bare: Serving, path: str, status: int, words: str) -> None:
    page = await read(bare, path, status)

    assert words in page.text
    assert "All incidents" in page.text


async def test_what_was_done_for_a_time_stands_on_the_incidents_page(console: Serving, seeding: Connection) -> None:
    until = NOW + timedelta(minutes=20)
    kept = Temporary(1, "r", "p", 0, "t", "INC-7/1/1/1", f"api {HOSTILE}", {}, NOW, until, told=True)
    await write(seeding, an_incident(7, temporaries=(kept,)))

    page = await read(console, "/incidents/INC-7")

    assert "Changes for a time INC-7.1: api" in page.text
    assert "could not be taken back so far" in page.text
    assert not [one for one in page.all("script") if "src" not in one]
