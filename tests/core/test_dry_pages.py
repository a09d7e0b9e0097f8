"""A page that reached nobody, because its notifier has no credentials: it counts as sent, and is said once."""

from dataclasses import replace

from paramedic.core.bundle import Level
from paramedic.core.effects import Page
from paramedic.core.events import Paged
from paramedic.core.outgoing import Paging
from tests.core.builders import MINUTE, bundle, firing, people, policy
from tests.core.story import Story

DRY = "dry: PAGERDUTY_ROUTING_KEY is not set"


def paging(receipt: str) -> Story:
    """Alice and bob are paged at once through PagerDuty, carol later."""
    staff = {name: replace(person, notifier="pagerduty") for name, person in people().items()}
    levels = (Level(0.0, ("alice", "bob"), ("alice-mail",)), Level(15 * MINUTE, ("carol",)))
    story = Story(bundle(policies=(policy(levels=levels),), staff=staff))
    story.deliver(firing())
    story.judge()
    for _ in range(3):
        while story.open_effects(Page):
            page = story.open_effects(Page)[0]
            story.fold(Paged(story.now, story.mode, page.n, receipt=receipt))
        story.wait(16 * MINUTE)
    return story


def notes(story: Story) -> list[tuple[str, str]]:
    return [(entry.text, entry.note) for _, entry in story.entries if "reached nobody" in entry.text]


def test_it_is_said_once_with_the_reason() -> None:
    story = paging(DRY)

    assert notes(story) == [("level 1 alice reached nobody: PAGERDUTY_ROUTING_KEY is not set", "pagerduty (dry)")]
    assert story.incident.paging.dry == ("pagerduty",)


def test_it_counts_as_sent() -> None:
    story = paging(DRY)

    assert [to for _, to in story.paged()] == ["alice", "bob", "carol"]
    assert story.incident.paging.level == 2


def test_what_was_sent_is_not_said_to_be_dry() -> None:
    story = paging("202")

    assert notes(story) == []
    assert story.incident.paging.dry == Paging().dry


def test_the_log_says_itself_that_it_is_dry() -> None:
    assert notes(paging("dry")) == []
