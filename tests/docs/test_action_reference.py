"""docs/reference/actions.md says what the actions say of themselves; each example on it has been carried out."""

import re
from dataclasses import replace

import pytest

from paramedic.plugin import Action, discover
from tests.contract.test_plugins import concrete
from tests.docs.action_example import Played, played
from tests.docs.action_reference import PAGE, REFRESH, render_actions
from tests.docs.action_reference import section as one_section

ACTIONS = discover().actions
TOLD = pytest.mark.parametrize("name", sorted(ACTIONS))


@pytest.fixture(scope="module")
def told() -> dict[str, Played]:
    """Every example, carried out once."""
    return {name: played(action) for name, action in ACTIONS.items()}


@pytest.fixture(scope="module")
def page() -> str:
    return render_actions(discover())


def section(page: str, name: str) -> str:
    return page.split(f"\n## `{name}`\n", 1)[1].split("\n## `", 1)[0]


def test_the_page_is_current(page: str) -> None:
    assert PAGE.read_text() == page, f"the actions have changed; refresh with: {REFRESH}"


def test_it_is_the_same_each_time(page: str) -> None:
    """Names of pods and moments differ from one run to the next; nothing of them is on the page."""
    assert one_section(ACTIONS["roll_back"]) in page


@TOLD
def test_everything_that_an_action_declares_is_on_it(page: str, name: str) -> None:
    action, said = ACTIONS[name], section(page, name)

    assert action.example.strip() in said
    assert all(f"| `{info.alias or field}` |" in said for field, info in action.Params.model_fields.items())
    assert all(f"- `{permission}`" in said for permission in action.permissions)
    assert all(f"- {refusal}" in said for refusal in action.refuses)


@TOLD
def test_the_example_plans_in_words_without_writing(told: dict[str, Played], name: str) -> None:
    result = told[name]

    assert result.change.needed
    assert result.change.summary.isprintable()
    assert len(result.change.digest) == 64, "approvals bind to it"
    assert [str(each) for each in result.requests[: result.planned] if each.writes and not each.dry_run] == []


@TOLD
def test_the_example_is_carried_out_and_seen_to_be_in_effect(told: dict[str, Played], name: str) -> None:
    result = told[name]
    action = ACTIONS[name]

    assert result.applied.summary
    assert not result.applied.halted
    if "kube" in action.writes and action.mutates(concrete(action)):
        assert result.observed is True


@TOLD
def test_what_it_asks_a_cluster_is_what_it_declares(told: dict[str, Played], name: str) -> None:
    asked = {each.permission for each in told[name].requests}

    assert asked <= set(ACTIONS[name].permissions)
    assert bool(asked) is ("kube" in ACTIONS[name].reads)


@TOLD
def test_each_write_was_rehearsed_on_the_server_first(told: dict[str, Played], name: str) -> None:
    writes = [each for each in told[name].requests if each.writes]

    for n, each in enumerate(writes):
        if not each.dry_run:
            assert n > 0, each
            assert replace(writes[n - 1], dry_run=False) == each
            assert writes[n - 1].dry_run


@TOLD
def test_what_can_be_taken_back_was_taken_back(told: dict[str, Played], name: str) -> None:
    result = told[name]

    assert (result.taken_back is not None) is (result.change.undo is not None)


def test_a_changed_action_changes_the_page(page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison above is worth something only if it can fail."""
    action: Action = ACTIONS["http"]
    assert one_section(action) in page
    monkeypatch.setattr(type(action), "__doc__", "Something else.")

    assert one_section(action) not in page


def test_examples_on_the_page_are_those_of_the_files(page: str) -> None:
    assert len(re.findall(r"```yaml\n", page)) == len(ACTIONS)
