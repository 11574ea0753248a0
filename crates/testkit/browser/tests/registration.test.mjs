// Applications that register themselves, with libraries of others, against the running server.

import assert from "node:assert/strict";
import { test } from "node:test";

import "../support/web_crypto.mjs";
import * as oauth from "oauth4webapi";
import * as openid from "openid-client";

import { RENEWS, prepareClients } from "../support/clients.mjs";
import { runRustApplication } from "../support/program.mjs";

const { stage, prepare, signIn } = prepareClients({ DOORWARD_APPLICATIONS__REGISTRATION: "true" });

test("openid-client: an application registers itself, and people are asked about it", () =>
  prepare(async (people) => {
    const redirect_uri = people.application.callback;
    const metadata = { ...RENEWS, client_name: "Newcomer", redirect_uris: [redirect_uri] };
    const register = (initialAccessToken) =>
      openid.dynamicClientRegistration(new URL(stage.server.url), metadata, openid.ClientSecretBasic(), {
        initialAccessToken,
        execute: [openid.allowInsecureRequests],
      });
    const token = await stage.server.createRegistrationToken();
    const config = await register(token);
    await assert.rejects(register(token), "a token is for one application");
    const pkceCodeVerifier = openid.randomPKCECodeVerifier();
    const url = openid.buildAuthorizationUrl(config, {
      redirect_uri,
      scope: "openid email",
      code_challenge: await openid.calculatePKCECodeChallenge(pkceCodeVerifier),
      code_challenge_method: "S256",
    });
    const arrived = await signIn(people, url, { isAsked: true });
    const tokens = await openid.authorizationCodeGrant(config, arrived, { pkceCodeVerifier });
    const person = await openid.fetchUserInfo(config, tokens.access_token, tokens.claims().sub);
    assert.equal(person.email, people.owner.email);
  }));

test("oauth4webapi: an application registers itself with a key, and manages itself", async () => {
  const [issuer, insecure] = [new URL(stage.server.url), { [oauth.allowInsecureRequests]: true }];
  const server = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, insecure));
  const { publicKey } = await oauth.generateKeyPair("ES256");
  const { kty, crv, x, y } = await crypto.subtle.exportKey("jwk", publicKey);
  const metadata = {
    redirect_uris: ["https://newcomer.example/callback"],
    token_endpoint_auth_method: "private_key_jwt",
    jwks: { keys: [{ kty, crv, x, y, alg: "ES256", use: "sig", kid: "one" }] },
  };
  const answered = await oauth.dynamicClientRegistrationRequest(server, metadata, {
    initialAccessToken: await stage.server.createRegistrationToken(),
    ...insecure,
  });
  const client = await oauth.processDynamicClientRegistrationResponse(answered);
  assert.equal(client.client_secret, undefined);
  const own = { authorization: `Bearer ${client.registration_access_token}` };
  const shown = await fetch(client.registration_client_uri, { headers: own });
  assert.equal((await shown.json()).client_id, client.client_id);
  const removed = await fetch(client.registration_client_uri, { method: "DELETE", headers: own });
  assert.equal(removed.status, 204);
});

test("openidconnect: an application registers itself, signs somebody in, renews and signs out", () =>
  prepare(async (people) => {
    const token = await stage.server.createRegistrationToken();
    const asked = { flow: "register", issuer: stage.server.url, token, redirect_uri: people.application.callback };
    const learnt = await runRustApplication(asked, (url) => signIn(people, url, { isAsked: true }));
    assert.equal(learnt.person.email, people.owner.email);
    assert.deepEqual([learnt.same, learnt.rotates, learnt.active], [true, true, [true, false]]);
  }));
