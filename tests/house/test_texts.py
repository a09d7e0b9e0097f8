"""What is written is true anywhere: no path of one machine, no address of a registry, no link to nowhere."""

import re
from pathlib import Path

import pytest

from tests.house.tree import ROOT, all_told, files, shown, texts

# Each pattern is written so that it does not match itself.
MACHINE = re.compile(r"/wor[k]/|/hom[e]/[a-z]|/User[s]/[a-z]|/roo[t]/|/tm[p]/[a-z]|/op[t]/[a-z]|[A-Z]:\\User[s]")
REGISTRY = re.compile(
    r"pypi[.]org|pythonhosted[.]|registry[.]npmjs|proxy[.]golang|sum[.]golang|crates[.]io|maven[.]org|repo1[.]|"
    r"deb[.]debian|archive[.]ubuntu|ghcr[.]io|quay[.]io|docker[.]io|(?<!no-emit-)(?:extra-)?index-ur[l]|find-link[s]=",
)
ELSEWHERE = re.compile(
    r"\b(?:DESIGN|SURFACE|LOOK|BRIEF|ISSUE)[.]md|\b(?:DESIGN|SURFACE|LOOK) §|\bresearch[/][a-z_]+[.]md"
)
LINK = re.compile(r"\]\(([^)#\s]+)(#[^)\s]*)?\)")
SHOUT = re.compile(r"[A-Za-z]![\s\"'`)]|[A-Za-z]!$|[\U0001F000-\U0001FAFF\u2705\u274C\u26A0\u2728]")
HEADINGS = ["## Status", "## Context", "## Decision", "## Consequences"]
ADRS = sorted((ROOT / "docs" / "adr").glob("*.md"))


def found(pattern: re.Pattern[str], *, except_in: tuple[str, ...] = ()) -> list[str]:
    """Every line of the repository that the pattern matches."""
    return [
        f"{shown(path, number)}: {line.strip()[:120]}"
        for path, text in texts()
        if not shown(path).startswith(except_in or "\0") and pattern.search(text)
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]


def test_no_file_knows_the_machine_it_was_written_on() -> None:
    places = found(MACHINE)

    assert not places, all_told(places)


def test_no_file_names_a_registry() -> None:
    places = found(REGISTRY)

    assert not places, all_told(places)


def test_no_file_cites_a_page_that_is_not_here() -> None:
    places = found(ELSEWHERE)

    assert not places, all_told(places)


def test_requirements_are_pinned_and_hashed() -> None:
    for name in ("runtime.txt", "dev.txt"):
        lines = (ROOT / "requirements" / name).read_text().splitlines()
        pins = [line for line in lines if line and not line.startswith((" ", "#"))]

        assert pins
        assert all(re.match(r"[a-z0-9-]+==\S+ (?:; .+ )?\\$", pin) for pin in pins), name
        assert all(line.strip().startswith(("--hash=sha256:", "#")) for line in lines if line.startswith(" ")), name


def test_the_wheel_asks_for_what_is_pinned() -> None:
    """requirements/runtime.in and pyproject.toml say the same thing, so that only one of them can be forgotten."""
    wanted = {
        line.split("#")[0].strip()
        for line in (ROOT / "requirements" / "runtime.in").read_text().splitlines()
        if line.split("#")[0].strip()
    }
    declared = set(re.findall(r'^  "([a-zA-Z0-9-]+[^"]*)",$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE))

    assert wanted <= declared, wanted - declared


def test_every_link_in_the_pages_leads_somewhere() -> None:
    dead = []
    for path in files(ROOT, ".md"):
        for target, _ in LINK.findall(path.read_text()):
            if "://" not in target and not (path.parent / target).exists():
                dead.append(f"{shown(path)}: {target}")

    assert not dead, all_told(dead)


def test_every_page_of_the_documentation_is_in_its_index() -> None:
    docs = ROOT / "docs"
    index = (docs / "README.md").read_text()
    pages = [path.relative_to(docs).as_posix() for path in files(docs, ".md") if path != docs / "README.md"]

    assert [page for page in pages if f"({page})" not in index] == []


def test_the_tone_is_calm() -> None:
    loud = [
        f"{shown(path, number)}: {line.strip()[:100]}"
        for path in [*files(ROOT / "docs", ".md"), *files(ROOT / "service", ".py", ".html", ".j2"), *ROOT.glob("*.md")]
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if SHOUT.search(line)
    ]

    assert not loud, all_told(loud)


@pytest.mark.parametrize("adr", ADRS, ids=lambda adr: adr.stem)
def test_a_decision_is_one_page_of_four_parts(adr: Path) -> None:
    text = adr.read_text()

    assert [line for line in text.splitlines() if line.startswith("## ")] == HEADINGS
    assert len(text.splitlines()) <= 60, "one page"
    assert re.search(r"## Status\n\n(Accepted|Superseded by \[|Proposed)", text)


def test_decisions_are_numbered_without_a_gap() -> None:
    assert [adr.name[:4] for adr in ADRS] == [f"{n:04}" for n in range(1, len(ADRS) + 1)]
    assert ADRS


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (MACHINE, "cd /" + "work/main"),
        (MACHINE, "/" + "home/alice/x"),
        (REGISTRY, "https://pypi" + ".org/simple"),
        (REGISTRY, "--index" + "-url x"),
        (ELSEWHERE, "see DESIGN" + ".md"),
        (SHOUT, "it works" + "!"),
    ],
)
def test_the_patterns_see_what_they_forbid(pattern: re.Pattern[str], text: str) -> None:
    assert pattern.search(text)
