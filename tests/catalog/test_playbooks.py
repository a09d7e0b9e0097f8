"""Playbooks: parameters, target, guards, steps, verification; what is left unsaid, and what is not allowed."""

import pytest

from paramedic.core.bundle import Recurrence
from paramedic.core.words import Mode, Once
from paramedic.plugin import Plugins
from tests.catalog.texts import BOOK, HOOK, PLUGINS, bundle, faults, playbook

STEP = '  - push: {to: hook, path: "/restart/${params.host}"}\n'


def wrong(old: str, new: str) -> str:
    assert old in BOOK
    return "\n".join(faults(HOOK + BOOK.replace(old, new)))


# -- what is left unsaid ----------------------------------------------------------------------------------------------


def test_a_playbook_that_names_no_mode_begins_in_shadow() -> None:
    assert playbook(BOOK.replace("mode: auto\n", "")).mode is Mode.SHADOW
    assert playbook(BOOK).mode is Mode.AUTO


def test_what_else_is_left_unsaid() -> None:
    found = playbook(BOOK)

    assert (found.description, found.on_failure, found.supersedes, found.approval) == ("", "escalate", (), 600)
    assert found.recurrence == Recurrence(3, 14400)
    assert (found.steps[0].on_failure, found.steps[0].when, found.steps[0].verify) == ("stop", None, ())
    assert found.at == "f.yaml:4"


def test_still_firing_is_asked_of_every_remedy_first() -> None:
    """Promise 5: immediately before every write is asked whether it still fires."""
    plain = playbook(BOOK)
    named = playbook(
        BOOK.replace("steps:", "guards:\n  - when: params.host != ''\n  - still_firing: {for: 1m}\nsteps:")
    )
    bare = playbook(BOOK.replace("mode: auto", "mode: auto\ndefaults: none"))
    other = playbook(BOOK.replace("steps:", "guards:\n  - when: params.host != ''\nsteps:"))

    assert [guard.kind for guard in plain.guards] == ["still_firing"]
    assert [guard.kind for guard in bare.guards] == ["still_firing"]
    assert [guard.kind for guard in named.guards] == ["when", "still_firing"]
    assert [guard.kind for guard in other.guards] == ["still_firing", "when"]
    assert plain.guards[0].params.render({}) == {}
    assert plain.guards[0].inline


def test_without_such_a_guard_there_is_none_to_add() -> None:
    plugins = Plugins(PLUGINS.actions, {}, PLUGINS.checks, PLUGINS.notifiers)

    assert bundle(HOOK + BOOK, plugins).playbooks["restart"].guards == ()


# -- parameters and target --------------------------------------------------------------------------------------------


PARAMS = """\
params:
  host: {type: string, pattern: "^web-", default: web-1, description: which}
  n: {type: integer, default: 0}
  x: {type: number, default: 1}
  on: {type: boolean, default: false}
  free: {type: string}
"""


def test_parameters() -> None:
    found = playbook(BOOK.replace("params: {host: {type: string}}\n", PARAMS)).params

    assert {name: (one.type, one.default, one.required) for name, one in found.items()} == {
        "host": ("string", "web-1", False),
        "n": ("integer", 0, False),
        "x": ("number", 1, False),
        "on": ("boolean", False, False),
        "free": ("string", None, True),
    }
    assert found["host"].pattern == "^web-"
    assert found["host"].regex is not None
    assert found["host"].regex.search("web-7")
    assert found["free"].regex is None


