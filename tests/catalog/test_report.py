"""What `paramedic check` says at its end, and SARIF for other tools."""

import json

import pytest

from paramedic.catalog.faults import Located, Mark
from paramedic.catalog.load import Loaded, load_files
from paramedic.catalog.report import sarif, summary
from tests.catalog.texts import BOOK, HOOK, PLUGINS


def told(files: dict[str, str]) -> str:
    return summary(load_files(files, PLUGINS))


RULE = "rules:\n  - {{name: {0}, match: ['a=\"{0}\"'], playbook: restart, with: {{host: h}}}}\n"


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"a": HOOK + BOOK}, "1 file, 0 rules, 1 playbook: no faults; bundle "),
        ({"a": HOOK + BOOK, "b": RULE.format("x")}, "2 files, 1 rule, 1 playbook: no faults; bundle "),
        ({"a": "people: [{name: a}]\n"}, "1 file, 0 rules, 0 playbooks, 1 person: no faults; bundle "),
        ({"a": "people: [{name: a}, {name: b}]\n"}, "0 playbooks, 2 people: no faults; bundle "),
        ({"a": "rulez: []\n"}, "1 fault in 1 of 1 file; a running service keeps its last good bundle"),
        ({"a": "rulez: []\nx: 1\n", "b": "", "c": "y: 1\n"}, "3 faults in 2 of 3 files; a running service keeps"),
    ],
)
def test_the_last_line_counts(files: dict[str, str], said: str) -> None:
    assert said in told(files)


def test_the_bundle_is_named_by_the_beginning_of_its_hash() -> None:
    loaded = load_files({"a": ""}, PLUGINS)

    assert loaded.bundle is not None
    assert summary(loaded).endswith(f"bundle {loaded.bundle.hash[:6]}")


def test_a_fault_of_a_folder_is_in_no_file() -> None:
    loaded = Loaded(None, (Located("rules", None, "there is no such folder"),), {})

    assert summary(loaded) == "1 fault; a running service keeps its last good bundle"


def test_sarif_names_place_and_message() -> None:
    faults = (
        Located("rules/a.yaml", Mark(3, 7), 'unknown key "x"', 'did you mean "y"?'),
        Located("rules", None, "there is no such folder"),
    )
    document = sarif(faults, "1.2.3")
    (run,) = document["runs"]
    first, second = run["results"]

    assert document["version"] == "2.1.0"
    assert run["tool"]["driver"]["version"] == "1.2.3"
    assert first["message"]["text"] == 'unknown key "x"; did you mean "y"?'
    assert first["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "rules/a.yaml"},
        "region": {"startLine": 3, "startColumn": 7},
    }
    assert "region" not in second["locations"][0]["physicalLocation"]
    assert json.loads(json.dumps(document)) == document


def test_sarif_without_faults_has_no_results() -> None:
    assert sarif((), "1")["runs"][0]["results"] == []


# What SARIF 2.1.0 asks of the parts that we write, out of its schema.
SARIF = {
    "type": "object",
    "required": ["version", "runs"],
    "properties": {
        "version": {"enum": ["2.1.0"]},
        "runs": {
            "items": {
                "required": ["tool"],
                "properties": {
                    "tool": {"required": ["driver"], "properties": {"driver": {"required": ["name"]}}},
                    "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
                    "results": {
                        "items": {
                            "required": ["message"],
                            "additionalProperties": False,
                            "properties": {
                                "ruleId": {"type": "string"},
                                "level": {"enum": ["none", "note", "warning", "error"]},
                                "message": {"required": ["text"]},
                                "locations": {
                                    "items": {
                                        "properties": {
                                            "physicalLocation": {
                                                "properties": {
                                                    "region": {
                                                        "properties": {
                                                            "startLine": {"type": "integer", "minimum": 1},
                                                            "startColumn": {"type": "integer", "minimum": 1},
                                                        }
                                                    }
                                                }
                                            }
                                        }
                                    }
                                },
                            },
                        }
                    },
                },
            }
        },
    },
}


def test_sarif_is_what_its_standard_asks_for() -> None:
    from jsonschema import Draft202012Validator

    loaded = load_files({"a": "rulez: []\nx: [\n", "b": "y: 1\n"}, PLUGINS)

    assert loaded.faults
    Draft202012Validator(SARIF).validate(sarif(loaded.faults, "1"))
