// Libraries in JavaScript that applications use, as their manuals say, against the running server.

import assert from "node:assert/strict";
import { test } from "node:test";

import "../support/web_crypto.mjs";
import * as oauth from "oauth4webapi";
import * as openid from "openid-client";

import { ARRIVED, DEVICE, RENEWS, SERVICE, prepareClients } from "../support/clients.mjs";

const { stage, prepare, signIn, answerDevice } = prepareClients();
const insecure = { [oauth.allowInsecureRequests]: true };

/** A configuration of openid-client, from what was printed at the registration. */
function configure(client, authentication = openid.ClientSecretBasic(client.client_secret)) {
  const metadata = { id_token_signed_response_alg: client.id_token_signed_response_alg };
  return openid.discovery(new URL(stage.server.url), client.client_id, metadata, authentication, {
    execute: [openid.allowInsecureRequests],
  });
}

/** The server's document as oauth4webapi reads it. */
async function discover(algorithm = "oidc") {
  const issuer = new URL(stage.server.url);
  return oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm, ...insecure }));
}

/** The same question again, if the answer to the first was which nonce a proof must have. */
async function ask(question) {
  try {
    return await question();
  } catch (error) {
    if (!oauth.isDPoPNonceError(error)) throw error;
    return question();
  }
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
  const client = await stage.server.registerApplication("http://127.0.0.1/callback", SERVICE);
  const config = await configure(client);
  const tokens = await openid.clientCredentialsGrant(config, { resource: "https://orders.example" });
  const claims = JSON.parse(Buffer.from(tokens.access_token.split(".")[1], "base64url"));
  assert.deepEqual([claims.sub, claims.aud], [client.client_id, ["https://orders.example"]]);
  assert.equal((await openid.tokenIntrospection(config, tokens.access_token)).active, true);
});

test("openid-client: a device without a browser", () =>
  prepare(async (people) => {
    const client = await stage.server.registerApplication("http://127.0.0.1/callback", DEVICE);
    const config = await configure(client, openid.None());
    const begun = await openid.initiateDeviceAuthorization(config, { scope: "openid email" });
    // The library waits before it asks for the first time.
    const [tokens] = await Promise.all([
      openid.pollDeviceAuthorizationGrant(config, begun),
      answerDevice(people, new URL(begun.verification_uri_complete)),
    ]);
    const person = await openid.fetchUserInfo(config, tokens.access_token, tokens.claims().sub);
    assert.equal(person.email, people.owner.email);
    const renewed = await openid.refreshTokenGrant(config, tokens.refresh_token);
    assert.equal(renewed.claims().sub, tokens.claims().sub);
  }));

