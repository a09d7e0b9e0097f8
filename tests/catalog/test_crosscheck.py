"""Rules that can never match: only what can be proved is said, and what is said is true."""

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paramedic.catalog.crosscheck import unreachable
from paramedic.core.bundle import Rule
from paramedic.core.matching import RuleIndex
from paramedic.matchers import parse_matchers
from tests.catalog.texts import BOOK, HOOK, PATIENT, faults


def rules(*matches: str) -> list[Rule]:
    return [Rule(f"r{n}", parse_matchers(match), "p", at=f"f:{n}") for n, match in enumerate(matches)]


def blamed(*matches: str) -> list[tuple[str, str | None]]:
    return [(one.rule.name, one.taken_by.name if one.taken_by else None) for one in unreachable(rules(*matches))]


TAKEN = [
    # The same again
    (['a="1"', 'a="1"'], "r0"),
    (['a="1",b="2"', 'b="2",a="1"'], "r0"),
    (['a=~"x.*"', 'a=~"x.*"'], "r0"),
    (['a!="1"', 'a!="1"'], "r0"),
    # A wider one before
    (['a="1"', 'a="1",b="2"'], "r0"),
    (['alertname=~".+"', 'alertname="Down"'], "r0"),
    (['alertname!=""', 'alertname="Down"'], "r0"),
    (['a=~"x.*"', 'a="xy"'], "r0"),
    (['a!="1"', 'a="2"'], "r0"),
    (['a!~"x.*"', 'a="y"'], "r0"),
    (['a=~"x|y|z"', 'a=~"x|z"'], "r0"),
    (['a=~".*"', 'b="1"'], "r0"),
    (['a=~".*",b="1"', 'b="1",c="2"'], "r0"),
    (['a=~".+"', 'a=~"x.+"'], "r0"),
    (['a!=""', 'a!="",b="1"'], "r0"),
    (['a=~".+"', 'a!=""'], "r0"),
    (['a="",b="1"', 'a="",b="1",c="2"'], "r0"),
    # The first to blame
    (['b="2"', 'a="1"', 'a=~".+"', 'a="1",c="3"'], "r1"),
    # Values of which all are taken, whichever list they come from
    (['alertname=~"A|B"', 'alertname="B",job="x"'], "r0"),
    (['job="x"', 'alertname="B",job="x"'], "r0"),
]

NOT_TAKEN = [
    ['a="1"', 'a="2"'],
    ['a="1",b="2"', 'a="1"'],
    ['a="1"', 'b="2"'],
    ['a="1"', 'a=~"1|2"'],
    ['a=~"x|y"', 'a=~"x|z"'],
    ['a=~"x.*"', 'a="y"'],
    ['a!="1"', 'a="1"'],
    ['a!="1"', 'b="2"'],
    ['a=~".+"', 'b="2"'],
    ['a=~".+"', 'a=~"x.*|"'],
    ['a=~".+"', 'a!="1"'],
    ['a=~"x.*"', 'a=~"x.+y"'],  # true, but only RE2 could tell
    ['a="1"', 'a="1",a!="2"'][:1],
]

CONTRADICTIONS = [
    'a="1",a="2"',
    'a="1",a!="1"',
    'a="1",a=~"2|3"',
    'a="1",a!~"1.*"',
    'a=~"1|2",a=~"3|4"',
    'a="",a=~".+"',
]


@pytest.mark.parametrize(("matches", "taker"), TAKEN)
def test_a_rule_whose_alerts_are_all_taken(matches: list[str], taker: str) -> None:
    assert blamed(*matches) == [(f"r{len(matches) - 1}", taker)]


@pytest.mark.parametrize("matches", NOT_TAKEN)
def test_a_rule_that_may_still_match(matches: list[str]) -> None:
    assert blamed(*matches) == []


@pytest.mark.parametrize("match", CONTRADICTIONS)
def test_a_rule_that_contradicts_itself(match: str) -> None:
    assert blamed('b="1"', match) == [("r1", None)]


def test_an_unreachable_rule_takes_nothing_itself() -> None:
    """What is said about the third rule is about the first, which does take its alerts."""
    assert blamed('a=~".+"', 'a="1"', 'a="1",b="2"') == [("r1", "r0"), ("r2", "r0")]


NAMES, VALUES = "ab", ["", "x", "y", "xy"]
PATTERNS = ["", "x", "x|y", ".*", ".+", "x.*", ".*y", "x?", "[xy]"]
MATCHER = st.tuples(
    st.sampled_from(NAMES),
    st.one_of(
        st.tuples(st.sampled_from(["=", "!="]), st.sampled_from(VALUES)),
        st.tuples(
            st.sampled_from(["=~", "!~"]), st.sampled_from(["", "x", "x|y", ".*", ".+", "x.*", ".*y", "x?", "[xy]"])
        ),
    ),
).map(lambda one: f'{one[0]}{one[1][0]}"{one[1][1]}"')
RULES = st.lists(st.lists(MATCHER, min_size=1, max_size=3).map(",".join), min_size=1, max_size=5)


@settings(PATIENT, max_examples=150)
@given(RULES)
def test_what_is_called_unreachable_never_matches_first(matches: list[str]) -> None:
    """Sound: over all labels there are here, an unreachable rule is never the first that matches."""
    index = RuleIndex(rules(*matches))
    reached = {
        rule.name
        for values in product(VALUES, repeat=len(NAMES))
        if (rule := index.first(dict(zip(NAMES, values, strict=True)))) is not None
    }

    assert not reached & {name for name, _ in blamed(*matches)}


def test_the_fault_says_which_rule_and_where() -> None:
    text = """\
rules:
  - {name: all-warnings, match: ['severity="warning"'], playbook: restart, with: {host: a}}
  - {name: slow-response, match: ['severity="warning"', 'alertname="Slow"'], playbook: restart, with: {host: a}}
  - {name: odd, match: ['a="1"', 'a="2"'], playbook: restart, with: {host: a}}
---
"""
    assert faults(text + HOOK + BOOK) == [
        '3:5: rule "slow-response" can never match: rule "all-warnings" (f.yaml:2) takes every alert first; '
        "write it before that rule, or remove it",
        '4:5: rule "odd" can never match: its matchers contradict each other; remove one of them',
    ]


def test_nothing_is_proved_while_a_rule_cannot_be_read() -> None:
    text = """\
rules:
  - {name: a, match: ['x="1"'], playbook: restart, with: {host: a}}
  - {name: b, match: ['x="1"'], playbook: restart, with: {host: a}}
  - {name: c, match: [], playbook: restart}
---
"""
    assert [one.split(" ")[1] for one in faults(text + HOOK + BOOK)] == ["match"]


@pytest.mark.parametrize("match", ['alertname="A{n}"', 'team="T{n}"', 'alertname=~"A{n}.*"'])
def test_many_rules_are_compared_in_no_time(match: str) -> None:
    """No timing: comparing each with each would be 125,000 comparisons, and the deadline of a test is 30 seconds."""
    assert blamed(*(match.replace("{n}", str(n)) for n in range(500))) == []
