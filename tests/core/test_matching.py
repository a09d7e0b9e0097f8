"""Matchers in Alertmanager's own semantics, and the index that finds the first rule without asking all of them."""

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paramedic.core.bundle import Rule
from paramedic.core.matching import Matcher, RuleIndex, matches
from tests.core.builders import matcher, rule


@pytest.mark.parametrize(
    ("op", "value", "have", "accepted"),
    [
        ("=", "api", "api", True),
        ("=", "api", "api-2", False),
        ("!=", "api", "web", True),
        ("!=", "api", "api", False),
        ("=~", "api|web", "web", True),
        ("=~", "api", "api-2", False),
        ("!~", "api.*", "api-2", False),
        ("!~", "api.*", "web", True),
    ],
)
def test_a_matcher_accepts_what_alertmanager_would(op: str, value: str, have: str, accepted: bool) -> None:
    """A regular expression must match the whole value."""
    assert matcher("job", op, value).accepts({"job": have}) is accepted


@pytest.mark.parametrize(
    ("op", "value", "accepted"), [("=", "", True), ("!=", "", False), ("=~", ".*", True), ("=~", ".+", False)]
)
def test_an_absent_label_is_the_empty_string(op: str, value: str, accepted: bool) -> None:
    assert matcher("job", op, value).accepts({}) is accepted


def test_all_matchers_must_accept() -> None:
    both = (matcher("job", "=", "api"), matcher("team", "!=", "web"))

    assert matches(both, {"job": "api"})
    assert not matches(both, {"job": "api", "team": "web"})
    assert matches((), {"anything": "at all"})


@pytest.mark.parametrize("value", ['say "hi"', "back\\slash", 'end\\"', "two\nlines", '",job="forged'])
def test_a_matcher_is_written_so_that_its_value_can_be_read_back(value: str) -> None:
    written = str(Matcher("job", "=", value))

    assert re.fullmatch(r'job="([^"\\\n]|\\.)*"', written)
    body = written.removeprefix('job="').removesuffix('"')
    read = re.sub(r"\\(.)", lambda found: {"n": "\n"}.get(found[1], found[1]), body)
    assert read == value


# -- the index --------------------------------------------------------------------------------------------------------


def named(name: str, *match: Matcher) -> Rule:
    return rule(name, match=match)


def test_the_first_rule_in_the_order_written_wins() -> None:
    index = RuleIndex(
        [
            named("web only", matcher("alertname", "=", "Down"), matcher("job", "=", "web")),
            named("any down", matcher("alertname", "=", "Down")),
            named("everything", matcher("alertname", "=~", ".+")),
        ]
    )

    def first(**labels: str) -> str:
        found = index.first(labels)
        return found.name if found else "none"

    assert first(alertname="Down", job="web") == "web only"
    assert first(alertname="Down", job="api") == "any down"
    assert first(alertname="Slow", job="api") == "everything"
    assert first(job="api") == "none"


def test_a_rule_without_an_alertname_wins_over_later_ones_with_it() -> None:
    index = RuleIndex([named("team", matcher("team", "=", "db")), named("down", matcher("alertname", "=", "Down"))])

    assert index.first({"alertname": "Down", "team": "db"}) is index.all[0]
    assert index.first({"alertname": "Down"}) is index.all[1]


def test_a_rule_for_alerts_without_a_name_is_found() -> None:
    index = RuleIndex([named("nameless", matcher("alertname", "=", ""))])

    assert index.first({"job": "api"}) is index.all[0]
    assert index.first({"alertname": "Down"}) is None


def test_rules_are_found_by_name_and_counted() -> None:
    index = RuleIndex([named("a"), named("b")])

    assert index.named("b") is index.all[1]
    assert index.named("c") is None
    assert (len(index), [one.name for one in index]) == (2, ["a", "b"])


_VALUES = st.sampled_from(["", "a", "b"])
_MATCHERS = st.builds(
    matcher,
    st.sampled_from(["alertname", "job"]),
    st.sampled_from(["=", "!=", "=~", "!~"]),
    _VALUES,
)


@given(
    st.lists(st.lists(_MATCHERS, max_size=3).map(tuple), max_size=8),
    st.dictionaries(st.sampled_from(["alertname", "job"]), _VALUES),
)
@settings(max_examples=60, deadline=None)
def test_the_index_finds_what_asking_each_rule_would_find(
    wanted: list[tuple[Matcher, ...]], labels: dict[str, Any]
) -> None:
    rules = [named(str(number), *match) for number, match in enumerate(wanted)]

    expected = next((one for one in rules if matches(one.match, labels)), None)

    assert RuleIndex(rules).first(labels) is expected


def test_a_thousand_rules_are_not_asked_one_by_one() -> None:
    """Rules about other alerts are not even looked at."""

    class Asked:
        def __init__(self) -> None:
            self.times = 0

        def fullmatch(self, text: str) -> object | None:
            self.times += 1
            return None

        search = fullmatch

    asked = Asked()
    others = [
        named(str(n), matcher("alertname", "=", f"Alert{n}"), Matcher("job", "=~", "x", pattern=asked))
        for n in range(1000)
    ]

    assert RuleIndex(others).first({"alertname": "Alert7"}) is None
    assert asked.times == 1
