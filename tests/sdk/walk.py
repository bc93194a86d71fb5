"""The walk that every client makes, twice: directly through the sample tenant, and through the proxy.

`walk.py prepare … CLIENT...` asks the tenant, and writes what the programs are asked and what they have to get.
`walk.py check … CLIENT` compares what a client printed with that, and with what the proxy's audit log says of it.
"""

import collections
import json
import sys

from tenant import Tenant, found_raw, refusal

LISTS = {"users", "folders", "messages", "tracked", "changed", "groups", "members", "contacts"}
PARTS = LISTS | {"settings", "batch", "refusal"}
# What a client has no way to do; docs/SDKS.md says why.
WITHOUT = {
    "airbyte-cdk": {"batch"},
    "singer-sdk": {"batch"},
    "dlt": {"batch"},
    "office365": {"changed"},
}
# Parts of a walk through the proxy only.
PROXIED = {"refusal"}
# Clients that do not show the proxy's message of a refusal.
SILENT = {"dlt", "httpx"}
# What some add to the message.
MISREAD = {
    "airbyte-cdk": "You don't have permission to access this resource.",
    "office365": "confirm the application role is granted",
}


def walk(tenant, user, group, since, until):
    """What the tenant has: ids in the order of its pages."""
    mailbox = f"/users/{user}"
    window = f"receivedDateTime ge {since} and receivedDateTime lt {until}"
    tracked, link = tenant.pages(f"{tenant.graph}/v1.0/users/delta?$select=id")
    changed, _ = tenant.pages(link)
    lists = {
        "users": tenant.everything("/users", top=999, select="id"),
        "folders": tenant.everything(f"{mailbox}/mailFolders", top=1000, select="id"),
        "messages": tenant.everything(f"{mailbox}/messages", top=1000, select="id,receivedDateTime", filter=window),
        "tracked": tracked,
        "changed": changed,
        "groups": tenant.everything("/groups", top=999, select="id"),
        "members": tenant.everything(f"/groups/{group}/members", top=999, select="id"),
        "contacts": tenant.everything(f"{mailbox}/contacts", top=1000, select="id"),
    }
    return {
        **{part: [one["id"] for one in objects] for part, objects in lists.items()},
        "times": [one["receivedDateTime"] for one in lists["messages"]],
        "removed": ["@removed" in one for one in changed],
        "settings": tenant.one(f"{mailbox}/mailboxSettings")["timeZone"],
        # A batch has to have the responses that its requests have one by one.
        "batch": {
            "user": user,
            "messages": [one["id"] for one in tenant.one(f"{mailbox}/messages?$top=5")["value"]],
            "inbox": tenant.one(f"{mailbox}/mailFolders/inbox")["id"],
        },
    }


