"""Every command starts fast, ends with the exit code it promises, and says what is wrong in one line."""

import argparse
import os
import pkgutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest

import paramedic.cli
from paramedic.cli.main import build_parser, main
from paramedic.errors import Fault, Permanent, Refused, Temporary, UnknownOutcome

COMMANDS = ["check", "demo", "explain", "incidents", "runs", "schema", "serve", "switch", "test", "token"]
HEAVY = ["aiohttp", "asyncpg", "pydantic", "jinja2", "yaml", "cel", "prometheus_client", "http.client"]

Runs = Callable[..., Any]


@pytest.fixture
def weigh(monkeypatch: pytest.MonkeyPatch) -> Callable[[Runs], None]:
    """Adds a command `weigh` that does what the test says."""

    def install(run: Runs) -> None:
        def add(subparsers: Any) -> None:
            subparsers.add_parser("weigh").set_defaults(run=run)

        module = ModuleType("paramedic.cli.weigh")
        module.__dict__["add"] = add
        monkeypatch.setitem(sys.modules, "paramedic.cli.weigh", module)
        info = pkgutil.ModuleInfo(sys.meta_path[0], "weigh", False)
        found = [*pkgutil.iter_modules(paramedic.cli.__path__), info]
        monkeypatch.setattr(pkgutil, "iter_modules", lambda *_: found)

    return install


def subcommands(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """The commands below a parser."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    return {}


def every(parser: argparse.ArgumentParser, name: str = "paramedic") -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """The parser and all below it, by their full names."""
    yield name, parser
    for below, command in subcommands(parser).items():
        yield from every(command, f"{name} {below}")


def test_every_command_that_is_promised_is_there() -> None:
    assert set(COMMANDS) <= set(subcommands(build_parser()))


@pytest.mark.parametrize(("name", "parser"), list(every(build_parser())))
def test_every_command_has_help(name: str, parser: argparse.ArgumentParser, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main([*name.split()[1:], "--help"])

    assert left.value.code == 0
    assert f"usage: {name}" in capsys.readouterr().out
    for action in parser._actions:
        if action.metavar not in ("COMMAND", "WHAT"):
            assert action.help, f"{name} {action.option_strings or action.dest} has no help"


@pytest.mark.parametrize(
    "name", ["incidents", "incidents list", "incidents show", "runs", "runs list", "runs show", "switch"]
)
def test_every_read_has_json(name: str) -> None:
    parser = dict(every(build_parser()))[f"paramedic {name}"]

    assert any("--json" in action.option_strings for action in parser._actions)


def test_help_needs_nothing_that_is_slow_to_import() -> None:
    """A start takes as long as its imports; these are the slow ones, and a command that needs one imports it itself."""
    code = (
        "import sys; from paramedic.cli.main import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        f"slow = [name for name in {HEAVY} if name in sys.modules]\n"
        "sys.exit(f'imported: {slow}' if slow else 0)"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=False)

    assert done.returncode == 0, done.stderr
    assert "commands:" in done.stdout


@pytest.mark.parametrize(
    "argv", [["nothing"], ["incidents", "nothing"], ["incidents", "show"], ["--nothing"], ["switch", "on"]]
)
def test_wrong_usage_is_2(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(argv)

    assert left.value.code == 2
    assert "usage: paramedic" in capsys.readouterr().err


def test_without_a_command_it_shows_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2

    assert "incidents" in capsys.readouterr().err


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["--version"])

    assert left.value.code == 0
    assert capsys.readouterr().out.startswith("paramedic 0.")


@pytest.mark.parametrize("code", [0, 1, 2])
def test_a_command_answers_its_exit_code(weigh: Callable[[Runs], None], code: int) -> None:
    weigh(lambda *_: code)

    assert main(["weigh"]) == code


def test_a_command_gets_its_arguments_and_the_environment(weigh: Callable[[Runs], None]) -> None:
    got: list[object] = []

    def run(args: argparse.Namespace, environment: object) -> int:
        got.extend((args.run, environment))
        return 0

    weigh(run)
    main(["weigh"])

    assert got == [run, os.environ]


@pytest.mark.parametrize(
    ("raised", "code", "line"),
    [
        (
            Fault("rules/a.yaml:3:1", "unknown key", "did you mean x"),
            2,
            "rules/a.yaml:3:1: unknown key; did you mean x",
        ),
        (Temporary("the database is away"), 1, "the database is away"),
        (Permanent("nobody may"), 1, "nobody may"),
        (Refused("the gate says no"), 1, "the gate says no"),
        (UnknownOutcome("the answer never came"), 1, "the answer never came"),
        (Permanent("a\nb\x1b[31mc\u202e"), 1, "a b [31mc"),
    ],
)
def test_an_error_is_one_line_without_a_traceback(
    weigh: Callable[[Runs], None], capsys: pytest.CaptureFixture[str], raised: Exception, code: int, line: str
) -> None:
    def run(*_: object) -> int:
        print("what was found so far")
        raise raised

    weigh(run)

    assert main(["weigh"]) == code
    captured = capsys.readouterr()
    assert captured.err == f"paramedic: {line}\n"
    assert captured.out == "what was found so far\n"


def test_ctrl_c_is_quiet(weigh: Callable[[Runs], None], capsys: pytest.CaptureFixture[str]) -> None:
    def run(*_: object) -> int:
        raise KeyboardInterrupt

    weigh(run)

    assert main(["weigh"]) == 130
    assert capsys.readouterr().err == ""


def test_a_defect_is_not_hidden(weigh: Callable[[Runs], None]) -> None:
    def run(*_: object) -> int:
        raise ZeroDivisionError

    weigh(run)

    with pytest.raises(ZeroDivisionError):
        main(["weigh"])


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    """`paramedic incidents | head -1`: neither a traceback nor a failure."""
    code = (
        "import pkgutil, sys, types, paramedic.cli\n"
        "from paramedic.cli.main import main\n"
        "def run(*_):\n"
        "    for _ in range(100_000): print('line')\n"
        "    return 0\n"
        "module = types.ModuleType('paramedic.cli.weigh')\n"
        "module.add = lambda subparsers: subparsers.add_parser('weigh').set_defaults(run=run)\n"
        "sys.modules['paramedic.cli.weigh'] = module\n"
        "pkgutil.iter_modules = lambda *_: [pkgutil.ModuleInfo(None, 'weigh', False)]\n"
        "sys.exit(main(['weigh']))"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as command:
        assert command.stdout is not None
        assert command.stderr is not None
        assert command.stdout.readline() == b"line\n"
        command.stdout.close()

        assert command.wait(timeout=30) == 0
        assert command.stderr.read() == b""
