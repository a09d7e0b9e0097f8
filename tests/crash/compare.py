"""Whether a story that was interrupted came to the same as one that was not: timelines, states, what reached the world.

What may differ is said here and nowhere else: moments, durations, and the lines that tell of the interruption.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence

from paramedic.core.decision import Entry
from paramedic.core.words import Outcome
from tests.crash.came import Came

__all__ = ["differences", "handed_over", "plain"]

MOMENT = re.compile(r"\b\d\d:\d\d:\d\d UTC\b|\b\d{4}-\d\d-\d\dT\S+Z\b")
DURATION = re.compile(r"\b\d+(\.\d+)?(ms|s|m|h|d)(\d+(ms|s|m|h))*\b")

ALLOWED = re.compile(r"(?P<allow>\d+) of (?P<of>\d+) allow( so far| right before the write)?")
"""A line of guards that allow, as far as it counts."""

NUMBER = re.compile(r"\bINC-\d+")

INTERRUPTED = (
    ("unknown", re.compile("the outcome is not known; the (same key is sent again|target is looked at): .*is gone")),
    (
        "apply|undo|expire",
        re.compile(
            r"try \d of \d failed: "
            r"(the process that wrote is gone|this process is no longer the one|it was held up|the switch cannot be)"
        ),
    ),
    ("observe", re.compile("the write is not in effect")),
    ("page", re.compile("level .* may have gone out; sent again under the same key")),
    ("timer", re.compile("the timer .* fired .* late")),
    (
        "late",
        re.compile("the write of .*; by then it had been done under the same key|a page came back at .* it was done"),
    ),
    ("waits", re.compile("target/.* is held by ")),  # whoever was interrupted may come later, or first
)
"""The lines of an interruption: of which kind, and what they say."""

SAYS_LESS = {
    "guards": re.compile(": "),
    "page": re.compile(r": | \| "),
    "run": re.compile("; taken back"),
}
"""Of lines of these kinds only what stands before counts."""


def plain(entries: Sequence[Entry]) -> Mapping[str, Sequence[str]]:
    """The timeline by kinds of lines, without moments and without what tells of an interruption.

    Within a kind the order stays; between kinds it may differ, because pages and runs do not wait for each other. A
    write that is in effect is one whether its answer said so or a look at the target, which says less. Guards may be
    asked again. A page says what was going on when it was sent: that may be more, or less.
    """
    lines: dict[str, list[str]] = defaultdict(list)
    for one in entries:
        if any(re.fullmatch(kind, one.kind) and words.match(one.text) for kind, words in INTERRUPTED):
            continue
        kind, text = _told(one)
        if kind != "guards" or text not in lines[kind]:
            lines[kind].append(text)
    return lines


def _told(one: Entry) -> tuple[str, str]:
    text = f"{one.text} | {one.note}" if one.note else one.text
    text = NUMBER.sub("INC", DURATION.sub("T", MOMENT.sub("MOMENT", text)))
    if one.note.startswith("reserved ") or (one.kind, one.text) == ("observe", "the write is in effect"):
        return "write", "is in effect"
    return one.kind, SAYS_LESS[one.kind].split(text)[0] if one.kind in SAYS_LESS else text


def differences(calm: Came, came: Came) -> Iterator[str]:
    """What is different, in words; nothing if all that may differ differs."""
    before, after = _incidents(calm), _incidents(came)
    for name in before.keys() ^ after.keys():
        yield f"{name} is {'missing' if name in before else 'new'}"
    for name in before.keys() & after.keys():
        for kind in sorted(before[name].keys() | after[name].keys()):
            then = before[name].get(kind, [])
            if (now := _asked_again(kind, after[name].get(kind, []), then)) != then:
                yield f"{name}: {kind}: {now} instead of {then}"
    was, did = _done(calm), _done(came)
    if was.keys() != did.keys():
        yield f"other requests: {sorted(did.keys() ^ was.keys())}"
    yield from _twice(came)
    if bool(said := _thread(came)) != bool(_thread(calm)):
        yield f"the thread says {said}"
    yield from _left(calm, came)


def _asked_again(kind: str, now: Sequence[object], then: Sequence[object]) -> Sequence[object]:
    """The lines without those of guards that were asked again from the beginning, those asked last among them.

    Such a line counts all of them, and the last one of these says that all allow. None of the lines without the
    interruption may lack, and none may refuse.
    """
    if kind != "guards":
        return now
    ends = [found for line in then if (found := ALLOWED.fullmatch(str(line))) and found["allow"] == found["of"]]
    again = re.compile(rf"\d+ of {sum(int(one['of']) for one in ends)} allow( so far| right before the write)?")
    more = [str(line) for line in now if line not in then and again.fullmatch(str(line))]
    whole = ALLOWED.fullmatch(more[-1]) if more else None
    if whole is None or whole["allow"] != whole["of"]:
        return now
    return [line for line in now if line not in more]


def handed_over(calm: Came, came: Came) -> Iterator[str]:
    """What is wrong with how a write that nobody can know about was handed to a person; nothing if it was, and well.

    It was not repeated, its run ended unknown, a page said so; and nothing else was done than without the interruption.
    """
    if not any(past.outcome is Outcome.UNKNOWN for one in came.incidents.values() for past in one.past):
        yield "no run ended unknown"
    if not any("nobody can say whether" in entry.text for some in came.entries.values() for entry in some):
        yield "nobody was told"
    if more := {one for one in _done(came).keys() - _done(calm).keys() if one[0] not in PAGERS}:
        yield f"other requests: {sorted(more)}"
    yield from _twice(came)
    yield from _left(calm, came)


PAGERS = ("pager", "PagerDuty")


def _incidents(came: Came) -> Mapping[str, Mapping[str, Sequence[object]]]:
    """By its key: what an incident says, and what became of it."""
    found = {}
    for number, incident in came.incidents.items():
        runs = [(past.playbook, past.target, str(past.outcome)) for past in incident.past]
        state = [incident.phase, incident.open, incident.severity, incident.fixed_by, *runs]
        found[incident.key] = {**plain(came.entries[number]), "state": state}
    return found


def _done(came: Came) -> Mapping[tuple[str, str, str], int]:
    """How often each request that changes something did it, by where, what and under which key."""
    found: dict[tuple[str, str, str], int] = defaultdict(int)
    for one in came.requests:
        if one.method == "POST" and one.endpoint != "Slack":
            found[one.endpoint, one.path, NUMBER.sub("INC", one.key)] += one.did
    return found


def _twice(came: Came) -> Iterator[str]:
    """What was done twice: where nothing deduplicates, and in a thread, where what was posted can be found again."""
    for request, times in _done(came).items():
        if request[0] == "raw" and times > 1:
            yield f"{request} was done {times} times, and nothing deduplicates there"
    for key, times in Counter(_thread(came)).items():
        if times > 1:
            yield f"the thread says {key} {times} times"


def _thread(came: Came) -> Sequence[str]:
    return [key for key in came.posts if "/engineering" in key]


def _left(calm: Came, came: Came) -> Iterator[str]:
    """What is left in the store, and was not without a crash."""
    for what, before in calm.left.items():
        if came.left[what] != before:
            yield f"{came.left[what]} {what} are left instead of {before}"
