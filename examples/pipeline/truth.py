"""The same metrics from the tenant itself, with what must never leave it, and a table of both.

    truth.py follow TRUTH                          brings the truth up to date
    truth.py table STORE TRUTH ROWS                compares, and adds to the rows
    truth.py changes STORE TRUTH ROWS METRIC       compares every id after a round, and adds to the rows
    truth.py document ROWS DOCUMENT                fails if a row is below its bar, or the document's table has others

Names say who somebody is, `conversationIndex` what a message responds to, the tenant's own lists and counts the rest: nothing is
computed as `analysis.py` does it, but for counting. Tokens of what the tenant has are made by `glassine pseudonym`.
"""

import base64
import collections
import csv
import functools
import io
import os
import subprocess
import sys

import analysis
from client import Client, Refused
from store import Store
from sync import Sync

MESSAGE = (
    "internetMessageId,conversationId,conversationIndex,sentDateTime,isDraft,from,sender,toRecipients,ccRecipients,bccRecipients,"
    "internetMessageHeaders"
)
SELECT = {
    "users": "id,mail,displayName,department,userType",
    "groups": "id,mail,displayName,members",
    "messages": MESSAGE,
    "contacts": "id",
}


def graph():
    return Client(os.environ["GRAPH_URL"], "any", ('IdType="ImmutableId"',))


def pseudonym(*words, text):
    """What `glassine pseudonym` makes of its standard input."""
    command = [os.environ["GLASSINE"], "pseudonym", "--consumer", os.environ["CONSUMER"], *words]
    return subprocess.run(command, check=True, input=text, stdout=subprocess.PIPE, text=True).stdout


def tokens_of(values, *words):
    """The tokens under the key that the copy began with, which after a rotation is not the first one any more."""
    values = sorted(set(values))
    tokens = pseudonym("--keys", os.environ["FIRST_KEYS"], *words, text="".join(f"{value}\n" for value in values)).split()
    return dict(zip(values, tokens, strict=True))


def id_tokens(ids):
    return tokens_of(ids, "--as", "id", "--reversible")


class Names:
    """Everybody has one name in the tenant. It stands beside each address."""

    def slots(self, message):
        return ((role, place, one["name"]) for role, place, one in analysis.slots(message))

    def node(self, name):
        return name


class Truth:
    def __init__(self, store):
        self.store, self.people = store, Names()
        self.mail, self.copies = analysis.messages(store)

    @functools.cached_property
    def parents(self):
        """The index of a response is its parent's and five octets more."""
        decoded = {key: base64.b64decode(message["conversationIndex"]) for key, message in self.mail.items()}
        by_index = {index: key for key, index in decoded.items()}
        return {key: by_index.get(index[:-5]) if len(index) > 22 else None for key, index in decoded.items()}

    @functools.cached_property
    def members(self):
        """The users in each group, as the tenant itself expands them."""
        client = graph()
        groups = [group for _, _, group in self.store.objects("groups")]
        path = "/groups/{}/transitiveMembers/microsoft.graph.user?$select=id&$top=999"
        return {group["id"]: {user["id"] for user in client.get(path.format(group["id"]))[0]["value"]} for group in groups}

    def deliveries(self):
        size = {group["displayName"]: len(self.members[group["id"]]) for _, _, group in self.store.objects("groups") if group.get("mail")}
        sent = (message for message in self.mail.values() if not message["isDraft"])
        return sum(size.get(name, 0) for message in sent for role, _, name in self.people.slots(message) if role.endswith("Recipients"))

    def is_inside(self, message):
        return all(one["address"].lower().startswith("/o=") or within(one["address"]) for _, _, one in analysis.slots(message))

    def threads(self):
        return {base64.b64decode(message["conversationId"].translate(str.maketrans("-_", "/+")))[-16:] for message in self.mail.values()}

    def counted(self):
        """What the mailboxes themselves count."""
        client, found = graph(), 0
        for user in self.store.ids("users"):
            try:
                found += client.get(f"/users/{user}/messages?$count=true&$top=1&$select=id")[0]["@odata.count"]
            except Refused as refused:
                assert refused.status == 404, refused
        return found


def within(address):
    domain = address.lower().rpartition("@")[2]
    return any(domain == own or domain.endswith(f".{own}") for own in ("tallgrass.example", "tallgrass.onmicrosoft.example"))


