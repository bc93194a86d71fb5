"""Who works with whom, from nothing but what left: tokens, times, flags."""

import collections
import datetime

ROLES = ("from", "sender", "toRecipients", "ccRecipients", "bccRecipients")


class People:
    """One node for all addresses of a person, a list, a room or a program."""

    def __init__(self, store):
        self.nodes = {}
        directory = [entry for kind in ("users", "groups") for _, _, entry in store.objects(kind)]
        for entry in directory:
            self.join(addresses_of(entry))
        for _, _, contact in store.objects("contacts"):
            self.join([one.get("address") for one in contact.get("emailAddresses", ())])
        own = (entry for entry in directory if entry.get("userType") != "Guest")
        self.own = {self.node(address) for entry in own for address in addresses_of(entry) if address}

    def join(self, addresses):
        nodes = [self.node(address) for address in addresses if address]
        for node in nodes[1:]:
            self.nodes[node] = self.node(nodes[0])

    def node(self, address):
        """An address's token is in front of its `@`; what follows is the domain, which the rules treat on its own."""
        token = address.partition("@")[0]
        while self.nodes.get(token, token) != token:
            token = self.nodes[token]
        return token

    def slots(self, message):
        """Who is in which place of a message."""
        return ((role, place, self.node(one["address"])) for role, place, one in slots(message))

    def is_inside(self, message):
        """Whether everybody in it is of the organisation: known, or with a domain that the rules leave readable."""
        found = [one["address"] for _, _, one in slots(message)]
        return all(self.node(one) in self.own or "@" in one and "@d~" not in one for one in found)


def slots(message):
    """The places of a message with an address. Undisclosed recipients have none, and a draft may have no sender."""
    for role in ROLES:
        found = message.get(role) or ()
        for place, one in enumerate([found] if isinstance(found, dict) else found):
            if (one.get("emailAddress") or {}).get("address"):
                yield role, place, one["emailAddress"]


def addresses_of(entry):
    """All addresses of a user or a group. `SMTP:` is the primary one, `smtp:` another, `x500:` what old mail has."""
    proxies = [one.partition(":")[2] for one in entry.get("proxyAddresses") or () if one]
    return [entry.get("mail"), entry.get("userPrincipalName"), *(entry.get("otherMails") or ()), *proxies]


def messages(store):
    """Copies in many mailboxes are one message. Only the author's copy has the blind copies."""
    found, copies = {}, 0
    for _, _, copy in store.objects("messages"):
        copies += 1
        key = copy["internetMessageId"]
        known = found.setdefault(key, copy)
        for name, value in copy.items():
            if value and not known.get(name):
                known[name] = value
    return found, copies


def parents(mail, people):
    """Each message's parent: what its headers name, else the letter one reply less deep, else the latest before it."""
    threads = collections.defaultdict(list)
    for key, message in mail.items():
        threads[message["conversationId"]].append((time_of(message), key))
    found = {}
    for thread in map(sorted, threads.values()):
        for place, (_, key) in enumerate(thread):
            named = answered(mail[key])
            before = [other for _, other in thread[:place]]
            found[key] = named if named in mail else likeliest(mail, people, key, before)
    return found


def answered(message):
    """The message that the `In-Reply-To` header names, where the rules open headers."""
    headers = message.get("internetMessageHeaders") or ()
    return next((one["value"] for one in headers if one["name"] == "In-Reply-To"), None)


def automatic(mail):
    """How many messages no person wrote. Where the rules open headers, those that say so have a flag."""
    return sum(any(one["name"] == "automatic" for one in message.get("internetMessageHeaders") or ()) for message in mail.values())


def likeliest(mail, people, key, before):
    depth = mail[key].get("conversationIndex")
    if depth is not None:
        before = [other for other in before if mail[other].get("conversationIndex") == depth - 1]
    return max(before, key=lambda other: (fits(mail[key], mail[other], people), time_of(mail[other])), default=None)


def fits(reply, parent, people):
    """A reply goes to the parent's author, and comes from somebody who got it. A reply to all has all others in copy."""
    def who(message, *roles):
        return {node for role, _, node in people.slots(message) if role in roles}
    author, copied = who(reply, "from"), who(reply, "ccRecipients")
    others = who(parent, "toRecipients", "ccRecipients") - author
    to_author = bool(who(reply, "toRecipients") & who(parent, "from"))
    return to_author + bool(author & who(parent, "toRecipients")), bool(copied) and copied == others


def time_of(message):
    return datetime.datetime.fromisoformat(message["sentDateTime"])


def response_hours(mail, found):
    """How long each reply took."""
    return {key: (time_of(mail[key]) - time_of(mail[parent])).total_seconds() / 3600 for key, parent in found.items() if parent}


def edges(mail, people):
    """How often one node wrote to another."""
    count = collections.Counter()
    for message in mail.values():
        slots = list(people.slots(message))
        authors = [node for role, _, node in slots if role == "from"]
        count.update((author, node) for author in authors for role, _, node in slots if role not in ROLES[:2])
    return count


def lists(store):
    """The users of each group, members of nested groups included."""
    groups = {group["id"]: group.get("members", {}) for _, _, group in store.objects("groups")}

    def users(group, seen):
        for member, kind in groups.get(group, {}).items():
            if kind == "#microsoft.graph.user":
                yield member
            elif member not in seen:
                yield from users(member, seen | {member})
    return {group: set(users(group, {group})) for group in groups}


def deliveries(store, mail, people):
    """How many people each list brought mail to."""
    expanded, found = lists(store), 0
    nodes = {people.node(group["mail"]): len(expanded[group["id"]]) for _, _, group in store.objects("groups") if group.get("mail")}
    for message in mail.values():
        found += sum(nodes.get(node, 0) for role, _, node in people.slots(message) if role not in ROLES[:2] and not message["isDraft"])
    return found


def hours(store):
    """When the owner of each mailbox works, and what kind of mailbox it is: rooms and shared mailboxes are nobody's."""
    found = {}
    for user, _, settings in store.objects("settings"):
        work = settings.get("workingHours") or {}
        times = work.get("startTime"), work.get("endTime"), tuple(work.get("daysOfWeek") or ())
        found[user] = settings.get("timeZone"), times, settings.get("userPurpose")
    return found


def between(mail, people, departments):
    """How often each department wrote to each, with a table from inside: addresses' tokens and departments."""
    known = {people.node(address): department for address, department in departments}
    count = collections.Counter()
    for (author, reader), times in edges(mail, people).items():
        if author in known and reader in known:
            count[known[author], known[reader]] += times
    return count
