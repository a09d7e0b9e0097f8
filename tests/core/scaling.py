"""Api is scaled for half an hour: what the tests of changes for a time begin with."""

from typing import Any

from paramedic.core.model import Claim
from paramedic.core.words import Once, Purpose
from tests.core import builders
from tests.core.builders import book, bundle, check, firing, resolved, step
from tests.core.story import Story, yes

KEY = "INC-1/1/1/1"
HALF_HOUR = 1800.0
BUDGET, POOL = Claim("budget/shop", 5, 3600.0), Claim("pool/shop")


def scaled(*, lasts: float = HALF_HOUR, **about: Any) -> Story:
    """Api was scaled for half an hour, and that helped; the alert still fires."""
    story = Story(bundle(book(steps=(step("scale", once=Once.CAS, verify=(check(within=5),), **about),))))
    return scale(story, lasts)


def scale(story: Story, lasts: float = HALF_HOUR, *, replicas: int = 6, before: int = 3) -> Story:
    story.deliver(firing(starts=(story.now - builders.T0).total_seconds()))
    story.judge(yes("still_firing", BUDGET, POOL))
    story.plan(f"api from {before} to {replicas}", undo={"replicas": before, "was": replicas}, lasts=lasts)
    story.apply(summary=f"api has {replicas}")
    story.check()
    return story


def clear(story: Story) -> Story:
    """Nobody waits for a page, and the alert is over, now."""
    story.send_all()
    story.deliver(resolved(ends=(story.now - builders.T0).total_seconds() + 0.5))
    story.send_all()
    return story


def due(story: Story) -> Story:
    """Its time is over and the alert has been clear for long: it is being taken back."""
    clear(story).wait(HALF_HOUR)
    assert story.run.purpose is Purpose.EXPIRE
    return story