test("oauth4webapi: sign-in of an application that keeps no secret", () =>
  prepare(async (people) => {
    const server = await discover("oauth2");
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

test("oauth4webapi: a request signed and pushed, a key, tokens bound to another, renewed, asked about, withdrawn", () =>
  prepare(async (people) => {
    const [own, bound] = await Promise.all(["ES256", "ES256"].map((name) => oauth.generateKeyPair(name)));
    const { kty, crv, x, y } = await crypto.subtle.exportKey("jwk", own.publicKey);
    const { client_id } = await stage.server.registerApplication(people.application.callback, {
      metadata: {
        ...RENEWS,
        token_endpoint_auth_method: "private_key_jwt",
        jwks: { keys: [{ kty, crv, x, y, alg: "ES256", use: "sig", kid: "one" }] },
        dpop_bound_access_tokens: true,
        require_pushed_authorization_requests: true,
        require_signed_request_object: true,
      },
    });
    const [server, client] = [await discover(), { client_id }];
    const key = oauth.PrivateKeyJwt({ key: own.privateKey, kid: "one" });
    const options = { DPoP: oauth.DPoP(client, bound), ...insecure };
    const [verifier, nonce] = [oauth.generateRandomCodeVerifier(), oauth.generateRandomNonce()];
    const wishes = {
      redirect_uri: people.application.callback,
      response_type: "code",
      scope: "openid email",
      code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
      code_challenge_method: "S256",
      nonce,
    };
    const pushed = await ask(async () => {
      const request = await oauth.issueRequestObject(server, client, wishes, { key: own.privateKey, kid: "one" });
      const answer = await oauth.pushedAuthorizationRequest(server, client, key, { request }, options);
      return oauth.processPushedAuthorizationResponse(server, client, answer);
    });
    const url = new URL(server.authorization_endpoint);
    url.search = new URLSearchParams({ client_id, request_uri: pushed.request_uri });
    const arrived = oauth.validateAuthResponse(server, client, await signIn(people, url), oauth.expectNoState);
    const tokens = await ask(async () => {
      const answer = await oauth.authorizationCodeGrantRequest(
        ...[server, client, key, arrived, people.application.callback, verifier, options],
      );
      return oauth.processAuthorizationCodeResponse(server, client, answer, { expectedNonce: nonce });
    });
    assert.equal(tokens.token_type, "dpop");
    const renewed = await ask(async () => {
      const answer = await oauth.refreshTokenGrantRequest(server, client, key, tokens.refresh_token, options);
      return oauth.processRefreshTokenResponse(server, client, answer);
    });
    const person = await ask(async () => {
      const answer = await oauth.userInfoRequest(server, client, renewed.access_token, options);
      return oauth.processUserInfoResponse(server, client, oauth.getValidatedIdTokenClaims(tokens).sub, answer);
    });
    assert.equal(person.email, people.owner.email);
    const introspect = async (more) => {
      const answer = await oauth.introspectionRequest(server, client, key, renewed.access_token, {
        ...insecure,
        ...more,
      });
      return oauth.processIntrospectionResponse(server, client, answer);
    };
    assert.equal((await introspect()).active, true);
    assert.equal((await introspect({ requestJwtResponse: true })).active, true);
    const withdrawn = await oauth.revocationRequest(server, client, key, renewed.refresh_token, insecure);
    await oauth.processRevocationResponse(withdrawn);
    assert.equal((await introspect()).active, false);
  }));

test("oauth4webapi: a token for the application itself, bound to a key, checked by the service", async () => {
  const registered = await stage.server.registerApplication("http://127.0.0.1/callback", SERVICE);
  const [server, client] = [await discover(), { client_id: registered.client_id }];
  const secret = oauth.ClientSecretBasic(registered.client_secret);
  const handle = oauth.DPoP(client, await oauth.generateKeyPair("ES256"));
  const options = { DPoP: handle, ...insecure };
  const tokens = await ask(async () => {
    const answer = await oauth.clientCredentialsGrantRequest(server, client, secret, {}, options);
    return oauth.processClientCredentialsResponse(server, client, answer);
  });
  // What the service sees, and what it is held against: the keys of the server and the proof that comes with it.
  let seen;
  await oauth.protectedResourceRequest(tokens.access_token, "GET", new URL("https://orders.example/mine"), undefined, undefined, {
    DPoP: handle,
    [oauth.customFetch]: async (url, { method, headers }) => {
      seen = new Request(url, { method, headers });
      return new Response("{}");
    },
  });
  const claims = await oauth.validateJwtAccessToken(server, seen, "https://orders.example", {
    requireDPoP: true,
    ...insecure,
  });
  assert.deepEqual([claims.sub, claims.scope], [registered.client_id, "orders:read"]);
});

for (const answer of ["Allow", "Do not allow"]) {
  test(`oauth4webapi: a device without a browser, answered with ${answer}`, () =>
    prepare(async (people) => {
      const registered = await stage.server.registerApplication("http://127.0.0.1/callback", DEVICE);
      const [server, client] = [await discover(), { client_id: registered.client_id }];
      const wishes = { scope: "openid email" };
      const asked = await oauth.deviceAuthorizationRequest(server, client, oauth.None(), wishes, insecure);
      const begun = await oauth.processDeviceAuthorizationResponse(server, client, asked);
      await answerDevice(people, new URL(begun.verification_uri_complete), answer);
      const redeem = async () => {
        const code = begun.device_code;
        const answered = await oauth.deviceCodeGrantRequest(server, client, oauth.None(), code, insecure);
        return oauth.processDeviceCodeResponse(server, client, answered);
      };
      if (answer !== "Allow") return assert.rejects(redeem(), { error: "access_denied" });
      const tokens = await redeem();
      const { sub } = oauth.getValidatedIdTokenClaims(tokens);
      const known = await oauth.userInfoRequest(server, client, tokens.access_token, insecure);
      const person = await oauth.processUserInfoResponse(server, client, sub, known);
      assert.equal(person.email, people.owner.email);
    }));
}
