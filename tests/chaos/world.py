"""The people and messages of a tenant, as Graph has them and as one consumer has to get them.

Every value that must not leave contains MARK. Everything follows from numbers, so that the server that stands for Graph
and the consumers agree without a word between them.
"""

import json
import subprocess

# In each hidden value, each raw id and each token of Graph's links. No byte that leaves may contain it.
MARK = b"canary"
PEOPLE = 40
PAGE = 10
MESSAGES = 30
# This person's messages fit on one page, which Graph sends slowly.
BUSY = 0
BUSY_MESSAGES = 1500
# How many people change between two rounds of changes.
CHANGED = 4
DOMAIN = "contoso.com"


def user_id(n):
    return f"canary-user-{n:04}"


def message_id(n, m):
    return f"canary-message-{n:04}-{m:05}"


def address(n):
    return f"canary.person{n}@{DOMAIN if n % 7 else 'partner.example'}"


def login(n):
    return f"canary.login{n}@{DOMAIN}"


def messages(n):
    return BUSY_MESSAGES if n == BUSY else MESSAGES


def changed(round):
    """The people who changed before a round; the last of them was removed."""
    return [(round * CHANGED + at) % PEOPLE for at in range(CHANGED)]


def as_it_is(_, value):
    return value


def user(n):
    """A person as Graph has it."""
    hidden = {"displayName": f"Canary Person {n}", "jobTitle": "canary", "mobilePhone": f"+1 555 {n:04} canary"}
    return kept_of_user(n, as_it_is) | hidden


def kept_of_user(n, hide):
    """What leaves of a person, if `hide` makes the token of a value."""
    return {
        "id": hide("id", user_id(n)),
        "mail": hide("email", address(n)),
        "userPrincipalName": hide("email", login(n)),
        "accountEnabled": n % 5 != 0,
        "createdDateTime": f"2024-03-{n % 28 + 1:02}T08:00:00Z",
        "userType": "Guest" if n % 7 == 0 else "Member",
    }


def message(n, m):
    """A message as Graph has it."""
    message = kept_of_message(n, m, as_it_is)
    for person in [message["from"], *message["toRecipients"]]:
        person["emailAddress"]["name"] = "Canary Name"
    return message | {"subject": f"canary {m}", "bodyPreview": "canary " * 20, "webLink": f"https://example.com/canary/{m}"}


def kept_of_message(n, m, hide):
    def person(who):
        return {"emailAddress": {"address": hide("email", address(who))}}

    return {
        "id": hide("id", message_id(n, m)),
        "receivedDateTime": f"2026-01-{m % 28 + 1:02}T09:{m % 60:02}:00Z",
        "isRead": m % 2 == 0,
        "importance": "normal",
        "from": person((n + m) % PEOPLE),
        "toRecipients": [person(n), person((n + 2 * m + 1) % PEOPLE)],
    }


class Tokens:
    """What one consumer gets in place of each value, made by `glassine pseudonym` with one key."""

    def __init__(self, glassine, key_file, consumer):
        self.tokens = {}
        ids = [user_id(n) for n in range(PEOPLE)]
        ids += [message_id(n, m) for n in range(PEOPLE) for m in range(messages(n))]
        addresses = [name(n) for name in (address, login) for n in range(PEOPLE)]
        for kind, values, options in [("id", ids, ["--reversible"]), ("email", addresses, ["--tenant-domain", DOMAIN])]:
            command = [glassine, "pseudonym", "--keys", key_file, "--consumer", consumer, "--as", kind, *options]
            made = subprocess.run(command, input="\n".join(values) + "\n", check=True, capture_output=True, text=True)
            self.tokens |= {(kind, value): token for value, token in zip(values, made.stdout.split(), strict=True)}

    def hide(self, kind, value):
        return self.tokens[kind, value]

    def user(self, n):
        return kept_of_user(n, self.hide)

    def message(self, n, m):
        return kept_of_message(n, m, self.hide)


def page(objects, link=None):
    body = {"value": objects}
    if link:
        body |= {"@odata.context": "https://graph.microsoft.com/v1.0/$metadata#canary"} | link
    return json.dumps(body, separators=(",", ":")).encode()
