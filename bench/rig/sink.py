# A measuring instrument, kept as it is so that older figures stay comparable.
# ruff: noqa
# fmt: off
"""Action sink: a tiny HTTP server that records action callbacks by alert id.

  any method  /act?id=<aid>  or body/URL containing an aid (regex) -> 200 "ok", records (aid, CLOCK_MONOTONIC)
  GET  /stats -> {"calls":..,"distinct":..,"dups":..,"first":..,"last":..}
  GET  /dump  -> one "aid t_monotonic" per line, in arrival order
  POST /reset -> forget everything
Optional --delay-ms: the action takes that long (a slow remediation target).
  python3 sink.py --port 9900
"""
import argparse, asyncio, json, re, time
AID = re.compile(rb"\b([A-Za-z]\w*-\d+)\b")
IDQ = re.compile(rb"[?&]id=([^&\s]+)")
calls = []

class P(asyncio.Protocol):
    delay = 0.0
    def connection_made(self, tr): self.tr = tr; self.buf = b""
    def data_received(self, d):
        self.buf += d
        while True:
            i = self.buf.find(b"\r\n\r\n")
            if i < 0: return
            head = self.buf[:i]; m = re.search(rb"(?i)content-length:\s*(\d+)", head); n = int(m[1]) if m else 0
            if len(self.buf) < i + 4 + n: return
            body = self.buf[i+4:i+4+n]; self.buf = self.buf[i+4+n:]
            self.one(head, body)
    def one(self, head, body):
        t = time.monotonic(); line = head[:head.find(b"\r\n")]
        close = re.search(rb"(?i)\nconnection:\s*close", head) is not None or b"HTTP/1.0" in line
        path = line.split(b" ")[1]
        if path.startswith(b"/stats"): return self.reply(json.dumps(stats()).encode(), close)
        if path.startswith(b"/dump"): return self.reply("".join(f"{a} {t:.6f}\n" for a, t in calls).encode(), close)
        if path.startswith(b"/reset"): calls.clear(); return self.reply(b"ok", close)
        m = IDQ.search(path) or AID.search(body)
        calls.append((m[1].decode() if m else "?", t))
        if P.delay: asyncio.get_event_loop().call_later(P.delay, self.reply, b"ok", close)
        else: self.reply(b"ok", close)
    def reply(self, b, close):
        if self.tr.is_closing(): return
        self.tr.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n%s\r\n" % (len(b), b"Connection: close\r\n" if close else b"") + b)
        if close: self.tr.close()

def stats():
    ids = [a for a, _ in calls]; d = len(set(ids))
    return {"calls": len(ids), "distinct": d, "dups": len(ids) - d, "first": calls[0][1] if calls else None, "last": calls[-1][1] if calls else None}

async def main():
    a = argparse.ArgumentParser(); a.add_argument("--port", type=int, default=9900); a.add_argument("--host", default="127.0.0.1"); a.add_argument("--delay-ms", type=float, default=0)
    a = a.parse_args(); P.delay = a.delay_ms / 1000
    s = await asyncio.get_event_loop().create_server(P, a.host, a.port, backlog=2048)
    await s.serve_forever()
if __name__ == "__main__": asyncio.run(main())
