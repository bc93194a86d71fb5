// Somebody declines, or is not allowed to consent.

import assert from 'node:assert/strict';

export async function the_sign_in_is_declined(stage) {
  const visitor = await stage.visitor();
  await visitor.begins('mail-analytics');
  await visitor.presses('Cancel');
  await visitor.isTold('Not signed in', 'sign_in_declined');
  await visitor.shows('outcome-sign-in-declined');
  await visitor.follows('Back to the connection');
  await visitor.sees('Outlook Mail');
  await visitor.finds('mail-analytics', 'Not connected');
}

export async function the_consent_is_declined_and_can_be_given_later(stage) {
  const visitor = await stage.visitor();
  await visitor.reachesConsent('mail-analytics');
  await visitor.presses('Cancel');
  await visitor.isTold('Consent was declined', 'consent_declined');
  await visitor.shows('outcome-consent-declined');
  await visitor.finds('mail-analytics', 'Not connected');
  await visitor.connects('mail-analytics');
  await visitor.isTold('Connected, over-privileged', 'over_privileged');
}

export async function the_application_is_told_of_a_declined_consent(stage) {
  const visitor = await stage.visitor();
  await visitor.reachesConsent('people-analytics');
  await visitor.presses('Cancel');
  await visitor.sees('Your mail is not connected');
  await visitor.reads('consent_declined');
  await visitor.shows('application-declined');
}

export async function an_ordinary_user_is_told_whom_to_ask(stage) {
  const visitor = await stage.visitor();
  await visitor.begins('mail-analytics');
  await visitor.signsInAs(' User$');
  await visitor.sees('Need admin approval');
  await visitor.shows('approval-needed');
  await visitor.presses('Return to the application without granting consent');
  await visitor.isTold('This needs an administrator', 'not_administrator');
  await visitor.shows('outcome-not-administrator');
  await visitor.finds('mail-analytics', 'Not connected');
}

export async function an_account_of_another_tenant_connects_nothing(stage) {
  const visitor = await stage.visitor();
  await visitor.begins('mail-analytics');
  await visitor.signsInAs('Guest, of another organisation');
  await visitor.isTold("Another organisation's account", 'wrong_tenant');
  await visitor.shows('outcome-wrong-tenant');
  await visitor.finds('mail-analytics', 'Not connected');
}

export async function a_consent_that_is_only_claimed_is_found_missing(stage) {
  const visitor = await stage.visitor();
  await visitor.reachesConsent('mail-analytics');
  const asked = new URL(visitor.page.url());
  const [, tenant] = asked.pathname.split('/');
  const claim = new URL(`${stage.connect}/consented`);
  claim.search = new URLSearchParams({ admin_consent: 'True', tenant, state: asked.searchParams.get('state') });
  await visitor.page.goto(claim.href);
  await visitor.isTold('Consent missing', 'consent_missing');
  await visitor.reads('Mail.ReadBasic.All', 'User.Read.All');
  await visitor.shows('outcome-consent-missing');
  await visitor.finds('mail-analytics', 'Consent missing');
  await visitor.shows('list-consent-missing');
  assert.match(await visitor.card('mail-analytics').innerText(), /Not granted when last checked: Mail\.ReadBasic\.All/);
}

export async function more_than_the_rules_need_is_told_to_the_application_that_had_it_before(stage) {
  const visitor = await stage.visitor();
  await visitor.connects('demo');
  await visitor.isTold('Connected, over-privileged', 'over_privileged');
  await visitor.opens('demo');
  await visitor.reads('More is granted than the rules need: Mail.Read');
  await visitor.shows('detail-over-privileged');
}
