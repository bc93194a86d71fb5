// What two programs that know OData read in the proxy's $metadata: the document, and OpenAPI made from it.
// Usage: check_csdl.mjs CSDL.json OPENAPI.json
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

const [csdl, openapi] = process.argv.slice(2).map((file) => JSON.parse(readFileSync(file, "utf8")));
const schema = csdl["microsoft.graph"];
assert.equal(csdl.$EntityContainer, "microsoft.graph.GraphService");
for (const [set, type] of [["users", "user"], ["groups", "group"]]) {
  assert.equal(schema.GraphService[set].$Type, `microsoft.graph.${type}`);
}
// A user's key is that of the directory's objects.
assert.deepEqual(schema.directoryObject.$Key, ["id"]);
assert.equal(schema.user.$BaseType, "microsoft.graph.directoryObject");
assert.equal(schema.message.isRead.$Type, "Edm.Boolean");
assert.equal(schema.message.subject, undefined);
assert.equal(schema.user.messages.$ContainsTarget, true);
const paths = Object.keys(openapi.paths);
for (const path of ["/users", "/groups"]) assert.ok(paths.includes(path), `${path}: ${paths}`);
const methods = paths.flatMap((path) => Object.keys(openapi.paths[path])).filter((name) => ["put", "patch", "delete"].includes(name));
assert.deepEqual(methods, [], "the proxy only reads");
console.log(`${Object.keys(schema).length} members of the schema, ${paths.length} paths made from them`);
