// Reads every member with Node's zlib. `node read.mjs FILE`, FILE as tests/codec/members.rs writes it.
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";

const data = readFileSync(process.argv[2]);
let at = 0;
function next() {
  const start = at + 4;
  at = start + data.readUInt32LE(at);
  return data.subarray(start, at);
}

let count = 0;
for (; at < data.length; count += 1) {
  const [name, plain, packed] = [next(), next(), next()];
  if (!gunzipSync(packed).equals(plain)) throw new Error(`Node reads another text: ${name}`);
}
if (count === 0) throw new Error("no members");
console.log(`Node: ${count} members`);