@pytest.mark.parametrize(
    ("param", "fault"),
    [
        ("host: {}", 'host has no "type"; needed: type'),
        ("host: string", "host must be a mapping of keys to values"),
        (
            "host: {type: str}",
            'not "str"; did you mean "string"?',
        ),
        ("host: {type: string, pattern: '('}", '6:40: pattern "(" is not a regular expression: missing )'),
        ("host: {type: string, pattern: ''}", "pattern must be at least 1 character"),
        ("host: {type: string}, n: {type: integer, pattern: '1'}", "a pattern is for text, and n is of type integer"),
        ("host: {type: string, default: 5}", "the default of host is not of its type; give a value of type string"),
        ("host: {type: string, default: }", "the default of host is not of its type"),
        ("host: {type: string, default: [a]}", "default must be text, a number or true or false, not a list"),
        ("host: {type: string}, n: {type: integer, default: '1'}", "the default of n is not of its type"),
        ("host: {type: string}, n: {type: integer, default: 1.5}", "the default of n is not of its type"),
        ("host: {type: string}, n: {type: integer, default: true}", "the default of n is not of its type"),
        ("host: {type: string}, n: {type: number, default: true}", "the default of n is not of its type"),
        ("host: {type: string}, n: {type: boolean, default: 1}", "the default of n is not of its type"),
        ("host: {type: string, pattern: '^web', default: db}", 'the default "db" does not fit the pattern "^web"'),
        ("host: {type: string}, Host: {type: string}", '6:32: "Host" must be a name of small letters'),
        ("host: {type: string}, a-b: {type: string}", '"a-b" must be a name of small letters'),
        ("host: {tpye: string}", 'unknown key "tpye"; did you mean "type"?'),
    ],
)
def test_what_is_no_parameter(param: str, fault: str) -> None:
    assert fault in wrong("{host: {type: string}}", f"{{{param}}}")


def test_a_target_is_made_of_parameters() -> None:
    assert playbook(BOOK).target.render({"params": {"host": "a"}}) == "hosts/a"
    assert playbook(BOOK.replace("hosts/${params.host}", "everything")).target.render({}) == "everything"


@pytest.mark.parametrize(
    ("target", "fault"),
    [
        ('"${params.hots}"', '7:9: `params.hots`: params has no field "hots"; did you mean "host"?'),
        ('"${alert.labels.host}"', '"alert" refers to nothing; known: params'),
        ('"${incident.id}"', '"incident" refers to nothing'),
        ('"${params.host"', "is not closed"),
        ("''", "target must be at least 1 character"),
        ("[a]", "target must be text, not a list"),
    ],
)
def test_a_target_sees_nothing_else(target: str, fault: str) -> None:
    """It must not depend on the moment: two runs on one target must name it alike (promise 4)."""
    assert fault in wrong('"hosts/${params.host}"', target)


# -- guards -----------------------------------------------------------------------------------------------------------


def test_guards() -> None:
    found = bundle(
        HOOK
        + BOOK.replace(
            "steps:",
            "guards:\n  - still_firing:\n  - when: params.host == 'a' || incident.severity == 'P0'\n"
            "  - quiet: {match: ['alertname=~\"etcd.*\"', 'job=\"b\"']}\nsteps:",
        )
    )
    still, when, quiet = found.playbooks["restart"].guards
    scope = {"params": {"host": "b"}, "incident": {"severity": "P0"}}

    assert (still.params.render({}), still.at) == ({}, "f.yaml:9")
    assert when.params.render(scope) == {
        "condition": True,
        "text": "params.host == 'a' || incident.severity == 'P0'",
    }
    assert (still.inline, when.inline, quiet.inline) == (True, True, False)
    assert [[str(matcher) for matcher in one] for one in found.watched] == [['alertname=~"etcd.*"', 'job="b"']]


def test_what_several_guards_watch_for_is_watched_once() -> None:
    guards = "guards:\n  - quiet: {match: ['a=\"1\"']}\n  - quiet: {match: ['a=\"2\"']}\nsteps:"
    text = HOOK + BOOK.replace("steps:", guards) + BOOK.replace("steps:", guards).replace(": restart", ": other")

    assert [[str(matcher) for matcher in one] for one in bundle(text).watched] == [['a="1"'], ['a="2"']]


