"""From texts to a bundle: its hash, its row, its speed; faults together, never half a bundle."""

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from paramedic.catalog.load import bundle_body, bundle_hash, load, load_body, load_files, load_folders
from paramedic.core.model import Alert
from paramedic.core.routing import candidate_of
from paramedic.errors import Fault
from tests.catalog.texts import BOOK, HOOK, PLUGINS, faults

RULES = HOOK + "rules:\n  - {name: down, match: ['alertname=\"Down\"'], playbook: restart, with: {host: h}}\n"
FILES = {"rules/a.yaml": RULES, "playbooks/b.yaml": BOOK}


# -- what a bundle is -------------------------------------------------------------------------------------------------


def test_files_make_one_bundle() -> None:
    loaded = load_files(FILES, PLUGINS)

    assert loaded.faults == ()
    assert loaded.bundle is not None
    assert [rule.name for rule in loaded.bundle.rules] == ["down"]
    assert set(loaded.bundle.playbooks) == {"restart"}
    assert set(loaded.bundle.endpoints) == {"hook"}
    assert dict(loaded.files) == FILES


def test_nothing_is_a_bundle_too() -> None:
    loaded = load_files({}, PLUGINS)

    assert loaded.bundle is not None
    assert len(loaded.bundle.rules) == 0
    assert set(loaded.bundle.sources) == {"default"}


def test_a_bundle_cannot_be_changed() -> None:
    bundle = load_files(FILES, PLUGINS).bundle
    assert bundle is not None
    frozen: Any = bundle

    for name in ("playbooks", "sources", "endpoints", "people", "windows", "policies"):
        with pytest.raises(TypeError):
            getattr(frozen, name)["x"] = 1
    with pytest.raises(AttributeError):
        frozen.hash = ""


def test_the_hash_is_over_names_and_texts_and_nothing_else() -> None:
    reordered = dict(reversed(FILES.items()))
    canonical = json.dumps(dict(sorted(FILES.items())), separators=(",", ":"), ensure_ascii=False)

    assert bundle_hash(FILES) == bundle_hash(reordered) == hashlib.sha256(canonical.encode()).hexdigest()
    assert bundle_hash(FILES) != bundle_hash({**FILES, "rules/c.yaml": ""})
    assert bundle_hash({"a": "b"}) != bundle_hash({"b": "a"}) != bundle_hash({"a": "b "})
    loaded = load_files(reordered, PLUGINS)
    assert loaded.bundle is not None
    assert loaded.bundle.hash == bundle_hash(FILES)
    assert loaded.body == bundle_body(FILES)


def test_rules_are_ordered_by_the_names_of_their_files() -> None:
    rule = "rules: [{{name: {0}, match: ['alertname=\"{0}\"'], playbook: restart, with: {{host: h}}}}]\n"
    files = {f"rules/{name}.yaml": rule.format(name) for name in ("20-b", "10-c", "30-a")}
    loaded = load_files({**files, "playbooks/b.yaml": HOOK + BOOK}, PLUGINS)

    assert loaded.bundle is not None
    assert [one.name for one in loaded.bundle.rules] == ["10-c", "20-b", "30-a"]


def test_what_is_in_the_bundle_does_what_it_says() -> None:
    bundle = load_files(FILES, PLUGINS).bundle
    assert bundle is not None
    now = datetime(2026, 1, 1, tzinfo=UTC)
    alert = Alert("default", "1", {"alertname": "Down"}, {}, True, now)
    rule = bundle.rules.first(alert.labels)
    assert rule is not None

    candidate = candidate_of(rule, alert, bundle)
    assert (candidate.params, candidate.target, candidate.fault) == ({"host": "h"}, "hosts/h", "")


# -- its row ----------------------------------------------------------------------------------------------------------


def test_a_bundle_is_rebuilt_from_its_row() -> None:
    """Promise 10: a run keeps the bundle it began with, on every replica."""
    bundle = load_files(FILES, PLUGINS).bundle
    again = load_body(bundle_body(FILES), PLUGINS)

    assert bundle is not None
    assert again.hash == bundle.hash
    assert [rule.match for rule in again.rules] == [rule.match for rule in bundle.rules]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b'{"a": 1}', b"null"])
def test_a_row_that_cannot_be_read_is_a_fault(body: bytes) -> None:
    with pytest.raises(Fault, match="the stored texts cannot be read"):
        load_body(body, PLUGINS)


def test_a_row_that_todays_plug_ins_refuse_is_a_fault() -> None:
    with pytest.raises(Fault, match='unknown action "gone"'):
        load_body(bundle_body({"p.yaml": HOOK + BOOK.replace("push:", "gone:")}), PLUGINS)


# -- faults -----------------------------------------------------------------------------------------------------------


