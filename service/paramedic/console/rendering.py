"""How the templates of the pages see values: escaped, harmless, in UTC. `pages` renders with this environment."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from paramedic.console.models import PlanView
from paramedic.console.tones import tone_of
from paramedic.core.text import ago, span

__all__ = ["day_of", "environment"]


def environment(versions: Mapping[str, str]) -> Environment:
    """Templates escape everything, and what no printer should print is taken out before that."""
    made = Environment(
        loader=PackageLoader("paramedic.console"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_harmless,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals["asset"] = partial(_asset_url, versions)
    made.filters.update(
        ago=ago,
        clock=_clock_time,
        iso=_iso,
        moment=_moment,
        day=day_of,
        span=span,
        tone=tone_of,
        json=_json,
        changes=_changes,
        inside=_inside,
    )
    return made


def _asset_url(versions: Mapping[str, str], name: str) -> str:
    return f"/static/{name}?v={versions[name]}"


def _harmless(value: object) -> object:
    """Text without control characters and without those that turn the direction of writing; line feeds stay."""
    if type(value) is not str or value.isprintable():
        return value
    return "".join(char if char.isprintable() or char in "\n\t" else "\N{REPLACEMENT CHARACTER}" for char in value)


def _clock_time(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%H:%M:%S}"


def _moment(moment: datetime, now: datetime) -> str:
    """The time of day, and the date where it is not today."""
    moment, now = moment.astimezone(UTC), now.astimezone(UTC)
    return f"{moment:%H:%M:%S}" if moment.date() == now.date() else f"{moment:%d %b %Y %H:%M}"


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")


def day_of(moment: datetime) -> str:
    """The day as people say it, in UTC."""
    return f"{moment.astimezone(UTC):%A %d %B %Y}"


def _json(value: Any) -> str:
    """JSON for people: indented, anything but ASCII as it is, cut where nobody would read on."""
    text = json.dumps(value, indent=2, ensure_ascii=False, default=str)
    return text if len(text) <= 20_000 else text[:20_000] + "\n… (the API has the rest)"


def _changes(plan: PlanView) -> list[tuple[str, str, str]]:
    """What a plan changes, an image or a number of replicas, as rows of (what, before, after)."""
    return [(name, *values) for name, values, glance in _rows(plan) if glance]


def _inside(plan: PlanView) -> list[tuple[str, str, str]]:
    """The rest of the plan, such as the patch itself, which nobody reads at a glance."""
    return [(name, *values) for name, values, glance in _rows(plan) if not glance]


def _rows(plan: PlanView) -> Iterator[tuple[str, tuple[str, str], bool]]:
    for name in [*plan.write, *(name for name in plan.prior if name not in plan.write)]:
        folded = any(isinstance(values.get(name), dict | list) for values in (plan.write, plan.prior))
        glance = not folded and (name in plan.prior or not plan.prior)
        yield name, (_value(plan.prior, name), _value(plan.write, name)), glance


def _value(values: Mapping[str, Any], name: str) -> str:
    if name not in values:
        return ""
    value = values[name]
    return value if isinstance(value, str) else _json(value)
