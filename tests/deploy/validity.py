"""Whether objects are what the API server accepts, and what the program needs."""

import kubernetes_validate
import yaml

from others import KINDS, Schemas
from rendering import key, workload

# The oldest version that the chart allows, and a new one.
VERSIONS = ("1.29", "1.34")
# The fields of the one kind whose schema no package has, from its CustomResourceDefinition (secrets-store-csi-driver, v1):
# `secretObjects` is the third one, and not used here.
CUSTOM = {("secrets-store.csi.x-k8s.io/v1", "SecretProviderClass"): {"provider": str, "parameters": "map"}}
SCHEMAS = Schemas()
# What the Pod Security Standard "restricted" demands.
RESTRICTED_POD = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
RESTRICTED_CONTAINER = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
# The program's own end after the drain: the last audit records and the admin listener.
END_SECONDS = 4


def validate(manifests):
    for it in manifests:
        kind = (it["apiVersion"], it["kind"])
        if kind in CUSTOM:
            fits(it["spec"], CUSTOM[kind], it["kind"])
        elif kind in KINDS:
            assert not (found := SCHEMAS.complaints(it)), f"{it['kind']}: {found}"
        else:
            for version in VERSIONS:
                kubernetes_validate.validate(it, version, strict=True)


def fits(spec, fields, kind):
    assert set(spec) <= set(fields), f"{kind}: {sorted(set(spec) - set(fields))}"
    for name, value in spec.items():
        if fields[name] == "map":
            assert all(isinstance(it, str) for it in value.values()), f"{kind}: {name}"
        else:
            assert isinstance(value, fields[name]), f"{kind}: {name} is {value!r}"


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
