// Token exchange (RFC 8693) as a library does it: what an application gives away, and what a service does with it.

import assert from "node:assert/strict";
import { test } from "node:test";

import "../support/web_crypto.mjs";
import * as oauth from "oauth4webapi";
import * as openid from "openid-client";

import { RENEWS, prepareClients } from "../support/clients.mjs";

const EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS = "urn:ietf:params:oauth:token-type:access_token";
const [API, FILES] = ["https://api.example", "https://files.example"];

const { stage, prepare, signIn } = prepareClients();
const insecure = { [oauth.allowInsecureRequests]: true };

/** Registers, and tells how whoever was registered says who it is. */
async function register(callback, metadata) {
  const { client_id, client_secret } = await stage.server.registerApplication(callback, {
    scope: "openid email orders:read",
    metadata,
  });
  return [{ client_id }, oauth.ClientSecretBasic(client_secret), client_secret];
}

/** A token that the person gives the application, for both services. */
async function getToken(people, server, [client, secret]) {
  const [verifier, state] = [oauth.generateRandomCodeVerifier(), oauth.generateRandomState()];
  const url = new URL(server.authorization_endpoint);
  url.search = new URLSearchParams([
    ["client_id", client.client_id],
    ["redirect_uri", people.application.callback],
    ["response_type", "code"],
    ["scope", "openid email orders:read"],
    ["resource", API],
    ["resource", FILES],
    ["code_challenge", await oauth.calculatePKCECodeChallenge(verifier)],
    ["code_challenge_method", "S256"],
    ["state", state],
  ]);
  const arrived = oauth.validateAuthResponse(server, client, await signIn(people, url), state);
  const answer = await oauth.authorizationCodeGrantRequest(
    ...[server, client, secret, arrived, people.application.callback, verifier, insecure],
  );
  const tokens = await oauth.processAuthorizationCodeResponse(server, client, answer, { requireIdToken: true });
  return { token: tokens.access_token, sub: oauth.getValidatedIdTokenClaims(tokens).sub };
}

async function exchange(server, [client, secret], token, wishes) {
  const asked = { subject_token: token, subject_token_type: ACCESS, ...wishes };
  const answer = await oauth.genericTokenEndpointRequest(server, client, secret, EXCHANGE, asked, insecure);
  return oauth.processGenericTokenEndpointResponse(server, client, answer);
}

/** What a service learns of a token that comes to it, which it holds against the keys of the server. */
function validate(server, token, audience) {
  const request = new Request(`${audience}/mine`, { headers: { authorization: `Bearer ${token}` } });
  return oauth.validateJwtAccessToken(server, request, audience, insecure);
}

test("oauth4webapi, openid-client: an application narrows its token, a service exchanges it to act for the person", () =>
  prepare(async (people) => {
    const issuer = new URL(stage.server.url);
    const server = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, insecure));
    assert.ok(server.grant_types_supported.includes(EXCHANGE));
    const shop = await register(people.application.callback, {
      grant_types: [...RENEWS.grant_types, EXCHANGE],
      resources: [API, FILES],
    });
    const service = (served, other) =>
      register(people.application.callback, {
        grant_types: [EXCHANGE],
        redirect_uris: [],
        served_resources: [served],
        resources: [other],
      });
    const [api, files] = [await service(API, FILES), await service(FILES, API)];
    const { token, sub } = await getToken(people, server, shop);

    const narrow = await exchange(server, shop, token, { resource: API, scope: "orders:read" });
    assert.deepEqual([narrow.issued_token_type, narrow.token_type], [ACCESS, "bearer"]);
    const given = await validate(server, narrow.access_token, API);
    assert.deepEqual([given.sub, given.client_id, given.scope], [sub, shop[0].client_id, "orders:read"]);
    await assert.rejects(validate(server, narrow.access_token, FILES));

    const acting = await exchange(server, api, token, { audience: FILES, scope: "orders:read" });
    const seen = await validate(server, acting.access_token, FILES);
    assert.deepEqual([seen.sub, seen.client_id, seen.act], [sub, api[0].client_id, { sub: api[0].client_id }]);
    const [client, secret] = files;
    const asked = await oauth.introspectionRequest(server, client, secret, acting.access_token, insecure);
    const told = await oauth.processIntrospectionResponse(server, client, asked);
    assert.deepEqual([told.active, told.act], [true, seen.act]);

    const [{ client_id }, , text] = api;
    const config = await openid.discovery(issuer, client_id, {}, openid.ClientSecretBasic(text), {
      execute: [openid.allowInsecureRequests],
    });
    const wishes = { subject_token: token, subject_token_type: ACCESS, resource: FILES };
    const again = await openid.genericGrantRequest(config, EXCHANGE, wishes);
    const same = await validate(server, again.access_token, FILES);
    assert.deepEqual([same.sub, same.act], [sub, seen.act]);

    // What went to one service alone is nothing for another, and nobody gets more than there was.
    for (const [asker, text, wishes, error] of [
      [files, narrow.access_token, { resource: API }, "invalid_request"],
      [shop, narrow.access_token, { resource: FILES }, "invalid_target"],
      [shop, narrow.access_token, { scope: "email" }, "invalid_scope"],
      [api, "nonsense", { resource: FILES }, "invalid_request"],
    ]) {
      await assert.rejects(exchange(server, asker, text, wishes), { error });
    }
  }));
