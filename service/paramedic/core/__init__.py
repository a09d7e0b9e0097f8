"""The core: all policy, and nothing else. Pure functions over frozen values; no I/O, no clock, no randomness.

`matching` and `routing` say what an alert is about, `episodes` what it means, `decide` what follows from it;
`treatment` is the part about runs, `escalation` the part about pages, `claims` the part shared between incidents.
The engine calls them, inside one turn, and makes their answers durable.
"""
