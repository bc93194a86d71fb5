"""Compares what the documents' code got through the proxy with what the sample tenant has.

`check.py prepare … SDK...` writes what the drivers request; `check.py check … SDK` judges what one of them printed.
"""

import json
import re
import sys

from tenant import Tenant, found_raw, refusal

command, graph, glassine, work, name, *names = sys.argv[1:]
tenant = Tenant(graph, glassine, f"{work}/keys.yaml")
user, users, messages = tenant.user, tenant.users, tenant.mail
unordered = tenant.everything(f"/users/{user['id']}/messages", top=1000, select="id")
inbox = tenant.everything(f"/users/{user['id']}/mailFolders/inbox/messages", top=1000, select="id,receivedDateTime")
since = sorted(one["receivedDateTime"] for one in inbox)[len(inbox) // 3]


def ids(objects):
    return tenant.tokens(name, [one["id"] for one in objects])


def expect(what, found, wanted):
    if found != wanted:
        raise SystemExit(f"{name}: {what}: {str(found)[:300]} instead of {str(wanted)[:300]}")
    print(f"ok: {name}: {what}")


def check_messages(found):
    expect(f"all {len(messages)} messages, by PageIterator", sorted(one["id"] for one in found), sorted(ids(messages)))
    address = re.compile(r"t~[\w-]{33}(@[\w.~-]+)?")
    senders = [one["from"]["emailAddress"]["address"] for one in found if one.get("from")]
    expect("senders are tokens", all(map(address.fullmatch, senders)) and len(senders) > 100, True)
    expect("times are the tenant's", {moment(one["receivedDateTime"]) for one in found},
           {moment(one["receivedDateTime"]) for one in messages})


def moment(text):
    return text.replace("+00:00", "Z")


def check_users(response):
    # Some come twice, and one was deleted before.
    listed = {one["id"] for one in response["users"] if "@removed" not in one}
    expect(f"all {len(users)} users, by delta", sorted(listed), sorted(ids(users)))
    _, link = tenant.pages(f"{graph}/v1.0/users/delta")
    changed, _ = tenant.pages(link)
    assert changed, "the tenant has changed nothing"
    wanted = list(zip(ids(changed), [one.get("@removed") for one in changed]))
    expect(f"{len(changed)} changes, by the deltaLink",
           [(one["id"], one.get("@removed")) for one in response["changed"]], wanted)
    expect("delta links lead to the proxy", all(link.startswith("https://localhost:") for link in response["links"]), True)


def check_batch(batch):
    statuses = {one: status for one, (status, _) in batch.items()}
    expect("batch of 5, one refused", statuses,
           {"user": 200, "messages": 200, "refused": 403, "inbox": 200, "settings": 200})
    expect("batch: the user", batch["user"][1]["id"], ids([user])[0])
    expect("batch: messages", [one["id"] for one in batch["messages"][1]["value"]], ids(unordered[:10]))
    expect("batch: the refusal is an error of Graph's form", sorted(batch["refused"][1]), ["error"])


def check_inbox(found):
    wanted = [one for one in inbox if one["receivedDateTime"] >= since]
    assert 50 < len(wanted) < len(inbox), "the filter and the pages would not show"
    expect(f"{len(wanted)} of {len(inbox)} messages of the inbox since a date",
           sorted(one["id"] for one in found), sorted(ids(wanted)))
    expect("neither subjects nor bodies nor names", {one["subject"] + one["body"] for one in found}, {""})


if command == "prepare":
    for name in [name, *names]:
        with open(f"{work}/ask-{name}.json", "w", encoding="utf-8") as file:
            json.dump({"user": ids([user])[0], "since": since}, file)
else:
    with open(f"{work}/{name}.json", encoding="utf-8") as file:
        response = json.load(file)
    expect("nothing raw", found_raw(tenant.raw_values(), json.dumps(response)), [])
    if "messages" in response:
        check_messages(response["messages"])
        check_batch(response["batch"])
    if "users" in response:
        check_users(response)
    if "inbox" in response:
        check_inbox(response["inbox"])
    reason = "`list-mail-folders`" if name == "o365" else refusal(glassine)
    expect("shows of a refusal the message", reason in response["refusal"], True)
