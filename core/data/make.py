#!/usr/bin/env python3
"""Makes types.txt and permissions.txt, the generated half of the catalogue of Microsoft Graph.

    python3 core/data/make.py SOURCE            writes both files
    python3 core/data/make.py SOURCE --check    says whether the committed files are what SOURCE makes

SOURCE is a folder with schema-v1.0.json, schema-beta.json, classification.json, permissions.json and, under beyond-mail/,
the -more files. They are condensed from microsoftgraph/msgraph-metadata@f54f11b6, the beta Python SDK @3cbc1777 and
microsoftgraph/microsoft-graph-devx-content@6cbd6bbd (all MIT). The classes of properties were written for this project.

The other files of this folder are written by hand; core/src/catalogue/ tests them.
"""

import json
import re
import sys
from pathlib import Path

HERE = Path(__file__).parent
NAMESPACE = "microsoft.graph."

# Entity sets and singletons. The entity container is not among the sources; these are from the API reference (2026).
ROOTS = """
administrativeUnits administrativeUnit[] b
auditLogs auditLogRoot
chats chat[]
communications cloudCommunications
contacts orgContact[]
copilot copilotRoot
devices device[]
directory directory
directoryObjects directoryObject[]
directoryRoles directoryRole[]
domains domain[]
drives drive[]
groups group[]
me user
organization organization[]
places place[]
shares sharedDriveItem[]
sites site[]
subscribedSkus subscribedSku[]
subscriptions subscription[]
teams team[]
teamwork teamwork
users user[]
"""

# Types that only lead to others and are not among the sources: the navigation that is documented.
ADDED_TYPES = {
    "auditLogRoot": {"directoryAudits": "directoryAudit", "signIns": "signIn"},
    "directory": {"administrativeUnits": "administrativeUnit", "deletedItems": "directoryObject"},
}

# Functions and actions that a path may end in, by the type that they are bound to: what they return (API reference).
FUNCTIONS = """
aiInteractionHistory getAllEnterpriseInteractions aiInteraction[]
channel[] getAllMessages chatMessage[]
channel[] getAllRetainedMessages chatMessage[]
chat[] getAllMessages chatMessage[]
chat[] getAllRetainedMessages chatMessage[]
drive recent driveItem[]
drive sharedWithMe driveItem[]
driveItem delta driveItem[]
onlineMeeting[] getAllRecordings callRecording[]
onlineMeeting[] getAllTranscripts callTranscript[]
callRecords.callRecord[] getDirectRoutingCalls callRecords.directRoutingLogRow[]
callRecords.callRecord[] getPstnCalls callRecords.pstnCallLogRow[]
"""

CLASSES = {
    "content": "c",
    "direct_identifier": "d",
    "quasi_or_free_text": "q",
    "opaque_id": "i",
    "directory_id": "i",
    "composite_id": "i",
    "link": "l",
    "secret": "s",
    "metadata": "m",
    "recurse": ".",
    "navigation": ">",
}

# Where the sources class otherwise, or a rule by name or type is wrong.
CLASS_CORRECTIONS = {
    # People's names.
    ("emailAddress", "name"): "d",
    # Identifiers of people under names that do not say so.
    ("authorizationInfo", "certificateUserIds"): "d",
    ("onPremisesSipInfo", "sipPrimaryAddress"): "d",
    ("rankedEmailAddress", "address"): "d",
    # They hold the subject, addresses of people and of machines.
    ("internetMessageHeader", "value"): "c",
    ("messageRulePredicates", "headerContains"): "c",
    ("messageRulePredicates", "recipientContains"): "c",
    ("messageRulePredicates", "senderContains"): "c",
    ("messageRulePredicates", "subjectContains"): "c",
    # Links, which name mailboxes, tenants and organisers.
    ("event", "onlineMeetingUrl"): "l",
    ("event", "webLink"): "l",
    ("message", "webLink"): "l",
    ("deviceKey", "keyMaterial"): "s",
    ("licenseAssignmentState", "assignedByGroup"): "i",
    ("messageRuleActions", "copyToFolder"): "i",
    ("messageRuleActions", "moveToFolder"): "i",
    # A job title is no text that somebody wrote; on user it has this class.
    ("person", "jobTitle"): "q",
    # Yes or no, and a word of a closed list.
    ("event", "hideAttendees"): "m",
    ("location", "locationType"): "m",
    # Words of closed lists, which the schema calls texts.
    ("assignedPlan", "capabilityStatus"): "m",
    ("assignedPlan", "service"): "m",
    ("licenseAssignmentState", "error"): "m",
    ("licenseAssignmentState", "state"): "m",
    ("licenseProcessingState", "state"): "m",
    ("personType", "class"): "m",
    ("personType", "subclass"): "m",
    ("provisionedPlan", "capabilityStatus"): "m",
    ("provisionedPlan", "provisioningStatus"): "m",
    ("provisionedPlan", "service"): "m",
    ("siteSettings", "languageTag"): "m",
    ("siteSettings", "timeZone"): "m",
    ("timeZoneBase", "name"): "m",
    # Ids of Microsoft's products, the same in every tenant.
    ("assignedLicense", "disabledPlans"): "m",
    ("assignedLicense", "skuId"): "m",
    ("assignedPlan", "servicePlanId"): "m",
    ("licenseAssignmentState", "disabledPlans"): "m",
    ("licenseAssignmentState", "skuId"): "m",
    ("licenseDetails", "skuId"): "m",
    ("servicePlanInfo", "servicePlanId"): "m",
    ("subscribedSku", "skuId"): "m",
}

