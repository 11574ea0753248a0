// People sign in to an application that wants its answer posted, in a real browser with its rules for forms.

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { test } from "node:test";

import { startApplication } from "../support/application.mjs";
import { openPage } from "../support/browser.mjs";
import { inventPerson } from "../support/people.mjs";
import { prepareStage } from "../support/stage.mjs";
import { Visitor } from "../support/visitor.mjs";

const stage = prepareStage();

/** What an application asks for, and the secrets that prove the answer is its own. */
function makeRequest(client, application, responseMode) {
  const [verifier, state] = [randomBytes(32).toString("base64url"), randomBytes(8).toString("hex")];
  const query = new URLSearchParams({
    response_type: "code",
    response_mode: responseMode,
    client_id: client.client_id,
    redirect_uri: application.callback,
    scope: "openid email",
    state,
    code_challenge: createHash("sha256").update(verifier).digest("base64url"),
    code_challenge_method: "S256",
  });
  return { verifier, state, query };
}

async function redeem(client, application, code, verifier) {
  const response = await fetch(`${stage.server.url}/oauth2/token`, {
    method: "POST",
    headers: { authorization: `Basic ${btoa(`${client.client_id}:${client.client_secret}`)}` },
    body: new URLSearchParams({
      grant_type: "authorization_code",
      code,
      redirect_uri: application.callback,
      code_verifier: verifier,
    }),
  });
  return { status: response.status, tokens: await response.json() };
}

for (const javaScript of [true, false]) {
  for (const responseMode of ["query", "form_post"]) {
    test(`an answer by ${responseMode} arrives ${javaScript ? "with" : "without"} JavaScript`, async () => {
      const application = await startApplication();
      const { context, page, complaints } = await openPage(stage, { javaScript });
      const visitor = new Visitor(page);
      const owner = inventPerson("owner");
      await stage.server.createAccount(owner);
      const client = await stage.server.registerApplication(application.callback);
      try {
        // With the sign-in on the way, then without; a form that is posted brings no cookies along at first.
        for (const method of ["get", "get", "post"]) {
          const { verifier, state, query } = makeRequest(client, application, responseMode);
          await application.send(page, { method, endpoint: `${stage.server.url}/oauth2/authorize`, query });
          if (!(await visitor.isSignedIn())) {
            await visitor.field("E-mail address").fill(owner.email);
            await visitor.field("Password").fill(owner.password);
            await visitor.button("Sign in").click();
          }
          if (responseMode === "form_post" && !javaScript) await visitor.button("Continue").click();
          await page.getByText("The application has its answer.").waitFor();
          const answer = application.answers.pop();
          assert.equal(answer.method, responseMode === "query" ? "GET" : "POST");
          assert.equal(answer.fields.get("state"), state);
          assert.equal(answer.fields.get("iss"), stage.server.url);
          assert.equal(answer.cookies, undefined, "the application sees cookies of ours");
          const { status, tokens } = await redeem(client, application, answer.fields.get("code"), verifier);
          assert.equal(status, 200);
          const claims = JSON.parse(Buffer.from(tokens.id_token.split(".")[1], "base64url"));
          assert.equal(claims.aud, client.client_id);
        }
        assert.deepEqual(complaints, []);
      } finally {
        await context.close();
        await application.stop();
      }
    });
  }
}

