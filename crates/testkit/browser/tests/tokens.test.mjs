// A service outside Doorward verifies access tokens with somebody else's JWT library, knowing nothing but the address.

import assert from "node:assert/strict";
import { test } from "node:test";

import { createRemoteJWKSet, jwtVerify } from "jose";

import { inventPerson } from "../support/people.mjs";
import { prepareServer } from "../support/stage.mjs";

const stage = prepareServer();

/** What such a service does with every request. */
async function verify(token, { audience } = {}) {
  const keys = createRemoteJWKSet(new URL("/.well-known/jwks.json", stage.server.url));
  return jwtVerify(token, keys, {
    issuer: stage.server.url,
    audience: audience ?? stage.server.url,
    algorithms: ["ES256"],
    typ: "at+jwt",
    requiredClaims: ["sub", "sid", "jti", "iat", "exp", "client_id", "auth_time"],
  });
}

async function signIn() {
  const person = inventPerson("token");
  await stage.server.createAccount(person);
  const answer = await fetch(new URL("/api/v1/login", stage.server.url), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ ...person, mode: "token" }),
  });
  assert.equal(answer.status, 200);
  return answer.json();
}

// Proves: S-140
test("a third-party library accepts an access token from the published keys alone", async () => {
  const signedIn = await signIn();
  const { payload, protectedHeader } = await verify(signedIn.access_token);
  const me = await fetch(new URL("/api/v1/me", stage.server.url), {
    headers: { authorization: `Bearer ${signedIn.access_token}` },
  });
  assert.equal(payload.sub, (await me.json()).id);
  assert.equal(payload.sid, signedIn.session.id);
  assert.equal(payload.exp - payload.iat, signedIn.expires_in);
  assert.equal(payload.email, undefined, "an address in a token reaches every log on its way");
  assert.ok(protectedHeader.kid, "no key id");
});

test("the library refuses the same token changed, shortened, or for somebody else", async () => {
  const { access_token: token } = await signIn();
  const [header, payload, signature] = token.split(".");
  const claims = JSON.parse(Buffer.from(payload, "base64url"));
  const forged = Buffer.from(JSON.stringify({ ...claims, sub: "usr_somebodyelse" })).toString("base64url");
  const unsigned = Buffer.from(JSON.stringify({ alg: "none", typ: "at+jwt" })).toString("base64url");
  for (const changed of [`${header}.${forged}.${signature}`, `${unsigned}.${payload}.`, `${header}.${payload}.`]) {
    await assert.rejects(verify(changed), { name: /^JO(SE|WS|WT)|^JW[ST]/ });
  }
  await assert.rejects(verify(token, { audience: "https://another.example" }), { code: "ERR_JWT_CLAIM_VALIDATION_FAILED" });
});

test("a renewed token verifies too, and what is published holds no private key", async () => {
  const { refresh_token } = await signIn();
  const answer = await fetch(new URL("/api/v1/token", stage.server.url), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ refresh_token }),
  });
  assert.equal(answer.status, 200);
  await verify((await answer.json()).access_token);
  const { keys } = await (await fetch(new URL("/.well-known/jwks.json", stage.server.url))).json();
  const published = { EC: ["ES256", "crv", "x", "y"], OKP: ["EdDSA", "crv", "x"], RSA: ["RS256", "e", "n"] };
  assert.ok(keys.some((key) => key.alg === "ES256"));
  for (const key of keys) {
    const [alg, ...members] = published[key.kty];
    assert.equal(key.alg, alg);
    // Nothing beside the public half (RFC 7518 section 6).
    assert.deepEqual(Object.keys(key).sort(), ["alg", "kid", "kty", "use", ...members].sort());
  }
});
