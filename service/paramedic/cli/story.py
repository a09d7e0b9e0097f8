"""Incidents and runs on a terminal: a list by who they wait for, one incident with its timeline, a run with its plan.

Takes the JSON of the API, gives lines; `incidents` and `runs` print them.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from paramedic.cli.output import WIDTH, block, cut, line, paint, plain, table, width, wrap
from paramedic.core.text import ago

__all__ = ["listed", "moment", "plan", "told"]

_TEXT_AT = 23  # where the text of an entry stands
_FITS = 60  # columns that a structure may take in a plan

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry out of JSON, as `output.line` prints it."""

    kind: str
    text: str
    note: str


def moment(text: str) -> datetime:
    """A time of the API."""
    return datetime.fromisoformat(text)


def listed(incidents: Sequence[Json], now: datetime, *, colour: bool) -> Iterator[str]:
    """The list, in three parts: what waits for a person, what is in hand, what is over."""
    over = [one for one in incidents if not one["open"] or one["phase"] in ("resolved", "reviewed")]
    waiting = [one for one in incidents if one["standing"]["person"] and one not in over]
    in_hand = [one for one in incidents if not one["standing"]["person"] and one not in over]
    if not incidents:
        yield "No incident."
    for title, tone, part in (("Waiting for a person", "red", waiting), ("Open, in hand", "bold", in_hand)):
        if part:
            yield paint(f"{title}: {len(part)}", tone, colour)
            for one in part:
                yield from _open(one, now, colour)
    if over:
        yield paint("Over", "bold", colour)
        rows = [(*_head(one), plain(one["title"]), plain(one["standing"]["text"])) for one in over]
        yield from (f"   {cut(row, WIDTH - 3)}" for row in table(rows, (2, 13, 16, 36, 60)))


def _head(one: Json) -> tuple[str, str, str]:
    return one["severity"], one["id"], f"{moment(one['opened_at']).astimezone(UTC):%Y-%m-%d %H:%M}"


def _open(one: Json, now: datetime, colour: bool) -> Iterator[str]:
    age = ago(moment(one["opened_at"]), now)
    severity = paint(one["severity"], "red" if one["severity"] in ("P0", "P1") else "", colour)
    head = f"  {one['id']:<9} {age:>6} "
    yield f"   {severity}{head}{cut(plain(one['title']), WIDTH - 5 - len(head))}"
    for part in wrap(plain(one["standing"]["text"]), WIDTH - _TEXT_AT):
        yield " " * _TEXT_AT + part
    for command in one["standing"]["next"]:
        yield " " * _TEXT_AT + paint(plain(command), "bold", colour)


def told(
    incident: Json,
    timeline: Json,
    now: datetime,
    evidence: Callable[[str], str],
    *,
    evidence_lines: int,
    colour: bool,
) -> Iterator[str]:
    """One incident: what it is, what it waits for, everything that happened, and whether the record is whole."""
    yield from _about(incident, now, colour)
    if incident["run"] is not None:
        yield ""
        yield from plan(incident["run"], colour=colour, whole=False)
    yield ""
    day = ""
    for entry in timeline["entries"]:
        at = moment(entry["at"]).astimezone(UTC)
        if f"{at:%A %d %B %Y}" != day:
            day = f"{at:%A %d %B %Y}"
            yield paint(f"   {day} UTC", "dim", colour)
        who = f" (by {entry['who']})" if entry["who"] and entry["who"] not in entry["text"] else ""
        yield line(Entry(entry["kind"], entry["text"] + who, entry["note"]), at, colour=colour)
        yield from _seen(entry, evidence, evidence_lines)
    yield ""
    yield _chain(timeline["chain"], colour)


def _about(incident: Json, now: datetime, colour: bool) -> Iterator[str]:
    head = f"{incident['id']}  {incident['severity']}  "
    yield paint(head + cut(plain(incident["title"]), WIDTH - width(head)), "bold", colour)
    standing = incident["standing"]
    person = ", waiting for a person" if standing["person"] else ""
    words = f"{incident['phase']}{person}: {plain(standing['text'])}"
    for part in wrap(words, WIDTH - 3):
        yield "   " + paint(part, "red" if person else "", colour)
    for command in standing["next"]:
        yield "   " + paint(plain(command), "bold", colour)
    opened = moment(incident["opened_at"]).astimezone(UTC)
    since = f", {ago(opened, now)} ago" if incident["open"] else ""
    facts = f"opened {opened:%Y-%m-%d %H:%M:%S} UTC{since}; firing {incident['firing']} of {incident['alerts_total']}"
    yield from (f"   {part}" for part in wrap(f"{facts}; rule {plain(incident['rule'])}", WIDTH - 3))