class Table:
    """Rows of metric, result, truth. A row that is below its bar fails."""

    def __init__(self, store, truth):
        self.store, self.truth, self.rows = store, truth, []
        self.people = analysis.People(store)
        self.mail, self.copies = analysis.messages(store)
        self.key_of = tokens_of(truth.mail, "--as", "message_id")
        self.users = id_tokens(truth.store.ids("users"))

    def row(self, metric, result, truth, passes=None, shown=str):
        passes = result == truth if passes is None else passes
        self.rows.append((metric, shown(result), shown(truth), "" if passes else "below its bar"))

    def exact(self, metric, result, truth):
        self.row(metric, result, truth, shown=lambda count: f"{count:,}")

    def build(self):
        truth = self.truth
        self.exact("copies of messages", self.copies, truth.counted())
        self.exact("messages", len(self.mail), len(truth.mail))
        self.exact("threads", len({one["conversationId"] for one in self.mail.values()}), len(truth.threads()))
        self.identity()
        inside = [sum(map(whose.is_inside, whose.mail.values())) for whose in (self.inside(), truth)]
        self.exact("messages within the organisation", *inside)
        self.replies()
        self.lists()
        self.settings()
        self.table_from_inside()

    def inside(self):
        self.people.mail = self.mail
        return self.people

    @functools.cached_property
    def named(self):
        """How often each node stands where the truth has each name, and where one is missing."""
        count = collections.Counter()
        for key, message in self.truth.mail.items():
            nodes = {(role, place): node for role, place, node in self.people.slots(self.mail[self.key_of[key]])}
            count.update((name, nodes.get((role, place))) for role, place, name in self.truth.people.slots(message))
        return count

    @functools.cached_property
    def name_of(self):
        """The name that each node has most often, if the node is the one that has this name most often."""
        best = {}
        for (name, node), times in self.named.items():
            best.setdefault(name, []).append((times, node or ""))
        main = {name: max(found)[1] for name, found in best.items()}
        owners = collections.Counter(main.values())
        return {node: name for name, node in main.items() if owners[node] == 1}

    def identity(self):
        slots = self.named.total()
        lost = sum(times for (name, node), times in self.named.items() if self.name_of.get(node) != name)
        names, nodes = {name for name, _ in self.named}, {node for _, node in self.named}
        self.exact("people, rooms, lists and programs in mail", len(nodes), len(names))
        self.exact(f"sender and recipient slots lost, of {slots:,}", lost, 0)
        mine, true = analysis.edges(self.mail, self.people), analysis.edges(self.truth.mail, self.truth.people)
        right = sum(self.named_edge(edge) in true and true[self.named_edge(edge)] == times for edge, times in mine.items())
        self.exact("pairs of people with the right number of messages", right, len(true))

    def named_edge(self, edge):
        return tuple(map(self.name_of.get, edge))

    def replies(self):
        true = {self.key_of[key]: self.key_of.get(parent) for key, parent in self.truth.parents.items()}
        without = {key: {**message, "internetMessageHeaders": None} for key, message in self.mail.items()}
        for mail, how, bar in (self.mail, "", 0.95), (without, ", without headers", 0.94):
            mine = analysis.parents(mail, self.people)
            replies = [key for key in mine if mine[key] or true[key]]
            right = sum(mine[key] == true[key] for key in replies) / len(replies)
            self.row(f"replies with the right parent{how}", right, 1, right >= bar, lambda share: f"{share:.1%}")
            took, takes = (analysis.response_hours(self.mail, found) for found in (mine, true))
            both = took.keys() & takes.keys()
            error = sum(abs(took[key] - takes[key]) for key in both) / len(both)
            self.row(f"response time, mean error in hours{how}", error, 0, error <= 1, lambda hours: f"{hours:.2f}")

        self.exact("messages that programs sent", analysis.automatic(self.mail), sum(map(is_automatic, self.truth.mail.values())))

    def lists(self):
        groups = id_tokens(self.truth.members)
        mine = analysis.lists(self.store)
        right = sum(mine.get(groups[group]) == {self.users[user] for user in users} for group, users in self.truth.members.items())
        self.exact("lists with the right members", right, len(groups))
        self.exact("deliveries by lists", analysis.deliveries(self.store, self.mail, self.people), self.truth.deliveries())

    def settings(self):
        mine, true = analysis.hours(self.store), analysis.hours(self.truth.store)
        right = sum(mine.get(self.users[user]) == settings for user, settings in true.items())
        self.exact("mailboxes with the right hours, time zone and kind", right, len(true))
        sent_for = [sum(is_sent_for(one) for one in mail.values()) for mail in (self.mail, self.truth.mail)]
        self.exact("messages sent for somebody else", *sent_for)

    def table_from_inside(self):
        """The HR system's table: addresses as people wrote them there, and departments. Inside, addresses become tokens."""
        kinds = {user: settings["userPurpose"] for user, _, settings in self.truth.store.objects("settings")}
        table = [(user.get("mail"), user.get("department"), user["displayName"]) for _, _, user in self.truth.store.objects("users")
                 if kinds.get(user["id"]) == "user"]
        spelt = [(mail.title() if place % 3 else mail.upper(), department) for place, (mail, department, _) in enumerate(table)]
        tokens = pseudonymised(spelt)
        users = [user for _, _, user in self.store.objects("users")]
        known = {self.people.node(address) for user in users for address in analysis.addresses_of(user) if address}
        self.exact("rows of the HR table that join", sum(self.people.node(token) in known for token, _ in tokens), len(table))
        mine = analysis.between(self.mail, self.people, tokens)
        true = analysis.between(self.truth.mail, self.truth.people, [(name, department) for _, department, name in table])
        self.exact("pairs of departments with the right number of messages", sum(mine[pair] == true[pair] for pair in true), len(true))


