"""Pages and messages through their notifiers: an effect as the text that a notifier sends, its answer as an event.

Called by `perform`. Pages and messages go out over connections of their own, so that neither waits for the other.
"""

import asyncio

from paramedic.clock import Clock
from paramedic.core.bundle import Bundle
from paramedic.core.effects import Message, Page
from paramedic.core.events import Messaged, Paged
from paramedic.core.model import Incident
from paramedic.core.text import one_line
from paramedic.core.words import Mode
from paramedic.errors import Permanent
from paramedic.plugin import MessageText, Notifier, PageText, Plugins, Tools

__all__ = ["Notices"]

_MESSAGE = 25.0
"""Seconds for a message: it may take several requests to find out whether an earlier try has arrived."""


class Notices:
    """Sends them. `pages` and `messages` are the ports of either kind."""

    def __init__(self, plugins: Plugins, pages: Tools, messages: Tools, clock: Clock, public_url: str) -> None:
        self._plugins, self._pages, self._messages = plugins, pages, messages
        self._clock, self._public_url = clock, public_url

    async def page(self, incident: Incident, effect: Page, bundle: Bundle, mode: Mode) -> Paged:
        """Send a page. Raises one of the four kinds of errors, or `TimeoutError`."""
        notifier = self._notifier(effect.notifier)
        person = bundle.people.get(effect.to)
        page = PageText(
            verb=effect.verb,
            dedup_key=effect.dedup_key,
            incident=incident.ref,
            severity=incident.severity,
            title=incident.title,
            text=effect.text,
            level=effect.level,
            to=effect.to,
            contact=person.contacts.get(notifier.contact, "") if person else "",
            link=self._link(incident),
        )
        async with asyncio.timeout(notifier.timeout):
            receipt = await notifier.send(page, bundle.endpoints, self._pages)
        return Paged(self._clock.now(), mode, effect.n, receipt=one_line(receipt, 200))

    async def message(self, incident: Incident, effect: Message, bundle: Bundle, mode: Mode) -> Messaged:
        """Post or edit a message. Raises as `page`."""
        notifier = self._notifier(effect.notifier)
        message = MessageText(
            part=effect.part,
            key=effect.key,
            incident=incident.ref,
            audience=effect.audience,
            to=effect.to,
            lines=effect.lines,
            since=effect.since,
            ref=effect.ref,
            doubtful=effect.doubtful,
            link=self._link(incident),
        )
        async with asyncio.timeout(_MESSAGE):
            ref = await notifier.post(message, bundle.endpoints, self._messages)
        return Messaged(self._clock.now(), mode, effect.n, ref=one_line(ref, 200))

    def _notifier(self, name: str) -> Notifier:
        notifier = self._plugins.notifiers.get(name)
        if notifier is None:
            raise Permanent(f'there is no notifier "{name}"')
        return notifier

    def _link(self, incident: Incident) -> str:
        return f"{self._public_url}/incidents/{incident.ref}" if self._public_url else ""
