"""What the pipeline keeps between its rounds: objects, and the link that continues each collection.

A *chain* is one collection that Graph tracks: all users, all groups, the folders of a mailbox, the messages of a folder, the
contacts of an address book. Its name is `KIND`, `KIND USER` or `KIND USER/FOLDER`. The objects of a chain and its link change
in one transaction, so a program that stops at any moment neither loses nor doubles anything.
"""

import json
import sqlite3
import threading

TABLES = """
create table if not exists chains (chain text primary key, link text, rules text, keys text);
create table if not exists objects (chain text, id text, body text, primary key (chain, id));
"""


class Store:
    def __init__(self, file):
        self.base = sqlite3.connect(file, check_same_thread=False, isolation_level=None)
        self.base.executescript(TABLES)
        self.lock = threading.Lock()

    def rows(self, query, *values):
        with self.lock:
            return self.base.execute(query, values).fetchall()

    def objects(self, kind):
        """The objects of all chains of a kind, each with its user and its folder, as far as it has them."""
        for chain, body in self.rows("select chain, body from objects where chain = ? or chain glob ?", kind, f"{kind} *"):
            user, _, folder = chain.partition(" ")[2].partition("/")
            yield user, folder, json.loads(body)

    def ids(self, chain):
        return [one for (one,) in self.rows("select id from objects where chain = ?", chain)]

    def chains(self, pattern):
        return [one for (one,) in self.rows("select chain from chains where chain glob ?", pattern)]

    def link(self, chain):
        found = self.rows("select link from chains where chain = ?", chain)
        return found[0][0] if found else None

    def made_by(self, column):
        """The `rules` or the `keys` that the chains with a link were made with."""
        return {one for (one,) in self.rows(f"select distinct {column} from chains where link is not null") if one}

    def drop(self, pattern):
        with self.lock, self.base:
            self.base.execute("begin")
            for table in ("chains", "objects"):
                self.base.execute(f"delete from {table} where chain glob ?", (pattern,))

    def apply(self, chain, changes, link, made_by, is_new):
        with self.lock, self.base:
            self.base.execute("begin")
            if is_new:
                self.base.execute("delete from objects where chain = ?", (chain,))
            for change in changes:
                self.change(chain, change)
            self.base.execute("insert or replace into chains values (?, ?, ?, ?)", (chain, link, *made_by))

    def change(self, chain, change):
        key = change.get("id", "")
        if "@removed" in change:
            self.base.execute("delete from objects where chain = ? and id = ?", (chain, key))
            return
        found = self.base.execute("select body from objects where chain = ? and id = ?", (chain, key)).fetchone()
        body = merged(json.loads(found[0]) if found else {}, change)
        self.base.execute("insert or replace into objects values (?, ?, ?)", (chain, key, json.dumps(body)))


def merged(known, change):
    """A change has the properties that changed. Members come one by one, and a group with many comes several times."""
    members = dict(known.get("members", {}))
    for member in change.get("members@delta", ()):
        if "@removed" in member:
            members.pop(member["id"], None)
        else:
            members[member["id"]] = member.get("@odata.type")
    return {**known, **change, "members": members, "members@delta": None} if "members@delta" in change else {**known, **change}