def is_automatic(message):
    return any(one["name"] == "Auto-Submitted" and one["value"] != "no" for one in message["internetMessageHeaders"] or ())


def is_sent_for(message):
    """From a mailbox that is not the sender's."""
    found = {role: one["address"] for role, _, one in analysis.slots(message) if role in ("from", "sender")}
    return len({address.lower() for address in found.values()}) > 1


def pseudonymised(rows):
    """The table as the analyst gets it. Its addresses become tokens inside, with the configuration of the proxy."""
    written = io.StringIO(newline="")
    csv.writer(written).writerows([("email", "department"), *rows])
    words = "--config", os.environ["CONFIG"], "--csv", "--column", "email"
    return list(csv.reader(io.StringIO(pseudonym(*words, text=written.getvalue()))))[1:]


def table(file, truth_file, rows_file):
    found = Table(Store(file), Truth(Store(truth_file)))
    found.build()
    add(rows_file, found.rows)
    return True


def changes(file, truth_file, rows_file, metric):
    """Every id of every collection after a round: how many are missing, and how many should not be there."""
    query = "select chain, id from objects where chain not glob 'settings*'"
    mine = collections.Counter((split(chain), key) for chain, key in Store(file).rows(query))
    known = [(split(chain), key) for chain, key in Store(truth_file).rows(query)]
    tokens = id_tokens(word for (_, *words), key in known for word in (*words, key))
    true = collections.Counter(((kind, *map(tokens.get, words)), tokens[key]) for (kind, *words), key in known)
    result = f"{(true - mine).total():,}, {(mine - true).total():,}"
    add(rows_file, [(f"{metric}: lost, doubled, of {true.total():,}", result, "0, 0", "" if mine == true else "below its bar")])
    return True


def add(file, rows):
    with open(file, "a", encoding="utf-8", newline="") as opened:
        csv.writer(opened, delimiter="|").writerows(rows)


def document(rows_file, page):
    with open(rows_file, encoding="utf-8", newline="") as opened:
        rows = list(csv.reader(opened, delimiter="|"))
    with open(page, encoding="utf-8") as opened:
        shown = opened.read().partition("<!-- pipeline -->\n")[2].partition("\n\n")[0].splitlines()[2:]
    shown = [[cell.strip() for cell in line.strip("|").split("|")] for line in shown]
    for metric, result, truth, below in rows:
        print(f"| {metric} | {result} | {truth} | {below}")
    is_shown = [(metric, now, truth) for metric, _, now, truth in shown] == [tuple(row[:3]) for row in rows]
    if not is_shown:
        print(f"{page} shows another table", file=sys.stderr)
    return is_shown and not any(below for *_, below in rows)


def split(chain):
    kind, _, rest = chain.partition(" ")
    return (kind, *filter(None, rest.split("/")))


def follow(file):
    Sync(graph(), Store(file), SELECT).run()
    return True


if __name__ == "__main__":
    command, *words = sys.argv[1:]
    sys.exit(not {"follow": follow, "table": table, "changes": changes, "document": document}[command](*words))
