// After the documentation's code for JavaScript: asks, and prints what it got as JSON.
import { readFileSync } from "node:fs";

// The client says "fetch failed" and not why.
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
const answers = {};
for (const name of ["user", "messages", "refused", "inbox", "settings"]) {
  const answer = responses.getResponseById(String(Object.keys(answers).length + 1));
  answers[name] = [answer.status, await answer.json()];
}
console.log(JSON.stringify({ messages, batch: answers }));
