"""What `paramedic test` prints, and JUnit's XML for whoever shows it elsewhere. Nothing here decides anything."""

from collections.abc import Callable, Iterable, Sequence
from textwrap import wrap
from typing import Any
from xml.etree import ElementTree

from paramedic.catalog.faults import Located
from paramedic.core.text import one_line, span
from paramedic.rehearse.compare import Finding
from paramedic.rehearse.run import Result

__all__ = ["as_json", "fault_line", "junit", "result_lines", "summary"]

_WIDTH = 100
_NAME = 68

Paint = Callable[[str, str], str]
"""Gives a text a tone: red, green, dim."""


def result_lines(result: Result, paint: Paint) -> list[str]:
    """A rehearsal's line, and what went otherwise than told, beside what was expected."""
    name = one_line(result.rehearsal.script.rehearsal, _NAME)
    if result.ok:
        return [f"  {paint('ok', 'green')}    {name:<{_NAME}}  {span(result.seconds)} simulated".rstrip()]
    line = result.line_of(result.findings[0]) if result.findings else result.rehearsal.line
    lines = [f"  {paint('FAIL', 'red')}  {name:<{_NAME}}  line {line}".rstrip()]
    if result.error:
        lines += [" " * 8 + one for one in wrap(one_line(result.error, 400), _WIDTH - 8)]
    for position, finding in enumerate(result.findings):
        if position:
            lines.append(f"        and in line {result.line_of(finding)}")
        lines += _finding(finding, paint)
    return lines


def _finding(finding: Finding, paint: Paint) -> list[str]:
    told = (("expected", finding.expected), ("happened", finding.happened), ("because", finding.because))
    lines = []
    for word, text in told:
        first, *more = wrap(_safe(text), _WIDTH - 18) or [""]
        lines.append(f"        {paint(f'{word:<8}', 'dim')}  {first}")
        lines.extend(" " * 18 + one for one in more)
    return lines


def _safe(text: str) -> str:
    """A text as `one_line` makes it, with the gaps between its parts kept."""
    return "  ".join(one_line(part, 300) for part in text.split("  ") if part)


def fault_line(fault: Located, paint: Paint) -> str:
    """A fault of a file that could not be rehearsed."""
    return f"  {paint('FAULT', 'red')} {one_line(str(fault))}"


def summary(results: Sequence[Result], unread: int, took: float) -> str:
    """The last line: `61 rehearsals, 1 failed, 17 days simulated in 1.9 s`."""
    failed = sum(not result.ok for result in results)
    simulated = _simulated(sum(result.seconds for result in results))
    parts = [_many(len(results), "rehearsal"), f"{failed} failed"]
    if unread:
        parts.append(f"{_many(unread, 'file')} not read")
    return f"{', '.join(parts)}, {simulated} simulated in {took:.1f} s"


def _simulated(seconds: float) -> str:
    days = seconds / 86_400
    return f"{days:.0f} days" if days >= 2 else span(seconds)


def _many(count: int, one: str) -> str:
    return f"{count} {one if count == 1 else one + 's'}"


def junit(results: Iterable[Result], faults: Iterable[Located], took: float) -> str:
    """The results as JUnit's XML: a suite a file, a case a rehearsal; a file's faults are errors."""
    results = list(results)
    root = ElementTree.Element("testsuites", name="paramedic", time=f"{took:.3f}")
    by_file: dict[str, list[Result]] = {}
    for result in results:
        by_file.setdefault(result.rehearsal.file, []).append(result)
    for file, its in by_file.items():
        failed = sum(not result.ok for result in its)
        suite = _suite(root, file, len(its), failures=failed, errors=0, took=sum(result.took for result in its))
        for result in its:
            _case(suite, result)
    for fault in faults:
        suite = _suite(root, fault.file, 1, failures=0, errors=1, took=0.0)
        case = ElementTree.SubElement(suite, "testcase", name=f"line {fault.line}", classname=fault.file)
        ElementTree.SubElement(case, "error", message=one_line(str(fault)))
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _suite(
    root: ElementTree.Element, name: str, tests: int, *, failures: int, errors: int, took: float
) -> ElementTree.Element:
    counts = {"tests": str(tests), "failures": str(failures), "errors": str(errors), "time": f"{took:.3f}"}
    return ElementTree.SubElement(root, "testsuite", {"name": name, **counts})


def _case(suite: ElementTree.Element, result: Result) -> None:
    name, file = one_line(result.rehearsal.script.rehearsal, 200), result.rehearsal.file
    about = {"name": name, "classname": file, "file": file, "line": str(result.rehearsal.line)}
    case = ElementTree.SubElement(suite, "testcase", {**about, "time": f"{result.took:.3f}"})
    if not result.ok:
        lines = [line.strip() for line in result_lines(result, lambda text, _: text)[1:]]
        failure = ElementTree.SubElement(case, "failure", message=lines[0] if lines else name)
        failure.text = "\n".join(lines)


def as_json(results: Sequence[Result], faults: Sequence[Located], took: float) -> dict[str, Any]:
    """The results as JSON."""
    return {
        "rehearsals": [
            {
                "file": result.rehearsal.file,
                "line": result.rehearsal.line,
                "rehearsal": result.rehearsal.script.rehearsal,
                "ok": result.ok,
                "error": result.error,
                "simulated_seconds": result.seconds,
                "findings": [
                    {
                        "line": result.line_of(finding),
                        "section": finding.section,
                        "expected": finding.expected,
                        "happened": finding.happened,
                        "because": finding.because,
                    }
                    for finding in result.findings
                ],
            }
            for result in results
        ],
        "faults": [
            {"file": one.file, "line": one.line, "column": one.column, "what": one.what, "right": one.right}
            for one in faults
        ],
        "seconds": took,
    }