for (const javaScript of [true, false]) {
  for (const responseMode of ["query", "form_post"]) {
    const how = `${responseMode}, ${javaScript ? "with" : "without"} JavaScript`;
    test(`an application of others is asked about, refused and allowed: ${how}`, async () => {
      const application = await startApplication();
      const { context, page, complaints } = await openPage(stage, { javaScript });
      const visitor = new Visitor(page);
      const owner = inventPerson("owner");
      await stage.server.createAccount(owner);
      const client = await stage.server.registerApplication(application.callback, { isOwn: false });
      const arrive = async () => {
        if (responseMode === "form_post" && !javaScript) await visitor.button("Continue").click();
        await page.getByText("The application has its answer.").waitFor();
        return application.answers.pop().fields;
      };
      try {
        const { query } = makeRequest(client, application, responseMode);
        await page.goto(`${stage.server.url}/oauth2/authorize?${query}`);
        await visitor.field("E-mail address").fill(owner.email);
        await visitor.field("Password").fill(owner.password);
        await visitor.button("Sign in").click();
        await visitor.heading("Allow Shop to use your account?").waitFor();
        await page.reload();
        await visitor.button("Do not allow").click();
        assert.equal((await arrive()).get("error"), "access_denied");
        await page.goto(`${stage.server.url}/oauth2/authorize?${query}`);
        await visitor.button("Deutsch").click();
        await visitor.button("Erlauben").click();
        if (responseMode === "form_post" && !javaScript) await visitor.button("Weiter").click();
        await page.getByText("The application has its answer.").waitFor();
        assert.match(application.answers.pop().fields.get("code"), /^dwac_/);
        // From now on nothing is asked.
        await page.goto(`${stage.server.url}/oauth2/authorize?${query}`);
        if (responseMode === "form_post" && !javaScript) await visitor.button("Weiter").click();
        await page.getByText("The application has its answer.").waitFor();
        assert.match(application.answers.pop().fields.get("code"), /^dwac_/);
        assert.deepEqual(complaints, []);
      } finally {
        await context.close();
        await application.stop();
      }
    });
  }
}

test("a page that leads to one application posts nothing to another", async () => {
  const [application, thief] = [await startApplication(), await startApplication()];
  const { context, page } = await openPage(stage);
  const visitor = new Visitor(page);
  const owner = inventPerson("owner");
  await stage.server.createAccount(owner);
  const client = await stage.server.registerApplication(application.callback);
  try {
    const { query } = makeRequest(client, application, "form_post");
    await page.goto(`${stage.server.url}/oauth2/authorize?${query}`);
    await visitor.field("E-mail address").fill(owner.email);
    await visitor.field("Password").fill(owner.password);
    // As if markup could be put into the page.
    await page.evaluate((action) => {
      document.querySelector("main form").action = action;
    }, thief.callback);
    const refused = page.waitForEvent("console", (message) => message.text().includes("form-action"));
    await visitor.button("Sign in").click({ noWaitAfter: true });
    await refused;
    assert.deepEqual(thief.answers, []);
  } finally {
    await context.close();
    await Promise.all([application.stop(), thief.stop()]);
  }
});

for (const javaScript of [true, false]) {
  test(`an application hears in a frame that somebody signs out ${javaScript ? "with" : "without"} JavaScript`, async () => {
    const application = await startApplication();
    const { context, page, complaints } = await openPage(stage, { javaScript });
    const visitor = new Visitor(page);
    const owner = inventPerson("owner");
    await stage.server.createAccount(owner);
    const metadata = { frontchannel_logout_uri: `${new URL(application.callback).origin}/out` };
    const client = await stage.server.registerApplication(application.callback, { metadata });
    try {
      const { verifier, query } = makeRequest(client, application, "query");
      await page.goto(`${stage.server.url}/oauth2/authorize?${query}`);
      await visitor.field("E-mail address").fill(owner.email);
      await visitor.field("Password").fill(owner.password);
      await visitor.button("Sign in").click();
      await page.getByText("The application has its answer.").waitFor();
      const { tokens } = await redeem(client, application, application.answers.pop().fields.get("code"), verifier);
      const claims = JSON.parse(Buffer.from(tokens.id_token.split(".")[1], "base64url"));
      await visitor.signOut();
      await visitor.heading("You are signed out").waitFor();
      // The page goes on by itself.
      await page.waitForURL("**/login?notice=signed-out");
      assert.deepEqual(
        application.told.map((fields) => [fields.get("iss"), fields.get("sid")]),
        [[stage.server.url, claims.sid]],
      );
      assert.deepEqual(complaints, []);
    } finally {
      await context.close();
      await application.stop();
    }
  });
}
