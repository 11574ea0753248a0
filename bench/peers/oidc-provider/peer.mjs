// oidc-provider with its in-memory adapter, for comparison on the same core.
//
//   node peer.mjs PORT CLIENTS   serves on loopback; CLIENTS is a JSON list of registered clients
//
// Whoever comes to sign in is signed in as somebody new and consents: only what follows is measured. Everything is as
// its documentation recommends, or cheaper: cookies are not signed, nothing is logged, tokens lie in memory.

import { createServer } from "node:http";
import { randomUUID } from "node:crypto";
import { exportJWK, generateKeyPair } from "jose";
import { Provider } from "oidc-provider";

// A service whose access tokens are JWTs, and one whose tokens it has to ask about.
const FORMATS = { "https://api.example.com": "jwt", "https://asking.example.com": "opaque" };
const DAY = 24 * 60 * 60;

const port = Number(process.argv[2]);
const { privateKey } = await generateKeyPair("ES256", { extractable: true });

const provider = new Provider(`http://localhost:${port}`, {
  clients: JSON.parse(process.argv[3]),
  clientDefaults: { id_token_signed_response_alg: "ES256" },
  jwks: { keys: [{ ...(await exportJWK(privateKey)), alg: "ES256", use: "sig", kid: "first" }] },
  scopes: ["openid", "email"],
  claims: { openid: ["sub"], email: ["email", "email_verified"] },
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    introspection: { enabled: true },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: (_, resource) => ({
        scope: "orders",
        audience: resource,
        accessTokenTTL: 600,
        accessTokenFormat: FORMATS[resource],
        jwt: { sign: { alg: "ES256" } },
      }),
      useGrantedResource: () => true,
    },
  },
  pkce: { required: () => true },
  // One refresh token with each code, and the next one with each renewal, as on the other side.
  issueRefreshToken: (_, client) => client.grantTypeAllowed("refresh_token"),
  rotateRefreshToken: true,
  ttl: { AccessToken: 600, ClientCredentials: 600, AuthorizationCode: 60, IdToken: 600, RefreshToken: 30 * DAY },
  findAccount: (_, id) => ({
    accountId: id,
    claims: () => ({ sub: id, email: `${id}@example.com`, email_verified: true }),
  }),
  interactions: { url: (_, interaction) => `/sign-in/${interaction.uid}` },
});

async function signIn(request, response) {
  const { params } = await provider.interactionDetails(request, response);
  const accountId = randomUUID();
  const grant = new provider.Grant({ accountId, clientId: params.client_id });
  grant.addOIDCScope("openid email");
  for (const resource of Object.keys(FORMATS)) grant.addResourceScope(resource, "orders");
  const consent = { grantId: await grant.save() };
  await provider.interactionFinished(request, response, { login: { accountId }, consent });
}

const handle = provider.callback();
createServer((request, response) => {
  if (!request.url.startsWith("/sign-in/")) return handle(request, response);
  return signIn(request, response).catch((error) => {
    console.error(error);
    response.destroy();
  });
}).listen(port, "127.0.0.1");
