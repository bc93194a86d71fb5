"""Compares what an SDK got through the proxy with what the sample tenant has.

`check.py ask …` prints what the drivers request; `check.py SDK …` judges `response.json`.
"""

import json
import re
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request

name, graph, glassine, work = sys.argv[1:]


def get(url):
    headers = {"Authorization": "Bearer any", "Prefer": 'IdType="ImmutableId"'}
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers)) as response:
        return json.load(response)


def everything(path, **options):
    """All objects of a list, as the tenant has them."""
    page = get(f"{graph}/v1.0{path}?" + urllib.parse.urlencode({f"${key}": value for key, value in options.items()}))
    objects = page["value"]
    while "@odata.nextLink" in page:
        page = get(page["@odata.nextLink"])
        objects += page["value"]
    return objects


def changes(link):
    """The changed objects, and the link for the next round."""
    page, objects = get(link), []
    while "@odata.nextLink" in page:
        objects += page["value"]
        page = get(page["@odata.nextLink"])
    return objects + page["value"], page["@odata.deltaLink"]


def pseudonyms(values, *options):
    command = [glassine, "pseudonym", "--keys", f"{work}/keys.yaml", "--consumer", "sdk", *options, "--", *values]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()


def ids(objects):
    return pseudonyms([one["id"] for one in objects], "--as", "id", "--reversible")


users = everything("/users", top=999, select="id,displayName,mail,userPrincipalName,accountEnabled")


def mailbox():
    """The first user whose messages fill some pages."""
    for user in users:
        try:
            count = len(everything(f"/users/{user['id']}/messages", top=1000, select="id"))
        except urllib.error.HTTPError:
            continue  # No mailbox.
        if count > 250:
            return user
    raise SystemExit("no mailbox is large enough to show paging")


user = mailbox()
messages = everything(
    f"/users/{user['id']}/messages", top=1000, orderby="receivedDateTime desc",
    select="id,subject,from,toRecipients,receivedDateTime",
)
unordered = everything(f"/users/{user['id']}/messages", top=1000, select="id")
inbox = everything(f"/users/{user['id']}/mailFolders/inbox/messages", top=1000, select="id,receivedDateTime")
since = sorted(one["receivedDateTime"] for one in inbox)[len(inbox) // 3]


def expect(what, found, wanted):
    if found != wanted:
        raise SystemExit(f"{name}: {what}: {str(found)[:300]} instead of {str(wanted)[:300]}")
    print(f"ok: {name}: {what}")


def check_nothing_raw(response):
    """No id, address, name or subject of the tenant is anywhere in what a program received."""
    text = json.dumps(response).lower()
    raw = [one["id"] for one in users + messages] + [one["mail"] for one in users if one["mail"]]
    raw += [one["displayName"] for one in users] + [one["subject"] for one in messages if len(one["subject"]) > 8]
    raw += [one["emailAddress"]["address"] for message in messages for one in message["toRecipients"]]
    assert len(raw) > 1000
    expect("nothing raw", [one for one in raw if json.dumps(one)[1:-1].lower() in text], [])


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
    expect(f"all {len(users)} users, by delta", sorted(one["id"] for one in response["users"]), sorted(ids(users)))
    changed, _ = changes(changes(f"{graph}/v1.0/users/delta")[1])
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


if name == "ask":
    print(json.dumps({"user": ids([user])[0], "since": since}))
else:
    with open(f"{work}/response.json", encoding="utf-8") as file:
        response = json.load(file)
    check_nothing_raw(response)
    if "messages" in response:
        check_messages(response["messages"])
        check_batch(response["batch"])
    if "users" in response:
        check_users(response)
    if "inbox" in response:
        check_inbox(response["inbox"])
        refusal = response["refusal"]
        expect("a refusal reads as one", refusal.startswith("403") and "`list-mail-folders`" in refusal, True)
