"""The composition root: the only place that knows how everything is wired. `cli` and the demo run a `Service`.

Order of starting: database, migrations, catalog, doors, engine. Order of stopping: the other way round, so that whoever
asks while it stops is answered 503 at once instead of by nobody, and nothing acts after its member has left.
"""

import asyncio
import errno
import logging
import os
from collections.abc import Coroutine, Sequence
from contextlib import AsyncExitStack
from importlib.resources import files
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from paramedic.catalog.load import Loaded, load_body
from paramedic.catalog.watch import Catalog
from paramedic.clients import alertmanager
from paramedic.clients.http import HttpClient
from paramedic.clients.kube.opening import open_clusters
from paramedic.clients.kube.shared import Shared
from paramedic.clients.prometheus import PrometheusClient
from paramedic.clients.url import base_url
from paramedic.clock import SystemClock
from paramedic.cluster.port import Kube, NoCluster
from paramedic.console.door import open_door
from paramedic.console.front import Console
from paramedic.console.history import History
from paramedic.console.live import Live
from paramedic.console.proxy import Proxy
from paramedic.console.views import Views
from paramedic.core.bundle import Bundle
from paramedic.engine.engine import Engine
from paramedic.engine.highest import Highest
from paramedic.engine.shell import Options
from paramedic.errors import Fault, ParamedicError
from paramedic.intake import probes, server, webhook
from paramedic.intake.alertmanager import parse_body
from paramedic.intake.auth import Authenticator
from paramedic.plugin import Alerts, Http, Metrics, NoMetrics, Tools, discover
from paramedic.record.changes import ReportedChanges
from paramedic.settings import Settings
from paramedic.store.connect import connect
from paramedic.store.embedded.supervisor import EmbeddedPostgres
from paramedic.store.migrate import migrate, read_migrations
from paramedic.store.port import BundleRow
from paramedic.store.position_file import PositionFile
from paramedic.store.postgres.changes import ChangeTable
from paramedic.store.postgres.positions import PositionTable
from paramedic.store.postgres.store import PostgresStore
from paramedic.store.queries import load as load_queries
from paramedic.store.reads import Reads, open_reads
from paramedic.telemetry import Telemetry

__all__ = ["Service"]

_log = logging.getLogger(__name__)
_CONNECTIONS = 300
_PAGE_CONNECTIONS = 32


class _Told(Telemetry):
    """Measures, and tells the live pages which incidents have changed."""

    def __init__(self, live: Live) -> None:
        super().__init__()
        self._live = live

    def committed(self, incidents: Sequence[int], seconds: float) -> None:
        """A commit came back."""
        super().committed(incidents, seconds)
        self._live.publish(incidents)


