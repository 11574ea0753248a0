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

test("openid-client: a key instead of a secret, tokens bound to a key, asked about, withdrawn, signed out", () =>
  prepare(async (people) => {
    const bye = `${new URL(people.application.callback).origin}/`;
    const keys = await openid.randomDPoPKeyPair("ES256", { extractable: true });
    const own = await openid.randomDPoPKeyPair("ES256", { extractable: true });
    const jwk = await crypto.subtle.exportKey("jwk", own.publicKey);
    const client = await stage.server.registerApplication(people.application.callback, {
      metadata: {
        ...RENEWS,
        token_endpoint_auth_method: "private_key_jwt",
        jwks: { keys: [{ kty: jwk.kty, crv: jwk.crv, x: jwk.x, y: jwk.y, alg: "ES256", use: "sig", kid: "one" }] },
        dpop_bound_access_tokens: true,
        post_logout_redirect_uris: [bye],
      },
    });
    const config = await configure(client, openid.PrivateKeyJwt({ key: own.privateKey, kid: "one" }));
    const DPoP = openid.getDPoPHandle(config, keys);
    const verifier = openid.randomPKCECodeVerifier();
    const url = openid.buildAuthorizationUrl(config, {
      redirect_uri: people.application.callback,
      scope: "openid email",
      code_challenge: await openid.calculatePKCECodeChallenge(verifier),
      code_challenge_method: "S256",
      dpop_jkt: await DPoP.calculateThumbprint(),
    });
    const arrived = await signIn(people, url);
    const tokens = await openid.authorizationCodeGrant(config, arrived, { pkceCodeVerifier: verifier }, undefined, {
      DPoP,
    });
    assert.equal(tokens.token_type, "dpop");
    const { sub } = tokens.claims();
    assert.equal((await openid.fetchUserInfo(config, tokens.access_token, sub, { DPoP })).email, people.owner.email);
    await assert.rejects(openid.fetchUserInfo(config, tokens.access_token, sub), "the key is needed");
    const renewed = await openid.refreshTokenGrant(config, tokens.refresh_token, undefined, { DPoP });
    const asked = await openid.tokenIntrospection(config, renewed.access_token);
    assert.deepEqual([asked.active, asked.cnf.jkt], [true, await DPoP.calculateThumbprint()]);
    await openid.tokenRevocation(config, renewed.refresh_token);
    assert.equal((await openid.tokenIntrospection(config, renewed.access_token)).active, false);
    const out = openid.buildEndSessionUrl(config, {
      id_token_hint: renewed.id_token,
      post_logout_redirect_uri: bye,
      state: "gone",
    });
    await people.page.goto(out.href);
    assert.equal(people.page.url(), `${bye}?state=gone`);
    assert.equal(await people.visitor.isSignedIn(), false);
  }));

test("openid-client: requests that are pushed, signed, and both", () =>
  prepare(async (people) => {
    const own = await openid.randomDPoPKeyPair("ES256", { extractable: true });
    const { kty, crv, x, y } = await crypto.subtle.exportKey("jwk", own.publicKey);
    const client = await stage.server.registerApplication(people.application.callback, {
      metadata: {
        jwks: { keys: [{ kty, crv, x, y, alg: "ES256", use: "sig", kid: "one" }] },
        request_object_signing_alg: "ES256",
      },
    });
    const config = await configure(client);
    const verifier = openid.randomPKCECodeVerifier();
    const parameters = {
      redirect_uri: people.application.callback,
      scope: "openid",
      code_challenge: await openid.calculatePKCECodeChallenge(verifier),
      code_challenge_method: "S256",
    };
    const sign = () =>
      openid.buildAuthorizationUrlWithJAR(config, parameters, { key: own.privateKey, kid: "one" });
    const pushed = await openid.buildAuthorizationUrlWithPAR(config, parameters);
    assert.deepEqual([...pushed.searchParams.keys()].sort(), ["client_id", "request_uri"]);
    const both = await openid.buildAuthorizationUrlWithPAR(config, (await sign()).searchParams);
    for (const url of [pushed, await sign(), both]) {
      if (url === pushed) {
        await signIn(people, url);
      } else {
        await people.page.goto(url.href);
        await people.page.getByText(ARRIVED).waitFor();
      }
      const arrived = new URL(people.page.url());
      const tokens = await openid.authorizationCodeGrant(config, arrived, { pkceCodeVerifier: verifier });
      assert.equal(tokens.claims().aud, client.client_id);
    }
  }));

test("openid-client: a token for the application itself", async () => {
  const client = await stage.server.registerApplication("http://127.0.0.1/callback", {
    scope: "orders:read",
    metadata: { grant_types: ["client_credentials"], redirect_uris: [], resources: ["https://orders.example"] },
  });
  const config = await configure(client);
  const tokens = await openid.clientCredentialsGrant(config, { resource: "https://orders.example" });
  const claims = JSON.parse(Buffer.from(tokens.access_token.split(".")[1], "base64url"));
  assert.deepEqual([claims.sub, claims.aud], [client.client_id, ["https://orders.example"]]);
  assert.equal((await openid.tokenIntrospection(config, tokens.access_token)).active, true);
});

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
