// Runs every scenario in a demo and a browser context of its own.

import { begin, end } from './harness.mjs';
import * as entra from './entra.mjs';
import * as hostile from './hostile.mjs';
import * as looks from './looks.mjs';
import * as refusals from './refusals.mjs';
import * as way from './way.mjs';

const started = Date.now();
const failed = [];
let passed = 0;
for (const scenarios of [way, refusals, entra, hostile, looks]) {
  for (const [name, scenario] of Object.entries(scenarios)) {
    const words = name.replaceAll('_', ' ');
    const stage = await begin(scenario.flags);
    try {
      await scenario(stage);
      stage.watch.check();
      passed += 1;
      console.log(`ok: ${words}`);
    } catch (error) {
      failed.push(words);
      console.error(`FAILED: ${words}\n${error.stack}\n${await stage.describe()}`);
    } finally {
      await stage.close();
    }
  }
}
await end();
console.log(`${passed} scenarios, ${((Date.now() - started) / 1000).toFixed(1)} s`);
if (failed.length) {
  console.error(`FAILED: ${failed.join('; ')}`);
  process.exitCode = 1;
}
