"""The manifests: valid, the same from Kustomize and Helm, and with configurations that the program accepts."""

import os
import re
import subprocess
import tempfile
from pathlib import Path

import yaml

import rendering
from others import check_refusals
from rendering import CHART, KUSTOMIZE, ROOT, base_with, differences, helm, helm_refuses, kustomize
from validity import CUSTOM, END_SECONDS, SCHEMAS, configuration, fits, fits_together, port, validate

# Each component, and the values of the chart that say the same.
COMPONENTS = {
    "own-rules": {"existingRules": "glassine-rules"},
    "workload-identity": {"workloadIdentity": {"enabled": True}},
    "audit-volume": {"audit": {"volume": {"enabled": True}}},
    "monitoring": {"monitoring": {"enabled": True}},
    "cert-manager": {"tls": {"certManager": {"enabled": True}}},
    "csi-secret-store": {"secrets": {"csi": {"enabled": True}}},
    "external-secrets": {"secrets": {"externalSecret": {"enabled": True}}},
}
OVERLAYS = ("example", "aks")
# Values whose change shows with other switches than all on.
OTHERS_ON = {"secrets": {"csi": {"enabled": True}}, "autoscaling": {"enabled": False}}
# Another value of a key, where one of the same type would not be valid.
ANOTHER = {
    "image.digest": "sha256:" + "0" * 64,
    "image.pullPolicy": "Always",
    "audit.volume.size": "1Gi",
    "imagePullSecrets": [{"name": "pull"}],
    "rules": {"mail.yaml": "version: 1\n"},
    "env": [{"name": "GLASSINE_LOG", "value": "debug"}],
    "tolerations": [{"operator": "Exists"}],
    "affinity": {"podAntiAffinity": {}},
    "tls.certManager.dnsNames": ["other.example"],
    "tls.certManager.issuerRef": {"name": "other"},
    "secrets.externalSecret.refreshInterval": "2h0m0s",
    "secrets.externalSecret.storeKind": "SecretStore",
    "monitoring.interval": "60s",
}


def check_base_and_components():
    rendered = {"base": kustomize(KUSTOMIZE / "base")}
    rendered |= {name: kustomize(KUSTOMIZE / "overlays" / name) for name in OVERLAYS}
    rendered |= {name: base_with(name) for name in COMPONENTS}
    assert set(COMPONENTS) == {it.name for it in (KUSTOMIZE / "components").iterdir()}, "a component has no test"
    # Each combination that makes sense: a Secret comes from one place.
    rendered["all"] = base_with(*(it for it in COMPONENTS if it != "external-secrets"))
    for name, manifests in rendered.items():
        validate(manifests)
        fits_together(manifests)
        print(f"ok: Kustomize, {name}: {len(manifests)} objects are valid")


def check_other_kinds():
    manifests = base_with("cert-manager", "external-secrets", "monitoring") + base_with("csi-secret-store")
    # The one that makes use of most fields.
    manifests += helm(COMPONENTS["monitoring"])
    check_refusals(SCHEMAS, manifests)
    [fields] = CUSTOM.values()
    for spec in ({"providers": "azure"}, {"provider": 1}, {"parameters": {"objects": ["a"]}}):
        try:
            fits(spec, fields, "SecretProviderClass")
        except AssertionError:
            continue
        raise SystemExit(f"SecretProviderClass: {spec} is accepted")
    print("ok: so does the list of fields of a SecretProviderClass")


def check_chart():
    lint = subprocess.run(["helm", "lint", "--strict", CHART], capture_output=True, text=True)
    assert lint.returncode == 0, lint.stdout + lint.stderr
    store = {"secrets": {"externalSecret": {"storeKind": "Vault"}}}
    for values in ({"unknown": 1}, {"image": {"tags": "x"}}, {"replicas": "many"}, store):
        assert helm_refuses(values), f"{values} is accepted"
    # Under another name, and so with other names inside.
    for values in ({}, merged(*COMPONENTS.values())):
        manifests = helm(values, release="graph")
        validate(manifests)
        fits_together(manifests)
    print("ok: Helm lints the chart, and refuses values that it does not know")


