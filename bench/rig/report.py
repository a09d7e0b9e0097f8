# A measuring instrument, kept as it is so that older figures stay comparable.
# ruff: noqa
# fmt: off
"""Join drive.py's log with a sink dump: report.py SENDLOG SINKDUMP  (SINKDUMP '-' fetches http://127.0.0.1:9900/dump)
Counts accepted alerts whose action ran / never ran / ran twice; un-acked whose action ran; webhook->action latency; actions/s."""
import sys, json, urllib.request
def pct(v, p):
    v = sorted(v); return round(v[min(len(v) - 1, int(p / 100 * len(v)))], 2) if v else None
send, sink = sys.argv[1], sys.argv[2]; sink_port = __import__("os").environ.get("SINK_PORT", "9900")
al = {}
for l in open(send):
    run, first, k, tsc, ts, ta, st = l.split()
    for i in range(int(k)): al[f"{run}-{int(first) + i}"] = (float(tsc), float(ts), float(ta), int(st))
txt = urllib.request.urlopen(f"http://127.0.0.1:{sink_port}/dump").read().decode() if sink == "-" else open(sink).read()
seen = {}; n = 0
runs = {a.rsplit("-", 1)[0] for a in al}
first = last = None
for l in txt.splitlines():
    p = l.split()
    if len(p) != 2 or p[0].rsplit("-", 1)[0] not in runs: continue
    n += 1; t = float(p[1]); seen.setdefault(p[0], []).append(t); first = first or t; last = t
acc = {a for a, x in al.items() if 200 <= x[3] < 300}
lat = [(seen[a][0] - al[a][0]) * 1e3 for a in acc if a in seen]
ts0 = min(x[1] for x in al.values())
out = {"alerts_sent": len(al), "accepted": len(acc), "executed_distinct": len(seen), "calls": n, "dups": n - len(seen),
  "accepted_not_executed": len([a for a in acc if a not in seen]), "unacked_but_executed": len([a for a in seen if a not in acc]),
  "action_latency_ms": {"p50": pct(lat, 50), "p90": pct(lat, 90), "p99": pct(lat, 99), "max": pct(lat, 100)},
  "actions_per_s_from_first_send": round(len(seen) / (last - ts0), 1) if seen else 0, "drain_s": round(last - ts0, 3) if seen else None}
print(json.dumps(out))
