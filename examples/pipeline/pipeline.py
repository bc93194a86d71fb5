"""Brings a copy of a tenant up to date through the proxy, and says what it holds: `pipeline.py STORE`.

The environment has PROXY_URL and PROXY_TOKEN. The first time everything comes, later what changed.
"""

import json
import os
import sys

import analysis
from client import Client, Refused
from store import Store
from sync import Sync


# What this analysis reads of a message, and what it reads where the rules open it.
COLUMNS = ("id", "internetMessageId", "conversationId", "sentDateTime", "isDraft", *analysis.ROLES)
OPTIONAL = ("conversationIndex", "internetMessageHeaders")


def opened(client, names):
    """The properties that the rules open: `$select` of another one is refused with 400."""
    users = client.get("/users?$top=20&$select=id")[0]["value"]
    return [name for name in names if any(selects(client, user["id"], name) for user in users)]


def selects(client, user, name):
    try:
        return client.get(f"/users/{user}/messages?$top=1&$select={name}")
    except Refused as refused:
        if refused.status not in (400, 404):
            raise
        return None


def main(file):
    store = Store(file)
    rules, keys = store.made_by("rules"), store.made_by("keys")
    client = Client(os.environ["PROXY_URL"], os.environ["PROXY_TOKEN"])
    sync = Sync(client, store, {"messages": ",".join([*COLUMNS, *opened(client, OPTIONAL)])})
    came = sync.run()
    mail, copies = analysis.messages(store)
    if rules and rules != store.made_by("rules"):
        print("the rules have changed: look at the columns before you compare with older results", file=sys.stderr)
    if keys and keys != store.made_by("keys"):
        print("the key has changed: nothing of older results can be joined", file=sys.stderr)
    report = {"came": came, "started_again": sync.started_again, "requests": sync.client.requests,
              "repeated": sync.client.repeated, "copies": copies, "messages": len(mail)}
    print(json.dumps(report))


if __name__ == "__main__":
    main(*sys.argv[1:])
