// The whole flow: the list of data sources, connecting one, and the result.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import path from 'node:path';

import { bent } from './harness.mjs';

const CONNECTORS = { 'people-analytics': 'Outlook Mail - Meta Data Only', 'mail-analytics': 'Outlook Mail' };

export async function what_there_is_to_connect(stage) {
  const visitor = await stage.visitor();
  await visitor.list();
  await visitor.shows('list');
  for (const [consumer, title] of Object.entries(CONNECTORS)) {
    await visitor.finds(consumer, 'Not connected');
    assert.equal(await visitor.card(consumer).getByRole('heading').innerText(), title);
    await visitor.opens(consumer);
    await visitor.sees(title);
    await visitor.reads(
      'Not connected yet.',
      'ead mail of every mailbox without texts, previews and attachments Microsoft calls it Mail.ReadBasic.All.',
      'What for: Who mailed whom, when, in which thread and folder, and with what importance.',
      'Never leaves: attachments, texts, previews, categories, names of senders, ',
      'Global Administrator or Privileged Role Administrator',
    );
    await visitor.shows(`detail-${consumer}`);
    await visitor.page.getByText('14 properties as in Microsoft 365').click();
    await visitor.reads('from.emailAddress.address one way: the address as a pseudonym', 'isRead as it is: true or false');
    await visitor.shows(`detail-${consumer}-open`);
    await visitor.follows('Read the rules file');
    await visitor.reads(`title: ${title}`, 'permissions:');
  }
}

export async function an_administrator_connects_and_returns_to_the_application(stage) {
  const visitor = await stage.visitor();
  assert.equal(await reading(stage, 'people-analytics'), 403);
  await visitor.page.goto(stage.analytics);
  await visitor.shows('application');
  await visitor.follows('Connect Outlook Mail');
  await visitor.presses('Sign in and connect');
  await visitor.sees('Pick an account');
  await visitor.reads('Outlook Mail - Meta Data Only');
  await visitor.shows('sign-in');
  const name = await visitor.page.getByRole('button', { name: 'Global Administrator' }).locator('strong').innerText();
  await visitor.signsInAs('Global Administrator');
  await visitor.sees('Permissions requested');
  await visitor.reads('Read basic mail in all mailboxes', 'Read all user mailbox settings');
  await visitor.shows('consent');
  await visitor.presses('Accept');
  await visitor.sees('Your mail is connected');
  await visitor.reads('Begun by this application, in this browser.', 'how the connection stands connected');
  assert.ok(!(await visitor.page.content()).includes(name), 'nobody is named');
  await visitor.shows('application-connected');
  assert.equal(await reading(stage, 'people-analytics'), 200);
  await visitor.page.reload();
  await visitor.sees('This result is not believed');
  await visitor.reads('used before');
  await visitor.shows('application-not-believed');
  await visitor.follows('Data Connections');
  await visitor.finds('people-analytics', 'Connected');
  await visitor.finds('mail-analytics', 'Not connected');
  await visitor.shows('list-connected');
  await visitor.opens('people-analytics');
  await visitor.reads('Connected since', 'Exactly the permissions that the rules need are granted.');
}

export async function without_a_return_url_the_proxy_says_what_came_of_it(stage) {
  const visitor = await stage.visitor();
  await visitor.connects('mail-analytics');
  await visitor.isTold('Connected, over-privileged', 'over_privileged');
  await visitor.reads('The connection works.', 'Mail.Read');
  await visitor.shows('outcome-over-privileged');
  assert.equal(await reading(stage, 'mail-analytics'), 200);
  await visitor.follows('Data Connections');
  await visitor.finds('mail-analytics', 'Connected, over-privileged');
  await visitor.shows('list-over-privileged');
}

export async function begun_on_the_proxys_pages_there_is_no_state(stage) {
  const visitor = await stage.visitor();
  await visitor.connects('people-analytics');
  await visitor.sees('Your mail is connected');
  await visitor.reads('no state of this application came back');
}

export async function it_works_without_script(stage) {
  const visitor = await stage.visitor({ javaScriptEnabled: false });
  await visitor.connects('people-analytics');
  await visitor.sees('Your mail is connected');
  await visitor.finds('people-analytics', 'Connected');
}

export async function it_works_by_keyboard_alone(stage) {
  const visitor = await stage.visitor();
  await visitor.list();
  await press(visitor, 'Connect Outlook Mail - Meta Data Only for people-analytics');
  await visitor.sees('Outlook Mail - Meta Data Only');
  await press(visitor, 'Sign in and connect');
  await visitor.sees('Pick an account');
  await press(visitor, 'Global Administrator');
  await visitor.sees('Permissions requested');
  await press(visitor, 'Accept');
  await visitor.sees('Your mail is connected');
  await press(visitor, 'Data Connections');
  await visitor.sees('Data Connections');
}

export async function the_documents_code_reads_the_result(stage) {
  const visitor = await stage.visitor();
  await visitor.page.goto(`${stage.connect}/people-analytics?state=of-this-browser`);
  await visitor.presses('Sign in and connect');
  await visitor.signsInAs('Global Administrator');
  await visitor.sees('Permissions requested');
  const sent = await visitor.isSentTo('/connected', () => visitor.presses('Accept'));
  const result = sent.searchParams.get('result');
  const asked = { result, proxy: stage.proxy, origin: sent.origin, consumer: 'people-analytics', state: 'of-this-browser' };
  const { status, stdout } = read(asked);
  assert.equal(status, 0);
  const claims = JSON.parse(stdout);
  assert.equal(claims.connection, 'connected');
  assert.equal(claims.exp - claims.iat, 300);
  assert.ok(claims.person.id.startsWith('p~') && claims.tenant.startsWith('t~'));
  const [head, body, signature] = result.split('.');
  for (const [change, refusal] of [
    [{ result: [head, body, bent(signature)].join('.') }, 'InvalidSignatureError'],
    [{ origin: 'https://another.example' }, 'InvalidAudienceError'],
    [{ consumer: 'mail-analytics' }, 'InvalidTokenError'],
    [{ state: 'of-another-browser' }, 'InvalidTokenError'],
  ]) {
    const refused = read({ ...asked, ...change });
    assert.deepEqual([refused.status, refused.stderr.trim()], [1, refusal]);
  }
}

/** The status of the consumer's first request. */
async function reading(stage, consumer) {
  const headers = { authorization: `Bearer ${stage.connectable[consumer]}` };
  const response = await fetch(`${stage.proxy}/v1.0/users?$top=1`, { headers });
  return response.status;
}

/** Goes by Tab to what has this name, sees that it has the focus, and presses Enter. */
async function press(visitor, name) {
  for (let steps = 0; steps < 60; steps += 1) {
    await visitor.page.keyboard.press('Tab');
    const focus = visitor.page.locator(':focus');
    if ((await focus.count()) && (await focus.textContent()).includes(name)) {
      const outline = await focus.evaluate((element) => getComputedStyle(element).outlineStyle);
      assert.notEqual(outline, 'none', `${name}: the focus is seen`);
      await visitor.page.keyboard.press('Enter');
      return;
    }
  }
  assert.fail(`${name} is not reached by keyboard`);
}

/** The documents' Python, on what the browser brought. */
function read(asked) {
  const program = path.join(import.meta.dirname, 'read_result.py');
  return spawnSync(process.env.PYTHON, [program], { input: JSON.stringify(asked), encoding: 'utf8' });
}
