// Reads through the proxy with the client that odata2ts generated from the proxy's $metadata, and prints what it got.
// Usage: use_odata2ts.cjs PROXY TOKEN GENERATED
"use strict";
const [proxy, token, generated] = process.argv.slice(2);
const { FetchClient } = require("@odata2ts/http-client-fetch");
const { MicrosoftGraphService } = require(`${generated}/MicrosoftGraphService.js`);

const client = new FetchClient({ headers: { Authorization: `Bearer ${token}` } });
const service = new MicrosoftGraphService(client, `${proxy}/v1.0`);
const page = async (response) => (await response).data;

async function read() {
  const users = await page(service.users().query((users) => users.select("id", "mail", "accountEnabled").top(3)));
  const user = service.users(users.value[0].id);
  const messages = await page(user.messages().query((messages, { receivedDateTime }) =>
    messages.select("id", "receivedDateTime", "importance", "from").top(5)
      .filter(receivedDateTime.ge("2026-01-01T00:00:00Z")).orderBy(receivedDateTime.desc())));
  const message = await page(user.messages(messages.value[0].id).query());
  const folders = await page(user.mailFolders().query((folders) => folders.top(2)));
  const inside = await page(user.mailFolders(folders.value[0].id).messages().query((messages) => messages.top(2)));
  const settings = await page(user.mailboxSettings().query());
  const groups = await page(service.groups().query());
  const members = await page(service.groups(groups.value[0].id).members().query());
  const changes = await page(service.users().delta());
  return { users, messages, message, folders, inside, settings, groups, members, changes };
}

read().then((all) => console.log(JSON.stringify(all)), (error) => {
  console.error(error);
  process.exit(1);
});