# Permissions that an operation's table names and an advice must not: each is for something else.
NOT_ADVISED = {
    "Group-XTenantIdentitySync.Read.All",  # cross-tenant synchronisation of groups
    "DeviceManagementServiceConfig.Read.All",  # Intune; the table of /organization names it as least
    "AppRoleAssignment.ReadWrite.All",
}

# Paths where the source marks a permission as least that opens far more than another that opens them, too.
ADVISED_FIRST = {
    "/organization/{}": "Organization.Read.All",
    "/users/{}/transitivememberof": "GroupMember.ReadBasic.All",
}

# Paths whose row is missing in the source, from the API reference.
ADDED_PATHS = {
    "/communications/callrecords": ["CallRecords.Read.All"],
    "/communications/callrecords/{}/participants_v2": ["CallRecords.Read.All"],
    "/communications/callrecords/{}/sessions/{}/segments": ["CallRecords.Read.All"],
    "/users/{}/chats/getallmessages/delta": ["Chat.Read.All"],
    "/users/{}/messages/{}/attachments/{}": ["Mail.Read"],
    "/users/{}/events/{}/attachments/{}": ["Calendars.Read"],
    "/users/{}/calendar": ["Calendars.ReadBasic.All", "Calendars.Read"],
    "/users/{}/calendars/{}": ["Calendars.ReadBasic.All", "Calendars.Read"],
    "/drives/{}/root": ["Files.Read.All", "Sites.Read.All"],
}


def main():
    source, check = Path(sys.argv[1]), "--check" in sys.argv[2:]
    made = {"types.txt": types_file(source), "permissions.txt": permissions_file(source)}
    for name, text in made.items():
        path = HERE / name
        if not check:
            path.write_text(text)
        elif not path.exists() or path.read_text() != text:
            sys.exit(f"{name} is not what the sources make: run core/data/make.py without --check")
        print(f"{name}: {len(text)} bytes")


# ---------------------------------------------------------------------------------------------------------------- types


def types_file(source):
    versions = {flag: schema(source, name) for flag, name in (("1", "v1.0"), ("b", "beta"))}
    classes = classification(source)
    kept = closure(versions, set(classes))
    lines = [
        "# Types of Microsoft Graph. Made by make.py; do not edit.",
        "# Source: microsoftgraph/msgraph-metadata@f54f11b6 (2026-08-03), microsoftgraph/msgraph-beta-sdk-python@3cbc1777",
        "# (2026-07-23), MIT. Classes: written for this project.",
        "#",
        "# root NAME TYPE: an entity set or a singleton",
        "# fn BOUND-TO NAME TYPE: a function that a path may end in",
        "# type NAME BASE FLAGS, then NAME TYPE CLASS of each property: o open, 1 only v1.0, b only beta, = an enum",
        "# enum NAME MEMBERS",
        "# classes: c content, d direct identifier, q quasi identifier, i id, l link, s secret, m metadata,",
        "#          . see the type's own properties, > navigation",
    ]
    lines += [f"root {line}" for line in ROOTS.strip().splitlines()]
    lines += [f"fn {line}" for line in FUNCTIONS.strip().splitlines()]
    enums = {flag: found["enums"] for flag, found in versions.items()}
    used = set()
    for name in sorted(kept):
        lines += type_lines(name, versions, classes, enums, used)
    for name, targets in sorted(ADDED_TYPES.items()):
        lines.append(f"type {name} -")
        lines += [f" {prop} {target}[] >" for prop, target in targets.items()]
    lines += [enum_line(name, enums) for name in sorted(used)]
    return "\n".join(lines) + "\n"


