"""The record: the timeline, chained by hash, and evidence, kept by digest. The engine writes it, the views read it."""
