"""Actions, one a file: what changes a target. Found by `plugin.discover`, planned and applied by the engine."""
