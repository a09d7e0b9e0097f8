"""The import contracts are shown to bite: a small copy of the layout keeps them all, one wrong import breaks each."""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

from tests.house.tree import ROOT

CLEAN = {
    "app.py": "from paramedic.engine import turn\nfrom paramedic.store import postgres\n",
    "actions/http.py": "from paramedic import plugin\nfrom paramedic.clients import http\nimport pydantic\n",
    "catalog/compose.py": "import cel, yaml\n",
    "checks/http.py": "from paramedic.core import words\n",
    "cli/main.py": "from paramedic import app\n",
    "clients/http.py": "import aiohttp\nfrom paramedic import errors\n",
    "clients/kube/config.py": "from kubernetes_asyncio.config import kube_config\n",
    "clock.py": "import time\n",
    "console/pages.py": "from aiohttp import web\n",
    "core/decide.py": "from paramedic.core import words\nfrom paramedic import errors\nimport msgspec\n",
    "core/words.py": "",
    "engine/turn.py": "from paramedic.core import decide\nfrom paramedic.store import port\n",
    "durations.py": "import pydantic\n",
    "errors.py": "",
    "guards/window.py": "from paramedic import durations, matchers\n",
    "intake/webhook.py": "from aiohttp import web\n",
    "matchers.py": "from paramedic.core import words\n",
    "notifiers/log.py": "",
    "plugin.py": "",
    "record/timeline.py": "",
    "rehearse/world.py": "from paramedic.store import memory\nfrom paramedic.engine import turn\n",
    "settings.py": "from paramedic.core import words\n",
    "store/memory.py": "",
    "store/port.py": "from paramedic.core import words\n",
    "store/postgres.py": "import asyncpg\n",
    "telemetry.py": "",
}

BREACHES = {
    "layers": ("intake/webhook.py", "from paramedic.engine import turn"),
    "core": ("core/decide.py", "from paramedic import clock"),
    "pure": ("core/decide.py", "import logging"),
    "plugins": ("actions/http.py", "from paramedic.checks import http as other"),
    "plugin-ports": ("guards/window.py", "from paramedic.store import port"),
    "database": ("engine/turn.py", "import asyncpg"),
    "kubernetes": ("clients/http.py", "import kubernetes_asyncio"),
    "http": ("engine/turn.py", "import aiohttp"),
    "wiring": ("engine/turn.py", "from paramedic.store import postgres"),
    "notations": ("cli/main.py", "import cel, yaml"),
    "edges": ("store/postgres.py", "import pydantic"),
}


def contracts() -> dict[str, str]:
    """The id and name of every contract in pyproject.toml."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    return {contract["id"]: contract["name"] for contract in settings["tool"]["importlinter"]["contracts"]}


def lay_out(folder: Path, modules: dict[str, str]) -> None:
    """Write a package `paramedic` with these modules, and the project's own settings beside it."""
    shutil.copy(ROOT / "pyproject.toml", folder)
    for name, text in modules.items():
        module = folder / "service" / "paramedic" / name
        module.parent.mkdir(parents=True, exist_ok=True)
        module.write_text(text)
        (module.parent / "__init__.py").touch()


def broken(folder: Path) -> tuple[set[str], str]:
    """The names of the contracts that do not hold in `folder`, and all that was said."""
    lint = Path(sys.executable).parent / "lint-imports"
    environment = {**os.environ, "PYTHONPATH": str(folder / "service"), "COLUMNS": "200", "NO_COLOR": "1"}
    done = subprocess.run(
        [lint, "--no-logo", "--no-cache"], capture_output=True, text=True, cwd=folder, env=environment, check=False
    )
    found = {line.split(" BROKEN")[0].strip() for line in done.stdout.splitlines() if " BROKEN" in line}
    assert "kept" in done.stdout, done.stdout + done.stderr
    assert bool(found) == (done.returncode != 0)
    return found, done.stdout


def test_the_layout_keeps_every_contract(tmp_path: Path) -> None:
    lay_out(tmp_path, CLEAN)

    found, said = broken(tmp_path)

    assert not found, said


def test_one_wrong_import_breaks_each_contract(tmp_path: Path) -> None:
    modules = dict(CLEAN)
    for name, line in BREACHES.values():
        modules[name] += line + "\n"
    lay_out(tmp_path, modules)

    assert set(BREACHES) == set(contracts()), "every contract has its breach here"
    assert broken(tmp_path)[0] == set(contracts().values())


def test_a_module_without_a_layer_is_refused(tmp_path: Path) -> None:
    lay_out(tmp_path, {**CLEAN, "odds.py": ""})
    found, said = broken(tmp_path)

    assert found == {contracts()["layers"]}
    assert "paramedic.odds" in said
