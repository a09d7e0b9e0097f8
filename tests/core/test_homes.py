"""Which member deals with an alert: promises 1 and 2 while shards are spread over several."""

from datetime import timedelta

import msgspec

from paramedic.core.homes import Home, home
from paramedic.core.model import Alert, Episode
from paramedic.core.routing import home_of
from paramedic.core.sharing import shard_of
from paramedic.rehearse.loop import START
from tests.engine.texts import bundle_of, catalog

BUNDLE = bundle_of(catalog())
ALERT = Alert("default", "who", {"alertname": "Down", "job": "api"}, {}, True, START)
EPISODE = Episode("default", "who", "Down", ALERT.labels, START, START, open=True, incident=7, count=1)
BY_KEY = shard_of('default{job="api"}')
NOW = START + timedelta(minutes=1)


def at(episode: Episode | None, *, ours: bool = False, elsewhere: int | None = None, alert: Alert = ALERT) -> Home:
    """Where the alert belongs."""
    return home(alert, episode, BUNDLE, NOW, is_open=lambda _: ours, elsewhere=lambda _: elsewhere)


def test_a_new_alert_goes_by_its_key() -> None:
    assert at(None) == Home(BY_KEY, final=True)


def test_one_that_no_rule_wants_goes_by_its_identity() -> None:
    unwanted = msgspec.structs.replace(ALERT, labels={"alertname": "Else"})

    assert home_of(unwanted, BUNDLE) == shard_of("who")
    assert at(msgspec.structs.replace(EPISODE, incident=None), alert=unwanted) == Home(shard_of("who"), final=True)


def test_an_alert_of_an_open_incident_of_ours_stays() -> None:
    assert at(EPISODE, ours=True) == Home(None)


def test_an_alert_of_an_open_incident_of_another_member_goes_there() -> None:
    """Its owner may send it on, so this is not final."""
    assert at(EPISODE, elsewhere=9) == Home(9)


def test_an_alert_whose_incident_is_closed_goes_by_its_key() -> None:
    assert at(EPISODE) == Home(BY_KEY, final=True)


def test_an_alert_that_begins_anew_goes_by_todays_rules() -> None:
    closed = msgspec.structs.replace(EPISODE, open=False, ended_at=START, closed_by="resolved")
    again = msgspec.structs.replace(ALERT, starts_at=NOW)

    assert at(closed, ours=True, alert=again) == Home(BY_KEY, final=True)


def test_the_incident_that_was_in_doubt_about_it_need_not_wait() -> None:
    doubted = msgspec.structs.replace(EPISODE, open=False, ended_at=START, closed_by="resolved", doubted_at=START)
    again = msgspec.structs.replace(ALERT, starts_at=NOW)

    assert at(doubted, ours=True, alert=again) == Home(BY_KEY, final=True, settles=7)
