// Whoever started the server makes the first administrator with the one-time link.

import assert from "node:assert/strict";
import { test } from "node:test";

import { openPage } from "../support/browser.mjs";
import { inventPerson } from "../support/people.mjs";
import { prepareStage } from "../support/stage.mjs";
import { Visitor } from "../support/visitor.mjs";

const stage = prepareStage();

test("the first administrator is made with the link, once", async () => {
  const { context, page, complaints } = await openPage(stage, { javaScript: false });
  const visitor = new Visitor(page);
  const administrator = inventPerson("admin");
  const link = await stage.server.readAdministratorLink();
  assert.ok(!stage.server.output.includes(new URL(link).searchParams.get("token")), "the log holds the link");
  await visitor.open(link);
  assert.ok(!page.url().includes("token="), "the token stays in the address bar");
  await visitor.field("E-mail address").fill(administrator.email);
  await visitor.field("Password").fill(administrator.password);
  await visitor.button("Create administrator").click();
  await page.getByText("The administrator account exists.").waitFor();
  await visitor.signIn(administrator);
  assert.equal(await visitor.isSignedIn(), true);
  await visitor.open(link);
  await visitor.heading("This link no longer works").waitFor();
  assert.deepEqual(complaints, []);
  await context.close();
});
