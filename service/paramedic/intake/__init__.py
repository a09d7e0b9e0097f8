"""Intake, the first stage: authenticates, bounds and parses what Alertmanager sends, hands it to the engine, answers.

`webhook` is the HTTP side, `auth` says which source is talking, `alertmanager` reads a body (with `wire`, `fields` and
`diagnosis`), `delivery` holds what goes to the engine and what intake asks of it, `probes` answers health checks,
`server` is the HTTP server they need.
Whatever is in doubt is answered 503, which Alertmanager repeats within seconds; it does not repeat a 4xx.
"""
