# Runs after the documentation's code for dlt: makes the walk, and prints what it got as JSON.
import json
import sys

asked = json.load(sys.stdin)
mailbox = f"users/{asked['user']}"
links = []


def keep_delta_link(response, *_, **__):
    links.append(response.json().get("@odata.deltaLink"))


def resource(name, path, data_selector="value", actions=(), **options):
    params = {f"${key}": value for key, value in options.items()}
    endpoint = {"path": path, "params": params, "data_selector": data_selector, "response_actions": list(actions)}
    return {"name": name, "endpoint": endpoint}


def read(*resources):
    """All objects of each resource."""
    return {one.name: list(one) for one in rest_api_resources({"client": graph, "resources": list(resources)})}


def refusal():
    """What the client says of a request that the rules do not open."""
    try:
        return read(resource("refusal", f"{mailbox}/calendar"))
    except Exception as error:
        return str(error)


messages = resource(
    "messages", f"{mailbox}/messages", select="id,subject,from,receivedDateTime", top=25,
    filter="receivedDateTime ge {incremental.start_value} and receivedDateTime lt {incremental.end_value}",
)
messages["endpoint"]["incremental"] = {
    "cursor_path": "receivedDateTime",
    "initial_value": asked["since"],
    "end_value": asked["until"],
}
result = read(
    resource("users", "users", select="id,displayName,mail,accountEnabled", top=50),
    resource("folders", f"{mailbox}/mailFolders", top=5),
    messages,
    resource("tracked", "users/delta", actions=[keep_delta_link], select="id,displayName,mail"),
    resource("groups", "groups", top=15),
    resource("members", f"groups/{asked['group']}/members", top=10),
    resource("contacts", f"{mailbox}/contacts", top=5),
    resource("settings", f"{mailbox}/mailboxSettings", data_selector="$"),
)
result["settings"] = result["settings"][0]
result |= read(resource("changed", links[-1]))
if asked["proxied"]:
    result["refusal"] = refusal()
print(json.dumps(result, default=str))