def check_same():
    assert not (found := differences(kustomize(KUSTOMIZE / "base"), helm())), "\n".join(found)
    for name, values in COMPONENTS.items():
        found = differences(base_with(name), helm(values))
        assert not found, f"{name}:\n" + "\n".join(found)
    print(f"ok: the base and each of {len(COMPONENTS)} components say what the chart says")


def check_every_value():
    """Each value of the chart changes what is rendered, and the result is valid. Each switch is rendered on and off."""
    defaults = yaml.safe_load((CHART / "values.yaml").read_text())
    all_on = merged(*(it for name, it in COMPONENTS.items() if name not in ("csi-secret-store", "own-rules")))
    settings = [all_on, merged(all_on, OTHERS_ON, {"secrets": {"externalSecret": {"enabled": False}}})]
    before = [helm(values) for values in settings]
    changed = 0
    for path, value in leaves(defaults):
        if path == ("monitoring", "rules") and not (ROOT / "deploy/alerts.yaml").exists():
            continue
        after = [helm(merged(values, nested(path, other(path, value)))) for values in settings]
        shown = [manifests for manifests, old in zip(after, before) if manifests != old]
        assert shown, f"{'.'.join(path)} changes nothing"
        for manifests in shown:
            validate(manifests)
        changed += 1
    print(f"ok: each of {changed} values of the chart changes what it renders, and the result is valid")


def leaves(values, path=()):
    """The keys that a user sets. Maps that the chart passes on as they are count as one."""
    whole = ("resources", "rules", "keys", "objects", "issuerRef")
    for name, value in values.items():
        if isinstance(value, dict) and value and name not in whole:
            yield from leaves(value, (*path, name))
        else:
            yield (*path, name), value


def other(path, value):
    name = ".".join(path)
    if name in ANOTHER:
        return ANOTHER[name]
    match value:
        case bool():
            # In both settings one of the two is new.
            return not value if name not in switches_on() else False
        case int():
            return value + 1
        case str():
            return "other"
        case list():
            return [{"podSelector": {"matchLabels": {"other": "pods"}}}]
        case _:
            return {"other": "value"} if path[-1] != "resources" else {"limits": {"memory": "1Gi"}}


def switches_on():
    return {".".join(path) for values in COMPONENTS.values() for path, value in leaves(values) if value is True}


def nested(path, value):
    for name in reversed(path):
        value = {name: value}
    return value


