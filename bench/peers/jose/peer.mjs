// express with express-oauth2-jwt-bearer, for comparison on the same core.
//
//   node peer.mjs PORT ISSUER AUDIENCE   answers the claims of a token at /whoami
//
// As its documentation shows it: keys are fetched once and kept, every token is verified.

import express from "express";
import { auth } from "express-oauth2-jwt-bearer";

const [port, issuerBaseURL, audience] = process.argv.slice(2);

const app = express();
app.disable("x-powered-by");
app.disable("etag");
app.use(auth({ issuerBaseURL, audience, tokenSigningAlg: "ES256", strict: true }));
app.get("/whoami", (request, response) => response.json(request.auth.payload));
app.use((error, request, response, next) => response.status(error.status ?? 500).set(error.headers ?? {}).end());
app.listen(Number(port), "127.0.0.1");
