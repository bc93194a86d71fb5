// What pages are like for people: narrow, dark, with a screen reader.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const NARROW = { viewport: { width: 360, height: 740 } };

export async function pages_are_accessible(stage) {
  await visit(await stage.visitor(), accessible);
}

export async function pages_are_accessible_in_the_dark(stage) {
  const visitor = await stage.visitor({ colorScheme: 'dark' });
  await visit(visitor, async (visitor, name) => {
    const [red, green, blue] = await visitor.page.evaluate(() =>
      getComputedStyle(document.body).backgroundColor.match(/\d+/g).map(Number));
    assert.ok(red + green + blue < 150, `${name} is dark`);
    await accessible(visitor, name);
    await visitor.shows(`dark-${name}`);
  });
}

export async function pages_fit_a_telephone(stage) {
  const visitor = await stage.visitor(NARROW);
  await visit(visitor, async (visitor, name) => {
    const width = await visitor.page.evaluate(() => document.scrollingElement.scrollWidth);
    assert.ok(width <= 360, `${name} is ${width} pixels wide`);
    await visitor.shows(`narrow-${name}`);
  });
}

export async function targets_are_large_enough_for_a_finger(stage) {
  const visitor = await stage.visitor(NARROW);
  await visit(visitor, async (visitor, name) => {
    for (const button of await visitor.page.locator('button, .button').all()) {
      const { height } = await button.boundingBox();
      assert.ok(height >= 36, `${name}: a button is ${height} pixels high`);
    }
  });
}

export async function reviews_are_accessible_in_light_and_dark(stage) {
  for (const colorScheme of ['light', 'dark']) {
    for (const [name, html] of reviews()) {
      const visitor = await stage.visitor({ colorScheme });
      await visitor.reads_page(html);
      await accessible(visitor, name);
      await visitor.shows(`${colorScheme}-${name}`);
    }
  }
}

export async function reviews_are_printed_on_few_pages(stage) {
  const visitor = await stage.visitor();
  for (const [name, html, most] of reviews()) {
    await visitor.reads_page(html);
    const printed = await visitor.page.pdf({ preferCSSPageSize: true, printBackground: true });
    const pages = printed.toString('latin1').match(/\/Type\s*\/Page\b/g).length;
    assert.ok(pages <= most, `${name} has ${pages} pages`);
  }
}

/** The name, the HTML and the most printed pages of reviews: of each shipped connector, of both, and of what is red. */
function reviews() {
  const rules = (name) => path.join(process.env.RULES, `${name}.yaml`);
  const shipped = ['outlook-mail', 'outlook-mail-metadata-only'].map(rules);
  const review = (...files) => execFileSync(process.env.GLASSINE, ['review', '--format', 'html', ...files], { encoding: 'utf8' });
  const open = path.join(mkdtempSync(path.join(tmpdir(), 'review-')), 'open.yaml');
  const changed = readFileSync(shipped[0], 'utf8')
    .replace('  message:\n', '  message:\n    unlisted: keep\n')
    .replace('  group:\n', '  group:\n    digest: [$.description]\n')
    .replace('user: { token: id }', 'user: { raw: true }');
  writeFileSync(open, changed);
  return [
    ...shipped.map((file) => [`review-${path.basename(file, '.yaml')}`, review(file), 3]),
    ['review-both', review(...shipped), 6],
    ['review-open', review(open), 4],
  ];
}

/** Every kind of page there is. */
async function visit(visitor, look) {
  const { page } = visitor;
  await visitor.list();
  await look(visitor, 'list');
  await visitor.opens('mail-analytics');
  for (const summary of await page.locator('summary').all()) await summary.click();
  await look(visitor, 'detail');
  await visitor.presses('Sign in and connect');
  await visitor.sees('Pick an account');
  await look(visitor, 'sign-in');
  await visitor.signsInAs(' User$');
  await visitor.sees('Need admin approval');
  await look(visitor, 'approval-needed');
  await visitor.presses('Return to the application without granting consent');
  await visitor.sees('This needs an administrator');
  await look(visitor, 'refused');
  await visitor.begins('mail-analytics');
  await visitor.signsInAs('Global Administrator');
  await visitor.sees('Permissions requested');
  await look(visitor, 'consent');
  await visitor.presses('Accept');
  await visitor.sees('Connected, over-privileged');
  await look(visitor, 'over-privileged');
  await visitor.connects('people-analytics');
  await visitor.sees('Your mail is connected');
  await look(visitor, 'application');
  await visitor.list();
  await look(visitor, 'list-connected');
}

async function accessible(visitor, name) {
  const { page } = visitor;
  assert.equal(await page.locator('html').getAttribute('lang'), 'en');
  assert.equal(await page.locator('script').count(), 0);
  assert.equal(await page.getByRole('heading', { level: 1 }).count(), 1, `${name} has one heading of the first level`);
  await page.evaluate(AXE);
  const { violations, passes } = await page.evaluate(() => globalThis.axe.run(document, { preload: false }));
  assert.ok(passes.length > 10, `${name} was looked at`);
  const found = violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html}`));
  assert.deepEqual(found, [], name);
}