def test_faults_of_all_files_come_together_and_in_order() -> None:
    """Promise 10: refused with file, line, column and what would be right."""
    loaded = load_files(
        {
            "rules/b.yaml": "rulez: []\npeeple: []\n",
            "rules/a.yaml": "a: [1\n",
            "playbooks/c.yaml": BOOK.replace("auto", "never"),
        },
        PLUGINS,
    )

    assert loaded.bundle is None
    assert [fault.where for fault in loaded.faults] == [
        "playbooks/c.yaml:2:7",
        "rules/a.yaml:1:4",
        "rules/b.yaml:1:1",
        "rules/b.yaml:2:1",
    ]
    assert [(fault.file, fault.line, fault.column) for fault in loaded.faults][1] == ("rules/a.yaml", 1, 4)


def test_one_fault_is_enough_to_have_no_bundle() -> None:
    assert load_files({**FILES, "rules/c.yaml": "rulez: []\n"}, PLUGINS).bundle is None


def test_what_a_torn_file_may_declare_is_not_said_to_be_missing() -> None:
    """Otherwise one missing bracket would give a fault for every rule that names what stands behind it."""
    loaded = load_files({"rules/a.yaml": RULES, "playbooks/b.yaml": BOOK + "a: [1\n"}, PLUGINS)
    without = load_files({"rules/a.yaml": RULES, "playbooks/b.yaml": "a: [1\n"}, PLUGINS)

    assert [fault.what for fault in loaded.faults] == ["the list that begins here is not closed"]
    assert [fault.what for fault in without.faults] == ["the list that begins here is not closed"]


def test_the_same_fault_is_said_once() -> None:
    assert len(faults("playbook: a\nmode: never\ntarget: x\nsteps: [{pull: }]\n")) == 1


# -- folders ----------------------------------------------------------------------------------------------------------


def folder(base: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = base / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return base


def test_two_folders_are_loaded_together(tmp_path: Path) -> None:
    folder(tmp_path, FILES)
    loaded = load(tmp_path / "rules", tmp_path / "playbooks", PLUGINS)

    assert loaded.bundle is not None
    assert loaded.bundle.hash == bundle_hash(FILES)


def test_the_hash_does_not_depend_on_where_the_folders_are(tmp_path: Path) -> None:
    folder(tmp_path / "one", FILES)
    folder(tmp_path / "two", FILES)
    hashes = {
        loaded.bundle.hash
        for base in ("one", "two")
        if (loaded := load(tmp_path / base / "rules", tmp_path / base / "playbooks", PLUGINS)).bundle is not None
    }

    assert len(hashes) == 1


def test_an_empty_folder_is_an_empty_bundle(tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "playbooks").mkdir()

    assert load(tmp_path / "rules", tmp_path / "playbooks", PLUGINS).bundle is not None


def test_playbooks_may_stand_among_the_rules(tmp_path: Path) -> None:
    folder(tmp_path, {"rules/a.yaml": RULES + "---\n" + BOOK})

    assert load(tmp_path / "rules", tmp_path / "playbooks", PLUGINS).bundle is not None


def test_a_missing_folder_is_a_fault(tmp_path: Path) -> None:
    folder(tmp_path, {"rules/a.yaml": RULES})
    missing = load(tmp_path / "nowhere", tmp_path / "playbooks", PLUGINS)
    lacking = load(tmp_path / "rules", tmp_path / "playbooks", PLUGINS)

    assert f"{tmp_path}/nowhere: there is no such folder; make it, or name another one" in map(str, missing.faults)
    assert missing.bundle is None
    assert [fault.where for fault in lacking.faults] == [f"{tmp_path}/playbooks", "rules/a.yaml:5:57"]


def test_folders_and_files_of_ones_own_choice_keep_their_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder(tmp_path, {"x/a.yaml": RULES, "y.yaml": BOOK, "z/c.yaml": "nope: 1\n"})
    monkeypatch.chdir(tmp_path)
    loaded = load_folders([Path("x"), Path("y.yaml"), Path("z")], PLUGINS)

    assert set(loaded.files) == {"x/a.yaml", "y.yaml", "z/c.yaml"}
    assert [fault.where for fault in loaded.faults] == ["z/c.yaml:1:1"]


# -- size -------------------------------------------------------------------------------------------------------------


def many(count: int, entry: Callable[[int], str]) -> str:
    return HOOK + BOOK + "rules:\n" + "".join(entry(n) for n in range(count))


def test_a_thousand_rules_load_and_the_last_is_found() -> None:
    """Not a timed test: with a second a rule it would not end before its deadline."""
    text = many(
        1000,
        lambda n: (
            f"  - name: r{n}\n    match: ['alertname=\"A{n}\"', 'job=~\"x-.*\"']\n    playbook: restart\n"
            f'    with: {{host: "${{labels.host}}-{n}"}}\n'
        ),
    )
    bundle = load_files({"f.yaml": text}, PLUGINS).bundle
    assert bundle is not None
    rule = bundle.rules.first({"alertname": "A999", "job": "x-1"})

    assert rule is not None
    assert rule.name == "r999"
    assert rule.with_["host"].render({"labels": {"host": "h"}}) == "h-999"


def test_a_thousand_faults_are_a_thousand_lines() -> None:
    text = many(1000, lambda n: f"  - {{name: r{n}, match: ['a=\"{n}\"'], playbook: nope}}\n")

    assert len(load_files({"f.yaml": text}, PLUGINS).faults) == 1000