def schema(source, version):
    found = {"types": {}, "enums": {}}
    for path in (f"schema-{version}.json", f"beyond-mail/schema-{version}-more.json"):
        data = json.loads((source / path).read_text())
        for name, value in data["types"].items():
            found["types"].setdefault(short(name), value)
        found["enums"].update({short(name): members for name, members in data["enums"].items()})
    return found


def classification(source):
    classes = {}
    for path in ("classification.json", "beyond-mail/classification-more.json"):
        for name, value in json.loads((source / path).read_text())["types"].items():
            classes.setdefault(short(name), {}).update(value["props"])
    return classes


def closure(versions, start):
    """The classified types, what they derive from, and what their properties are made of, derived types included."""
    kept, waiting = set(), list(start)
    while waiting:
        name = waiting.pop()
        if name in kept or name == "Json":
            continue
        for found in versions.values():
            entry = found["types"].get(name)
            if not entry:
                continue
            kept.add(name)
            parts = [p["type"] for p in entry["props"].values() if p["kind"] == "property"]
            waiting += [short(part) for part in [entry["base"], *parts] if part]
            if entry["kind"] == "complex":
                waiting += derived(name, found["types"])
    return kept


def derived(base, types):
    """What Graph can send in the place of an object of a complex type: customTimeZone of timeZoneBase."""
    return [name for name, entry in types.items() if entry["base"] and short(entry["base"]) == base]


def type_lines(name, versions, classes, enums, used):
    here = {flag: found["types"][name] for flag, found in versions.items() if name in found["types"]}
    newest = here.get("b") or here["1"]
    base = (here.get("1") or newest)["base"]
    flags = ("o" if any(entry.get("open") for entry in here.values()) else "") + only(here)
    lines = [f"type {name} {short(base) if base else '-'} {flags}".rstrip()]
    for prop in sorted({prop for entry in here.values() for prop in entry["props"]}):
        forms = {}
        for flag, entry in here.items():
            if prop in entry["props"]:
                # Of some properties, only the names are known of beta; then they are as in v1.0.
                written = entry["props"][prop]
                known = written if written["type"] else here.get("1", newest)["props"].get(prop, written)
                form = property_form(name, prop, known, classes, enums[flag], used)
                forms.setdefault(form, set()).add(flag)
        for form, flags in forms.items():
            version = "" if flags == set(here) else " " + only(flags)
            lines.append(f" {prop} {form}{version}")
    return lines


def only(flags):
    return "" if len(flags) == 2 else next(iter(flags))


def property_form(owner, name, prop, classes, enums, used):
    edm = short(prop["type"] or "?")
    if edm in ("Json", "?DistributionListMember"):
        edm = "?"
    shown = f"={edm}" if edm in enums else edm
    used.update([edm] if edm in enums else [])
    many = "[]" if prop["collection"] else ""
    return f"{shown}{many} {class_of(owner, name, prop, edm, edm in enums, classes)}"


def class_of(owner, name, prop, edm, is_enum, classes):
    if prop["kind"] == "navigation":
        return ">"
    corrected = CLASS_CORRECTIONS.get((owner, name))
    written = classes.get(owner, {}).get(name)
    is_simple = is_enum or edm[0].isupper() or edm == "?"
    chosen = CLASSES[written["class"]] if written else class_by_rule(name, edm, is_enum)
    if is_simple and chosen == ".":
        # An object in one version, and simple in the other.
        chosen = class_by_rule(name, edm, is_enum)
    if corrected:
        assert corrected != chosen, f"{owner}.{name}: the correction is the class that the sources give"
        return corrected
    # What is made of properties has their classes, unless all of it is content, an identifier or a secret.
    return chosen if is_simple or chosen not in "qm" else "."


def class_by_rule(name, edm, is_enum):
    """For the types that nobody has classed: parts of parts, as assignedLicense."""
    if is_enum or edm in SIMPLE_METADATA:
        return "m"
    if edm in ("Guid",):
        return "i"
    if edm in ("Stream", "Binary"):
        return "c"
    if edm == "?":
        return "q"
    if not edm[0].isupper():
        return "."
    low = name.lower()
    if re.search(r"password|secret|pin$|recoverykey", low):
        return "s"
    if re.search(r"url$|uri$|link$", low):
        return "l"
    if re.search(r"(^|[a-z])ids?$", low):
        return "i"
    if re.search(r"mail|principalname|phone|upn|username", low):
        return "d"
    if re.search(r"message|body|content|comment|note", low):
        return "c"
    return "q"


SIMPLE_METADATA = {
    "Boolean", "Date", "DateTimeOffset", "Decimal", "Double", "Duration", "Int16", "Int32", "Int64", "Single", "TimeOfDay",
}


