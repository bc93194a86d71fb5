// Runs after the documentation's code for @pnp/graph: makes the walk, and prints what it got as JSON.
import { readFileSync } from "node:fs";

import { GraphCollection, Paged } from "@pnp/graph";
import "@pnp/graph/batching.js";
import "@pnp/graph/calendars/index.js";
import "@pnp/graph/contacts/index.js";
import "@pnp/graph/groups/index.js";
import "@pnp/graph/mail/index.js";
import "@pnp/graph/members/index.js";
import "@pnp/graph/users/index.js";

const asked = JSON.parse(readFileSync(0, "utf8"));
const mailbox = graph.users.getById(asked.user);

async function everything(collection) {
  const objects = [];
  for await (const page of collection) objects.push(...page);
  return objects;
}

// The library's own `delta` is for messages and folders only, and its pages lose their links.
async function round(collection) {
  const objects = [];
  let page = await collection.using(Paged())();
  while (page.hasNext) {
    objects.push(...page.value);
    page = await GraphCollection([graph.users, page.nextLink]).using(Paged())();
  }
  return [objects.concat(page.value), page.deltaLink];
}

async function batch() {
  const [batched, execute] = graph.batched();
  const user = batched.users.getById(asked.user);
  const promised = {
    user: user(),
    messages: user.messages.top(5)(),
    inbox: user.mailFolders.getById("inbox")(),
  };
  await execute();
  const { messages, ...one } = promised;
  const responses = { messages: { value: await messages } };
  for (const name in one) responses[name] = await one[name];
  // The library throws where a response has another status.
  return Object.fromEntries(Object.entries(responses).map(([name, body]) => [name, [200, body]]));
}

// What the client says of a request that the rules do not open.
async function refusal() {
  try {
    return await mailbox.calendar();
  } catch (error) {
    return String(error);
  }
}

const window = `receivedDateTime ge ${asked.since} and receivedDateTime lt ${asked.until}`;
const [tracked, link] = await round(GraphCollection(graph.users, "delta").select("id", "displayName", "mail"));
const [changed] = await round(GraphCollection([graph.users, link]));
const result = {
  users: await everything(graph.users.select("id", "displayName", "mail", "accountEnabled").top(50)),
  folders: await everything(mailbox.mailFolders.top(5)),
  messages: await everything(
    mailbox.messages.select("id", "subject", "from", "receivedDateTime").filter(window).top(25),
  ),
  tracked,
  changed,
  groups: await everything(graph.groups.top(15)),
  members: await everything(graph.groups.getById(asked.group).members.top(10)),
  contacts: await everything(mailbox.contacts.top(5)),
  settings: await mailbox.mailboxSettings(),
};
result.batch = await batch();
if (asked.proxied) result.refusal = await refusal();
console.log(JSON.stringify(result));
