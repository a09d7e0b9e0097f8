"""The demo: the real service, a small simulated shop behind its `http` endpoint, and real alert bodies over HTTP.

`stories` says what happens and how each incident has to end; `shop` is what is broken and can be restarted; `monitor`
stands for Prometheus and Alertmanager; `teller` prints the timeline as it grows. `cli.demo` runs it.
"""