def enum_line(name, enums):
    first, second = (enums[flag].get(name) for flag in ("1", "b"))
    members = dict.fromkeys([*(first or []), *(second or [])])
    def shown(member):
        if first is None or second is None or (member in first and member in second):
            return member
        return f"{member}/{'1' if member in first else 'b'}"
    return f"enum {name} {' '.join(map(shown, members))}"


def short(name):
    return name.removeprefix("Edm.").removeprefix(NAMESPACE)


# ---------------------------------------------------------------------------------------------------------- permissions


def permissions_file(source):
    rows = {}
    for path, least, names in permission_rows(source):
        entry = rows.setdefault(normal(path), ([], []))
        for at, found in ((0, least), (1, names)):
            entry[at].extend(name for name in map(application, found) if name not in entry[at])
    for path, names in ADDED_PATHS.items():
        assert path not in rows, f"{path}: the sources have it"
        rows[path] = (names, list(names))
    breadth = {}
    for _, names in rows.values():
        # The source leaves broader permissions out of some rows. Those of Directory.Read.All are as it opens them.
        broader = {more for name in names for more in ladder().get(name, ())} - {"Directory.Read.All"}
        names.extend(sorted(broader.difference(names)))
        for name in names:
            breadth[name] = breadth.get(name, 0) + 1
    groups = {}
    for path, (least, names) in rows.items():
        order = advised(names, least, breadth)
        first = ADVISED_FIRST.get(path)
        if first:
            order = [first, *(name for name in order if name != first)]
        if order:
            groups.setdefault(tuple(order), []).append(path)
    lines = [
        "# Which application permissions open GET of a path. Made by make.py; do not edit.",
        "# Source: microsoftgraph/microsoft-graph-devx-content@6cbd6bbd permissions/new/permissions.json (2026-08-07), MIT.",
        "#",
        "# PERMISSIONS, the least first, then the paths that each of them opens, in lower case and with {} for a key.",
    ]
    for order, paths in sorted(groups.items()):
        lines.append(" ".join(order))
        lines += [f" {path}" for path in sorted(paths)]
    return "\n".join(lines) + "\n"


def permission_rows(source):
    more = json.loads((source / "beyond-mail/permissions-more.json").read_text())["paths"]
    for path, entry in more.items():
        yield path, entry["least"], entry["least"] + entry["other"]
    for name, entry in json.loads((source / "permissions.json").read_text())["permissions"].items():
        for row in (entry or {}).get("paths", []):
            if row["method"] == "GET" and "Application" in row["schemes"]:
                is_least = "Application" in row["note"].removeprefix("least=").split(",")
                yield row["path"], [name] if is_least else [], [name]


def normal(path):
    """Lower case, {} for each key, /me as a user, one level of child folders for all."""
    path = re.sub(r"\{[^}]*\}", "{}", path.lower()).replace("/...", "")
    path = re.sub(r"^/me(?=/|$)", "/users/{}", path)
    path = path.replace("graph.", "microsoft.graph.").replace("microsoft.microsoft.", "microsoft.")
    while re.search(r"(?<=\{\})/childfolders/\{\}", path):
        path = re.sub(r"(?<=\{\})/childfolders/\{\}", "", path, count=1)
    return path


def application(name):
    # The rows of the application permission stand under the delegated permission's name.
    return {"Calendars.ReadBasic": "Calendars.ReadBasic.All"}.get(name, name)


def advised(names, least, breadth):
    """The permissions that read, the least first: those that an administrator consents to for the tenant before those that
    the owner of a team or a chat does, then the broader after the narrower."""
    read = [name for name in names if not writes(name) and name not in NOT_ADVISED]
    return sorted(read, key=lambda name: (is_for_one(name), is_broad(name, read), name not in least, breadth[name], name))


def writes(name):
    return any(word in name for word in ("ReadWrite", "Send", "Manage", "FullControl", "Initiate", "Join", "AccessMedia"))


def is_for_one(name):
    return name.rsplit(".", 1)[-1] in ("Chat", "Group", "Selected", "User", "WhereInstalled")


def is_broad(name, names):
    """Whether ladder.txt says that the permission opens all that another of these opens, and more."""
    return sum(name in ladder().get(other, ()) for other in names)


def ladder(cache={}):
    if not cache:
        for line in (HERE / "ladder.txt").read_text().splitlines():
            if line and not line.startswith("#"):
                narrow, _, broad = line.split(" | ")[0].partition(" < ")
                cache[narrow] = set(broad.split())
        for narrow in cache:
            waiting = list(cache[narrow])
            while waiting:
                more = cache.get(waiting.pop(), set()) - cache[narrow]
                cache[narrow] |= more
                waiting += more
    return cache


if __name__ == "__main__":
    main()
