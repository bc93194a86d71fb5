"""What the sample tenant does not do: refuse for a moment, forget a link, name members that left, change the key in between."""

import http.server
import json
import threading
import unittest

from analysis import People, parents
from client import Client, Refused, StartAgain
from store import Store, merged
from sync import Sync


class Scripted(http.server.BaseHTTPRequestHandler):
    """Responds to each path with the next of its responses: status, body, headers. `None` closes the connection."""

    protocol_version = "HTTP/1.1"
    script, seen = {}, []

    def do_GET(self):
        self.seen.append(self.path)
        response = self.script[self.path].pop(0)
        if response is None:
            self.close_connection = True
            return
        status, body, headers = response
        written = json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"glassine-rules": "r", "glassine-keys": "A", **headers, "Content-Length": str(len(written))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(written)

    def log_message(self, *_):
        pass


def page(*objects, link="/delta", **headers):
    return 200, {"value": list(objects), "@odata.deltaLink": f"{Case.base}/v1.0{link}"}, headers


class Case(unittest.TestCase):
    base = None

    def setUp(self):
        Scripted.script, Scripted.seen = {}, []
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Scripted)
        Case.base = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.client, self.store = Client(Case.base, "token"), Store(":memory:")
        self.sync = Sync(self.client, self.store)
        self.sync.keys = set()
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)

    def script(self, path, *responses):
        Scripted.script[f"/v1.0{path}"] = list(responses)

    def test_asks_again_where_the_response_says_so(self):
        error = {"error": {"code": "x", "message": "y"}}
        wait = {"Retry-After": "0.1"}
        self.script("/users", (429, error, wait), (503, error, wait), (504, error, {}), None, (200, {"value": []}, {}))
        self.assertEqual(self.client.get("/users"), ({"value": []}, ("r", "A")))
        self.assertEqual(self.client.repeated, 4)

    def test_asks_once_where_no_repetition_helps(self):
        self.script("/users", (403, {"error": {"code": "endpointNotAllowed", "message": "closed"}}, {}))
        self.script("/delta", (410, {"error": {"code": "resyncRequired", "message": "gone"}}, {}))
        with self.assertRaisesRegex(Refused, "403 endpointNotAllowed: closed"):
            self.client.get("/users")
        with self.assertRaises(StartAgain):
            self.client.get("/delta")
        self.assertEqual(len(Scripted.seen), 2)

    def test_a_link_that_no_longer_opens_replaces_the_collection(self):
        self.script("/users/delta", page({"id": "1"}, {"id": "2"}), page({"id": "2"}, {"id": "3"}), page({"id": "4"}))
        expired = {"error": {"code": "syncStateNotFound", "message": "expired"}}
        self.script("/delta", (410, {"error": {}}, {}), (400, expired, {}))
        self.sync.chain("users", "/users/delta")
        self.sync.chain("users", "/users/delta")
        self.assertEqual((self.store.ids("users"), self.sync.started_again), (["2", "3"], 1))
        self.sync.chain("users", "/users/delta")
        self.assertEqual((self.store.ids("users"), self.sync.started_again), (["4"], 2))

    def test_changes_are_merged_and_removals_remove(self):
        self.script("/users/delta", page({"id": "1", "mail": "a"}, {"id": "2"}))
        self.script("/delta", page({"id": "1", "accountEnabled": False}, {"id": "2", "@removed": {"reason": "deleted"}}))
        self.sync.chain("users", "/users/delta")
        self.sync.chain("users", "/users/delta")
        self.assertEqual([body for *_, body in self.store.objects("users")], [{"id": "1", "mail": "a", "accountEnabled": False}])

    def test_members_come_and_go(self):
        kind = {"@odata.type": "#microsoft.graph.user"}
        group = merged({}, {"id": "g", "members@delta": [{"id": "1", **kind}, {"id": "2", **kind}]})
        group = merged(group, {"id": "g", "members@delta": [{"id": "3", **kind}]})
        group = merged(group, {"id": "g", "members@delta": [{"id": one, "@removed": {"reason": "deleted"}} for one in "12"]})
        self.assertEqual(set(group["members"]), {"3"})
        self.assertEqual(merged(group, {"id": "g", "members@delta": [{"id": "3", "@removed": {}}]})["members"], {})

    def test_a_collection_under_another_key_starts_everything_again(self):
        old, new = {"glassine-keys": "A"}, {"glassine-keys": "B"}
        missing = (404, {"error": {}}, {})
        settings, folders = "/users/1/mailboxSettings", "/users/1/mailFolders/delta"
        messages = "/users/1/mailFolders/f/messages/delta"
        self.script("/users/delta", page({"id": "1"}, link="/u", **old), page({"id": "1"}, link="/u", **new))
        self.script("/groups/delta", page(link="/g", **old), page(link="/g", **new))
        self.script(settings, missing, (200, {}, new), (200, {}, new))
        self.script("/u", page(link="/u", **old))
        self.script("/g", page(link="/g", **old))
        self.script(folders, page({"id": "f"}, link="/f", **new), page({"id": "f"}, link="/f", **new))
        self.script(messages, page({"id": "m"}, link="/m", **new))
        self.script("/users/1/contacts?$select=id,parentFolderId&$top=999", (200, {"value": []}, new))
        self.sync.run()
        self.assertEqual(self.store.made_by("keys"), {"A"})
        self.sync.run()
        self.assertEqual((self.store.made_by("keys"), self.store.ids("messages 1/f")), ({"B"}, ["m"]))

    def test_mailboxes_that_are_not_there_and_settings_that_are_hidden_stop_nothing(self):
        denied = (403, {"error": {"code": "ErrorAccessDenied"}}, {})
        closed = (403, {"error": {"code": "endpointNotAllowed"}}, {})
        for code in "MailboxNotEnabledForRESTAPI", "ResourceNotFound":
            self.script("/users/1/mailboxSettings", (404, {"error": {"code": code}}, {}))
            self.assertEqual(self.sync.mailbox("1"), 0)
        self.script("/users/1/mailboxSettings", denied, closed)
        self.script("/users/1/mailFolders/delta", page({"id": "f"}))
        self.script("/users/1/mailFolders/f/messages/delta", page({"id": "m"}))
        self.script("/users/1/contacts?$select=id,parentFolderId&$top=999", (200, {"value": []}, {}))
        self.assertEqual(self.sync.mailbox("1"), 2)
        self.assertEqual((self.store.ids("messages 1/f"), self.store.ids("settings 1")), (["m"], []))
        with self.assertRaisesRegex(Refused, "endpointNotAllowed"):
            self.sync.mailbox("1")

    def test_the_parent_is_named_or_one_less_deep(self):
        self.store.apply("users", [{"id": "1", "mail": "a@x"}, {"id": "2", "mail": "b@x", "proxyAddresses": ["x500:c"]}], None, "rk", True)
        people = People(self.store)
        self.assertEqual(people.node("c"), people.node("b@d~y"))
        mail = {
            "first": message(1, "a@x", "c", conversationIndex=0),
            "second": message(2, "b@x", "a@x", conversationIndex=1),
            "third": message(3, "b@x", "a@x", conversationIndex=1),
            "named": message(4, "a@x", "b@x", internetMessageHeaders=[{"name": "In-Reply-To", "value": "second"}]),
        }
        self.assertEqual(parents(mail, people), {"first": None, "second": "first", "third": "first", "named": "second"})


def message(hour, author, reader, **more):
    def of(address):
        return {"emailAddress": {"address": address}}
    return {"conversationId": "t", "sentDateTime": f"2026-01-01T0{hour}:00:00Z", "from": of(author), "toRecipients": [of(reader)], **more}


if __name__ == "__main__":
    unittest.main(warnings="ignore")
