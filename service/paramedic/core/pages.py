"""One page: triggered, answered, tried again, resolved. Which pages there are to be, and when, is `escalation`.

Called by `escalation`, and by `decide` for `Paged`. Pages to one person leave in the order in which they are asked for,
so that a resolve never overtakes its trigger.
"""

from paramedic.core.bundle import Person
from paramedic.core.draft import Draft
from paramedic.core.effects import Effect, Page, Verb
from paramedic.core.events import Paged
from paramedic.core.model import Incident, Outstanding, Retry, Sent
from paramedic.core.text import one_line
from paramedic.core.words import Kind, Phase

__all__ = ["needed", "paged", "repage", "send", "tell", "trigger"]

_TRIES = 5
_FIRST_WAIT = 5.0

_OPEN = 50
"""Pages of one incident that are open with their notifiers at most."""

_TEXT = 1000


def trigger(draft: Draft, level: int, name: str, position: int, *, second: bool = False, why: str = "") -> None:
    """Page somebody of a level; `name` may be a rota. The first of a level has its plain key."""
    person, paging = _on_call(draft, name), draft.incident.paging
    key = f"{draft.incident.ref}/{paging.generation}/{level}"
    if second or position:
        key += f"/{person.name}"
    _open(draft, Sent(level, person.name, person.notifier, key), second=second)
    to = person.name if person.name == name else f"{person.name} (on call for {name})"
    reason = f": {paging.reason}" if paging.reason else ""
    draft.note("page", f"level {level} {to}{why}{reason}", _by(person))


def tell(draft: Draft, name: str, words: str, text: str) -> None:
    """Page somebody about `text` under a key of its own, whoever has acknowledged; `words` are for the timeline."""
    person, paging = _on_call(draft, name), draft.incident.paging
    key = f"{draft.incident.ref}/{paging.generation}/told/{draft.incident.numbered + 1}"
    _open(draft, Sent(max(1, paging.level), person.name, person.notifier, key), text=text)
    draft.note("page", words, _by(person))


def _by(person: Person) -> str:
    return "dry" if person.notifier == "log" else person.notifier


def _on_call(draft: Draft, name: str) -> Person:
    """The person behind a name: a rota gives whoever has the watch now; an unknown name is told to the log."""
    person = draft.bundle.people.get(name) or Person(name)
    if person.rota is not None:
        on_watch = person.rota.on_call(draft.at)
        person = draft.bundle.people.get(on_watch) or Person(on_watch)
    return person


def _open(draft: Draft, sent: Sent, *, second: bool = False, text: str = "") -> None:
    """Send a page and remember that it is open. Of very many, the oldest is resolved: nobody needs it any more."""
    send(draft, "trigger", sent, second=second, text=text)
    known = (*draft.incident.paging.sent, sent)
    for old in known[:-_OPEN]:
        send(draft, "resolve", old, text="superseded by a later page")
    draft.set_paging(sent=known[-_OPEN:])


def send(draft: Draft, verb: Verb, sent: Sent, *, second: bool = False, tries: int = 1, text: str = "") -> None:
    """Ask for a page; its text is the incident's title and `text`, or else the reason why people are paged."""
    about = text or draft.incident.paging.reason
    words = one_line(f"{draft.incident.title}: {about}" if about else draft.incident.title, _TEXT)

    def page(n: int) -> Effect:
        return Page(n, verb, sent.level, sent.to, sent.notifier, sent.dedup_key, words, second, tries)

    draft.ask(
        page,
        level=sent.level,
        to=sent.to,
        notifier=sent.notifier,
        dedup_key=sent.dedup_key,
        tries=tries,
        verb=verb,
        second=second,
    )


def needed(incident: Incident, dedup_key: str) -> bool:
    """Whether a trigger is still to be sent: when somebody has it, only what they are told.

    When it is over, only what was asked for since: resolving it has closed all pages that there were.
    """
    if incident.phase in (Phase.RESOLVED, Phase.REVIEWED):
        return any(one.dedup_key == dedup_key for one in incident.paging.sent)
    return not incident.paging.acked_by or _told(dedup_key)


