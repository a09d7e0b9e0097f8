"""Kubernetes clusters behind the port of `cluster.port`: the client, who may speak to which, and reading once for all.

Nothing of the library behind it is imported before a cluster is configured (docs/adr/0009).
"""