def prepare(graph, glassine, work, *clients):
    tenant = Tenant(graph, glassine, f"{work}/keys.yaml")
    times = sorted(one["receivedDateTime"] for one in tenant.mail)
    since, until = times[len(times) // 4], times[3 * len(times) // 4]
    group = max(tenant.everything("/groups", top=999, select="id"),
                key=lambda one: len(tenant.everything(f"/groups/{one['id']}/members", top=999, select="id")))["id"]
    asked = {"user": tenant.user["id"], "group": group, "since": since, "until": until}
    expected = walk(tenant, **asked)
    direct = walk(Tenant(graph, glassine, f"{work}/keys.yaml", immutable=False), **asked)
    assert {part: len(expected[part]) for part in expected} == {part: len(direct[part]) for part in direct}
    assert len(expected["users"]) > 250 and 100 < len(expected["messages"]) < len(times), "paging would not show"
    raw = tenant.raw_values() + [one for part in ("folders", "groups", "members", "contacts") for one in expected[part]]
    write(f"{work}/walk.json", {"direct": direct, "proxied": expected, "raw": raw})
    write(f"{work}/ask-direct.json", {**asked, "proxied": False})
    for client in clients:
        user, group = tenant.tokens(client, [asked["user"], asked["group"]])
        write(f"{work}/ask-{client}.json", {**asked, "user": user, "group": group, "proxied": True})


def write(path, content):
    with open(path, "w", encoding="utf-8") as file:
        json.dump(content, file)


def read(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def plain(found):
    """What a program printed, as [`walk`] has it."""
    ids = {part: [one["id"] for one in objects] for part, objects in found.items() if part in LISTS}
    result = {**ids, "times": [moment(one["receivedDateTime"]) for one in found["messages"]]}
    if "changed" in found:
        result["removed"] = ["@removed" in one for one in found["changed"]]
    if "settings" in found:
        result["settings"] = found["settings"]["timeZone"]
    if "batch" in found:
        statuses = {status for status, _ in found["batch"].values()}
        assert statuses == {200}, f"batch: {statuses}"
        body = {part: body for part, (_, body) in found["batch"].items()}
        result["batch"] = {
            "user": body["user"]["id"],
            "messages": [one["id"] for one in body["messages"]["value"]],
            "inbox": body["inbox"]["id"],
        }
    return result


def moment(text):
    """A time in the tenant's spelling."""
    return text.replace("+00:00", "Z").replace(".000Z", "Z")


class Check:
    def __init__(self, graph, glassine, work, client):
        self.client, self.work = client, work
        self.tenant = Tenant(graph, glassine, f"{work}/keys.yaml")
        self.parts = PARTS - WITHOUT.get(client, set())
        self.expected = read(f"{work}/walk.json")

    def expect(self, what, found, wanted):
        if found != wanted:
            raise SystemExit(f"{self.client}: {what}: {str(found)[:500]} instead of {str(wanted)[:500]}")
        print(f"ok: {self.client}: {what}")

    def all(self):
        direct, proxied = read(f"{self.work}/{self.client}-direct.json"), read(f"{self.work}/{self.client}.json")
        raw = self.expected["raw"]
        self.expect("directly: the walk", set(direct), self.parts - PROXIED)
        assert found_raw(raw, json.dumps(direct)), "the search for raw values finds nothing anywhere"
        self.same("directly", plain(direct), self.expected["direct"])
        self.expect("through the proxy: the whole walk", set(proxied), self.parts)
        self.expect("nothing raw", found_raw(raw, json.dumps(proxied)), [])
        self.same("through the proxy", plain(proxied), self.pseudonymous())
        self.refused(proxied["refusal"])
        self.audited()

    def same(self, how, found, expected):
        for part, values in found.items():
            if values != expected[part] and sorted(map(str, values)) == sorted(map(str, expected[part])):
                raise SystemExit(f"{self.client}: {how}: {part}: other order")
            count = f"{len(values)} " if isinstance(values, list) else ""
            self.expect(f"{how}: {count}{part}", values, expected[part])

    def pseudonymous(self):
        """What the tenant has, as this client's consumer gets it."""
        expected = self.expected["proxied"]
        batch = expected["batch"]
        lists = {part: ids for part, ids in expected.items() if part in LISTS}
        lists |= {"batch messages": batch["messages"], "batch ids": [batch["user"], batch["inbox"]]}
        raw = sorted({one for ids in lists.values() for one in ids})
        tokens = dict(zip(raw, self.tenant.tokens(self.client, raw)))
        lists = {part: [tokens[one] for one in ids] for part, ids in lists.items()}
        user, inbox = lists.pop("batch ids")
        batch = {**batch, "user": user, "messages": lists.pop("batch messages"), "inbox": inbox}
        return {**expected, **lists, "batch": batch}

    def refused(self, shown):
        """What the client shows of a refusal, and whether it reads it as missing consent."""
        silent, misread = self.client in SILENT, MISREAD.get(self.client, "")
        what = "the status only" if silent else "the message"
        self.expect(f"shows of a refusal {what}", (refusal(self.tenant.glassine) in shown, "403" in shown or not silent), (not silent, True))
        if misread:
            self.expect(f"takes a 403 for missing consent: {misread}", misread in shown, True)

    def audited(self):
        """The proxy has refused this client nothing but the one request that it has to."""
        with open(f"{self.work}/audit.jsonl", encoding="utf-8") as file:
            records = [one for one in map(json.loads, file) if one.get("consumer") == self.client]
        refused = collections.Counter((one.get("endpoint"), one["status"]) for one in records if one["status"] != 200)
        self.expect(f"{len(records)} requests, one refused", refused, collections.Counter({(None, 403): 1}))


if __name__ == "__main__":
    command, *words = sys.argv[1:]
    if command == "prepare":
        prepare(*words)
    else:
        Check(*words).all()
