"""The merged catalog as YAML: the catalog reads it again to the same effect, and it says where everything came from."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paramedic.catalog.effective import effective
from paramedic.catalog.load import load_files
from paramedic.core.bundle import Bundle
from paramedic.plugin import discover
from tests.catalog.texts import BOOK, HOOK, PATIENT, PLUGINS, values

GOOD = Path(__file__).parent.parent / "data" / "good"


def merged(files: dict[str, str]) -> str:
    return effective(load_files(files, PLUGINS), PLUGINS)


def gist(bundle: Bundle) -> object:
    """What a bundle comes to, without the places where it was written."""
    return (
        [
            (rule.name, [str(one) for one in rule.match], rule.playbook, rule.mode, rule.severity)
            for rule in bundle.rules
        ],
        {
            name: (book.mode, [guard.kind for guard in book.guards], [step.kind for step in book.steps])
            for name, book in bundle.playbooks.items()
        },
        {name: (one.contacts, one.notifier) for name, one in bundle.people.items()},
        {name: (one.levels, one.ack) for name, one in bundle.policies.items()},
        dict(bundle.endpoints),
        dict(bundle.sources),
        [entry.fields for entry in bundle.services],
        dict(bundle.windows),
    )


@pytest.mark.parametrize("name", [path.name for path in sorted(GOOD.glob("*.yaml"))])
def test_what_comes_out_goes_in_again_to_the_same_effect(name: str) -> None:
    plugins = discover()
    loaded = load_files({name: (GOOD / name).read_text(encoding="utf-8")}, plugins)
    assert loaded.bundle is not None
    again = load_files({"again.yaml": effective(loaded, plugins)}, plugins)

    assert [str(fault) for fault in again.faults] == []
    assert again.bundle is not None
    assert gist(again.bundle) == gist(loaded.bundle)


def test_everything_of_all_files_stands_in_the_order_that_counts() -> None:
    rule = "rules:\n  - {{name: {0}, match: ['a=\"{0}\"'], playbook: restart, with: {{host: h}}}}\n"
    text = merged({"rules/20.yaml": rule.format("late"), "rules/10.yaml": rule.format("early"), "p.yaml": HOOK + BOOK})

    assert text.index("# rules/10.yaml:2") < text.index("name: early") < text.index("# rules/20.yaml:2")
    assert "rules:  # asked in this order; the first that matches counts" in text
    assert text.index("name: late") < text.index("endpoints:") < text.index("# p.yaml:4\n")


def test_what_was_left_unsaid_is_said() -> None:
    text = merged({"p.yaml": HOOK + BOOK.replace("mode: auto\n", "")})

    assert "# no mode is named, so it begins in shadow\n" in text
    assert "mode: shadow\n" in text
    assert "# still_firing is asked in every playbook\n" in text
    assert text.index("guards:\n- still_firing: {}") < text.index("steps:")


def test_what_was_said_is_not_said_again() -> None:
    text = merged({"p.yaml": HOOK + BOOK.replace("steps:", "guards:\n  - still_firing: {for: 1m}\nsteps:")})

    assert "begins in shadow" not in text
    assert "asked in every playbook" not in text
    assert text.count("still_firing") == 1


def test_nothing_comes_to_nothing() -> None:
    assert merged({}) == ""
    assert merged({"a.yaml": "rules: []\n"}) == ""


WORDS = st.text(alphabet="aé0123.:+-eEoxyn ~#'\"{}[]\n\\tfrul", min_size=1, max_size=10)


@PATIENT
@given(WORDS, WORDS)
def test_text_stays_text_whatever_it_looks_like(one: str, other: str) -> None:
    """`1e3`, `off`, `0o17` and `~` mean different things in YAML 1.1 and 1.2; what was text comes out as text."""
    import json

    entry = json.dumps({"match": ["a=b"], "one": one, "two": other, "list": [one, other]}, ensure_ascii=False)
    text = merged({"s.yaml": f"services: [{entry}]\n"})

    assert values(text)[0]["services"][0] == {"match": ["a=b"], "one": one, "two": other, "list": [one, other]}
