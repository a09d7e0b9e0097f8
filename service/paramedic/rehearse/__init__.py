"""Rehearsals: the same turn, decide, plug-ins and bundle over a simulated world, in virtual time.

`files` reads what a rehearsal says, `world`, `people` and `faults` play it, `witness` sees what came of it, `expect`
compares, `run` is the stage on which all of them meet, `report` prints. `paramedic test` and tests/simulation call it.
"""
