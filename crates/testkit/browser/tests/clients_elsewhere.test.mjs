// Libraries in Python and Rust that applications use, as their manuals say, against the running server.

import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { test } from "node:test";

import { DEVICE, RENEWS, SERVICE, prepareClients } from "../support/clients.mjs";
import { runPythonApplication, runRustApplication } from "../support/program.mjs";

const { stage, prepare, signIn, answerDevice } = prepareClients();

/** A key of an application: what it registers, and what it keeps. */
function makeKey(algorithm) {
  const kinds = {
    ES256: ["ec", { namedCurve: "P-256" }],
    RS256: ["rsa", { modulusLength: 2048 }],
    EdDSA: ["ed25519", {}],
  };
  const { publicKey, privateKey } = generateKeyPairSync(...kinds[algorithm]);
  const more = { alg: algorithm, use: "sig", kid: "one" };
  return {
    open: { ...publicKey.export({ format: "jwk" }), ...more },
    secret: { ...privateKey.export({ format: "jwk" }), ...more },
  };
}

for (const library of ["authlib", "requests-oauthlib"]) {
  test(`${library}: sign-in with a secret, who it is, a renewal, and the end of it`, () =>
    prepare(async (people) => {
      const registered = await stage.server.registerApplication(people.application.callback, { metadata: RENEWS });
      const asked = { library, flow: "sign-in", issuer: stage.server.url, registered };
      const learnt = await runPythonApplication(asked, (url) => signIn(people, url));
      assert.equal(learnt.claims.aud, registered.client_id);
      assert.deepEqual(
        learnt.people.map((person) => person.email),
        [people.owner.email, people.owner.email],
      );
      assert.deepEqual([learnt.rotates, learnt.withdrawn], [true, 401]);
    }));

  test(`${library}: a token for the application itself`, async () => {
    const registered = await stage.server.registerApplication("http://127.0.0.1/callback", SERVICE);
    const learnt = await runPythonApplication({ library, flow: "itself", issuer: stage.server.url, registered });
    const [, payload] = learnt.token.split(".");
    assert.equal(JSON.parse(Buffer.from(payload, "base64url")).sub, registered.client_id);
  });
}

const programs = {
  authlib: runPythonApplication,
  "requests-oauthlib": runPythonApplication,
  openidconnect: runRustApplication,
};
for (const [library, run] of Object.entries(programs)) {
  test(`${library}: a device without a browser`, () =>
    prepare(async (people) => {
      const registered = await stage.server.registerApplication("http://127.0.0.1/callback", DEVICE);
      const asked = { library, flow: "device", issuer: stage.server.url, registered };
      const learnt = await run(asked, (url) => answerDevice(people, url));
      assert.equal(learnt.person.email, people.owner.email);
    }));
}

for (const algorithm of ["ES256", "RS256", "EdDSA"]) {
  test(`authlib: a key (${algorithm}) instead of a secret, and whether a token is good`, () =>
    prepare(async (people) => {
      const key = makeKey(algorithm);
      const registered = await stage.server.registerApplication(people.application.callback, {
        metadata: { ...RENEWS, token_endpoint_auth_method: "private_key_jwt", jwks: { keys: [key.open] } },
      });
      const asked = { library: "authlib", flow: "key", issuer: stage.server.url, registered, key: key.secret };
      const learnt = await runPythonApplication(asked, (url) => signIn(people, url));
      assert.equal(learnt.claims.aud, registered.client_id);
      assert.deepEqual(learnt.active, [true, false]);
    }));
}

for (const algorithm of [undefined, "ES256", "EdDSA"]) {
  test(`openidconnect: sign-in, renewal and sign-out, ID tokens with ${algorithm ?? "what is the default"}`, () =>
    prepare(async (people) => {
      const registered = await stage.server.registerApplication(people.application.callback, {
        metadata: { ...RENEWS, id_token_signed_response_alg: algorithm },
      });
      assert.equal(registered.id_token_signed_response_alg, algorithm ?? "RS256");
      const asked = { flow: "sign-in", issuer: stage.server.url, registered };
      const learnt = await runRustApplication(asked, (url) => signIn(people, url));
      assert.deepEqual(learnt.claims.aud, [registered.client_id]);
      assert.deepEqual([learnt.person.sub, learnt.person.email], [learnt.claims.sub, people.owner.email]);
      assert.deepEqual([learnt.same, learnt.rotates, learnt.active], [true, true, [true, false]]);
      await people.page.goto(learnt.out);
      assert.equal(await people.visitor.isSignedIn(), false);
    }));
}

test("openidconnect: a token for the application itself", async () => {
  const registered = await stage.server.registerApplication("http://127.0.0.1/callback", SERVICE);
  const learnt = await runRustApplication({ flow: "itself", issuer: stage.server.url, registered });
  assert.deepEqual(learnt, { active: true, sub: registered.client_id, aud: ["https://orders.example"] });
});
