"""The console: what people see of the service and what they may tell it. Reads PostgreSQL, asks the engine to act.

`views` holds the only read models (`models` are their shapes), `standing` says in words what an incident waits for.
`people` says who is asking, `api` and `acts` answer in JSON, `pages` in HTML, `live` pushes what changed; `door` is the
private socket. `front` makes one set of routes of all of it, which `app` serves beside the intake.
"""
