"""The settings, read once from the environment into a frozen value. `app` and the commands pass it on.

Every secret may come as NAME or as the path NAME_FILE. Nothing else in the package reads the environment.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path

from paramedic.cluster.names import checked_cluster
from paramedic.core.words import Mode
from paramedic.errors import Fault

__all__ = ["ClusterSetting", "Settings", "read_settings"]

_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount/token")
_IN_CLUSTER = "in-cluster"
_LONGEST_GRACE = 3600.0
_HEADER = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,63}")
_NO_USER = frozenset(("authorization", "cookie", "host", "origin", "x-forwarded-for", "x-forwarded-host"))

Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class ClusterSetting:
    """A cluster by name: its kubeconfig (several with `:` between them; empty: our own pod's), and what named it."""

    name: str
    kubeconfig: str
    setting: str


@dataclass(frozen=True, slots=True)
class Settings:
    """What this process was told. Names and meanings are in docs/reference/settings.md."""

    host: str = "127.0.0.1"
    port: int = 8080
    database_url: str = field(default="", repr=False)
    data: Path = Path(".paramedic")
    rules: Path = Path("rules")
    playbooks: Path = Path("playbooks")
    mode: Mode = Mode.AUTO
    webhook_tokens: tuple[str, ...] = field(default=(), repr=False)
    tokens_file: Path | None = None
    grace: float = 20.0
    public_url: str = ""
    url: str = ""
    token: str = field(default="", repr=False)
    trusted_proxy: tuple[Network, ...] = ()
    user_header: str = ""
    clusters: tuple[ClusterSetting, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def loopback(self) -> bool:
        """Whether the service only listens to its own machine."""
        if self.host == "localhost":
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False

    def value(self, name: str) -> str:
        """The value of the setting `name`, or of the file that NAME_FILE names; "" when neither is set.

        Raises `Fault` when the file cannot be read, or both are set.
        """
        return _secret(self.environment, name)

    def secret(self, name: str) -> str:
        """The value of the setting `name`, or of the file that NAME_FILE names. Raises `Fault` when neither is set."""
        value = _secret(self.environment, name)
        if not value:
            raise Fault(name, "is not set", f"set {name} or {name}_FILE")
        return value


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Settings out of `environment`. Raises `Fault` naming the variable and what would be right."""
    host, port = _listen(environment.get("PARAMEDIC_LISTEN", "127.0.0.1:8080"))
    tokens_file = environment.get("PARAMEDIC_TOKENS_FILE")
    settings = Settings(
        host=host,
        port=port,
        database_url=_secret(environment, "PARAMEDIC_DATABASE_URL"),
        data=Path(environment.get("PARAMEDIC_DATA", ".paramedic")),
        rules=Path(environment.get("PARAMEDIC_RULES", "rules")),
        playbooks=Path(environment.get("PARAMEDIC_PLAYBOOKS", "playbooks")),
        mode=_mode(environment.get("PARAMEDIC_MODE", "auto")),
        webhook_tokens=tuple(
            t.strip() for t in _secret(environment, "PARAMEDIC_WEBHOOK_TOKEN").split(",") if t.strip()
        ),
        tokens_file=Path(tokens_file) if tokens_file else None,
        grace=_grace(environment.get("PARAMEDIC_GRACE", "20s")),
        public_url=environment.get("PARAMEDIC_PUBLIC_URL", "").rstrip("/"),
        url=environment.get("PARAMEDIC_URL", "").rstrip("/"),
        token=_secret(environment, "PARAMEDIC_TOKEN"),
        trusted_proxy=_networks(environment.get("PARAMEDIC_TRUSTED_PROXY", "")),
        user_header=_header(environment.get("PARAMEDIC_USER_HEADER", "")),
        clusters=_clusters(environment),
        environment=dict(environment),
    )
    if not settings.loopback and not settings.webhook_tokens:
        raise Fault(
            "PARAMEDIC_LISTEN",
            f"{host} can be reached from other machines, and no PARAMEDIC_WEBHOOK_TOKEN is set",
            "set PARAMEDIC_WEBHOOK_TOKEN, or listen on 127.0.0.1",
        )
    if bool(settings.trusted_proxy) is not bool(settings.user_header):
        missing = "PARAMEDIC_USER_HEADER" if settings.trusted_proxy else "PARAMEDIC_TRUSTED_PROXY"
        right = "set both PARAMEDIC_TRUSTED_PROXY and PARAMEDIC_USER_HEADER, or neither"
        raise Fault(missing, "is not set, and the other of the two is", right)
    return settings


def _networks(text: str) -> tuple[Network, ...]:
    right = "addresses or networks with commas between them, such as 10.0.0.5, 10.1.0.0/24"
    found = []
    for part in (one.strip() for one in text.split(",") if one.strip()):
        try:
            network = ip_network(part)
        except ValueError as error:
            raise Fault("PARAMEDIC_TRUSTED_PROXY", f'"{part}" is neither an address nor a network', right) from error
        if network.prefixlen == 0:
            raise Fault("PARAMEDIC_TRUSTED_PROXY", f'"{part}" is every address there is', right)
        found.append(network)
    return tuple(found)


def _header(text: str) -> str:
    if text and (_HEADER.fullmatch(text) is None or text.lower() in _NO_USER):
        right = "the header in which the proxy says who it is, such as X-Forwarded-User"
        raise Fault("PARAMEDIC_USER_HEADER", f'"{text}" is not the name of such a header', right)
    return text


def _listen(value: str) -> tuple[str, int]:
    host, _, port = value.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65535:
        raise Fault("PARAMEDIC_LISTEN", f'"{value}" is not HOST:PORT', "for example 127.0.0.1:8080")
    return host.strip("[]"), int(port)


def _mode(value: str) -> Mode:
    try:
        return Mode(value)
    except ValueError:
        raise Fault("PARAMEDIC_MODE", f'"{value}" is not a mode', "one of " + ", ".join(Mode)) from None


def _grace(value: str) -> float:
    """Seconds. The notation of durations, of which this takes a part, comes with what no command should wait for."""
    digits = value.removesuffix("s")
    if not digits.isdecimal() or not digits.isascii() or float(digits) > _LONGEST_GRACE:
        raise Fault("PARAMEDIC_GRACE", f'"{value}" is not a time of at most an hour in seconds', "for example 20s")
    return float(digits)


def _clusters(environment: Mapping[str, str]) -> tuple[ClusterSetting, ...]:
    """The clusters that are named; else the one of KUBECONFIG; else our own pod's, if it has a service account."""
    named, files = environment.get("PARAMEDIC_CLUSTERS", ""), environment.get("KUBECONFIG", "")
    if named:
        return _named_clusters(named)
    if files:
        return (ClusterSetting("main", files, "KUBECONFIG"),)
    if environment.get("KUBERNETES_SERVICE_HOST") and _ACCOUNT.is_file():
        return (ClusterSetting("main", "", _IN_CLUSTER),)
    return ()


def _named_clusters(text: str) -> tuple[ClusterSetting, ...]:
    setting, right = "PARAMEDIC_CLUSTERS", f"NAME=KUBECONFIG or NAME={_IN_CLUSTER}, with commas between them"
    found: dict[str, ClusterSetting] = {}
    for part in (one.strip() for one in text.split(",")):
        name, _, files = (word.strip() for word in part.partition("="))
        if not name or not files:
            raise Fault(setting, f'"{part}" is not NAME=KUBECONFIG', right)
        try:
            checked_cluster(name)
        except Fault as fault:
            raise Fault(setting, fault.what, fault.right) from fault
        if name in found:
            raise Fault(setting, f'"{name}" is named twice', right)
        found[name] = ClusterSetting(name, "" if files == _IN_CLUSTER else files, setting)
    return tuple(found.values())


def _secret(environment: Mapping[str, str], name: str) -> str:
    direct, path = environment.get(name, ""), environment.get(f"{name}_FILE", "")
    if direct and path:
        raise Fault(name, f"{name} and {name}_FILE are both set", "set one of them")
    if not path:
        return direct
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise Fault(f"{name}_FILE", f"cannot read {path}: {error.strerror}", "name a readable file") from error
    except ValueError as error:
        raise Fault(f"{name}_FILE", f"{path!r} holds no text", "a file with the secret in UTF-8") from error
