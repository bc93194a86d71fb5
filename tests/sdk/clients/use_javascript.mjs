// Runs after the documentation's code for JavaScript: sends requests, and prints what it got as JSON.
import { readFileSync } from "node:fs";

// The client says only "fetch failed", not why.
const plainFetch = globalThis.fetch;
globalThis.fetch = (...request) =>
  plainFetch(...request).catch((error) => {
    console.error(error.cause?.code);
    throw error;
  });

const { user } = JSON.parse(readFileSync(0, "utf8"));
const messages = await allMessages(user);
const responses = await batch([
  `/users/${user}`,
  `/users/${user}/messages`,
  `/users/${user}/calendar`,
  `/users/${user}/mailFolders/inbox`,
  `/users/${user}/mailboxSettings`,
]);
const read = {};
for (const name of ["user", "messages", "refused", "inbox", "settings"]) {
  const response = responses.getResponseById(String(Object.keys(read).length + 1));
  read[name] = [response.status, await response.json()];
}
// What the client says of a request that the rules do not open.
const refusal = await client.api(`/users/${user}/calendar`).get().catch((error) => error.message);
console.log(JSON.stringify({ messages, batch: read, refusal }));
