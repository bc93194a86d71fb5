"""Objects of other projects' kinds, which the API server of Kubernetes knows by their own schemas: cert-manager, External Secrets,
Prometheus operator."""

import json
import os
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent
KINDS = {
    ("cert-manager.io/v1", "Certificate"),
    ("external-secrets.io/v1", "ExternalSecret"),
    ("monitoring.coreos.com/v1", "PrometheusRule"),
    ("monitoring.coreos.com/v1", "ServiceMonitor"),
}
# For each kind: where an object is changed, and to what. `None` removes the field. The schema has to refuse each.
WRONG = [
    ("Certificate", ["secretName"], None),
    ("Certificate", ["dnsName"], ["a.example"]),
    ("Certificate", ["privateKey", "algorithm"], "RSB"),
    ("Certificate", ["privateKey", "size"], "256"),
    ("Certificate", ["usages"], ["server"]),
    ("ExternalSecret", ["refreshIntervall"], "1h0m0s"),
    ("ExternalSecret", ["target", "creationPolicy"], "Owned"),
    ("ExternalSecret", ["data", 0, "remoteRef", "keys"], "a"),
    ("ExternalSecret", ["data", 0, "secretKey"], None),
    ("PrometheusRule", ["groups", 0, "rules", 0, "expr"], None),
    ("PrometheusRule", ["groups", 0, "rules", 0, "fore"], "1m"),
    ("PrometheusRule", ["groups", 0, "rules", 0, "for"], "soon"),
    ("ServiceMonitor", ["selector"], None),
    ("ServiceMonitor", ["endpoints", 0, "ports"], "metrics"),
    ("ServiceMonitor", ["endpoints", 0, "interval"], "half a minute"),
    ("ServiceMonitor", ["endpoints", 0, "tlsConfig", "ca", "secret", "file"], "ca.crt"),
]


class Schemas:
    """The validators, in a process of Node's."""

    def __init__(self):
        # Node finds packages beside the script that asks for them.
        script = Path(os.environ["DEPLOY_JS"]) / "others.mjs"
        script.write_text((HERE / "others.mjs").read_text())
        self.process = subprocess.Popen(["node", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def complaints(self, it):
        self.process.stdin.write(json.dumps(it) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def end(self):
        self.process.stdin.close()
        assert self.process.wait(30) == 0


def changed(it, way, value):
    other = json.loads(json.dumps(it))
    holder = other["spec"]
    for name in way[:-1]:
        holder = holder[name]
    if value is None:
        del holder[way[-1]]
    else:
        holder[way[-1]] = value
    return other


def check_refusals(schemas, manifests):
    """The schemas refuse what is wrong, so what they accept is worth something."""
    own = {it["kind"]: it for it in manifests if (it["apiVersion"], it["kind"]) in KINDS}
    assert {kind for kind, _, _ in WRONG} == set(own) == {kind for _, kind in KINDS}, "a kind has no test"
    for kind, way, value in WRONG:
        assert not schemas.complaints(own[kind]), kind
        assert schemas.complaints(changed(own[kind], way, value)), f"{kind}: {way} may be {value!r}"
    print(f"ok: the schemas of {len(KINDS)} kinds of other projects refuse {len(WRONG)} mistakes")