@pytest.mark.parametrize(
    ("guard", "fault"),
    [
        ("still_firng: {}", '9:5: unknown guard "still_firng"; did you mean "still_firing"? (guards: paramedic schema'),
        ("still_firing", "9:5: a guard is one name with its parameters; write for example still_firing: {for: 1m}"),
        ("nothing", "a guard is one name with its parameters; write for example quiet:"),
        ("{still_firing: {}, when: x}", "a guard is one name with its parameters; begin each with -"),
        ("{}", "a guard is one name with its parameters"),
        ("still_firing: 1m", "still_firing takes a mapping of parameters; write for example still_firing: {for: 1m}"),
        ("still_firing: [1m]", "still_firing takes a mapping of parameters"),
        ("still_firing: {for: x}", '9:25: for: "x" is not a duration'),
        ("still_firing: {fro: 1m}", '9:20: unknown key "fro"; did you mean "for"?'),
        ("quiet: {}", 'quiet has no "match"; needed: match'),
        ("quiet: {match: ['a=~\"(\"']}", '9:21: matcher a=~"(" is not a regular expression'),
        ("quiet: {match: ['a=\"${params.host}\"']}", "9:20: no ${...} may stand here; write it out"),
        ("when: params.host", "9:11: `params.host` is text, not true or false"),
        ("when: alert.labels.x", "is text, not true or false"),
        ("when: labels.x == ''", '"labels" refers to nothing'),
        ("when: 5", "a condition must be text"),
        ("when: [a]", "when takes a mapping of parameters; write for example when: params.n > 2"),
        ("when: {condition: 'true &&'}", "9:23: `true &&` is not a CEL expression: it ends too early"),
    ],
)
def test_what_is_no_guard(guard: str, fault: str) -> None:
    assert fault in wrong("steps:", f"guards:\n  - {guard}\nsteps:")


def test_guards_that_are_no_list() -> None:
    assert wrong("steps:", "guards: {still_firing: {}}\nsteps:") == "8:9: guards must be a list, not a mapping"


# -- steps ------------------------------------------------------------------------------------------------------------


def test_a_step_takes_from_its_action_what_it_does_not_say() -> None:
    """Promise 3 rests on `once`; it comes from the action and from what it names."""
    found = playbook(BOOK.replace(STEP, "  - push: {to: hook, times: 2, wait: 1m}\n  - pull: it\n  - pull:\n"))
    push, pull, bare = found.steps

    assert (push.kind, push.once, push.timeout, push.mutates, push.inline) == ("push", Once.KEY, 60, True, True)
    assert (pull.kind, pull.once, pull.timeout, pull.mutates, pull.inline) == ("pull", Once.CAS, 30, False, False)
    assert (push.params.render({}), pull.params.render({}), bare.params.render({})) == (
        {"to": "hook", "times": 2, "wait": "1m"},
        {"what": "it"},
        {},
    )
    assert [step.at for step in found.steps] == ["f.yaml:9", "f.yaml:10", "f.yaml:11"]


def test_an_endpoint_that_does_not_deduplicate_gives_no_key() -> None:
    text = HOOK.replace(", idempotent: true", "") + BOOK

    assert bundle(text).playbooks["restart"].steps[0].once is Once.NONE


def test_a_step_may_have_a_condition_checks_and_a_way_on() -> None:
    found = playbook(
        BOOK.replace(
            STEP,
            STEP + "    when: run.recurrence < 2\n    verify:\n      - cleared: {within: 2m, every: 5s, stays: 1m}\n"
            "      - cleared:\n    on_failure: next\n",
        )
    ).steps[0]
    first, second = found.verify

    assert found.on_failure == "next"
    assert found.when is not None
    assert (found.when.text, found.when.holds({"run": {"recurrence": 1}})) == ("run.recurrence < 2", True)
    assert (first.within, first.every, first.inline, first.params.render({})) == (120, 5, True, {"stays": "1m"})
    assert (second.within, second.every, second.params.render({})) == (600, 10, {})