def merged(*all_values):
    result = {}
    for values in all_values:
        for name, value in values.items():
            old = result.get(name)
            result[name] = merged(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return result


def check_configurations():
    """Each configuration in a ConfigMap passes `glassine check`, in the folders that the pod has."""
    sources = {name: kustomize(KUSTOMIZE / "overlays" / name) for name in OVERLAYS}
    sources |= {"base": kustomize(KUSTOMIZE / "base"), "chart": helm()}
    texts = {name: configuration(manifests) for name, manifests in sources.items()} | {"container-apps.yaml": container_apps()}
    for name, text in texts.items():
        with tempfile.TemporaryDirectory() as folder:
            said = glassine_check(Path(folder), text)
        print(f"ok: the configuration of {name} passes glassine check: {said}")


def container_apps():
    """The configuration for Azure Container Apps, whose schema no package has: ports, times and names agree."""
    properties = yaml.safe_load((ROOT / "deploy/container-apps.yaml").read_text())["properties"]
    configuration, template = properties["configuration"], properties["template"]
    secrets = {it["name"]: it.get("value") for it in configuration["secrets"]}
    text = secrets["config"]
    config, [container] = yaml.safe_load(text), template["containers"]
    stop = config["limits"]["lame_duck_seconds"] + config["limits"]["drain_seconds"] + END_SECONDS
    assert template["terminationGracePeriodSeconds"] >= stop
    assert configuration["ingress"]["targetPort"] == port(config["listen"])
    assert {it["httpGet"]["port"] for it in container["probes"]} == {port(config["admin"]["probes"])}
    assert {it["volumeName"] for it in container["volumeMounts"]} == {it["name"] for it in template["volumes"]}
    assert {ref["secretRef"] for it in template["volumes"] for ref in it["secrets"]} == set(secrets)
    return text


def check_ingress():
    """The Ingress of docs/DEPLOYING.md."""
    [block] = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs/DEPLOYING.md").read_text(), re.S)
    validate(rendering.objects(block))
    print("ok: the Ingress of docs/DEPLOYING.md is valid")


def glassine_check(folder, text):
    glassine = os.environ["GLASSINE_BIN"]
    for name in ("config", "secrets", "tls", "rules", "azure"):
        (folder / name).mkdir()
    token = "/var/run/secrets/azure/tokens/azure-identity-token"
    config = folder / "config/config.yaml"
    config.write_text(text.replace(token, str(folder / "azure/azure-identity-token")))
    (folder / "azure/azure-identity-token").write_text("token")
    (folder / "azure/azure-identity-token").chmod(0o440)
    for rules in (ROOT / "rules").glob("*.yaml"):
        (folder / "rules" / rules.name).write_text(rules.read_text())
    rendering.output(glassine, "keys", "new", "--out", folder / "secrets/keys.yaml")
    (folder / "secrets/client-secret").write_text("a-client-secret\n")
    (folder / "secrets/client-secret").chmod(0o440)
    rendering.output(
        *"openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 90 -subj /CN=glassine".split(),
        *"-addext subjectAltName=DNS:graph-proxy.contoso.example".split(),
        "-keyout", folder / "tls/tls.key", "-out", folder / "tls/tls.crt",
    )  # fmt: skip
    done = subprocess.run([glassine, "check", "--deny-warnings", "--config", str(config)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return re.sub(re.escape(str(folder)), "", (done.stdout + done.stderr).strip().splitlines()[-1])


def check_alerts(update):
    """The rules for Prometheus are one file, deploy/alerts.yaml, in the form that each tool wants."""
    alerts = ROOT / "deploy/alerts.yaml"
    if not alerts.exists():
        print("ok: there is no deploy/alerts.yaml yet")
        return
    component, linked = KUSTOMIZE / "components/monitoring", CHART / "files/alerts.yaml"
    rule = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": "glassine", "labels": {"app.kubernetes.io/name": "glassine"}},
        "spec": yaml.safe_load(alerts.read_text()),
    }
    kustomization = component / "kustomization.yaml"
    if update:
        made = "# Made of deploy/alerts.yaml by tests/deploy/run --update.\n" + yaml.safe_dump(rule, sort_keys=False, width=160)
        (component / "prometheusrule.yaml").write_text(made)
        linked.unlink(missing_ok=True)
        linked.symlink_to("../../../alerts.yaml")
        text = kustomization.read_text()
        if "prometheusrule.yaml" not in text:
            kustomization.write_text(text.replace("  - servicemonitor.yaml\n", "  - servicemonitor.yaml\n  - prometheusrule.yaml\n"))
    written = component / "prometheusrule.yaml"
    advice = "run tests/deploy/run --update"
    assert written.exists() and yaml.safe_load(written.read_text()) == rule, advice
    assert linked.read_text() == alerts.read_text(), advice
    assert "prometheusrule.yaml" in kustomization.read_text(), advice
    print("ok: the Prometheus rules of both are deploy/alerts.yaml")


def check(update):
    check_alerts(update)
    check_other_kinds()
    check_base_and_components()
    check_chart()
    check_same()
    check_every_value()
    check_configurations()
    check_ingress()
    SCHEMAS.end()
