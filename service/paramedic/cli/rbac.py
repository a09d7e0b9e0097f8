"""`paramedic rbac`: the Kubernetes permissions that the loaded playbooks need, for `kubectl apply`. Needs no service.

What is printed is made of what the plug-ins declare and nothing else, in an order that only changes when they do.
"""

import argparse
import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from paramedic.cli.output import plain
from paramedic.errors import Fault
from paramedic.settings import read_settings

if TYPE_CHECKING:
    from paramedic.cli.main import Subparsers
    from paramedic.cluster.permissions import Permission

__all__ = ["add"]

_NAME = "paramedic"
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9./-]*[A-Za-z0-9]", re.ASCII)
_WORDS = frozenset({"true", "false", "yes", "no", "on", "off", "null"})
_RBAC = "rbac.authorization.k8s.io"


def add(subparsers: "Subparsers") -> None:
    """Register the command."""
    parser = subparsers.add_parser("rbac", help="the Kubernetes permissions that the loaded playbooks need")
    parser.add_argument("--namespace", metavar="N", default="", help="grant them in this namespace only, not in all")
    parser.add_argument(
        "--account", metavar="NAMESPACE/NAME", default=f"{_NAME}/{_NAME}", help="the service account that gets them"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Print them; 1 when the files have faults, so that nobody grants too little."""
    from paramedic.catalog.load import load
    from paramedic.catalog.permissions import needed
    from paramedic.cluster.names import checked_label
    from paramedic.plugin import discover

    namespace = checked_label(args.namespace, "the namespace", "--namespace") if args.namespace else ""
    account = [checked_label(part, "the account", "--account") for part in args.account.split("/")]
    if len(account) != 2:
        raise Fault("--account", f"{args.account[:80]!a} is not NAMESPACE/NAME", "for example paramedic/paramedic")
    settings, plugins = read_settings(environment), discover()
    loaded = load(settings.rules, settings.playbooks, plugins)
    if loaded.bundle is None:
        for fault in loaded.faults:
            print(plain(str(fault)), file=sys.stderr)
        return 1
    permissions = needed(loaded.bundle, plugins)
    objects = list(_objects(list(permissions), namespace, account[0], account[1]))
    if args.json:
        print(json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}, indent=2))
    elif not objects:
        print("# no playbook touches a cluster: nothing has to be granted")
    else:
        print("\n---\n".join(_yaml(each, _reasons(permissions)) for each in objects))
    return 0


def _objects(permissions: Sequence["Permission"], namespace: str, home: str, account: str) -> Iterator[dict[str, Any]]:
    """The account, and a role with its binding for each reach that is needed."""
    from paramedic.cluster.permissions import rules_of

    if not permissions:
        return
    yield {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": account, "namespace": home}}
    within = [each for each in permissions if namespace and each.namespaced]
    everywhere = [each for each in permissions if each not in within]
    subject = {"kind": "ServiceAccount", "name": account, "namespace": home}
    for kind, granted, metadata in (
        ("Role", within, {"name": _NAME, "namespace": namespace}),
        ("ClusterRole", everywhere, {"name": _NAME}),
    ):
        if granted:
            yield {"apiVersion": f"{_RBAC}/v1", "kind": kind, "metadata": metadata, "rules": rules_of(granted)}
            yield {
                "apiVersion": f"{_RBAC}/v1",
                "kind": f"{kind}Binding",
                "metadata": metadata,
                "roleRef": {"apiGroup": _RBAC, "kind": kind, "name": _NAME},
                "subjects": [subject],
            }


def _reasons(permissions: Mapping["Permission", Sequence[str]]) -> Mapping[tuple[str, str], str]:
    """Who needs a resource, by its group and name."""
    users: dict[tuple[str, str], set[str]] = {}
    for permission, names in permissions.items():
        users.setdefault((permission.group, permission.name), set()).update(names)
    return {key: ", ".join(sorted(names)) for key, names in users.items()}


def _yaml(thing: Mapping[str, Any], reasons: Mapping[tuple[str, str], str]) -> str:
    """An object as YAML, with a comment on each rule."""
    lines = []
    for key, value in thing.items():
        if key == "rules":
            lines.append("rules:")
            for rule in value:
                lines.append(f"  # {reasons[rule['apiGroups'][0], rule['resources'][0]]}")
                lines += [f"  {'-' if n == 0 else ' '} {name}: {json.dumps(each)}" for n, (name, each) in _items(rule)]
        elif key == "subjects":
            lines.append("subjects:")
            lines += [f"  {'-' if n == 0 else ' '} {name}: {_text(each)}" for n, (name, each) in _items(value[0])]
        elif isinstance(value, dict):
            lines += [f"{key}:", *(f"  {name}: {_text(each)}" for name, each in value.items())]
        else:
            lines.append(f"{key}: {_text(value)}")
    return "\n".join(lines)


def _text(name: str) -> str:
    """A name in YAML, quoted where it would be taken for something else, such as 2024 or no."""
    return name if _PLAIN.fullmatch(name) and name not in _WORDS else json.dumps(name)


def _items(rule: Mapping[str, Any]) -> Iterator[tuple[int, tuple[str, Any]]]:
    return enumerate(rule.items())
