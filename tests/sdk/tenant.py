"""The sample tenant, asked directly with nothing but the standard library: what every client has to get."""

import functools
import json
import os
import subprocess
import urllib.error
import urllib.parse
import urllib.request


class Tenant:
    """With `immutable`, ids are those that the proxy asks for; without, those that a program gets that does not ask."""

    def __init__(self, graph, glassine, keys, immutable=True):
        self.graph, self.glassine, self.keys = graph, glassine, keys
        self.prefer = {"Prefer": 'IdType="ImmutableId"'} if immutable else {}

    def get(self, url):
        headers = {"Authorization": "Bearer any", **self.prefer}
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers)) as response:
            return json.load(response)

    def one(self, path):
        return self.get(f"{self.graph}/v1.0{path}")

    def everything(self, path, **options):
        """All objects of a list."""
        query = urllib.parse.urlencode({f"${key}": value for key, value in options.items()})
        return self.pages(f"{self.graph}/v1.0{path}?{query}")[0]

    def pages(self, url):
        """The objects from a page on, and the link for the next round of a delta."""
        page, objects = self.get(url), []
        while "@odata.nextLink" in page:
            objects += page["value"]
            page = self.get(page["@odata.nextLink"])
        return objects + page["value"], page.get("@odata.deltaLink")

    def pseudonyms(self, consumer, values, *options):
        command = [self.glassine, "pseudonym", "--keys", self.keys, "--consumer", consumer, *options, "--", *values]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()

    def tokens(self, consumer, ids):
        """What the proxy makes of ids, in their order."""
        return self.pseudonyms(consumer, ids, "--as", "id", "--reversible")

    @functools.cached_property
    def users(self):
        return self.everything("/users", top=999, select="id,displayName,mail,userPrincipalName,accountEnabled")

    @functools.cached_property
    def user(self):
        """The first user whose messages fill some pages."""
        for user in self.users:
            try:
                count = len(self.everything(f"/users/{user['id']}/messages", top=1000, select="id"))
            except urllib.error.HTTPError:
                continue  # No mailbox.
            if count > 250:
                return user
        raise SystemExit("no mailbox is large enough to show paging")

    @functools.cached_property
    def mail(self):
        """All messages of that user, with what must not leave."""
        return self.everything(
            f"/users/{self.user['id']}/messages", top=1000, orderby="receivedDateTime desc",
            select="id,subject,from,toRecipients,receivedDateTime",
        )

    def raw_values(self):
        """Ids, addresses, names, subjects, and where the tenant is: none of it may reach a program."""
        raw = [self.graph] + [one["id"] for one in self.users + self.mail]
        raw += [one["mail"] for one in self.users if one["mail"]] + [one["displayName"] for one in self.users]
        raw += [one["subject"] for one in self.mail if len(one["subject"]) > 8]
        raw += [one["emailAddress"]["address"] for message in self.mail for one in message["toRecipients"]]
        assert len(raw) > 1000
        return raw


def refusal(glassine):
    """What the proxy says of a request that the rules do not open."""
    command = [glassine, "explain", "--rules", os.environ["RULES"], "--format", "json", "GET /v1.0/users/{user}/calendar"]
    return json.loads(subprocess.run(command, capture_output=True, text=True).stdout)["reason"]["message"]


def found_raw(values, text):
    """Those of the values that are in a program's output."""
    text = text.lower()
    return [one for one in values if json.dumps(one)[1:-1].lower() in text]
