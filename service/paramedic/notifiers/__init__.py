"""Notifiers, one a file: ways to reach a person. Found by `plugin.discover`, used by the lane for pages."""
