// A demo, a browser in front of it, and a watch on everything that the browser does.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import readline from 'node:readline';

import { chromium } from 'playwright-core';

const ANYWHERE = ['--listen', '--admin-listen', '--graph-listen'].flatMap((flag) => [flag, '127.0.0.1:0']);
const FLAGS = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync',
];
const PATIENCE = 15_000;

// Has a new profile, which is removed when it ends.
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, headless: true, args: FLAGS });

export const end = () => browser.close();

/** A demo that nobody has used yet, and a visitor. */
export async function begin(flags = []) {
  const demo = await startDemo(flags);
  const watch = new Watch(demo.where);
  const contexts = [];
  const stage = {
    ...demo.where,
    watch,
    /** Somebody with a browser of their own. */
    async visitor(options = {}) {
      const context = await browser.newContext({ viewport: { width: 1100, height: 800 }, ...options });
      context.setDefaultTimeout(PATIENCE);
      watch.over(context);
      contexts.push(context);
      return new Visitor(await context.newPage(), demo.where, watch);
    },
    /** Where everybody is and what they see, for who looks into a failure. */
    async describe() {
      const pages = contexts.flatMap((context) => context.pages());
      const texts = pages.map(async (page) => `--- ${page.url()}\n${await page.locator('body').innerText()}`);
      return (await Promise.all(texts)).join('\n');
    },
    async close() {
      for (const context of contexts) await context.close();
      await demo.stop();
    },
  };
  return stage;
}

