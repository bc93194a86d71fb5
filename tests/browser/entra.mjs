// An Entra that is late, opaque or busy. Each scenario has a demo with its own flags.

import assert from 'node:assert/strict';

/** Longer than the proxy waits for a consent in these demos (15 s). */
const LONG = 40_000;

export async function a_consent_that_shows_after_8_seconds_is_waited_for(stage) {
  const visitor = await stage.visitor();
  await visitor.reachesConsent('mail-analytics');
  const begun = Date.now();
  await accepts(visitor);
  await visitor.isTold('Connected, over-privileged', 'over_privileged', LONG);
  const took = Date.now() - begun;
  assert.ok(took >= 8000 && took < 30_000, `${took} ms`);
  assert.equal(await reading(stage, 'mail-analytics'), 200);
  await visitor.finds('mail-analytics', 'Connected, over-privileged');
}
a_consent_that_shows_after_8_seconds_is_waited_for.flags = ['--entra-consent-delay', '8'];

export async function a_consent_that_shows_after_the_check_works_by_itself(stage) {
  const visitor = await stage.visitor();
  await visitor.reachesConsent('mail-analytics');
  await accepts(visitor);
  await visitor.isTold('Consent missing', 'consent_missing', LONG);
  await visitor.reads('it may take some minutes', "as soon as Entra's tokens have it");
  await visitor.shows('outcome-late');
  let status = await reading(stage, 'mail-analytics');
  assert.equal(status, 403, 'the consent does not show yet');
  for (let tries = 0; tries < 60 && status !== 200; tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, 500));
    status = await reading(stage, 'mail-analytics');
  }
  assert.equal(status, 200, 'nobody restarted the proxy');
}
a_consent_that_shows_after_the_check_works_by_itself.flags = ['--entra-consent-delay', '20'];

export async function a_token_that_cannot_be_read_is_tried(stage) {
  const visitor = await stage.visitor();
  await visitor.connects('mail-analytics');
  await visitor.isTold('Connected, permissions not readable', 'granted_unverified');
  await visitor.reads('Requests to Microsoft Graph succeed');
  await visitor.shows('outcome-unverified');
  assert.equal(await reading(stage, 'mail-analytics'), 200);
  await visitor.finds('mail-analytics', 'Connected, permissions not readable');
  await visitor.shows('list-unverified');
  await visitor.connects('people-analytics');
  await visitor.sees('Your mail is connected');
  await visitor.reads('Whether more was granted than is needed is not known.', 'granted_unverified');
}
a_token_that_cannot_be_read_is_tried.flags = ['--entra-opaque-tokens'];

export async function a_throttled_token_endpoint_is_left_alone(stage) {
  const visitor = await stage.visitor();
  await visitor.connects('mail-analytics');
  await visitor.isTold('Granted, but not checked yet', 'directory_busy');
  await visitor.reads('Wait some minutes, and connect again.');
  await visitor.shows('outcome-busy');
  assert.equal(await reading(stage, 'mail-analytics'), 503, 'no token before the time is over');
  await visitor.connects('people-analytics');
  await visitor.sees('Your mail is not connected');
  await visitor.reads('directory_busy');
}
a_throttled_token_endpoint_is_left_alone.flags = ['--entra-throttled', '300'];

/** Presses *Accept*, and does not wait for the page that follows. */
async function accepts(visitor) {
  await visitor.page.getByRole('button', { name: 'Accept' }).click({ noWaitAfter: true });
}


/** The status of the consumer's first request. */
async function reading(stage, consumer) {
  const headers = { authorization: `Bearer ${stage.connectable[consumer]}` };
  const response = await fetch(`${stage.proxy}/v1.0/users?$top=1`, { headers });
  return response.status;
}
