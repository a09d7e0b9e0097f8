"""A body of Alertmanager's webhook becomes alerts. Pure; the webhook calls it, and so does whoever reads the journal.

Nothing in the body is believed that can be computed: fingerprints are ignored, identity is the labels'. An element
that is no alert is set aside with its reason and the rest goes on; elements with equal labels all go on, in order.
"""

import msgspec

from paramedic.core.model import Alert
from paramedic.errors import Fault
from paramedic.intake.delivery import Rejected
from paramedic.intake.diagnosis import dissect, why_unfit
from paramedic.intake.fields import (
    annotations_within,
    check_annotations,
    check_labels,
    digest_of,
    labels_json,
    link_or_none,
    moment,
)
from paramedic.intake.wire import BODY, ELEMENT, UNREADABLE, WHOLE, Element

__all__ = ["Parsed", "parse_body"]

MOST_ALERTS = 50_000
MOST_COMMAS = 2_000_000
"""In a body of 50,000 alerts of 20 labels there are fewer. More than that is a list of something else, and reading it
would take memory without limit."""
MOST_REJECTED = 100
"""Elements kept with their reason. Whatever comes beyond is counted: the delivery itself holds it."""
PLAIN = 128 * 1024
"""Bytes up to which a body is first read as if nothing were wrong with it, all at once."""
SMALL = 1024
"""Bytes of labels below which none of their sizes can be over its bound."""
NUL = b"\\u0000"


class Parsed(msgspec.Struct, frozen=True):
    """What a body says: alerts in the order sent, elements set aside, how many the sender left out (`truncated`)."""

    alerts: tuple[Alert, ...]
    rejected: tuple[Rejected, ...]
    truncated: int
    group: str
    receiver: str


def parse_body(source: str, body: bytes) -> Parsed:
    """The alerts in a body that `source` sent. Raises `Fault` when it is no version 4 body at all."""
    if len(body) > MOST_COMMAS and body.count(b",") > MOST_COMMAS:
        raise Fault("body", "holds more than two million values", f"at most {MOST_ALERTS} alerts in one body")
    # A NUL can only come from this escape, so that looking once for it in the body saves looking in every string.
    suspect = NUL in body
    if len(body) <= PLAIN and not suspect:
        try:
            plain = WHOLE.decode(body)
            alerts = [_alert(source, element, suspect) for element in plain.alerts]
            return Parsed(tuple(alerts), (), plain.truncated_alerts, plain.group_key, plain.receiver)
        except (Fault, *UNREADABLE):  # something is wrong with it: one element after the other shows what
            pass
    return _one_by_one(source, body, suspect)


def _one_by_one(source: str, body: bytes, suspect: bool) -> Parsed:
    """As `parse_body`, where an element may be unfit: it is set aside with its reason."""
    try:
        outer = BODY.decode(body)
    except UNREADABLE:
        outer = dissect(body)
    if len(outer.alerts) > MOST_ALERTS:
        raise Fault("alerts", f"there are {len(outer.alerts)}", f"at most {MOST_ALERTS}; Alertmanager has max_alerts")
    alerts: list[Alert] = []
    rejected: list[Rejected] = []
    unfit = 0
    for place, raw in enumerate(outer.alerts):
        try:
            alerts.append(_alert(source, ELEMENT.decode(raw), suspect))
        except (Fault, *UNREADABLE) as error:
            unfit += 1
            if unfit <= MOST_REJECTED:
                rejected.append(_rejected(place, error, bytes(raw)))
    if unfit > MOST_REJECTED:
        rejected.append(Rejected(f"alerts: {unfit - MOST_REJECTED} more could not be used; see the delivery", b""))
    return Parsed(tuple(alerts), tuple(rejected), outer.truncated_alerts, outer.group_key, outer.receiver)


def _alert(source: str, element: Element, suspect: bool) -> Alert:
    """The alert that an element describes. Raises `Fault` at the field that is out of bounds."""
    labels = element.labels
    canonical = labels_json(labels)
    if suspect or len(canonical) > SMALL or not labels:
        _checked(element)
    starts_at = moment("startsAt", element.starts_at)
    if starts_at is None:
        raise Fault("startsAt", "is the zero time", "when the alert began to fire")
    firing = element.status == "firing"
    ends_at = moment("endsAt", element.ends_at) if element.ends_at else None
    annotations = element.annotations or {}
    if sum(map(len, annotations)) + sum(map(len, annotations.values())) > SMALL:
        annotations = annotations_within(annotations)
    return Alert(
        source=source,
        identity=digest_of(canonical),
        labels=labels,
        annotations=annotations,
        firing=firing,
        starts_at=starts_at,
        ends_at=None if firing else ends_at,
        url=link_or_none(element.url),
    )


def _checked(element: Element) -> None:
    """What the common case need not look at. Raises `Fault`."""
    check_labels(element.labels)
    check_annotations(element.annotations or {})


def _rejected(place: int, error: Exception, element: bytes) -> Rejected:
    fault = error if isinstance(error, Fault) else why_unfit(element)
    where = f"alerts[{place}]" + (f".{fault.where}" if fault.where else "")
    return Rejected(str(Fault(where, fault.what, fault.right)), element)
