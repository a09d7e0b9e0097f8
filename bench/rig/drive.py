# A measuring instrument, kept as it is so that older figures stay comparable.
# ruff: noqa
# fmt: off
"""Generic Alertmanager-webhook load driver (raw asyncio, no deps; loopback only).

  drive.py --url http://127.0.0.1:5000/endpoint --run A --count 2000 --alerts 1 --rate 10          # open loop
  drive.py --url ... --run B --count 2000 --alerts 5 --concurrency 32                              # closed loop (saturation)
Options: --max-seconds bound, --timeout per request, --header 'K: V', --out FILE (per-webhook log), --pad BYTES extra per alert,
         --pidfile P --kill-after-acks N  -> SIGKILL the pid(s) in P (space separated) once N webhooks were acked 2xx.
Prints one JSON line. In the open loop, latency counts from the *scheduled* time (no coordinated omission).
The log has: first_aid_no k t_sched t_send t_ack status
"""
import argparse, asyncio, json, os, signal, sys, time, urllib.parse
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import payload
from payload import body

def pct(v, p):
    if not v: return None
    v = sorted(v); return v[min(len(v) - 1, int(p / 100 * len(v)))]

class Conn:
    def __init__(s, host, port): s.h, s.p = host, port; s.r = s.w = None; s.idle = 0.0
    async def open(s): s.r, s.w = await asyncio.open_connection(s.h, s.p)
    def drop(s):
        if s.w: s.w.close()
        s.r = s.w = None
    async def post(s, head, body):
        if s.w is None: await s.open()
        s.w.write(head + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        raw = await s.r.readuntil(b"\r\n\r\n"); low = raw.lower(); st = int(raw.split(b" ", 2)[1])
        i = low.find(b"content-length:")
        close = b"connection: close" in low or raw.startswith(b"HTTP/1.0")
        if i >= 0: await s.r.readexactly(int(low[i + 15: low.find(b"\r\n", i)]))
        elif b"transfer-encoding: chunked" in low:
            while True:
                n = int((await s.r.readline()).strip() or b"0", 16); await s.r.readexactly(n + 2)
                if n == 0: break
        elif close: await s.r.read()
        if close: s.drop()
        return st

async def main():
    ap = argparse.ArgumentParser(); A = ap.add_argument
    A("--url", required=True); A("--run", default="A"); A("--count", type=int, default=1000); A("--alerts", type=int, default=1)
    A("--rate", type=float); A("--concurrency", type=int, default=16); A("--max-seconds", type=float, default=120); A("--timeout", type=float, default=30)
    A("--header", action="append", default=[]); A("--out"); A("--pad", type=int, default=0); A("--name", default="PeerBench"); A("--first", type=int, default=0); A("--drop-labels", default=""); A("--starts-at")
    A("--pidfile"); A("--kill-after-acks", type=int)
    a = ap.parse_args(); payload.START = a.starts_at; payload.DROP |= set(filter(None, a.drop_labels.split(","))); u = urllib.parse.urlsplit(a.url)
    assert u.hostname in ("127.0.0.1", "localhost", "::1"), "loopback only"
    path = u.path + ("?" + u.query if u.query else "")
    head = f"POST {path or '/'} HTTP/1.1\r\nHost: {u.netloc}\r\nUser-Agent: Alertmanager/0.27.0\r\nContent-Type: application/json\r\n" + "".join(h + "\r\n" for h in a.header)
    head = head.encode(); log = []; loop = asyncio.get_running_loop(); pool = []; killed = [None]; acks = [0]
    # bodies are made beforehand so that making them is not in the measured path (closed loop), bounded
    bodies = [body(a.run, a.first + i * a.alerts, a.alerts, pad=a.pad, name=a.name) for i in range(a.count)]
    t0 = time.monotonic(); end = t0 + a.max_seconds
    async def one(c, i, tsched):
        ts = time.monotonic()
        try: st = await asyncio.wait_for(c.post(head, bodies[i]), a.timeout)
        except asyncio.TimeoutError: st = -2; c.drop()
        except Exception: st = -1; c.drop()
        ta = time.monotonic(); log.append((a.first + i * a.alerts, a.alerts, tsched, ts, ta, st))
        if 200 <= st < 300:
            acks[0] += 1
            if a.kill_after_acks and acks[0] == a.kill_after_acks and killed[0] is None:
                for p in open(a.pidfile).read().split():
                    try: os.kill(int(p), signal.SIGKILL)
                    except ProcessLookupError: pass
                killed[0] = time.monotonic()
    if a.rate:
        tasks = set()
        async def slot(i, ts):
            c = pool.pop() if pool else Conn(u.hostname, u.port)
            if time.monotonic() - c.idle > 1: c.drop()  # do not race a server's keep-alive timeout
            await one(c, i, ts); c.idle = time.monotonic(); pool.append(c)
        for i in range(a.count):
            ts = t0 + i / a.rate; d = ts - time.monotonic()
            if d > 0: await asyncio.sleep(d)
            if time.monotonic() > end: break
            t = asyncio.create_task(slot(i, ts)); tasks.add(t); t.add_done_callback(tasks.discard)
        if tasks: await asyncio.wait(tasks)
    else:
        it = iter(range(a.count))
        async def worker():
            c = Conn(u.hostname, u.port)
            for i in it:
                if time.monotonic() > end or killed[0]: break
                await one(c, i, time.monotonic())
            c.drop()
        await asyncio.gather(*[worker() for _ in range(a.concurrency)])
    t1 = max((x[4] for x in log), default=t0)
    ok = [x for x in log if 200 <= x[5] < 300]; lat = [(x[4] - (x[2] if a.rate else x[3])) * 1e3 for x in ok]
    dur = t1 - t0; sts = {}
    for x in log: sts[x[5]] = sts.get(x[5], 0) + 1
    print(json.dumps({"run": a.run, "mode": f"rate={a.rate}" if a.rate else f"conc={a.concurrency}", "alerts_per_webhook": a.alerts, "body_bytes": len(bodies[0]),
        "sent": len(log), "ok": len(ok), "status": sts, "secs": round(dur, 3), "webhooks_per_s": round(len(ok) / dur, 1), "alerts_per_s": round(len(ok) * a.alerts / dur, 1),
        "http_ms": {"p50": round(pct(lat, 50) or 0, 2), "p99": round(pct(lat, 99) or 0, 2), "max": round(max(lat, default=0), 2)}, "t0": t0, "t1": t1, "killed_at": killed[0], "load1": os.getloadavg()[0]}))
    if a.out:
        with open(a.out, "a") as f:
            for x in log: f.write("%s %d %d %.6f %.6f %.6f %d\n" % (a.run, *x))
if __name__ == "__main__": asyncio.run(main())
