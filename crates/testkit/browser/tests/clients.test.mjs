// Libraries that applications use, as their manuals say, against the running server.

import assert from "node:assert/strict";
import { test } from "node:test";

import "../support/web_crypto.mjs";
import * as oauth from "oauth4webapi";
import * as openid from "openid-client";

import { startApplication } from "../support/application.mjs";
import { openPage } from "../support/browser.mjs";
import { inventPerson } from "../support/people.mjs";
import { runPythonApplication } from "../support/python.mjs";
import { prepareStage } from "../support/stage.mjs";
import { Visitor } from "../support/visitor.mjs";

const stage = prepareStage();
const RENEWS = { grant_types: ["authorization_code", "refresh_token"] };
const ARRIVED = "The application has its answer.";

/** A person with an account, an application on a port, and a page. */
async function prepare(run) {
  const application = await startApplication();
  const { context, page, complaints } = await openPage(stage);
  const owner = inventPerson("owner");
  await stage.server.createAccount(owner);
  try {
    await run({ application, page, owner, visitor: new Visitor(page) });
    assert.deepEqual(complaints, []);
  } finally {
    await context.close();
    await application.stop();
  }
}

/** Leads the page to `url` and signs in there; the address the application is called with. */
async function signIn({ page, owner, visitor }, url) {
  await page.goto(url.href);
  await visitor.field("E-mail address").fill(owner.email);
  await visitor.field("Password").fill(owner.password);
  await visitor.button("Sign in").click();
  await page.getByText(ARRIVED).waitFor();
  return new URL(page.url());
}

/** A configuration of openid-client, from what was printed at the registration. */
function configure(client, authentication = openid.ClientSecretBasic(client.client_secret)) {
  const metadata = { id_token_signed_response_alg: client.id_token_signed_response_alg };
  return openid.discovery(new URL(stage.server.url), client.client_id, metadata, authentication, {
    execute: [openid.allowInsecureRequests],
  });
}

test("openid-client: sign-in with a secret, PKCE, nonce, and who it is", () =>
  prepare(async (people) => {
    const client = await stage.server.registerApplication(people.application.callback, {
      scope: "openid profile email",
    });
    const config = await configure(client);
    const [verifier, state, nonce] = [openid.randomPKCECodeVerifier(), openid.randomState(), openid.randomNonce()];
    const url = openid.buildAuthorizationUrl(config, {
      redirect_uri: people.application.callback,
      scope: "openid email",
      code_challenge: await openid.calculatePKCECodeChallenge(verifier),
      code_challenge_method: "S256",
      state,
      nonce,
      max_age: "3600",
    });
    const arrived = await signIn(people, url);
    const checks = { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, maxAge: 3600 };
    const tokens = await openid.authorizationCodeGrant(config, arrived, { ...checks, idTokenExpected: true });
    const claims = tokens.claims();
    assert.equal(claims.aud, client.client_id);
    assert.deepEqual(claims.amr, ["pwd"]);
    const person = await openid.fetchUserInfo(config, tokens.access_token, claims.sub);
    assert.deepEqual([person.email, person.email_verified], [people.owner.email, true]);
    await assert.rejects(openid.authorizationCodeGrant(config, arrived, checks), { error: "invalid_grant" });
  }));

for (const algorithm of ["RS256", "ES256", "EdDSA"]) {
  test(`openid-client: ID tokens with ${algorithm}, and renewals`, () =>
    prepare(async (people) => {
      const metadata = { ...RENEWS, id_token_signed_response_alg: algorithm };
      const client = await stage.server.registerApplication(people.application.callback, { metadata });
      const config = await configure(client);
      // The signature too, although the connection vouches for it.
      openid.enableNonRepudiationChecks(config);
      const verifier = openid.randomPKCECodeVerifier();
      const url = openid.buildAuthorizationUrl(config, {
        redirect_uri: people.application.callback,
        scope: "openid",
        code_challenge: await openid.calculatePKCECodeChallenge(verifier),
        code_challenge_method: "S256",
      });
      const arrived = await signIn(people, url);
      const first = await openid.authorizationCodeGrant(config, arrived, { pkceCodeVerifier: verifier });
      const second = await openid.refreshTokenGrant(config, first.refresh_token);
      assert.notEqual(second.refresh_token, first.refresh_token);
      assert.equal(second.claims().sub, first.claims().sub);
      assert.equal(JSON.parse(atob(second.id_token.split(".")[0])).alg, algorithm);
    }));
}

test("oauth4webapi: sign-in of an application that keeps no secret", () =>
  prepare(async (people) => {
    const issuer = new URL(stage.server.url);
    const insecure = { [oauth.allowInsecureRequests]: true };
    const discovered = await oauth.discoveryRequest(issuer, { algorithm: "oauth2", ...insecure });
    const server = await oauth.processDiscoveryResponse(issuer, discovered);
    const registered = await stage.server.registerApplication(people.application.callback, {
      metadata: { token_endpoint_auth_method: "none", id_token_signed_response_alg: "ES256" },
      isOwn: false,
    });
    const client = { client_id: registered.client_id, id_token_signed_response_alg: "ES256" };
    const [verifier, state] = [oauth.generateRandomCodeVerifier(), oauth.generateRandomState()];
    const url = new URL(server.authorization_endpoint);
    url.search = new URLSearchParams({
      client_id: client.client_id,
      redirect_uri: people.application.callback,
      response_type: "code",
      scope: "openid email",
      code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
      code_challenge_method: "S256",
      state,
    });
    const { page, owner, visitor } = people;
    await page.goto(url.href);
    await visitor.field("E-mail address").fill(owner.email);
    await visitor.field("Password").fill(owner.password);
    await visitor.button("Sign in").click();
    await visitor.button("Allow").click();
    await page.getByText(ARRIVED).waitFor();
    const parameters = oauth.validateAuthResponse(server, client, new URL(page.url()), state);
    const answered = await oauth.authorizationCodeGrantRequest(
      ...[server, client, oauth.None(), parameters, people.application.callback, verifier, insecure],
    );
    const tokens = await oauth.processAuthorizationCodeResponse(server, client, answered, { requireIdToken: true });
    const claims = oauth.getValidatedIdTokenClaims(tokens);
    const asked = await oauth.userInfoRequest(server, client, tokens.access_token, insecure);
    const person = await oauth.processUserInfoResponse(server, client, claims.sub, asked);
    assert.equal(person.email, people.owner.email);
  }));

for (const library of ["authlib", "requests-oauthlib"]) {
  test(`${library}: sign-in with a secret, who it is, and a renewal`, () =>
    prepare(async (people) => {
      const registered = await stage.server.registerApplication(people.application.callback, { metadata: RENEWS });
      const learnt = await runPythonApplication({ library, issuer: stage.server.url, registered }, (url) =>
        signIn(people, url),
      );
      assert.equal(learnt.claims.aud, registered.client_id);
      assert.deepEqual(
        learnt.people.map((person) => person.email),
        [people.owner.email, people.owner.email],
      );
      assert.ok(learnt.rotates);
    }));
}
