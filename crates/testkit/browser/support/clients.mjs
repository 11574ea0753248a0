// What every test of a library that applications use begins with.

import assert from "node:assert/strict";

import { startApplication } from "./application.mjs";
import { openPage } from "./browser.mjs";
import { inventPerson } from "./people.mjs";
import { prepareStage } from "./stage.mjs";
import { Visitor } from "./visitor.mjs";

export const RENEWS = { grant_types: ["authorization_code", "refresh_token"] };
/** An application that asks for itself. */
export const SERVICE = {
  scope: "orders:read",
  metadata: { grant_types: ["client_credentials"], redirect_uris: [], resources: ["https://orders.example"] },
};
/** A device without a browser. */
export const DEVICE = {
  metadata: {
    grant_types: ["urn:ietf:params:oauth:grant-type:device_code", "refresh_token"],
    redirect_uris: [],
    token_endpoint_auth_method: "none",
  },
  isOwn: false,
};
export const ARRIVED = "The application has its answer.";

/** A stage for all tests of a file, with further settings, and what people do on it. */
export function prepareClients(settings) {
  const stage = prepareStage(settings);
  return { stage, prepare: (run) => prepare(stage, run), signIn, answerDevice };
}

/** A person with an account, an application on a port, and a page. */
async function prepare(stage, run) {
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

/** Opens the address that a device shows, signs in there and answers. */
async function answerDevice({ page, owner, visitor }, url, answer = "Allow") {
  await page.goto(url.href);
  await fillIn({ owner, visitor });
  await visitor.button(answer).click();
  await visitor.heading(answer === "Allow" ? "Your device is connected" : "The device gets no access").waitFor();
}

/** Leads the page to `url`, signs in there and allows what is asked; the address the application is called with. */
async function signIn({ page, owner, visitor }, url, { isAsked = false } = {}) {
  await page.goto(url.href);
  await fillIn({ owner, visitor });
  if (isAsked) await visitor.button("Allow").click();
  await page.getByText(ARRIVED).waitFor();
  return new URL(page.url());
}

async function fillIn({ owner, visitor }) {
  await visitor.field("E-mail address").fill(owner.email);
  await visitor.field("Password").fill(owner.password);
  await visitor.button("Sign in").click();
}
