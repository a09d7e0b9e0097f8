"""Writes docs/reference/actions.md from the actions themselves: `python -m tests.docs.action_reference`.

What an example comes to is not written down anywhere: it is carried out (`action_example`), and the page says what was
said. `test_action_reference.py` fails while the page differs from what `render_actions` makes.
"""

import inspect
from collections.abc import Iterator
from pathlib import Path

from paramedic.core.text import span
from paramedic.core.words import Once
from paramedic.plugin import Action, Plugins, discover
from tests.contract.test_plugins import concrete
from tests.docs.action_example import WORDS, Played, played, resources
from tests.docs.plugin_reference import parameters

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "actions.md"
REFRESH = "python -m tests.docs.action_reference"

INTRODUCTION = f"""\
# Actions

What a step of a playbook can do. Each is one file in `service/paramedic/actions`, and this page is made from these
files. What an example comes to was said when it was carried out, on
{WORDS}.
[Guards](guards.md) have a page of their own; checks and notifiers are in [Plug-ins](plug-ins.md), with how parameters
are written.

An action plans first: it reads, and says in absolute values what it would write. That plan is what shadow mode shows
and what a person approves. The write follows under a key of its own; *once* says what keeps it from happening twice:

| once | means |
|---|---|
| `cas` | the target compares: a write that was planned against something older is refused by it |
| `key` | the target knows our key again, and does nothing twice under it |
| `uid` | the write is bound to one object: another one under the same name is left alone |
| `none` | nothing does: when an answer gets lost, a person decides, and nothing is repeated |

On a cluster, what a step writes is first sent as a server-side dry run, so that what the cluster would refuse is
refused before anything has changed. `paramedic rbac` prints the permissions that your playbooks need.
"""


def render_actions(plugins: Plugins) -> str:
    """The page, from all actions there are, their examples carried out."""
    return "\n".join([INTRODUCTION, *(section(plugins.actions[name]) for name in sorted(plugins.actions))])


def section(action: Action) -> str:
    """One action."""
    params = concrete(action)
    parts = [f"## `{action.name}`", inspect.cleandoc(type(action).__doc__ or "")]
    parts.append(f"```yaml\n{action.example.strip()}\n```")
    told = played(action)
    parts.append(
        "\n".join(["| of this example | |", "|---|---|", *(f"| {what} | {said} |" for what, said in _said(told))])
    )
    if told.change.needed and action.mutates(params):
        once = Once(action.once(params, resources(action)))
        parts.append(f"Once: `{once}`, for this example. Taken back by {action.undone_by}.")
    else:
        parts.append("It changes nothing.")
    rows = list(parameters(action.Params.model_json_schema(), action.escapes))
    if rows:
        table = ["| parameter | is | unless given | what it says |", "|---|---|---|---|"]
        parts.append(
            "\n".join(table + [f"| `{name}` | {kind} | {other} | {what} |" for name, kind, other, what in rows])
        )
    parts += _lists(action)
    return "\n\n".join(parts) + "\n"


def _said(told: Played) -> Iterator[tuple[str, str]]:
    """What the example came to, step by step."""
    yield "plan", told.change.summary
    yield "done", told.applied.summary
    if told.applied.exhibits:
        yield "evidence", ", ".join(f"`{_without_pod(each.name)}`" for each in told.applied.exhibits[:8])
    if told.taken_back is not None:
        yield "taken back", told.taken_back.summary
    if told.change.lasts:
        yield "lasts", f"{span(told.change.lasts)} from when the alert has cleared"


def _without_pod(name: str) -> str:
    return name.rpartition("/")[2]


def _lists(action: Action) -> Iterator[str]:
    """Permissions and refusals."""
    if action.permissions:
        yield "Permissions:\n\n" + "\n".join(f"- `{each}`" for each in action.permissions)
    if action.refuses:
        yield "Refuses, with the reason, when:\n\n" + "\n".join(f"- {each}" for each in action.refuses)


if __name__ == "__main__":
    PAGE.write_text(render_actions(discover()))
