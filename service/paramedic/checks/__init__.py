"""Checks, one a file: questions about the world. Found by `plugin.discover`, asked by the engine to verify a step."""
