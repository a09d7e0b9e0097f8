"""A PostgreSQL of our own, run in the data folder when no other is named: for one machine, the demo and the tests.

`supervisor` is the whole of it; in the order in which it uses them: `folder` (places and lock), `binaries`, `cluster`
(made or recognised), `account` (whose process it is; `launch` is its last step), `leftover` (what a crash left),
`postmaster` (one run), `report` (its log, and why it failed).
"""
