"""Rules that page late: `page: {after: 5m, unless: fixed}`."""

import pytest

from paramedic.core.effects import Page
from paramedic.core.words import Answer, Outcome
from tests.core.builders import (
    HOUR,
    bundle,
    firing,
    resolved,
    rule,
    verified,
)
from tests.core.story import Story, deny


def late(unless: bool = False) -> Story:
    return Story(bundle(verified(), rules=(rule(page_after=300.0, page_unless_fixed=unless),)))


def test_a_rule_may_page_late() -> None:
    story = late()
    story.deliver(firing())
    story.judge(deny())

    story.wait(299)
    assert story.paged() == []
    story.wait(1)

    assert story.paged() == [(1, "alice")]
    assert story.one(Page).text.endswith("not treated: still_firing: no longer firing")


def test_over_by_then_it_pages_nobody() -> None:
    story = late()
    story.deliver(firing())
    story.deliver(resolved(ends=100))

    story.wait(HOUR)

    assert story.all_of(Page) == []


def test_a_treatment_that_did_not_help_does_not_wait_for_the_late_page() -> None:
    story = late()
    story.until_verifying()
    story.wait(100)

    story.check(Answer.UNKNOWN)
    story.wait(200)
    story.wait(400)
    story.check(Answer.FAIL)

    assert story.ended.outcome is Outcome.INEFFECTIVE
    assert story.paged() == [(1, "alice"), (2, "bob")]


@pytest.mark.parametrize(("unless", "paged"), [(True, []), (False, [(1, "alice")])])
def test_unless_fixed_gives_a_fix_time_to_show(unless: bool, paged: list[tuple[int, str]]) -> None:
    """Every check has passed; that the alert clears may take its source another interval to say."""
    story = late(unless)
    story.until_verifying()
    story.wait(280)
    story.check()
    assert story.ended.outcome is Outcome.FIXED

    story.wait(60)
    assert story.paged() == paged
    story.deliver(resolved(ends=330))
    story.wait(HOUR)

    assert story.paged() == paged


def test_unless_fixed_pages_all_the_same_where_the_alert_goes_on() -> None:
    story = late(unless=True)
    story.until_verifying()
    story.wait(280)
    story.check()

    story.wait(HOUR)

    assert story.paged()[0] == (1, "alice")
    assert story.said("nobody yet: it is fixed, unless the alert still fires in 5m40s")
