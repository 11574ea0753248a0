// A page of an application on the same origin renews its access token with the session cookie.

import assert from "node:assert/strict";
import { test } from "node:test";

import { openPage } from "../support/browser.mjs";
import { inventPerson } from "../support/people.mjs";
import { prepareStage } from "../support/stage.mjs";
import { Visitor } from "../support/visitor.mjs";

const stage = prepareStage();

/** Runs in the page: renews with the cookie, with or without the CSRF token. */
async function renew({ withToken }) {
  const headers = {};
  if (withToken) {
    const answer = await fetch("/api/v1/csrf");
    headers["X-CSRF-Token"] = (await answer.json()).csrf_token;
  }
  const response = await fetch("/api/v1/token", { method: "POST", headers });
  return { status: response.status, body: await response.json() };
}

async function signInSomebody() {
  const person = inventPerson("renew");
  await stage.server.createAccount(person);
  const { context, page } = await openPage(stage);
  await new Visitor(page).signIn(person);
  return { context, page };
}

test("a page renews its access token, and the token works", async () => {
  const { context, page } = await signInSomebody();
  const { status, body } = await page.evaluate(renew, { withToken: true });
  assert.equal(status, 200, JSON.stringify(body));
  assert.equal(body.refresh_token, undefined, "a browser never gets a refresh token");
  const answer = await fetch(`${stage.server.url}/api/v1/me`, { headers: { authorization: `Bearer ${body.access_token}` } });
  assert.equal(answer.status, 200);
  await context.close();
});

test("a renewal without the CSRF token is refused", async () => {
  const { context, page } = await signInSomebody();
  const { status, body } = await page.evaluate(renew, { withToken: false });
  assert.equal(status, 403);
  assert.equal(body.code, "csrf_failed");
  await context.close();
});

test("two tabs that renew at once both get a token", async () => {
  const { context, page } = await signInSomebody();
  const second = await context.newPage();
  await second.goto("/account");
  const answers = await Promise.all([page, second].map((tab) => tab.evaluate(renew, { withToken: true })));
  assert.deepEqual(answers.map(({ status }) => status), [200, 200]);
  await context.close();
});

// Proves: V3.3.1, V3.3.2, V3.3.3, S-95, S-145
test("every cookie is bound to this host and out of reach of scripts", async () => {
  const { context, page } = await signInSomebody();
  assert.equal(await page.evaluate("document.cookie"), "");
  const cookies = await context.cookies();
  assert.ok(cookies.some(({ name }) => name === "__Host-doorward"), "no session cookie");
  for (const { name, httpOnly, secure, sameSite, path } of cookies) {
    assert.match(name, /^__Host-doorward/);
    const expected = { httpOnly: true, secure: true, sameSite: "Lax", path: "/" };
    assert.deepEqual({ httpOnly, secure, sameSite, path }, expected, name);
  }
  await context.close();
});

// Proves: V14.3.3, S-144
test("nothing about the person is left in the browser's storage", async () => {
  const { context, page } = await signInSomebody();
  await page.goto("/account");
  const kept = await page.evaluate(async () => ({
    local: { ...localStorage },
    session: { ...sessionStorage },
    databases: await indexedDB.databases(),
    caches: await caches.keys(),
  }));
  assert.deepEqual(kept, { local: {}, session: {}, databases: [], caches: [] });
  await context.close();
});

test("after signing out a renewal is refused", async () => {
  const { context, page } = await signInSomebody();
  const visitor = new Visitor(page);
  await visitor.signOut();
  await page.getByText("signed out").first().waitFor();
  const { status } = await page.evaluate(renew, { withToken: false });
  assert.ok([401, 403].includes(status), `answered ${status}`);
  await context.close();
});
