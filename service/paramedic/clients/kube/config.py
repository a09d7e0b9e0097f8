"""Who may speak to which cluster: kubeconfig files and service accounts, through the library that knows them.

`app` makes one `Kubeconfig` or `ServiceAccount` for each configured cluster and hands them to the client. The library
is imported here, when the first of them is looked at, and nowhere else: a service without a cluster never loads it.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from paramedic.clients.kube.access import Access, Credentials, Told
from paramedic.clients.kube.exec import Credential, run_plugin
from paramedic.clock import Clock
from paramedic.core.text import one_line
from paramedic.errors import Fault

__all__ = ["Kubeconfig", "ServiceAccount"]

SERVICE_ACCOUNT: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount")


class Kubeconfig(Credentials):
    """The current context of one or more kubeconfig files (with `:` between them, as kubectl has it).

    `setting` named them. `check` raises `Fault` when they cannot be used; it runs no plug-in for credentials.
    """

    def __init__(self, setting: str, files: str, environment: Mapping[str, str], clock: Clock) -> None:
        super().__init__(clock)
        self._setting, self._files, self._environment = setting, files, environment
        self._credential: Credential | None = None

    async def check(self) -> None:
        """Read the files once. Raises `Fault` naming the setting, the file and what is wrong."""
        config, user = self._merged()
        if not {"exec", "auth-provider"} & set(user):
            await self._loaded(config)

    async def read(self) -> Access:
        """The files as they are now, with what a plug-in gives instead of it."""
        config, user = self._merged()
        if "exec" in user:
            await self._plugged(user)
        return await self._loaded(config)

    def _merged(self) -> tuple[Any, dict[str, Any]]:
        """The merged files, and the user of the current context in them."""
        from kubernetes_asyncio.config.kube_config import KubeConfigLoader

        if not any(Path(one).expanduser().is_file() for one in self._files.split(":") if one):
            raise Fault(self._setting, f"there is no file {self._files}", "name a kubeconfig file")
        try:
            config = _merged(self._files)
            KubeConfigLoader(config_dict=config, config_base_path=None)
            context = _named(config, "context", config["current-context"])
            server = str(_named(config, "cluster", context["cluster"]).safe_get("server"))
            user = _named(config, "user", context["user"]).value if context.safe_get("user") else {}
        except Exception as error:  # whatever may be wrong with a file, a person has to mend it
            raise self._unusable(error) from error
        if not server.startswith(("http://", "https://")):
            raise Fault(self._setting, f"{self._files} names no server", "a cluster has `server: https://HOST:PORT`")
        return config, user

    async def _loaded(self, config: Any) -> Access:
        from kubernetes_asyncio.config.kube_config import KubeConfigLoader

        told = Told()
        try:
            await KubeConfigLoader(config_dict=config, config_base_path=None).load_and_set(told)
            return self.accessed(told)
        except Exception as error:
            raise self._unusable(error) from error

    async def _plugged(self, user: dict[str, Any]) -> None:
        """Put what the plug-in gives in its place, so that the library finds a token or a certificate."""
        now = self._clock.now()
        if self._credential is None or not self._credential.lasts(now):
            self._credential = await run_plugin(user["exec"], self._files, self._environment)
        del user["exec"]
        user.update(self._credential.user)

    def forget(self) -> None:
        """Ask a plug-in again, whatever it said of how long its answer holds."""
        self._credential = None

    def _unusable(self, error: Exception) -> Fault:
        why = one_line(str(error), 200) or type(error).__name__
        return Fault(self._setting, f"{self._files} cannot be used: {why}", "a kubeconfig that kubectl takes")


class ServiceAccount(Credentials):
    """The account of our own pod: its token is in a file that the cluster renews."""

    def __init__(self, environment: Mapping[str, str], clock: Clock, folder: Path = SERVICE_ACCOUNT) -> None:
        super().__init__(clock)
        self._environment, self._folder = dict(environment), folder

    async def check(self) -> None:
        """Read the account once. Raises `Fault`."""
        self._told()

    async def read(self) -> Access:
        """The token as it is now."""
        return self.accessed(self._told())

    def forget(self) -> None:
        """Nothing is kept: the file is read each time."""

    def _told(self) -> Told:
        from kubernetes_asyncio.config.incluster_config import InClusterConfigLoader

        told = Told()
        filled: Any = told  # the library names a type of its own and sets three attributes
        token, certificate = (str(self._folder / name) for name in ("token", "ca.crt"))
        try:
            InClusterConfigLoader(token, certificate, False, self._environment).load_and_set(filled)
        except Exception as error:
            why = one_line(str(error), 200)
            raise Fault(
                "PARAMEDIC_CLUSTERS", f"in-cluster: {why}", "run in a pod that has a service account, or name a file"
            ) from error
        return told


def _merged(files: str) -> Any:
    from kubernetes_asyncio.config.kube_config import KubeConfigMerger

    return KubeConfigMerger(files).config


def _named(config: Any, kind: str, name: str) -> Any:
    """The cluster, context or user of this name."""
    return config[f"{kind}s"].get_with_name(name)[kind]
