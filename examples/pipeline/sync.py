"""A copy of a tenant: the first time everything, later what the stored links say has changed."""

import concurrent.futures

from client import Refused, StartAgain

THREADS = 8


class KeysChanged(Exception):
    """A collection that begins now is made with another key than the store: its tokens cannot be compared with the others'."""


class Sync:
    """`select` has the `$select` of each kind. Without it, the proxy asks Graph for everything that the rules keep."""

    def __init__(self, client, store, select=None):
        self.client, self.store, self.select = client, store, select or {}
        self.started_again = 0

    def run(self):
        """How many objects and changes came."""
        try:
            return self.round()
        except KeysChanged:
            # A program with more than a sample tenant starts again beside the old store, and replaces it at the end.
            self.store.drop("*")
            return self.round()

    def round(self):
        self.keys = self.store.made_by("keys")
        came = self.chain("users", "/users/delta") + self.chain("groups", "/groups/delta")
        users = self.store.ids("users")
        self.drop_others("*", users)
        with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
            return came + sum(pool.map(self.mailbox, users))

    def mailbox(self, user):
        path = f"/users/{user}"
        try:
            settings, made_by = self.client.get(f"{path}/mailboxSettings{self.query('settings')}")
            self.store.apply(f"settings {user}", [settings], None, made_by, True)
        except Refused as refused:
            if refused.status == 404:
                return 0  # An account without a mailbox, such as a guest's.
            if refused.code != "ErrorAccessDenied":
                raise
            self.store.drop(f"settings {user}")  # Exchange hides the settings of some mailboxes. Their mail is open.
        came = self.chain(f"folders {user}", f"{path}/mailFolders/delta")
        folders = self.store.ids(f"folders {user}")
        self.drop_others(f"messages {user}", folders)
        for folder in folders:
            came += self.chain(f"messages {user}/{folder}", f"{path}/mailFolders/{folder}/messages/delta")
        for book in self.address_books(user):
            came += self.chain(f"contacts {user}/{book}", f"{path}/contactFolders/{book}/contacts/delta")
        return came

    def address_books(self, user):
        """Contacts are tracked by folder. The default folder is in no list: its contacts name it."""
        known = self.store.chains(f"contacts {user}/*")
        if known:
            return {chain.partition("/")[2] for chain in known}
        contacts, _ = self.client.get(f"/users/{user}/contacts?$select=id,parentFolderId&$top=999")
        return {contact["parentFolderId"] for contact in contacts["value"]}

    def drop_others(self, parent, ids):
        """Forgets what belongs to users or folders that are gone."""
        separator, kept = ("/", set(ids)) if parent != "*" else (" ", set(ids))
        for chain in self.store.chains(f"{parent}{separator}*"):
            if chain.split(separator)[1].split("/")[0] not in kept:
                self.store.drop(chain)

    def chain(self, chain, path):
        """Follows a chain to its end, and stores what came."""
        link = self.store.link(chain)
        try:
            changes, end, made_by = self.follow(link or path + self.query(chain.partition(" ")[0]))
        except StartAgain:
            link, self.started_again = None, self.started_again + 1
            changes, end, made_by = self.follow(path + self.query(chain.partition(" ")[0]))
        if not link and self.keys and made_by[1] not in self.keys:
            raise KeysChanged
        self.store.apply(chain, changes, end, made_by, not link)
        return len(changes)

    def follow(self, url):
        changes, end, made_by = [], None, None
        while url:
            page, made_by = self.client.get(url)
            changes += page["value"]
            url, end = page.get("@odata.nextLink"), page.get("@odata.deltaLink")
        return changes, end, made_by

    def query(self, kind):
        return f"?$select={self.select[kind]}" if kind in self.select else ""
