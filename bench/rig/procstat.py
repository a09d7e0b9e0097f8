# A measuring instrument, kept as it is so that older figures stay comparable.
# ruff: noqa
# fmt: off
"""procstat.py PID -> JSON: RSS/PSS (MiB) and CPU seconds of the process tree.  procstat.py PID --watch SECS FILE samples the peak."""
import os, sys, json, time
def tree(pid):
    kids = {}
    for p in os.listdir("/proc"):
        if p.isdigit():
            try: s = open(f"/proc/{p}/stat").read()
            except OSError: continue
            pp = int(s[s.rfind(")") + 2:].split()[1]); kids.setdefault(pp, []).append(int(p))
    out, st = [], [pid]
    while st: p = st.pop(); out.append(p); st += kids.get(p, [])
    return out
def stat(pid):
    rss = pss = cpu = 0; n = thr = 0
    for p in tree(pid):
        try:
            d = dict(l.split(":", 1) for l in open(f"/proc/{p}/smaps_rollup") if ":" in l and not l[0].isdigit() or l.startswith(("Rss", "Pss:")))
            s = open(f"/proc/{p}/stat").read(); f = s[s.rfind(")") + 2:].split()
        except (OSError, ValueError): continue
        rss += int(d["Rss"].split()[0]); pss += int(d["Pss"].split()[0]); cpu += sum(map(int, f[11:15])) / 100; n += 1; thr += int(f[17])
    return {"procs": n, "threads": thr, "rss_mib": round(rss / 1024, 1), "pss_mib": round(pss / 1024, 1), "cpu_s": round(cpu, 2)}
if __name__ == "__main__":
    pid = int(sys.argv[1])
    if len(sys.argv) > 2:
        end = time.time() + float(sys.argv[3]); pk = {}
        while time.time() < end and os.path.exists(f"/proc/{pid}"):
            s = stat(pid); pk = {k: max(v, pk.get(k, 0)) for k, v in s.items()}; time.sleep(0.5)
        open(sys.argv[4], "w").write(json.dumps(pk))
    else: print(json.dumps(stat(pid)))
