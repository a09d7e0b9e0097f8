# A measuring instrument, kept as it is so that older figures stay comparable.
# ruff: noqa
# fmt: off
"""Machine-speed calibration: seconds for a fixed pure-python job (median of 5), for normalising between runs."""
import time, json, statistics
def job():
    t = time.perf_counter(); s = 0
    for i in range(40): s += len(json.loads(json.dumps([{"a": j, "b": str(j)} for j in range(2000)])))
    return time.perf_counter() - t
print(json.dumps({"calib_s": round(statistics.median(job() for _ in range(5)), 4)}))