async function startDemo(flags) {
  const child = spawn(process.env.GLASSINE, ['demo', '--format', 'json', ...ANYWHERE, ...flags], {
    env: { ...process.env, GLASSINE_LOG: 'error' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await once(readline.createInterface({ input: child.stdout }), 'line');
  const stop = async () => {
    child.kill('SIGTERM');
    const [code] = await once(child, 'exit');
    assert.equal(code, 0, 'the demo ends well');
  };
  return { where: JSON.parse(line), stop };
}

/** Notes what must not happen on any page. */
class Watch {
  constructor(where) {
    this.proxy = where.proxy;
    this.wrong = [];
    this.pages = 0;
  }

  over(context) {
    context.on('request', (request) => {
      const { hostname, protocol } = new URL(request.url());
      if (protocol !== 'data:' && hostname !== '127.0.0.1') this.wrong.push(`asked ${request.url()}`);
    });
    context.on('weberror', (error) => this.wrong.push(`script: ${error.error()}`));
    context.on('console', (message) => this.hear(message));
    context.on('response', (response) => this.look(response));
  }

  hear(message) {
    if (!['error', 'warning'].includes(message.type())) return;
    // A browser reports pages with a status from 400 on. The scenarios check those.
    const isRefusal = /^Failed to load resource: the server responded with a status of 4\d\d/.test(message.text());
    const isFile = /\.\w+$/.test(new URL(message.location().url, this.proxy).pathname);
    if (!isRefusal || isFile) this.wrong.push(`console: ${message.text()} ${message.location().url}`);
  }

  look(response) {
    const headers = response.headers();
    if (!(headers['content-type'] ?? '').startsWith('text/html') || response.status() === 302) return;
    this.pages += 1;
    const policy = headers['content-security-policy'] ?? '';
    const isOurs = response.url().startsWith(this.proxy);
    const expected = ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"];
    if (isOurs) expected.push("style-src 'self'", 'form-action ');
    for (const part of expected) {
      if (!policy.includes(part)) this.wrong.push(`policy: ${response.url()} lacks ${part}`);
    }
    if (policy.includes('script-src') || (isOurs && policy.includes('unsafe'))) {
      this.wrong.push(`policy: ${response.url()} ${policy}`);
    }
  }

  check() {
    assert.ok(this.pages > 0, 'pages were seen');
    assert.deepEqual(this.wrong, []);
  }
}

/** Somebody in front of a browser, who sees texts and presses buttons. */
export class Visitor {
  constructor(page, where, watch) {
    Object.assign(this, { page, where, watch });
  }

  async list() {
    await this.page.goto(this.where.connect);
    await this.sees('Data Connections');
  }

  /** The card of a consumer, on the list. */
  card(consumer) {
    const link = this.page.getByRole('link', { name: new RegExp(`for ${consumer}$`) });
    return this.page.getByRole('listitem').filter({ has: link });
  }

  /** Looks at the list, and how a consumer's connection stands there. */
  async finds(consumer, state) {
    await this.list();
    assert.equal(await this.card(consumer).locator('.badge').innerText(), state);
  }

  /** Opens a connector's page from the list. */
  async opens(consumer) {
    await this.list();
    await this.card(consumer).getByRole('link').click();
    await this.page.getByRole('button', { name: 'Sign in and connect' }).waitFor();
  }

  /** Presses the button there, and comes to the sign-in page. */
  async begins(consumer) {
    await this.opens(consumer);
    await this.presses('Sign in and connect');
    await this.sees('Pick an account');
  }

  /** Chooses the account of this role. */
  async signsInAs(role) {
    await this.presses(new RegExp(role));
  }

  async reachesConsent(consumer) {
    await this.begins(consumer);
    await this.signsInAs('Global Administrator');
    await this.sees('Permissions requested');
  }

  async connects(consumer) {
    await this.reachesConsent(consumer);
    await this.presses('Accept');
  }

  async presses(name) {
    await this.page.getByRole('button', { name }).click();
  }

  async follows(name) {
    await this.page.getByRole('link', { name }).click();
  }

  /** The page's heading, which may take longer than other pages do (in ms). */
  async sees(heading, timeout = PATIENCE) {
    await this.page.getByRole('heading', { level: 1, name: heading, exact: true }).waitFor({ timeout });
  }

  /** Texts on the page. */
  async reads(...texts) {
    const shown = (await this.page.locator('body').innerText()).replaceAll(/\s+/g, ' ');
    for (const text of texts) assert.ok(shown.includes(text), `${text} is not in: ${shown}`);
  }

  /** The outcome of a step, by its stable code. */
  async isTold(heading, code, timeout = PATIENCE) {
    await this.sees(heading, timeout);
    await this.reads(`Code: ${code}`);
  }

  /** Stops the browser on its way to a path, and gives the address that it was sent to. */
  async isSentTo(target, act) {
    const session = await this.page.context().newCDPSession(this.page);
    const sent = new Promise((resolve) => {
      session.on('Fetch.requestPaused', ({ requestId, request }) => {
        resolve(request.url);
        // No content: the browser stays where it is.
        session.send('Fetch.fulfillRequest', { requestId, responseCode: 204 }).catch(() => {});
      });
    });
    await session.send('Fetch.enable', { patterns: [{ urlPattern: `*${target}?*` }] });
    await act();
    const url = await sent;
    await session.send('Fetch.disable');
    return new URL(url);
  }

  /** Opens a page that a command wrote. It must ask for nothing. */
  async reads_page(html) {
    await this.page.setContent(html);
    this.watch.pages += 1;
  }

  /** Keeps what the page looks like, where a folder for it was named. */
  async shows(name) {
    if (!process.env.SCREENSHOTS) return;
    await this.page.screenshot({ path: path.join(process.env.SCREENSHOTS, `${name}.png`), fullPage: true });
  }
}

/** A URL with some of its parameters changed. */
export function changed(url, parameters) {
  const copy = new URL(url);
  for (const [name, change] of Object.entries(parameters)) {
    copy.searchParams.set(name, change(copy.searchParams.get(name)));
  }
  return copy.href;
}

/** The text with one of its characters changed. */
export function bent(text) {
  const at = Math.floor(text.length / 2);
  return text.slice(0, at) + (text[at] === 'A' ? 'B' : 'A') + text.slice(at + 1);
}
