# Runs after the documentation's code for Office365-REST-Python-Client: makes the walk, and prints what it got as JSON.
import json
import sys
from datetime import datetime

asked = json.load(sys.stdin)
mailbox = client.users[asked["user"]]


def everything(collection, page_size):
    return [one.properties for one in collection.get_all(page_size).execute_query()]


def settings():
    """The library has no request of its own for them; it makes the path itself where it writes some of them."""
    def path(request):
        request.url += "/mailboxSettings"

    return client.users[asked["user"]].get().before_execute(path)


def batch():
    """The library throws where a response has another status."""
    user = client.users[asked["user"]].get()
    messages = mailbox.messages.top(5).get()
    inbox = mailbox.mail_folders["inbox"].get()
    client.execute_batch()
    return {
        "user": [200, user.properties],
        "messages": [200, {"value": [one.properties for one in messages]}],
        "inbox": [200, inbox.properties],
    }


def refusal():
    """What the client says of a request that the rules do not open."""
    try:
        return mailbox.calendar.get().execute_query()
    except Exception as error:
        return str(error)


def plain(value):
    return value.isoformat() if isinstance(value, datetime) else value.to_json()


window = f"receivedDateTime ge {asked['since']} and receivedDateTime lt {asked['until']}"
delta = client.users.delta.select(["id", "displayName", "mail"])
result = {
    "users": everything(client.users.select(["id", "displayName", "mail", "accountEnabled"]), 50),
    "folders": everything(mailbox.mail_folders, 5),
    "messages": everything(mailbox.messages.select(["id", "subject", "from", "receivedDateTime"]).filter(window), 25),
    "tracked": everything(delta, None),
    "groups": everything(client.groups, 15),
    "members": everything(client.groups[asked["group"]].members, 10),
    "contacts": everything(mailbox.contacts, 5),
    "settings": settings().execute_query().properties,
    "batch": batch(),
}
if asked["proxied"]:
    result["refusal"] = refusal()
# A delta cannot be resumed: the library drops its link.
assert delta.delta_token is None
print(json.dumps(result, default=plain))