class Service:
    """A running service, for as long as the `async with` lasts. Entering raises what would keep it from serving.

    `kube` and `metrics` stand for the clusters and the Prometheus that the settings name: the demo has its own.
    """

    def __init__(
        self, settings: Settings, clock: SystemClock, *, kube: Kube | None = None, metrics: Metrics | None = None
    ) -> None:
        self.settings, self.clock = settings, clock
        self.live = Live()
        self.plugins = discover()
        self.catalog = Catalog(settings.rules, settings.playbooks, self.plugins, clock)
        self.address = ""
        self.database = "PostgreSQL at PARAMEDIC_DATABASE_URL"
        self.broken = asyncio.Event()
        self._telemetry = _Told(self.live)
        self._kube: Kube = NoCluster()
        self._given_kube, self._given_metrics = kube, metrics
        self._stack = AsyncExitStack()

    engine: Engine
    views: Views
    history: History

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            self._kube = await self._clusters(stack)
            dsn = await self._database(stack)
            store = PostgresStore(dsn, self.clock)
            stack.push_async_callback(store.leave)  # it reads before it joins
            reads = await stack.enter_async_context(await open_reads(dsn, _queries()))
            table = ChangeTable(dsn, _queries())
            stack.push_async_callback(table.close)
            changes = ReportedChanges(table, self.clock)
            bundle = await self._first_bundle(store)
            positions = PositionTable(dsn, _queries())
            stack.push_async_callback(positions.close)
            highest = Highest(positions, PositionFile(self.settings.data), self.clock)
            self.engine = await self._engine(stack, store, changes, highest)
            await self.engine.adopt(bundle)
            await self._open_doors(stack, reads, changes)
            self._run(stack, self.engine.run())
            self._run(stack, self._follow(store))
            stack.callback(self.engine.drain)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        return await self._stack.__aexit__(kind, error, trace)

    # -- database -----------------------------------------------------------------------------------------------------

    async def _database(self, stack: AsyncExitStack) -> str:
        """The database's address, migrated; an embedded one is started where none is named."""
        dsn = self.settings.database_url
        if not dsn:
            server = await stack.enter_async_context(EmbeddedPostgres(self.settings.data, self.clock))
            dsn = server.dsn
            self.database = f"{self.settings.data} (PostgreSQL {server.version}, ready in {server.ready_seconds:.1f} s)"
        connection = await connect(dsn)
        try:
            await migrate(connection, read_migrations())
        finally:
            await connection.close()
        return dsn

    # -- catalog ------------------------------------------------------------------------------------------------------

    async def _first_bundle(self, store: PostgresStore) -> Bundle:
        """What the files say; where they are wrong, the last good bundle of the store; else nothing can be served."""
        loaded = await self.catalog.reload()
        self._telemetry.catalog_faults(len(loaded.faults))
        if loaded.bundle is not None:
            await self._keep(store, loaded)
            return loaded.bundle
        _complain(loaded)
        row = await store.bundle(None)
        if row is None:
            raise loaded.faults[0] if loaded.faults else Fault("catalog", "nothing to serve")
        bundle = load_body(row.body, self.plugins)
        _log.warning("the last good bundle (%s) keeps serving", bundle.hash[:6])
        self.catalog.bundle, self.catalog.since = bundle, row.at
        return bundle

    async def _keep(self, store: PostgresStore, loaded: Loaded) -> None:
        """Store the bundle and move the pointer; somebody who moved it at the same time is asked once more."""
        if loaded.bundle is None:
            return
        row = BundleRow(loaded.bundle.hash, self.clock.now(), loaded.body)
        for _ in range(3):
            current = await store.bundle(None)
            if await store.adopt(row, current.hash if current else None):
                return
        _log.warning("another replica keeps moving the catalog's pointer")

    async def _follow(self, store: PostgresStore) -> None:
        """Take over each change of the files; a change with faults changes nothing but the list of faults."""
        async for loaded in self.catalog.changes():
            self._telemetry.catalog_faults(len(loaded.faults))
            if loaded.bundle is None:
                _complain(loaded)
                continue
            try:
                await self._keep(store, loaded)
                await self.engine.adopt(loaded.bundle)
                _log.info("bundle %s is in force", loaded.bundle.hash[:6])
            except ParamedicError as error:
                _log.warning("bundle %s could not be kept and is tried again: %s", loaded.bundle.hash[:6], error)
                await self.clock.sleep(1.0)
                self.catalog.ask()

    # -- engine -------------------------------------------------------------------------------------------------------

    async def _engine(
        self, stack: AsyncExitStack, store: PostgresStore, changes: ReportedChanges, highest: Highest
    ) -> Engine:
        http = await stack.enter_async_context(HttpClient(self.settings.secret, most=_CONNECTIONS))
        pages = await stack.enter_async_context(HttpClient(self.settings.secret, most=_PAGE_CONNECTIONS))
        messages = await stack.enter_async_context(HttpClient(self.settings.secret, most=_PAGE_CONNECTIONS))
        return Engine(
            store,
            self.plugins,
            Tools(
                http=http,
                kube=self._kube,
                metrics=await self._metrics(stack),
                changes=changes,
                alerts=self._alerts(http),
                setting=self.settings.value,
            ),
            Tools(http=pages, setting=self.settings.value),
            self.clock,
            Options(mode=self.settings.mode, public_url=self.settings.public_url, grace=self.settings.grace),
            self._telemetry,
            parse=lambda source, body: parse_body(source, body).alerts,
            load=lambda row: load_body(row.body, self.plugins),
            messages=Tools(http=messages, setting=self.settings.value),
            highest=highest,
        )

    async def _clusters(self, stack: AsyncExitStack) -> Kube:
        """The port to the clusters that are configured. What keeps one from being used is found before all else."""
        if self._given_kube is not None:
            return self._given_kube
        if not self.settings.clusters:
            return NoCluster()
        client = await open_clusters(self.settings.clusters, self.settings.environment, self.clock)
        stack.push_async_callback(client.close)
        shared = Shared(client, self.clock)
        stack.push_async_callback(shared.close)
        return shared

    async def _metrics(self, stack: AsyncExitStack) -> Metrics:
        if self._given_metrics is not None:
            return self._given_metrics
        url, token = (self.settings.value(f"PARAMEDIC_PROMETHEUS_{part}") for part in ("URL", "TOKEN"))
        if not url:
            return NoMetrics()
        return await stack.enter_async_context(PrometheusClient(url, token, self.clock))

    def _alerts(self, http: Http) -> Alerts:
        """The Alertmanagers that sources name, or the one of the settings for those that name none."""
        url = self.settings.value(alertmanager.URL)
        try:
            also = (base_url(url),) if url else ()
        except Fault as fault:
            raise Fault(alertmanager.URL, fault.what, "for example http://alertmanager:9093") from fault
        return alertmanager.AlertmanagerClient(
            http,
            lambda name: self._instances(name) or also,
            alertmanager.TOKEN if self.settings.value(alertmanager.TOKEN) else "",
        )

    def _instances(self, source: str) -> Sequence[str]:
        bundle = self.engine.bundle
        return bundle.source(source).instances if bundle is not None else ()

    def _run(self, stack: AsyncExitStack, work: Coroutine[Any, Any, None]) -> None:
        """Run a part of the service until it stops. A part that ends by itself breaks the service, and says so."""
        task = asyncio.create_task(work)

        stopping = False

        def ended(done: "asyncio.Task[None]") -> None:
            if not stopping:
                _log.error("a part of the service has ended", exc_info=None if done.cancelled() else done.exception())
                self._telemetry.failed("service")
                self.broken.set()

        async def stop() -> None:
            nonlocal stopping
            stopping = True
            task.cancel()
            await asyncio.wait([task])

        task.add_done_callback(ended)
        stack.push_async_callback(stop)

    # -- doors --------------------------------------------------------------------------------------------------------

    async def _open_doors(self, stack: AsyncExitStack, reads: Reads, changes: ReportedChanges) -> None:
        """The same routes over TCP and over the private socket, which knows who connects."""
        console = Console(
            reads,
            self.engine,
            self.catalog,
            self.live,
            self.clock,
            changes=changes,
            tokens=self.settings.tokens_file,
            highest=self.settings.mode,
            proxy=Proxy(self.settings.trusted_proxy, self.settings.user_header) if self.settings.user_header else None,
        )
        self.views, self.history = console.views, console.history
        app = web.Application()
        app.add_routes(self._intake())
        app.add_routes(console.routes())
        app.on_shutdown.append(console.stop)
        door = stack.enter_context(open_door(self.settings.data))  # closed after the runner has let go of it
        runner = server.runner(app)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        try:
            await web.TCPSite(runner, self.settings.host, self.settings.port, backlog=1024).start()
        except OSError as error:
            where = f"{self.settings.host}:{self.settings.port}"
            why = os.strerror(error.errno) if error.errno and error.errno in errno.errorcode else error.strerror
            raise Fault("PARAMEDIC_LISTEN", f"cannot listen on {where}: {why}", "set another one") from error
        host, port = runner.addresses[0][:2]
        self.address = f"http://{f'[{host}]' if ':' in host else host}:{port}"
        await web.SockSite(runner, door).start()

    def _intake(self) -> list[web.RouteDef]:
        engine, telemetry = self.engine, self._telemetry
        authenticator = Authenticator(self.settings, lambda: engine.bundle)
        return [
            *webhook.routes(engine, authenticator, telemetry, self.clock, lambda: engine.bundle),
            *probes.routes(engine, telemetry, lambda: engine.bundle),
        ]


def _queries() -> Any:
    return load_queries(files("paramedic.store") / "queries")


def _complain(loaded: Loaded) -> None:
    for fault in loaded.faults:
        _log.error("%s", fault)