@pytest.mark.parametrize(
    ("step", "fault"),
    [
        ("psuh: {to: hook}", '9:5: unknown action "psuh"; did you mean "push"?'),
        ("push: {to: hook}\n    pull: it", "9:5: a step is one action, and this has 2; actions: pull, push"),
        ("{}", "a step is one action, and this has none; actions: pull, push"),
        ("when: 'true'", "a step is one action, and this has none"),
        ("push", "a step is one action with its parameters"),
        ("push: hook", "push takes a mapping of parameters; write for example push: {to: hook}"),
        ("push: {}", '9:11: push has no "to"; needed: to'),
        ("push: {to: hok}", '9:16: there is no endpoint "hok"; name one'),
        ('push: {to: "${params.host}"}', "9:16: no ${...} may stand here"),
        ("push: {to: hook, times: 10}", "times must be at most 9, not 10"),
        ('push: {to: hook, times: "${params.host}"}', "times must be a whole number"),
        ('push: {to: hook, path: "${params.hots}"}', '9:28: `params.hots`: params has no field "hots"'),
        ('push: {to: hook, undo: {path: "${x}"}}', '9:35: `x`: "x" refers to nothing'),
        ("push: {to: hook, pth: /}", '9:22: unknown key "pth"; did you mean "path"?'),
        ("push: {to: hook}\n    wehn: 'true'", '10:5: unknown action "wehn"; did you mean "when"?'),
        ("push: {to: hook}\n    when: params.host", "10:11: `params.host` is text, not true or false"),
        ("push: {to: hook}\n    when: true", "when must be text, not true; quote it"),
        ("push: {to: hook}\n    on_failure: retry", "on_failure must be one of stop, undo, next"),
        ("push: {to: hook}\n    verify: cleared", 'verify must be a list, not "cleared"'),
        ("push: {to: hook}\n    verify:\n      - clear: {}", '11:9: unknown check "clear"; did you mean "cleared"?'),
        ("push: {to: hook}\n    verify:\n      - cleared: {within: 0s}", "within must be more than 0"),
        ("push: {to: hook}\n    verify:\n      - cleared: {every: 500ms}", "every must be at least 1s"),
        (
            "push: {to: hook}\n    verify:\n      - cleared: {within: 5s}",
            "asked only after its time is over",
        ),
        ("push: {to: hook}\n    verify:\n      - cleared: {stay: 5s}", 'unknown key "stay"; did you mean "stays"?'),
        ("push: {to: hook}\n    verify:\n      - cleared: 5s", "cleared takes a mapping of parameters"),
    ],
)
def test_what_is_no_step(step: str, fault: str) -> None:
    assert fault in wrong(STEP, f"  - {step}\n")


def test_an_expression_in_a_number_is_tried_with_a_typical_value() -> None:
    book = BOOK.replace("{type: string}}", "{type: string}, n: {type: integer}}")

    assert faults(HOOK + book.replace('path: "/restart/${params.host}"', 'times: "${params.n}"')) == []
    assert "a typical value was tried" in "".join(
        faults(HOOK + book.replace('path: "/restart/${params.host}"', 'times: "${params.n + 20}"'))
    )


# -- the rest ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("mode: freeze", "mode must be one of off, shadow, approve, auto"),
        ("mode: auto\ndefaults: all", 'defaults must be "none", not "all"'),
        ("mode: auto\nrecurrence: {max: 0}", "max must be at least 1"),
        ("mode: auto\nrecurrence: 3", "recurrence must be a mapping"),
        ("mode: auto\napproval: 0s", "approval must be more than 0"),
        ("mode: auto\non_failure: undo", "on_failure must be one of escalate, stop"),
        ("mode: auto\nsupersedes: [restrat]", '6:14: there is no playbook "restrat"; did you mean "restart"?'),
        ("mode: auto\nsteps: []", 'the key "steps" stands twice'),
        ("mode: auto\nrules: []", '6:1: unknown key "rules"'),
    ],
)
def test_what_a_playbook_cannot_say(line: str, fault: str) -> None:
    assert fault in wrong("mode: auto", line)


def test_what_a_playbook_can_say() -> None:
    found = playbook(
        BOOK.replace(
            "mode: auto",
            "mode: approve\ndescription: It restarts.\ndefaults: none\nrecurrence: {max: 5, within: 1d}\napproval: 1h\n"
            "on_failure: stop\nsupersedes: [restart]",
        )
    )

    assert (found.mode, found.description, found.on_failure) == (Mode.APPROVE, "It restarts.", "stop")
    assert (found.recurrence, found.approval, found.supersedes) == (Recurrence(5, 86400), 3600, ("restart",))


def test_all_faults_of_a_playbook_come_at_once() -> None:
    text = """\
playbook: x
mode: never
"""
    assert len(faults(text)) == 3
    many = BOOK.replace("${params.host}", "${params.nope}").replace(
        "steps:", "guards:\n  - nope: {}\n  - when: nope\nsteps:\n  - push: {to: nope}\n    when: nope\n"
    )
    assert [one.partition(": ")[0] for one in faults(HOOK + many)] == ["7:9", "9:5", "10:11", "12:16", "13:11", "15:28"]
