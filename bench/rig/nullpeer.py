# A measuring instrument, kept as it is so that older figures stay comparable.
# ruff: noqa
# fmt: off
"""Ceiling of the rig: raw asyncio webhook server that answers 200 and makes one keep-alive HTTP call per alert to the sink. No durability, no rules."""
import asyncio, json, re, sys
port = int(sys.argv[1]); sink = ("127.0.0.1", 9900); q = asyncio.Queue()
async def worker():
    r, w = await asyncio.open_connection(*sink)
    while True:
        a = await q.get(); w.write(b"POST /act?id=%s HTTP/1.1\r\nHost: s\r\nContent-Length: 0\r\n\r\n" % a.encode())
        h = await r.readuntil(b"\r\n\r\n"); await r.readexactly(int(re.search(rb"Length: (\d+)", h)[1]))
async def handle(r, w):
    try:
        while True:
            h = await r.readuntil(b"\r\n\r\n"); b = await r.readexactly(int(re.search(rb"(?i)content-length: (\d+)", h)[1]))
            for a in json.loads(b)["alerts"]: q.put_nowait(a["labels"]["aid"])
            w.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    except (asyncio.IncompleteReadError, ConnectionError): w.close()
async def main():
    for _ in range(8): asyncio.create_task(worker())
    await (await asyncio.start_server(handle, "127.0.0.1", port, backlog=1024)).serve_forever()
asyncio.run(main())