def _told(dedup_key: str) -> bool:
    return "/told/" in dedup_key


def paged(draft: Draft, event: Paged) -> None:
    """A page came back. Failed triggers take the second channel at once and are tried again."""
    about = draft.answered(event.n)
    if about is None or about.what != "page":
        return
    failure = event.failure
    if failure is None:
        if about.verb == "trigger":
            _note_dry(draft, about, event.receipt)
            _restart_climb(draft, about)
        return
    if failure.kind is Kind.REFUSED:
        draft.note("page", f"level {about.level} {about.to} not sent: {failure.message}")
        _never_sent(draft, about)
        return
    draft.note("page", f"level {about.level} {about.to} failed: {failure.message}", about.notifier)
    if about.verb == "trigger" and not needed(draft.incident, about.dedup_key):
        return
    if about.verb == "trigger" and about.tries == 1 and not about.second and not _told(about.dedup_key):
        _second_channel(draft, about)
    if failure.kind is Kind.PERMANENT:
        _never_sent(draft, about)
    elif about.tries < _TRIES:
        again = Retry(about.level, about.to, about.notifier, about.dedup_key, about.tries + 1, about.verb)
        draft.set_paging(retries=(*draft.incident.paging.retries, again))
        _repage_in(draft, max(_FIRST_WAIT, failure.delay) * about.tries)


def _note_dry(draft: Draft, about: Outstanding, receipt: str) -> None:
    """Say, once for each notifier, that a page went nowhere and why. The log's pages say so themselves."""
    known = draft.incident.paging.dry
    if receipt.startswith("dry: ") and about.notifier not in known:
        why = receipt.removeprefix("dry: ")
        draft.note("page", f"level {about.level} {about.to} reached nobody: {why}", f"{about.notifier} (dry)")
        draft.set_paging(dry=(*known, about.notifier))


def _restart_climb(draft: Draft, about: Outstanding) -> None:
    """The page went out now: the next level counts from here, if that is earlier than one minute after it was due."""
    policy, paging, timer = draft.policy, draft.incident.paging, draft.incident.timers.get("climb")
    if policy is None or timer is None or about.level != paging.level or about.level >= len(policy.levels):
        return
    gap = policy.levels[about.level].after - policy.levels[about.level - 1].after
    if (timer.due - draft.at).total_seconds() > gap:
        draft.timer_in("climb", gap)


def _second_channel(draft: Draft, about: Outstanding) -> None:
    policy = draft.policy
    if policy is None or not 0 < about.level <= len(policy.levels):
        return
    for position, name in enumerate(policy.levels[about.level - 1].second):
        used = {sent.dedup_key for sent in draft.incident.paging.sent}
        person = _on_call(draft, name)
        if f"{draft.incident.ref}/{draft.incident.paging.generation}/{about.level}/{person.name}" not in used:
            trigger(draft, about.level, name, position, second=True, why=" (second channel)")


def _never_sent(draft: Draft, about: Outstanding) -> None:
    """This page does not exist with its notifier: nothing is left to acknowledge or resolve."""
    if about.verb != "trigger":
        return
    key, paging = about.dedup_key, draft.incident.paging
    draft.set_paging(sent=tuple(one for one in paging.sent if one.dedup_key != key))
    for n, other in draft.incident.effects.items():
        if other.what == "page" and other.dedup_key == key:
            draft.answered(n)


def _repage_in(draft: Draft, seconds: float) -> None:
    """One timer for all retries: the earliest decides."""
    timer = draft.incident.timers.get("repage")
    if timer is None or (timer.due - draft.at).total_seconds() > seconds:
        draft.timer_in("repage", seconds)


def repage(draft: Draft) -> None:
    """Send again, under the same keys, what failed."""
    retries = draft.incident.paging.retries
    draft.set_paging(retries=())
    for one in retries:
        sent = Sent(one.level, one.to, one.notifier, one.dedup_key)
        send(draft, one.verb, sent, tries=one.tries)
