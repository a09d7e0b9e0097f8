"""Measurements of speed and size, as ratios within one run. `python -m bench NAME`; none of them can fail a test."""
