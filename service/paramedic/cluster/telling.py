"""Pods, events and revisions as text for people: what `collect` keeps as evidence. Pure, and safe to show as it is.

Everything here may have been written by anybody, so each value is one printable line, and secrets are masked.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from paramedic.cluster.masking import HIDDEN, masked
from paramedic.cluster.port import Json
from paramedic.cluster.revisions import Revision, fingerprint, images, normal
from paramedic.core.text import one_line

__all__ = ["Log", "cut_after", "cut_before", "events_text", "history_text", "logs_of", "pods_text", "ready"]

_ROWS: Final = 100
_DIFFERENCES: Final = 40


@dataclass(frozen=True, slots=True)
class Log:
    """A container's log: of what runs, or of what ran before it."""

    pod: str
    container: str
    previous: bool

    def __str__(self) -> str:
        return f"{self.pod}/{self.container}" + (" before its last restart" if self.previous else "")


def ready(pod: Json) -> bool:
    """Whether a pod serves."""
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return any(one.get("type") == "Ready" and one.get("status") == "True" for one in conditions)


def pods_text(pods: Iterable[Json]) -> str:
    """A line for each pod, and one for each container that is not as it should be; pods that do not serve first."""
    rows: list[str] = []
    for pod in sorted(pods, key=lambda one: (ready(one), str(one["metadata"]["name"]))):
        rows.append(_pod(pod))
        rows += [f"    {line}" for line in _troubles(pod)]
    return _lines(rows) or "no pods"


def events_text(events: Iterable[Json]) -> str:
    """A line for each event, the newest last."""
    rows = sorted(events, key=_seen_at)
    return _lines([_event(one) for one in rows][-_ROWS:]) or "no events"


def history_text(workload: Json, revisions: Sequence[Revision]) -> str:
    """A line for each revision, the newest first, and what the present template has changed."""
    present = fingerprint(workload["spec"]["template"])
    rows = [
        f"revision {one.number}  {one.created}  {images(one.template)}  {one_line(one.name, 80)}"
        + ("  (the present template)" if one.fingerprint == present else "")
        for one in revisions
    ]
    before = next((one for one in revisions if one.fingerprint != present), None)
    if before is not None:
        rows += ["", f"from revision {before.number} to the present template:"]
        rows += _differences(normal(before.template), normal(workload["spec"]["template"]))
    return "\n".join(rows) or "no revisions are kept"


def cut_before(text: str, most: int) -> str:
    """The newest lines, in at most `most` bytes; the first line says what is left out."""
    body = text.encode(errors="replace")
    if len(body) <= most:
        return text
    kept = body[-(most - 100) :]
    kept = kept.partition(b"\n")[2] or kept
    return f"({len(body) - len(kept)} bytes before this are left out)\n{kept.decode(errors='ignore')}"


def cut_after(text: str, most: int) -> str:
    """The first lines, in at most `most` bytes; the last line says what is left out."""
    body = text.encode(errors="replace")
    if len(body) <= most:
        return text
    kept = body[: most - 100]
    kept = kept.rpartition(b"\n")[0] or kept
    return f"{kept.decode(errors='ignore')}\n({len(body) - len(kept)} bytes after this are left out)"


def logs_of(pods: Iterable[Json], most: int) -> list[Log]:
    """Whose logs tell the most: containers that are not ready first, then those that restarted; then any that runs.

    Of a container that has restarted, what it said before comes first: that is where the reason is.
    """
    found: list[tuple[tuple[bool, int, str], list[Log]]] = []
    for pod in pods:
        for status in _statuses(pod):
            finished = (status.get("state") or {}).get("terminated") or {}
            if status.get("init") and finished.get("exitCode") == 0:
                continue
            restarts = int(status.get("restartCount") or 0)
            name, container = str(pod["metadata"]["name"]), str(status.get("name", ""))
            logs = [Log(name, container, True)] if restarts else []
            if not (status.get("state") or {}).get("waiting"):
                logs.append(Log(name, container, False))
            fine = bool(status.get("ready")) and ready(pod)
            found.append(((fine, -restarts, name), logs))
    return [log for _, logs in sorted(found, key=lambda one: one[0]) for log in logs][:most]


