# A measuring instrument, kept as it is so that older figures stay comparable.
# ruff: noqa
# fmt: off
"""Sink for actions that only print: reads stdin, records first sight of each `aid` per line with CLOCK_MONOTONIC.
   peer 2>&1 | python3 stampsink.py OUT.sink [--tee LOG]   (appends to OUT.sink, flushed every 0.2 s)
   Each *line* containing an aid counts as one call (a print action prints its event on one line)."""
import re, sys, time, os, select
AID = re.compile(rb"""['"]aid['"]: ['"]([^'"]+)['"]|ACTED (\S+)""")
out = open(sys.argv[1], "a"); tee = open(sys.argv[3], "ab") if len(sys.argv) > 3 else None
buf = b""; last = 0
while True:
    r, _, _ = select.select([0], [], [], 0.2)
    if r:
        d = os.read(0, 1 << 20); t = time.monotonic()
        if not d: break
        if tee: tee.write(d)
        buf += d; *lines, buf = buf.split(b"\n")
        for l in lines:
            m = AID.search(l)
            if m: out.write(f"{(m[1] or m[2]).decode()} {t:.6f}\n")
    out.flush(); tee and tee.flush()
out.flush()
