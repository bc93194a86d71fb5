"""What Kustomize and Helm make of deploy/."""

import copy
import json
import subprocess
import tempfile
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
KUSTOMIZE = ROOT / "deploy/kubernetes"
CHART = ROOT / "deploy/helm/glassine"
# Only Helm sets these labels, and the selector of the instance.
HELM_LABELS = ("app.kubernetes.io/instance", "app.kubernetes.io/managed-by", "app.kubernetes.io/version", "helm.sh/chart")


def output(*command):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, command))}:\n{done.stdout}{done.stderr}")
    return done.stdout


def objects(text):
    return [it for it in yaml.safe_load_all(text) if it]


def kustomize(folder):
    return objects(output("kubectl", "kustomize", folder))


def base_with(*components):
    """The base with these components, by a kustomization beside the others, where relative paths are allowed."""
    with tempfile.TemporaryDirectory(dir=KUSTOMIZE) as folder:
        content = {"resources": ["../base"], "components": [f"../components/{it}" for it in components]}
        Path(folder, "kustomization.yaml").write_text(yaml.safe_dump(content))
        return kustomize(folder)


def helm(values=None, release="glassine"):
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        yaml.safe_dump(values or {}, file)
        file.flush()
        return objects(output("helm", "template", release, CHART, "--values", file.name))


def helm_refuses(values):
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        yaml.safe_dump(values, file)
        file.flush()
        command = ["helm", "template", "glassine", str(CHART), "--values", file.name]
        return subprocess.run(command, capture_output=True).returncode != 0


def key(it):
    return it["kind"], it["metadata"]["name"]


def normal(manifests):
    """By kind and name, without what only Helm sets, and with lists of named things in one order."""
    return {key(it): normal_part(copy.deepcopy(it)) for it in manifests}


def normal_part(part):
    if isinstance(part, dict):
        kept = {name: normal_part(value) for name, value in part.items() if name not in HELM_LABELS}
        # Kustomize labels claims' templates too.
        return {name: value for name, value in kept.items() if value != {} or name in ("podSelector", "namespaceSelector")}
    if isinstance(part, list):
        return sorted((normal_part(it) for it in part), key=lambda it: json.dumps(it, sort_keys=True))
    # The order of an embedded list has no meaning either.
    return "\n".join(sorted(part.splitlines())) if isinstance(part, str) and "objectAlias" in part else part


def differences(one, other):
    one, other = normal(one), normal(other)
    lines = [f"only in one: {name}" for name in sorted(set(one) ^ set(other))]
    for name in sorted(set(one) & set(other)):
        if one[name] != other[name]:
            lines.append(f"{name}:\n  {json.dumps(one[name], sort_keys=True)}\n  {json.dumps(other[name], sort_keys=True)}")
    return lines


def workload(manifests):
    return next(it for it in manifests if it["kind"] in ("Deployment", "StatefulSet"))
