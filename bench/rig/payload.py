# A measuring instrument, kept as it is so that older figures stay comparable.
# ruff: noqa
# fmt: off
"""Alertmanager webhook v4 payloads with unique alert ids.

Every alert carries label aid="<run>-<n>" and a unique 16-hex fingerprint, so an
action that reports `aid` back to sink.py can be joined to the webhook that caused it.
"""
import hashlib, json, datetime

START = None  # fixed startsAt (drive.py --starts-at), so that a resend is the same alert
DROP = set()  # labels to leave out (drive.py --drop-labels)

def alert(run, n, name="PeerBench", pad=0, status="firing", start=None):
    aid = f"{run}-{n}"
    fp = hashlib.blake2b(aid.encode(), digest_size=8).hexdigest()
    d = {
        "status": status,
        "labels": {"alertname": name, "aid": aid, "cluster": "prod-eu-1", "container": "app",
                   "host": "localhost", "instance": f"10.42.{n % 250}.{(n // 250) % 250}:9100", "job": "node-exporter",
                   "namespace": "shop", "pod": f"checkout-{fp[:10]}-{fp[10:15]}", "prometheus": "monitoring/k8s",
                   "severity": "critical", "team": "payments"},
        "annotations": {"summary": f"High memory on checkout-{fp[:10]}",
                        "description": "Memory of pod has been above 90% of its limit for 5 minutes; it will be OOM-killed soon.",
                        "runbook_url": "https://runbooks.example.com/runbooks/PeerBench"},
        "startsAt": start or START or datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus.example.com/graph?g0.expr=up+%3D%3D+0&g0.tab=1",
        "fingerprint": fp,
    }
    for x in DROP: d["labels"].pop(x, None)
    if pad:
        d["annotations"]["pad"] = "x" * pad
    return d

def webhook(run, first, k, name="PeerBench", pad=0, status="firing"):
    al = [alert(run, first + i, name, pad, status) for i in range(k)]
    keys = ("alertname", "cluster", "namespace", "severity")
    return {
        "version": "4", "groupKey": '{}/{severity="critical"}:{aid="%s-%d"}' % (run, first), "truncatedAlerts": 0,
        "status": status, "receiver": "remediator",
        "groupLabels": {"alertname": name},
        "commonLabels": {x: al[0]["labels"][x] for x in keys},
        "commonAnnotations": {"runbook_url": al[0]["annotations"]["runbook_url"]},
        "externalURL": "http://alertmanager.example.com:9093", "alerts": al,
    }

def body(run, first, k, **kw):
    return json.dumps(webhook(run, first, k, **kw), separators=(",", ":")).encode()

if __name__ == "__main__":
    import sys
    k = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    print(json.dumps(webhook("demo", 0, k), indent=1))
