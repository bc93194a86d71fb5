# Runs after the documentation's code for httpx: makes the walk, and prints what it got as JSON.
import json
import sys

asked = json.load(sys.stdin)
mailbox = f"/users/{asked['user']}"
versions = set()


def get(url, **options):
    response = client.get(url, **options)
    versions.add(response.http_version)
    return response.raise_for_status().json()


def everything(path, **options):
    """All objects of a list, and the link for the next round of a delta. Links are followed as they are."""
    # `params={}` would remove the query of a link.
    page, objects = get(path, params={f"${key}": value for key, value in options.items()} or None), []
    while "@odata.nextLink" in page:
        objects += page["value"]
        page = get(page["@odata.nextLink"])
    return objects + page["value"], page.get("@odata.deltaLink")


def batch():
    paths = {
        "user": mailbox,
        "messages": f"{mailbox}/messages?$top=5",
        "inbox": f"{mailbox}/mailFolders/inbox",
    }
    requests = [{"id": name, "method": "GET", "url": path} for name, path in paths.items()]
    response = client.post("/$batch", json={"requests": requests}).raise_for_status()
    return {one["id"]: [one["status"], one["body"]] for one in response.json()["responses"]}


def refusal():
    """What the client says of a request that the rules do not open."""
    try:
        return get(f"{mailbox}/calendar")
    except httpx.HTTPStatusError as error:
        return str(error)


window = f"receivedDateTime ge {asked['since']} and receivedDateTime lt {asked['until']}"
tracked, link = everything("/users/delta", select="id,displayName,mail")
changed, _ = everything(link)
result = {
    "users": everything("/users", select="id,displayName,mail,accountEnabled", top=50)[0],
    "folders": everything(f"{mailbox}/mailFolders", top=5)[0],
    "messages": everything(
        f"{mailbox}/messages", select="id,subject,from,receivedDateTime", filter=window, top=25
    )[0],
    "tracked": tracked,
    "changed": changed,
    "groups": everything("/groups", top=15)[0],
    "members": everything(f"/groups/{asked['group']}/members", top=10)[0],
    "contacts": everything(f"{mailbox}/contacts", top=5)[0],
    "settings": get(f"{mailbox}/mailboxSettings"),
    "batch": batch(),
}
if asked["proxied"]:
    result["refusal"] = refusal()
# HTTP/2 is agreed on in the TLS handshake; the sample tenant has none.
assert versions == {"HTTP/2" if client.base_url.scheme == "https" else "HTTP/1.1"}, versions
print(json.dumps(result))
