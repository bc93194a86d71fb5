// Runs after the documentation's code for @microsoft/msgraph-sdk: makes the walk, and prints what it got as JSON.
import { readFileSync } from "node:fs";

import {
  createContactCollectionResponseFromDiscriminatorValue,
  createDirectoryObjectCollectionResponseFromDiscriminatorValue,
  createGroupCollectionResponseFromDiscriminatorValue,
  createMailFolderCollectionResponseFromDiscriminatorValue,
  createMessageCollectionResponseFromDiscriminatorValue,
  createUserCollectionResponseFromDiscriminatorValue,
} from "@microsoft/msgraph-sdk/models/index.js";
import { PageIterator } from "@microsoft/msgraph-sdk-core";
import { createDeltaGetResponseFromDiscriminatorValue } from "@microsoft/msgraph-sdk-users/users/delta/index.js";

const asked = JSON.parse(readFileSync(0, "utf8"));
const mailbox = client.users.byUserId(asked.user);
const errors = { XXX: () => () => ({}) };

async function iterate(page, type) {
  const objects = [];
  await new PageIterator(adapter, page, (one) => objects.push(one) > 0, type, errors).iterate();
  return objects;
}

// There is no published package for groups: its requests are written by hand.
async function collection(path, type) {
  const request = new RequestInformation(HttpMethod.GET, `{+baseurl}${path}`);
  return iterate(await adapter.send(request, type, errors), type);
}

// The first round, and what changed since: the iterator goes on at the deltaLink when it is called again.
async function rounds() {
  const objects = [];
  const page = await client.users.delta.get({ queryParameters: { select: ["id", "displayName", "mail"] } });
  const iterator = new PageIterator(
    adapter, page, (one) => objects.push(one) > 0, createDeltaGetResponseFromDiscriminatorValue, errors,
  );
  await iterator.iterate();
  const tracked = objects.splice(0);
  await iterator.iterate();
  return { tracked, changed: objects.map(({ additionalData, ...one }) => ({ ...one, ...additionalData })) };
}

// What the client says of a request that the rules do not open.
async function refusal() {
  try {
    return await mailbox.calendar.get();
  } catch (error) {
    return error.message;
  }
}

const window = `receivedDateTime ge ${asked.since} and receivedDateTime lt ${asked.until}`;
const result = {
  users: await iterate(
    await client.users.get({ queryParameters: { select: ["id", "displayName", "mail", "accountEnabled"], top: 50 } }),
    createUserCollectionResponseFromDiscriminatorValue,
  ),
  folders: await iterate(
    await mailbox.mailFolders.get({ queryParameters: { top: 5 } }),
    createMailFolderCollectionResponseFromDiscriminatorValue,
  ),
  messages: await iterate(
    await mailbox.messages.get({
      queryParameters: { select: ["id", "subject", "from", "receivedDateTime"], filter: window, top: 25 },
    }),
    createMessageCollectionResponseFromDiscriminatorValue,
  ),
  ...(await rounds()),
  groups: await collection("/groups?%24top=15", createGroupCollectionResponseFromDiscriminatorValue),
  members: await collection(
    `/groups/${asked.group}/members?%24top=10`,
    createDirectoryObjectCollectionResponseFromDiscriminatorValue,
  ),
  contacts: await iterate(
    await mailbox.contacts.get({ queryParameters: { top: 5 } }),
    createContactCollectionResponseFromDiscriminatorValue,
  ),
  settings: await mailbox.mailboxSettings.get(),
};
const responses = await batch({
  user: mailbox.toGetRequestInformation(),
  messages: mailbox.messages.toGetRequestInformation({ queryParameters: { top: 5 } }),
  inbox: mailbox.mailFolders.byMailFolderId("inbox").toGetRequestInformation(),
});
result.batch = Object.fromEntries(responses.map(({ id, status, body }) => [id, [status, body]]));
if (asked.proxied) result.refusal = await refusal();
console.log(JSON.stringify(result));
