"""What Kubernetes objects are and mean: names, kinds, the port to a cluster, and pure judgements over raw JSON.

Plug-ins, the real client and the simulated cluster build on it; nothing here reaches outside the process. Objects are
the API's own JSON, never typed models: those silently drop fields that they do not know (docs/adr/0009).
"""
