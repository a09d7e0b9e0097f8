"""How people are reached: PagerDuty and Slack, and the tokens of endpoints. Nobody is paged and nothing is posted."""

from collections.abc import Sequence

from paramedic.clients.slack import TOKEN, Slack
from paramedic.core.bundle import Bundle, Endpoint
from paramedic.doctor.finding import Finding, fine, open_, wrong
from paramedic.errors import ParamedicError, Permanent
from paramedic.plugin import Http
from paramedic.settings import Settings

__all__ = ["examine_endpoints", "examine_pagerduty", "examine_slack", "pagerduty_keys"]

_PAGES, _MESSAGES, _ENDPOINTS = "pagerduty", "slack", "endpoint"
_DEFAULT_KEY = "PAGERDUTY_ROUTING_KEY"


def pagerduty_keys(bundle: Bundle | None) -> dict[str, list[str]]:
    """The settings that hold routing keys, with who is paged by each."""
    found: dict[str, list[str]] = {}
    for person in bundle.people.values() if bundle is not None else ():
        if person.notifier == "pagerduty":
            found.setdefault(person.contacts.get("pagerduty_key", _DEFAULT_KEY), []).append(person.name)
    return {setting: sorted(found[setting]) for setting in sorted(found)}


async def examine_pagerduty(settings: Settings, bundle: Bundle | None, http: Http, timeout: float) -> Sequence[Finding]:
    """Are the keys there, and does PagerDuty answer? Whether it takes them shows only in a page."""
    keys = pagerduty_keys(bundle)
    if not keys:
        return [open_(_PAGES, "", "nobody is paged by it")]
    found = []
    for setting, names in keys.items():
        if settings.value(setting):
            said = f"the key of {', '.join(names)} is there; whether PagerDuty takes it shows only in a page"
            found.append(open_(_PAGES, setting, said))
        else:
            said = f"it is not set: a page to {', '.join(names)} reaches nobody"
            found.append(wrong(_PAGES, setting, said, f"set {setting} or {setting}_FILE to the service's routing key"))
    endpoint = Endpoint("PagerDuty", settings.value("PAGERDUTY_EVENTS_URL") or "https://events.pagerduty.com")
    try:
        reply = await http.request(endpoint, "GET", "/", timeout=timeout)
    except ParamedicError as error:
        return [*found, wrong(_PAGES, endpoint.url, str(error), "let this machine reach it, by HTTPS")]
    return [*found, fine(_PAGES, endpoint.url, f"it answers ({reply.status})")]


async def examine_slack(settings: Settings, bundle: Bundle | None, http: Http) -> Sequence[Finding]:
    """Ask Slack whether it takes the token."""
    users = _slack_users(bundle)
    if not settings.value(TOKEN):
        if not users:
            return [open_(_MESSAGES, "", "nobody is told by it")]
        said = f"it is not set: nothing that {', '.join(users)} should be told is posted"
        return [wrong(_MESSAGES, TOKEN, said, f"set {TOKEN} or {TOKEN}_FILE")]
    try:
        await Slack(http, settings.value("SLACK_API_URL") or "https://slack.com/api").test()
    except Permanent as error:
        return [wrong(_MESSAGES, TOKEN, str(error), "make a new token for the app, with the permissions it needs")]
    except ParamedicError as error:
        return [wrong(_MESSAGES, TOKEN, str(error), "let this machine reach Slack, by HTTPS")]
    return [fine(_MESSAGES, TOKEN, "Slack takes the token")]


def _slack_users(bundle: Bundle | None) -> Sequence[str]:
    """The people and the communication plans that need it."""
    if bundle is None:
        return []
    people = [person.name for person in bundle.people.values() if person.notifier == "slack"]
    plans = [plan.name for plan in bundle.communication.values() if any(tell.by == "slack" for tell in plan.tell)]
    return sorted({*people, *plans})


async def examine_endpoints(settings: Settings, bundle: Bundle | None) -> Sequence[Finding]:
    """The tokens of endpoints; these are not asked, because nobody knows what a request to them does."""
    found = []
    for endpoint in sorted(bundle.endpoints.values(), key=lambda each: each.name) if bundle is not None else ():
        if endpoint.token and not settings.value(endpoint.token):
            said = f"{endpoint.token} is not set, so that nothing can be sent there"
            found.append(wrong(_ENDPOINTS, endpoint.name, said, f"set {endpoint.token} or {endpoint.token}_FILE"))
    return found
