// Whether objects of other projects' kinds are what their schemas allow: reads an object a line, writes a list of complaints a line.
//
// The schemas come from those projects' own types, as validators that let unknown fields pass, as the API server does, which drops
// them. So each field of a valid object is also given a value of a type that no field has where it stands: a schema that has the
// field refuses it there.

import { createInterface } from "node:readline";
import { Certificate } from "@kubernetes-models/cert-manager/cert-manager.io/v1/Certificate";
import { ExternalSecret } from "@kubernetes-models/external-secrets/external-secrets.io/v1/ExternalSecret";
import { PrometheusRule } from "@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/PrometheusRule";
import { ServiceMonitor } from "@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/ServiceMonitor";

const KINDS = {
  "cert-manager.io/v1 Certificate": Certificate,
  "external-secrets.io/v1 ExternalSecret": ExternalSecret,
  "monitoring.coreos.com/v1 PrometheusRule": PrometheusRule,
  "monitoring.coreos.com/v1 ServiceMonitor": ServiceMonitor,
};

function refusal(object) {
  try {
    new KINDS[`${object.apiVersion} ${object.kind}`](object).validate();
    return null;
  } catch (error) {
    return error.message;
  }
}

/** The way to each value in `value`, as lists of names and indexes. */
function* ways(value, way = []) {
  for (const [name, inner] of Object.entries(value)) {
    yield [...way, name];
    if (typeof inner === "object" && inner !== null) yield* ways(inner, [...way, name]);
  }
}

function isKnown(object, way) {
  const other = structuredClone(object);
  const holder = way.slice(0, -1).reduce((value, name) => value[name], other.spec);
  const name = way.at(-1);
  holder[name] = typeof holder[name] === "object" ? "no object" : { no: "scalar" };
  return refusal(other) !== null;
}

function complaints(object) {
  const refused = refusal(object);
  if (refused !== null) return [refused];
  return [...ways(object.spec)].filter((way) => !isKnown(object, way)).map((way) => `spec.${way.join(".")} is no field`);
}

const seen = new Map();
for await (const line of createInterface({ input: process.stdin })) {
  if (!seen.has(line)) seen.set(line, JSON.stringify(complaints(JSON.parse(line))));
  console.log(seen.get(line));
}
