"""Writes docs/reference/guards.md from the guards themselves: `python -m tests.docs.guard_reference`.

What a guard answers is read in its file, what it costs is counted while it is asked. `test_guard_reference.py` fails
while the page differs from what `render_guards` makes.
"""

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path

import msgspec

from paramedic.catalog.defaults import BINDING
from paramedic.core.bounds import LARGEST
from paramedic.core.judging import FRESH, LONGEST_WAIT
from paramedic.core.text import span
from paramedic.engine.jury import DEADLINE, Jury
from paramedic.plugin import Guard, Plugins, discover
from paramedic.rehearse.cluster.seeding import seeded
from paramedic.rehearse.loop import VirtualClock, VirtualLoop, virtually
from paramedic.telemetry import Telemetry
from tests.contract.guard_scene import Ports, scene, scope_of, spec_of
from tests.contract.plugin_scene import Others
from tests.docs.action_example import WORLD
from tests.docs.plugin_reference import parameters, section

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "guards.md"
REFRESH = "python -m tests.docs.guard_reference"

READS = {
    "alerts": "Alertmanager",
    "changes": "reported changes",
    "http": "an endpoint",
    "kube": "the cluster",
    "metrics": "Prometheus",
}
ASKED = {
    "first": "before the plan",
    "people": "when there is a plan",
    "last": "right before each write",
}
ANSWERS = ("ALLOW", "DENY", "UNKNOWN")

INTRODUCTION = f"""\
# Guards

Preconditions: what has to be so before a playbook may act. Each is one file in `service/paramedic/guards`, and this
page is made from these files. How parameters are written is in [Plug-ins](plug-ins.md).

A guard gives one of four answers, with a reason and what it saw: *allow*, *deny*, *error*, *unknown*. All guards of a
playbook must allow; whatever is not allow denies, so a guard that fails or cannot know keeps the playbook from acting.
A guard that denies only *for now* says for how long: then the run waits and asks all again, for at most
{span(LONGEST_WAIT)} in all. Any guard answers error where it fails, and unknown where it is late.

## When they are asked

1. Those that read nothing, as soon as there is a run. They cost nothing, and answer within the same moment.
2. If all of these allow, those that read: all at the same time, with {span(DEADLINE)} for all of them together.
3. The first step is planned; where the mode or a guard asks people, they see that plan.
4. Right before the write, all of the above again if their answers are older than {span(FRESH)}: a person may have taken
   their time, or the target may have been held by another run. Then those that are asked right before each write.
5. The write leaves in the commit that reserves its target and takes what the guards have claimed, such as a place in a
   budget: of two runs that both were allowed the last one, one gets it.

Taking our own change back asks no guard: see [Stop automation](../how-to/stop-automation.md) for what stops that.

The timeline has every answer with its reason and its evidence (at most {LARGEST // 1024} KiB each), and names those
that were not asked because others had denied. `paramedic explain` asks them all now, for a run that does not exist:
[Find out why nothing happened](../how-to/find-out-why-nothing-happened.md).
"""

DEFAULTS = """\
## Defaults

`still_firing` is asked in every playbook. A playbook with a step that changes something on a cluster has these guards
besides, without naming them:
"""

AFTER_DEFAULTS = """\
A guard that the playbook names replaces the defaults of its kind: `budget: {max: 20, per: 1h}` stands for both budgets.
`defaults: none` leaves only `still_firing`, the modes, and that no two runs act on one target at once. `paramedic check
--effective` prints every playbook with the defaults that bind it.

The figures are those at which comparable systems arrived: alerts that last two minutes do not pass by themselves; what
has not helped after two attempts does not help; and a playbook that is wanted more than five times an hour has met
something that it was not written for.
"""


def render_guards(plugins: Plugins) -> str:
    """The page, from all guards there are."""
    guards = [plugins.guards[name] for name in sorted(plugins.guards)]
    tables = [DEFAULTS, _lines(defaults()), AFTER_DEFAULTS, _lines(table(guards))]
    return "\n".join([INTRODUCTION, *tables, *map(guard_section, guards)])


def _lines(lines: Iterator[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def defaults() -> Iterator[str]:
    """The table of what binds a playbook that says nothing."""
    yield "| guard | because it |"
    yield "|---|---|"
    for default in BINDING:
        given = ", ".join(f"{name}: {value}" for name, value in default.params.items())
        yield f"| `{default.kind}: {{{given}}}` | {default.why} |"


def table(guards: list[Guard]) -> Iterator[str]:
    """One line for each guard."""
    yield "## All of them\n"
    yield "*Reads* is what it looks at beyond what Paramedic knows by itself, *cost* how often it did so when"
    yield "its example was asked for this page. Of a cluster, who asks the same within a second shares one answer.\n"
    yield "| guard | fields | answers | reads | cost | asked |"
    yield "|---|---|---|---|---|---|"
    for guard in guards:
        fields = ", ".join(fields_of(guard)) or "none"
        reads = ", ".join(READS[port] for port in sorted(guard.reads)) or "nothing"
        answers, asked = ", ".join(answers_of(guard)), ASKED[guard.asked]
        yield f"| [`{guard.name}`](#{guard.name}) | {fields} | {answers} | {reads} | {cost_of(guard)} | {asked} |"


def fields_of(guard: Guard) -> Iterator[str]:
    """Its parameters; one that need not be given with what holds then."""
    for name, _, other, _ in parameters(guard.Params.model_json_schema(), guard.escapes):
        yield f"`{name}`" if other.startswith("*") else f"`{name}` ({other.strip('`')})"


def answers_of(guard: Guard) -> Iterator[str]:
    """The answers that are written in its file; every guard may answer error."""
    tree = ast.parse(inspect.getsource(inspect.getmodule(type(guard))))  # type: ignore[arg-type]
    named = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "Answer"
    }
    waits = any(isinstance(node, ast.keyword) and node.arg == "again" for node in ast.walk(tree))
    for answer in ANSWERS:
        if answer in named:
            yield "deny (also for now)" if answer == "DENY" and waits else answer.lower()


def cost_of(guard: Guard) -> str:
    """How often it reads, counted."""
    if not guard.reads:
        return "none"

    async def story(loop: VirtualLoop) -> int:
        clock, ports = VirtualClock(loop), Ports()
        cluster = seeded(WORLD, clock)["main"]
        tools = msgspec.structs.replace(ports.tools(), kube=cluster.port)
        known = msgspec.structs.replace(scene(others=Others()), now=clock.now())
        jury = Jury(Plugins({}, {guard.name: guard}, {}, {}), tools, Telemetry())
        await jury.ask([spec_of(guard)], scope_of(known), known)
        return ports.asked + len(cluster.requests)

    reads = virtually(story)
    return "1 read" if reads == 1 else f"{reads} reads"


def guard_section(guard: Guard) -> str:
    """One guard."""
    return section(guard).replace("### ", "## ", 1)


if __name__ == "__main__":
    PAGE.write_text(render_guards(discover()))
