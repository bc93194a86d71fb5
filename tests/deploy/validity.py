"""Whether objects are what the API server accepts, and what the program needs."""

import kubernetes_validate
import yaml

from rendering import key, workload

# The oldest version that the chart allows, and a new one.
VERSIONS = ("1.29", "1.34")
# The fields of objects of others' kinds. No package has their schemas: written by hand from their documentation.
CUSTOM = {
    ("monitoring.coreos.com/v1", "ServiceMonitor"): {
        "selector": {"matchLabels": "map"},
        "endpoints": [
            {
                "port": str,
                "scheme": str,
                "interval": str,
                "authorization": {"credentials": {"name": str, "key": str}},
                "tlsConfig": {"ca": {"secret": {"name": str, "key": str}}, "serverName": str},
            }
        ],
    },
    ("monitoring.coreos.com/v1", "PrometheusRule"): {"groups": "any"},
    ("cert-manager.io/v1", "Certificate"): {
        "secretName": str,
        "dnsNames": [str],
        "usages": [str],
        "privateKey": {"algorithm": str, "size": int, "rotationPolicy": str},
        "issuerRef": {"group": str, "kind": str, "name": str},
    },
    ("external-secrets.io/v1", "ExternalSecret"): {
        "refreshInterval": str,
        "secretStoreRef": {"kind": str, "name": str},
        "target": {"name": str, "creationPolicy": str},
        "data": [{"secretKey": str, "remoteRef": {"key": str}}],
    },
    ("secrets-store.csi.x-k8s.io/v1", "SecretProviderClass"): {"provider": str, "parameters": "map"},
}
# What the Pod Security Standard "restricted" demands.
RESTRICTED_POD = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
RESTRICTED_CONTAINER = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
# The program's own end after the drain: the last audit records and the admin listener.
END_SECONDS = 4


def validate(manifests):
    for it in manifests:
        shape = CUSTOM.get((it["apiVersion"], it["kind"]))
        if shape is not None:
            fits(it["spec"], shape, it["kind"])
            continue
        for version in VERSIONS:
            kubernetes_validate.validate(it, version, strict=True)


def fits(value, shape, place):
    if shape == "any":
        return
    if shape == "map":
        assert all(isinstance(it, str) for it in value.values()), place
    elif isinstance(shape, dict):
        assert isinstance(value, dict) and set(value) <= set(shape), f"{place}: {sorted(set(value) - set(shape))}"
        for name, it in value.items():
            fits(it, shape[name], f"{place}.{name}")
    elif isinstance(shape, list):
        assert isinstance(value, list) and value, place
        for it in value:
            fits(it, shape[0], place)
    else:
        assert isinstance(value, shape), f"{place}: {value!r}"


def configuration(manifests):
    [text] = [it["data"]["config.yaml"] for it in manifests if "config.yaml" in it.get("data", {})]
    return text


def fits_together(manifests):
    """What one object says of another one, and of the configuration, is so."""
    spec = workload(manifests)["spec"]
    pod = spec["template"]["spec"]
    [container] = pod["containers"]
    is_restricted(pod, container)
    config = yaml.safe_load(configuration(manifests))
    stop = config["limits"]["lame_duck_seconds"] + config["limits"]["drain_seconds"] + END_SECONDS
    assert pod["terminationGracePeriodSeconds"] >= stop, "the kubelet kills before the drain ends"
    readiness = container["readinessProbe"]
    notices = readiness["periodSeconds"] * readiness["failureThreshold"] + readiness["timeoutSeconds"]
    assert notices <= config["limits"]["lame_duck_seconds"], "a load balancer notices after the lame duck"
    ports = {it["name"]: it["containerPort"] for it in container["ports"]}
    assert ports["https"] == port(config["listen"]) and ports["probes"] == port(config["admin"]["probes"])
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        assert container[probe]["httpGet"]["port"] == "probes", probe
    mounted(pod, container)
    assert ("ServiceAccount", pod["serviceAccountName"]) in map(key, manifests)
    own = [it["configMap"]["name"] for it in pod["volumes"] if it["name"] == "config"]
    assert all(("ConfigMap", name) in map(key, manifests) for name in own)
    labels = spec["template"]["metadata"]["labels"]
    for it in manifests:
        selector = it.get("spec", {}).get("selector") or {} if it["kind"] in ("Service", "PodDisruptionBudget") else {}
        chosen = selector.get("matchLabels", selector)
        assert chosen.items() <= labels.items(), f"{it['kind']} chooses other pods"
        if it["kind"] == "HorizontalPodAutoscaler":
            target = it["spec"]["scaleTargetRef"]
            assert (target["kind"], target["name"]) == (workload(manifests)["kind"], workload(manifests)["metadata"]["name"])
        if it["kind"] in ("Service", "NetworkPolicy"):
            named_ports(it, ports)


def is_restricted(pod, container):
    assert RESTRICTED_POD.items() <= pod["securityContext"].items()
    assert RESTRICTED_CONTAINER.items() <= container["securityContext"].items()
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert pod["securityContext"]["runAsUser"] == pod["securityContext"]["fsGroup"] == 65532
    assert pod["automountServiceAccountToken"] is False


def port(address):
    return int(address.rsplit(":", 1)[1])


def mounted(pod, container):
    mounts = container["volumeMounts"]
    assert not any("subPath" in it for it in mounts), "a single file does not change with its source"
    volumes = {it["name"] for it in pod["volumes"]} | {"audit"}
    assert {it["name"] for it in mounts} <= volumes


def named_ports(it, ports):
    listed = it["spec"].get("ports", []) + [port for rule in it["spec"].get("ingress", []) for port in rule["ports"]]
    for one in listed:
        name = one.get("targetPort") or one["port"]
        assert not isinstance(name, str) or name in ports, f"{it['metadata']['name']}: no port {name}"
