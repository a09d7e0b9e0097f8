"""Paramedic: a first responder for alerts.

The path of an alert through the package, in order:

intake    authenticates, bounds and parses a delivery, and waits for its commit
engine    the turn: route into episodes and incidents, fold `core.decide`, one commit, hand out the effects
core      pure policy: what an alert means, which step is next, whom to page
actions, guards, checks, notifiers    plug-ins that touch the world, one file each (`plugin` is their contract)
record    the timeline, chained by hash, and the evidence it cites
console   the read models, the API and the pages over them

`app` wires these together; `rehearse` runs the same parts in virtual time; `cli` is how people reach both.
"""
