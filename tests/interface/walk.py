"""Asks everything that the proxy's OpenAPI document describes, and compares each response with its schema, which has no room
for a property more. Usage: walk.py PROXY TOKEN"""

import json
import sys
import urllib.error
import urllib.request

from jsonschema import Draft202012Validator

proxy, token = sys.argv[1:]


def ask(path, expected=200):
    request = urllib.request.Request(proxy + path, headers={"Authorization": f"Bearer {token}"})
    try:
        with urllib.request.urlopen(request) as response:
            status, body = response.status, response.read()
    except urllib.error.HTTPError as error:
        status, body = error.code, error.read()
    assert status == expected, f"{path}: {status} {body[:300]!r}"
    return body


document = json.loads(ask("/openapi.json"))


def resolved(schema):
    reference = schema.get("$ref")
    if reference is None:
        return schema
    at = document
    for step in reference.removeprefix("#/").split("/"):
        at = at[step]
    return at


def validator(schema):
    return Draft202012Validator({**schema, "components": document["components"]})


def seen(value, schema, at, found):
    """The places of the schema that the value has something at."""
    schema = resolved(schema)
    for name, inside in schema.get("properties", {}).items():
        if isinstance(value, dict) and value.get(name) is not None:
            found.add(f"{at}.{name}")
            seen(value[name], inside, f"{at}.{name}", found)
    for element in value if isinstance(value, list) else []:
        seen(element, schema.get("items", {}), f"{at}[*]", found)


# The ids of objects, by the path of their collection.
ids = {}


def filled(path):
    """The path with the id of an object of each collection on the way; None if a collection has none."""
    steps = []
    for step in path.strip("/").split("/"):
        if step.startswith("{"):
            known = ids.get("/" + "/".join(steps))
            if known is None:
                return None
            step = known
        steps.append(step)
    return "/" + "/".join(steps)


described = {path for path, item in document["paths"].items() if "get" in item}
answered, unseen = set(), {}
for path in sorted(described, key=lambda path: (path.count("/"), path)):
    target = filled(path)
    if target is None:
        continue
    body = ask(target)
    answered.add(path)
    content = document["paths"][path]["get"]["responses"]["200"]["content"]
    if path.startswith("/openapi") or path.endswith("$metadata") or "application/json" not in content:
        continue
    schema, value = content["application/json"]["schema"], json.loads(body)
    errors = [f"{path}: {error.json_path}: {error.message[:200]}" for error in validator(schema).iter_errors(value)]
    assert not errors, "\n".join(errors[:5])
    seen(value, schema, path, places := set())
    unseen[path] = len(places)
    if value.get("value") and "id" in value["value"][0] and not path.endswith("()"):
        # A mailbox with all kinds of objects: the first user's.
        ids[target] = value["value"][0]["id"]

missing = described - answered
assert not missing, f"nothing to ask {sorted(missing)} with"
assert min(unseen.values()) > 0, unseen
for path in ["/v1.0/me", "/v1.0/users/$metadata", "/v1.0/sites"]:
    ask(path, 403)
print(f"{len(answered)} paths answer as described, {sum(unseen.values())} places have a value")
