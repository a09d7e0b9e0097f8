"""The demo: the real service over a simulated cluster, and real alert bodies over HTTP.

`shop` is the cluster and what happens to it, `gauges` how well it serves and which alerts follow, `monitor` stands for
Prometheus and Alertmanager. `stories` says what happens and how each incident has to end; `teller` lets them happen,
reads their timelines and compares. `cli.demo` runs it all and prints.
"""
