# Runs after the documentation's code for singer-sdk: a tap, run twice by its own command line: from nothing, and from
# the state of the first run. Prints the records of both as JSON.
import json
import subprocess
import sys
import tempfile
from urllib.parse import urlsplit

from singer_sdk import Tap
from singer_sdk import typing as th
from singer_sdk.helpers.conform import TypeConformanceLevel


def write(content):
    with tempfile.NamedTemporaryFile("w", suffix=".json", dir=".", delete=False) as file:
        json.dump(content, file)
    return file.name


class Stream(GraphStream):
    primary_keys = ("id",)
    schema = th.PropertiesList(th.Property("id", th.StringType)).to_dict()
    # Records leave as they came, whatever the schema names.
    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.NONE


class Users(Stream):
    name, path = "users", "/users"
    options = {"$select": "id,displayName,mail,accountEnabled", "$top": 50}


class Folders(Stream):
    name, path = "folders", "/users/{user}/mailFolders"
    options = {"$top": 5}


class Messages(Stream):
    name, path = "messages", "/users/{user}/messages"

    @property
    def options(self):
        window = "receivedDateTime ge {since} and receivedDateTime lt {until}".format(**self.config)
        return {"$select": "id,subject,from,receivedDateTime", "$filter": window, "$top": 25}


class Groups(Stream):
    name, path = "groups", "/groups"
    options = {"$top": 15}


class Members(Stream):
    name, path = "members", "/groups/{group}/members"
    options = {"$top": 10}


class Contacts(Stream):
    name, path = "contacts", "/users/{user}/contacts"
    options = {"$top": 5}


class Settings(Stream):
    name, path = "settings", "/users/{user}/mailboxSettings"
    records_jsonpath = "$"
    primary_keys = ()


class Calendar(Stream):
    """A request that the rules do not open."""

    name, path = "calendar", "/users/{user}/calendar"
    records_jsonpath = "$"


class UsersDelta(Stream):
    name, path = "tracked", "/users/delta"
    options = {"$select": "id,displayName,mail"}

    def get_url_params(self, context, next_page_token):
        """A later round begins with the options of the last round's link."""
        link = self.get_context_state(None).get("delta_link")
        if link and not next_page_token:
            return dict(parse_qsl(urlsplit(link).query))
        return super().get_url_params(context, next_page_token)

    def parse_response(self, response):
        yield from super().parse_response(response)
        if link := response.json().get("@odata.deltaLink"):
            self.get_context_state(None)["delta_link"] = link


class GraphTap(Tap):
    name = "tap-graph"
    config_jsonschema = th.PropertiesList(
        *(th.Property(name, th.StringType) for name in ("user", "group", "since", "until")),
        th.Property("refused", th.BooleanType),
    ).to_dict()

    def discover_streams(self):
        walk = [Users, Folders, Messages, Groups, Members, Contacts, Settings, UsersDelta]
        return [kind(tap=self) for kind in ([Calendar] if self.config["refused"] else walk)]


def tap(asked, refused=False, state=None):
    """Runs this file as a tap."""
    config = {name: asked[name] for name in ("user", "group", "since", "until")} | {"refused": refused}
    command = [sys.executable, __file__, "--config", write(config), *(["--state", write(state)] if state else [])]
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE if refused else None, text=True)


def read(asked, state=None):
    """The records of each stream, and the last state."""
    run = tap(asked, state=state)
    run.check_returncode()
    streams, value = {}, None
    for message in map(json.loads, run.stdout.splitlines()):
        if message["type"] == "RECORD":
            streams.setdefault(message["stream"], []).append(message["record"])
        elif message["type"] == "STATE":
            value = message["value"]
    return streams, value


def walk(asked):
    result, state = read(asked)
    result["settings"] = result["settings"][0]
    result["changed"] = read(asked, state)[0]["tracked"]
    if asked["proxied"]:
        result["refusal"] = tap(asked, refused=True).stderr
    return result


if len(sys.argv) > 1:
    GraphTap.cli()
else:
    print(json.dumps(walk(json.load(sys.stdin))))
