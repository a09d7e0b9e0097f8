"""The commands: one file each, found by `main`. Nothing imports a command; a command may import everything.

To add one, create a file here with a function `add`; `main` finds the file and calls it:

    def add(subparsers: Subparsers) -> None:                            # `Subparsers` is in cli/main.py
        parser = subparsers.add_parser("weigh", help="one line for `paramedic --help`")
        parser.add_argument("--json", action="store_true", help="print JSON")      # every read has it
        parser.set_defaults(run=run)

    def run(args: argparse.Namespace, environment: Mapping[str, str]) -> int:
        from paramedic.app import serve                 # whatever is slow to import is imported here
        return 0

`run` is plain; one that needs an event loop calls `asyncio.run` itself. `environment` is what `read_settings` takes.
It answers the exit code: 0 fine, 1 found something wrong, 2 wrong usage. It may raise any error of `paramedic.errors`:
`main` prints it as one line on standard error, without a traceback, and exits 2 for a `Fault` and 1 for the others.
Ctrl-C and a closed pipe are handled there too. Importing a command must be quick (argparse, errors, settings), because
`paramedic --help` imports all of them; aiohttp, asyncpg, pydantic, jinja2 and the catalog are imported inside `run`.

`output` is how things look on a terminal, `client` how a command reaches the running service; they have no `add`.
"""
