"""Stories with audiences: a plan, and what a notifier answers to its messages."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from paramedic.core.bundle import Bundle, Communication, Tell
from paramedic.core.effects import Message
from paramedic.core.events import Messaged
from paramedic.core.model import Failure
from paramedic.core.outgoing import Told
from tests.core.builders import book, bundle, check, firing, rule, step
from tests.core.story import Story

REF = "C01/1.0"
ENGINEERING = Tell("engineering", "slack", "C01")


def told_world(*tell: Tell, **changes: Any) -> Bundle:
    """A bundle whose one rule has a plan of these audiences; its playbook's step is verified."""
    plan = Communication("outage", tell or (ENGINEERING,))
    books = (book(steps=(step(verify=(check(),)),)),)
    world = bundle(*books, rules=(rule(communication="outage", **changes),))
    return replace(world, communication={"outage": plan})


def telling(*tell: Tell, **changes: Any) -> Story:
    return Story(told_world(*tell, **changes))


def treated(*tell: Tell) -> Story:
    """An alert fires and is treated; its check waits."""
    story = telling(*tell)
    story.deliver(firing())
    story.judge()
    story.plan()
    story.apply()
    return story


def under_way(story: Story, audience: str = "") -> Message:
    """The one message that is on its way (to an audience)."""
    found = [one for one in story.open_effects(Message) if audience in ("", one.audience)]
    assert len(found) == 1, [one.audience for one in found]
    return found[0]


def arrive(story: Story, audience: str = "", *, ref: str = REF, failed: Failure | None = None) -> Message:
    """It arrives, or does not."""
    message = under_way(story, audience)
    story.fold(Messaged(story.now, story.mode, message.n, ref="" if failed else ref, failure=failed))
    return message


def pass_time(story: Story, seconds: float) -> list[Message]:
    """Let time pass, and every message arrive as soon as it is asked for; all of them."""
    sent: list[Message] = []
    until = story.now + timedelta(seconds=seconds)
    while story.now < until:
        timer = story.incident.timers.get("message")
        due = min(until, story.now + timedelta(minutes=1), timer.due if timer else until)
        story.wait((due - story.now).total_seconds())
        while story.open_effects(Message):
            message = story.open_effects(Message)[0]
            story.fold(Messaged(story.now, story.mode, message.n, ref=REF))
            sent.append(message)
    return sent


def told(story: Story, audience: str = "engineering") -> Told:
    return story.incident.told[audience]


def texts(messages: list[Message]) -> list[str]:
    """What messages say, as one text each."""
    return ["\n".join(one.lines) for one in messages]
