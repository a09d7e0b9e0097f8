"""The catalog: YAML in, one validated and immutable `core.bundle.Bundle` out, addressed by its hash.

The way of a text through this package, in order:

files       which files there are: rules, playbooks, their names
documents   one text → documents: plain values, each with its line and column
entries     documents → entries by kind (rules, people, playbooks…)
models      the shapes of the entries (pydantic); `wording` says their faults in plain words
rules, playbooks, people, windows, rota, plugged    entries → values of `core.bundle`
cel, templates, shapes    `when` and `${...}`: compiled, bounded, tried out on typical values
crosscheck  what only all of them together show: rules that can never match
load        puts these in order; `watch` calls it again when a file changes and keeps the last good bundle

Nothing here raises for what a person wrote: every fault of every file is collected, with its place and what would be
right. `check`, `effective`, `explain`, `schema` and `sarif` make the texts that the commands print.
"""
