"""Guards, one a file: preconditions of a run. Found by `plugin.discover`, asked by the engine before a run may act."""