def _pod(pod: Json) -> str:
    status, spec = pod.get("status") or {}, pod.get("spec") or {}
    statuses = status.get("containerStatuses") or ()
    up = sum(1 for one in statuses if one.get("ready"))
    restarts = sum(int(one.get("restartCount") or 0) for one in statuses)
    phase = "Terminating" if pod["metadata"].get("deletionTimestamp") else status.get("phase", "unknown")
    parts = [
        pod["metadata"]["name"],
        "ready" if ready(pod) else "not ready",
        f"{up} of {len(spec.get('containers') or ())} containers ready",
        f"{restarts} restarts",
        phase,
        f"on {spec.get('nodeName') or 'no node'}",
        f"since {status.get('startTime') or pod['metadata'].get('creationTimestamp') or 'an unknown time'}",
    ]
    return "  ".join(one_line(str(part), 100) for part in parts)


def _troubles(pod: Json) -> Iterator[str]:
    """Why a pod is not ready, in the words of its conditions and containers."""
    status = pod.get("status") or {}
    if status.get("reason") or status.get("message"):
        yield _said(f"{status.get('reason', '')}: {status.get('message', '')}")
    for one in status.get("conditions") or ():
        if one.get("status") != "True" and one.get("message"):
            yield _said(f"{one.get('type')}: {one.get('reason', '')}: {one['message']}")
    for one in _statuses(pod):
        for state, when in (("state", "is"), ("lastState", "was")):
            for name in ("waiting", "terminated"):
                about = (one.get(state) or {}).get(name)
                if about:
                    code = f", exit code {about['exitCode']}" if "exitCode" in about else ""
                    why = f"{about.get('reason', '')}{code}: {about.get('message', '')}".rstrip(": ")
                    yield _said(f"{one.get('name')} {when} {name}: {why}")


def _statuses(pod: Json) -> Iterator[Mapping[str, Any]]:
    status = pod.get("status") or {}
    for one in status.get("initContainerStatuses") or ():
        yield {**one, "init": True}
    yield from status.get("containerStatuses") or ()


def _event(event: Json) -> str:
    about = event.get("involvedObject") or {}
    count = int(event.get("count") or (event.get("series") or {}).get("count") or 1)
    parts = [
        _seen_at(event),
        event.get("type", ""),
        event.get("reason", ""),
        f"{str(about.get('kind', '')).lower()}/{about.get('name', '')}",
        f"{count} times" if count > 1 else "",
        event.get("message", ""),
    ]
    return _said("  ".join(str(part) for part in parts if part), 600)


def _seen_at(event: Json) -> str:
    series = event.get("series") or {}
    moments = (series.get("lastObservedTime"), event.get("lastTimestamp"), event.get("eventTime"))
    known = next((moment for moment in moments if moment), event["metadata"].get("creationTimestamp") or "")
    return str(known)


def _differences(before: Json, after: Json) -> list[str]:
    was, now = dict(_leaves(before)), dict(_leaves(after))
    rows = []
    for path in sorted(was.keys() | now.keys()):
        if was.get(path) != now.get(path):
            rows.append(one_line(f"{path}: {_value(path, was)} → {_value(path, now)}", 300))
    more = len(rows) - _DIFFERENCES
    told = [*rows[:_DIFFERENCES], f"and {more} more"] if more > 0 else rows
    return [f"    {row}" for row in told]


def _value(path: str, leaves: Mapping[str, Any]) -> str:
    """A value of a template; what stands in an environment may be a secret whatever it is called."""
    if path not in leaves:
        return "none"
    named = masked(f"{path}: value") != f"{path}: value"
    if named or (".env[" in path and path.endswith(".value")):
        return HIDDEN
    return masked(one_line(str(leaves[path]), 120))


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """The plain values of a tree by their paths; items of lists by their names where they have one."""
    if isinstance(value, Mapping):
        for key, below in value.items():
            yield from _leaves(below, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for n, below in enumerate(value):
            name = below.get("name", n) if isinstance(below, Mapping) else n
            yield from _leaves(below, f"{path}[{name}]")
    else:
        yield path, value


def _said(text: str, most: int = 400) -> str:
    return masked(one_line(text, most))


def _lines(rows: Sequence[str]) -> str:
    more = len(rows) - _ROWS
    return "\n".join([*rows[:_ROWS], f"and {more} more lines"] if more > 0 else rows)
