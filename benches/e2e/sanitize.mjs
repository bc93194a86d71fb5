// A first attempt at a sanitizer, for comparison: parse the page, edit the objects, write them again. It applies the
// rules in rules/outlook-mail-metadata-only.yaml to users and messages only. It checks no query options, has no limits
// and no audit.
//
//   BEARER=token node sanitize.mjs LISTEN_PORT ORIGIN_PORT

import { createCipheriv, createDecipheriv, createHmac, randomBytes } from "node:crypto";
import { Agent, createServer, request } from "node:http";
import { constants, gunzipSync, gzipSync } from "node:zlib";

const [listenPort, originPort] = process.argv.slice(2).map(Number);
const bearer = `Bearer ${process.env.BEARER}`;
const keys = { token: randomBytes(32), seal: randomBytes(32), iv: randomBytes(32) };
const ownDomains = new Set(["contoso.com"]);
const agent = new Agent({ keepAlive: true, maxSockets: 256 });

const KEPT = {
  user: ["accountEnabled", "userType", "createdDateTime"],
  message: [
    "@odata.type", "createdDateTime", "lastModifiedDateTime", "receivedDateTime", "sentDateTime", "hasAttachments",
    "importance", "inferenceClassification", "isRead", "isDraft", "isDeliveryReceiptRequested", "isReadReceiptRequested",
  ],
};

// === Pseudonyms ===

const token = (kind, text) => createHmac("sha256", keys.token).update(kind).update(text).digest().subarray(0, 24).toString("base64url");

// The same id must get the same token, so the nonce is derived from the id.
function sealed(text) {
  const iv = createHmac("sha256", keys.iv).update(text).digest().subarray(0, 12);
  const cipher = createCipheriv("aes-256-gcm", keys.seal, iv);
  const body = Buffer.concat([cipher.update(text), cipher.final()]);
  return Buffer.concat([iv, cipher.getAuthTag(), body]).toString("base64url");
}

function opened(text) {
  const bytes = Buffer.from(text, "base64url");
  const decipher = createDecipheriv("aes-256-gcm", keys.seal, bytes.subarray(0, 12));
  decipher.setAuthTag(bytes.subarray(12, 28));
  return Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]).toString();
}

const reversible = (id) => id && `p~${sealed(id)}`;
const thread = (id) => id && `t~${token("thread", Buffer.from(id, "base64").subarray(-16))}`;
const messageId = (id) => id && `t~${token("message-id", id)}`;

function email(text) {
  if (!text) return text;
  const address = text.trim().toLowerCase().normalize("NFC");
  const domain = address.slice(address.lastIndexOf("@") + 1);
  return `t~${token("email", address)}@${ownDomains.has(domain) ? domain : `d~${token("domain", domain)}`}`;
}

// === Objects ===

function kept(object, names) {
  const result = {};
  for (const name of names) if (name in object) result[name] = object[name];
  return result;
}

const recipient = (it) => it && { emailAddress: { address: email(it.emailAddress.address) } };

function message(it) {
  const result = kept(it, KEPT.message);
  result.flag = it.flag && { flagStatus: it.flag.flagStatus };
  result.id = reversible(it.id);
  result.parentFolderId = reversible(it.parentFolderId);
  result.conversationId = thread(it.conversationId);
  result.internetMessageId = messageId(it.internetMessageId);
  result.from = recipient(it.from);
  result.sender = recipient(it.sender);
  for (const name of ["toRecipients", "ccRecipients", "bccRecipients", "replyTo"]) result[name] = it[name]?.map(recipient);
  return result;
}

function user(it) {
  const result = kept(it, KEPT.user);
  result.id = reversible(it.id);
  result.mail = email(it.mail);
  result.userPrincipalName = email(it.userPrincipalName);
  return result;
}

function page(text, edit, path) {
  const { value, "@odata.nextLink": next } = JSON.parse(text);
  const result = { value: value.map(edit) };
  if (next) result["@odata.nextLink"] = `http://127.0.0.1:${listenPort}${path}?$skiptoken=${sealed(next)}`;
  return JSON.stringify(result);
}

// === HTTP ===

// The path at the origin, and the function for its objects.
function route(path) {
  if (path === "/v1.0/users") return { target: path, edit: user };
  const id = /^\/v1\.0\/users\/p~([\w-]+)\/messages$/.exec(path)?.[1];
  return id && { target: `/v1.0/users/${opened(id)}/messages`, edit: message };
}

function fetchPage(target, encoding) {
  const headers = { authorization: "Bearer any", accept: "application/json", "accept-encoding": encoding };
  return new Promise((resolve, reject) => {
    request({ port: originPort, host: "127.0.0.1", path: target, agent, headers }, (response) => {
      const chunks = [];
      response.on("data", (chunk) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => resolve({ response, bytes: Buffer.concat(chunks) }));
    }).on("error", reject).end();
  });
}

async function handle(incoming, outgoing) {
  if (incoming.headers.authorization !== bearer) return outgoing.writeHead(401).end();
  const [path, query = ""] = incoming.url.split("?");
  const found = route(path);
  if (!found) return outgoing.writeHead(403).end();
  const { response, bytes } = await fetchPage(`${found.target}?${query}`, "gzip");
  if (response.statusCode !== 200) return outgoing.writeHead(502).end();
  const plain = response.headers["content-encoding"] === "gzip" ? gunzipSync(bytes) : bytes;
  let body = Buffer.from(page(plain.toString(), found.edit, path));
  const headers = { "content-type": "application/json", "cache-control": "no-store" };
  if (/\bgzip\b/.test(incoming.headers["accept-encoding"])) {
    body = gzipSync(body, { level: constants.Z_BEST_SPEED });
    headers["content-encoding"] = "gzip";
  }
  outgoing.writeHead(200, { ...headers, "content-length": body.length }).end(body);
}

createServer((incoming, outgoing) => {
  handle(incoming, outgoing).catch(() => (outgoing.headersSent ? outgoing.destroy() : outgoing.writeHead(502).end()));
}).listen(listenPort, "127.0.0.1");