def plan(run: Json, *, colour: bool, whole: bool = True) -> Iterator[str]:
    """A run: what it is about, where it stands, and what exactly it would write; not `whole`: only what changes."""
    state = run["stage"] or run["outcome"]
    name = f"{run['id']}  {run['playbook']} on {run['target']}: {state}"
    tone = "red" if run["stage"] in ("approval", "unknown") else "bold"
    yield from (paint(part, tone, colour) for part in wrap(plain(name), WIDTH))
    if run["reason"]:
        yield from (f"   {part}" for part in wrap(plain(run["reason"]), WIDTH - 3))
    for one in run.get("guards", ()) if whole else ():
        yield from (f"   {part}" for part in wrap(plain(f"{one['guard']} {one['answer']}: {one['reason']}"), WIDTH - 3))
    yield from (f"   {part}" for part in wrap(plain(_asked(run)), WIDTH - 3) if part)
    if run["plan"] is None:
        return
    yield from (f"   {part}" for part in wrap("plan: " + plain(run["plan"]["summary"]), WIDTH - 3))
    write, prior = run["plan"]["write"], run["plan"]["prior"]
    keys = [*prior, *(key for key in write if key not in prior)]  # what changes is looked for first
    for key in sorted(keys, key=lambda key: _folded(write.get(key)) or _folded(prior.get(key))):
        if not whole and prior and key not in prior:
            continue
        before = f"{_told(prior[key])} → " if key in prior else ""
        after = _told(write[key]) if key in write else "nothing"
        yield "   " + cut(f"   {plain(key)}: {before}{after}", WIDTH - 3)
    back = "can be taken back" if run["plan"]["undo"] is not None else "cannot be taken back"
    yield f"      {back}; plan {plain(run['plan']['digest'])[:12]}"


def _asked(run: Json) -> str:
    """Whom a run waits for and until when, who has approved it, and what its guards said."""
    until = f" until {moment(run['deadline']).astimezone(UTC):%H:%M} UTC" if run["deadline"] is not None else ""
    waits = f"waits{until} for {run['wanted']}" if run["wanted"] else ""
    names = ", ".join(one["who"] for one in run["approvals"])
    parts = (waits, f"approved by {names}" if names else "", "; ".join(run["grounds"]) if run["wanted"] else "")
    return "; ".join(part for part in parts if part)


def _folded(value: object) -> bool:
    """Whether a value is a structure: what people look for (an image, a number of replicas) is none."""
    return isinstance(value, dict | list)


def _told(value: object) -> str:
    """A value of a plan. Of a structure that does not fit only where it writes: `--json` shows it whole."""
    text = _compact(value) or "nothing"
    if not _folded(value) or width(text) <= _FITS:
        return text
    paths = [f"{one['op']} {one['path']}" for one in value if _is_patched(one)] if isinstance(value, list) else []
    return plain(", ".join(paths)) if paths else text


def _is_patched(operation: object) -> bool:
    """Whether this is an operation of a JSON patch."""
    return isinstance(operation, dict) and {"op", "path"} <= operation.keys()


def _compact(value: object) -> str:
    return plain(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def _seen(entry: Json, evidence: Callable[[str], str], most: int) -> Iterator[str]:
    for name, value in entry["seen"].items():
        yield " " * _TEXT_AT + cut(f"{plain(name)}: {_compact(value)}", WIDTH - _TEXT_AT)
    for piece in entry["evidence"]:
        about = f"{plain(piece['name'])} ({piece['size']} bytes, sha256 {plain(piece['digest'])[:12]})"
        yield " " * _TEXT_AT + cut(about, WIDTH - _TEXT_AT)
        yield from block(evidence(piece["digest"]), _TEXT_AT + 2, most)


def _chain(chain: Json, colour: bool) -> str:
    if chain["verified"]:
        return paint(f"{chain['entries']} entries, chain verified, head {chain['head'][:12]}", "green", colour)
    return paint(f"The record is broken: {plain(chain['fault'])}. What was written has been changed.", "red", colour)
