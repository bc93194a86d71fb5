// Somebody changes what a browser sends, sends it twice, or sends what belongs to another browser.

import assert from 'node:assert/strict';

import { bent, changed } from './harness.mjs';

const OTHER_TENANT = '11112222-3333-4444-5555-666677778888';
const FOREIGN = ['Not begun in this browser', 'state_foreign'];

export async function a_callback_is_good_for_one_use(stage) {
  const visitor = await stage.visitor();
  const sent = [];
  visitor.page.on('request', (request) => sent.push(request.url()));
  await visitor.connects('mail-analytics');
  await visitor.isTold('Connected, over-privileged', 'over_privileged');
  const callbacks = sent.filter((url) => /\/connect\/(signed-in|consented)\?/.test(url));
  assert.equal(callbacks.length, 2);
  for (const callback of callbacks) {
    await visitor.page.goto(callback);
    await visitor.isTold('Already used', 'state_used');
  }
  await visitor.shows('problem-already-used');
  await visitor.finds('mail-analytics', 'Connected, over-privileged');
}

export async function going_back_repeats_nothing(stage) {
  const visitor = await stage.visitor();
  await visitor.connects('mail-analytics');
  await visitor.isTold('Connected, over-privileged', 'over_privileged');
  await visitor.page.reload();
  await visitor.isTold('Already used', 'state_used');
}

export async function a_changed_state_belongs_to_nobody(stage) {
  const visitor = await stage.visitor();
  await visitor.begins('mail-analytics');
  const signedIn = await visitor.isSentTo('/connect/signed-in', () => visitor.signsInAs('Global Administrator'));
  await visitor.page.goto(changed(signedIn, { state: bent }));
  await visitor.isTold(...FOREIGN);
  await visitor.shows('problem-foreign-state');
  // Untouched, the state is still good: nobody else can use it up.
  await visitor.page.goto(signedIn.href);
  await visitor.sees('Permissions requested');
  const consented = await visitor.isSentTo('/connect/consented', () => visitor.presses('Accept'));
  await visitor.page.goto(changed(consented, { state: bent }));
  await visitor.isTold(...FOREIGN);
  await visitor.page.goto(changed(consented, { state: () => signedIn.searchParams.get('state') }));
  await visitor.isTold(...FOREIGN);
  await visitor.finds('mail-analytics', 'Not connected');
}

export async function a_changed_code_signs_nobody_in(stage) {
  const visitor = await stage.visitor();
  await visitor.begins('mail-analytics');
  const signedIn = await visitor.isSentTo('/connect/signed-in', () => visitor.signsInAs('Global Administrator'));
  await visitor.page.goto(changed(signedIn, { code: bent }));
  await visitor.isTold('The connection was not made', 'code_not_redeemed');
  await visitor.shows('outcome-code-not-redeemed');
  await visitor.finds('mail-analytics', 'Not connected');
}

export async function anothers_code_signs_nobody_in(stage) {
  const [one, other] = [await stage.visitor(), await stage.visitor()];
  const callbacks = [];
  for (const visitor of [one, other]) {
    await visitor.begins('mail-analytics');
    callbacks.push(
      await visitor.isSentTo('/connect/signed-in', () => visitor.signsInAs('Global Administrator')),
    );
  }
  const [own, foreign] = callbacks;
  await one.page.goto(changed(own, { code: () => foreign.searchParams.get('code') }));
  await one.isTold('The connection was not made', 'code_not_redeemed');
}

export async function a_changed_tenant_connects_nothing(stage) {
  const visitor = await stage.visitor();
  await visitor.reachesConsent('mail-analytics');
  const consented = await visitor.isSentTo('/connect/consented', () => visitor.presses('Accept'));
  await visitor.page.goto(changed(consented, { tenant: () => OTHER_TENANT }));
  await visitor.isTold("Another organisation's account", 'wrong_tenant');
  await visitor.finds('mail-analytics', 'Not connected');
}

export async function a_callback_is_for_the_browser_in_which_it_was_begun(stage) {
  const [one, other] = [await stage.visitor(), await stage.visitor()];
  await one.begins('mail-analytics');
  const signedIn = await one.isSentTo('/connect/signed-in', () => one.signsInAs('Global Administrator'));
  await other.page.goto(signedIn.href);
  await other.isTold('Not begun in this browser', 'state_browser');
  // Not even if a connection was begun there, too.
  await other.begins('mail-analytics');
  await other.page.goto(signedIn.href);
  await other.isTold('Not begun in this browser', 'state_browser');
  await one.page.goto(signedIn.href);
  await one.sees('Permissions requested');
}

export async function another_site_begins_nothing(stage) {
  const visitor = await stage.visitor();
  await visitor.page.setContent(`<form method="post" action="${stage.connect}/mail-analytics"><button>Win</button></form>`);
  await visitor.presses('Win');
  await visitor.isTold('Sent from another site', 'cross_site');
  await visitor.shows('problem-cross-site');
}

export async function another_site_frames_nothing(stage) {
  const visitor = await stage.visitor();
  await visitor.page.setContent(`<iframe src="${stage.connect}/mail-analytics"></iframe>`);
  const [, frame] = visitor.page.frames();
  await frame.waitForLoadState();
  assert.equal(await frame.getByRole('button').count(), 0);
  // The browser reports an error, too, and says why.
  const [said, ...more] = stage.watch.wrong.splice(0);
  assert.match(said, /frame-ancestors 'none'/);
  assert.deepEqual(more, []);
}

export async function the_application_takes_no_changed_and_no_foreign_result(stage) {
  const [one, other] = [await stage.visitor(), await stage.visitor()];
  await one.page.goto(stage.analytics);
  await one.follows('Connect Outlook Mail');
  await one.presses('Sign in and connect');
  await one.signsInAs('Global Administrator');
  await one.sees('Permissions requested');
  const sent = await one.isSentTo('/connected', () => one.presses('Accept'));
  const bend = (result) => result.split('.').map((part, at) => (at === 2 ? bent(part) : part)).join('.');
  await one.page.goto(changed(sent, { result: bend }));
  await one.sees('This result is not believed');
  await other.page.goto(stage.analytics);
  await other.page.goto(sent.href);
  await other.sees('This result is not believed');
  await other.reads('begun in another browser');
  await one.page.goto(`${stage.analytics}/connected`);
  await one.reads('there is no result in the address');
  await one.page.goto(sent.href);
  await one.sees('Your mail is connected');
}
