// What password managers, and people who rely on them, need of the fields.

import assert from "node:assert/strict";
import { test } from "node:test";

import { openPage } from "../support/browser.mjs";
import { prepareStage } from "../support/stage.mjs";
import { Visitor } from "../support/visitor.mjs";

const stage = prepareStage();

/** Path, and what `autocomplete` says of the address and of the password there. */
const FORMS = [
  ["/signup", "username", "new-password"],
  ["/login", "username", "current-password"],
];

// Proves: V6.2.6, V6.2.7
test("passwords are hidden, may be pasted, and only the person reveals them", async () => {
  for (const [path, addressRole, passwordRole] of FORMS) {
    const { context, page } = await openPage(stage);
    await context.grantPermissions(["clipboard-read", "clipboard-write"]);
    const visitor = new Visitor(page);
    await visitor.open(path);
    assert.match(await visitor.field("E-mail address").getAttribute("autocomplete"), new RegExp(addressRole));
    const password = visitor.field("Password");
    assert.match(await password.getAttribute("autocomplete"), new RegExp(passwordRole));
    assert.equal(await password.getAttribute("type"), "password");
    await page.evaluate(() => navigator.clipboard.writeText("words from the clipboard"));
    await password.focus();
    await page.keyboard.press("ControlOrMeta+V");
    assert.equal(await password.inputValue(), "words from the clipboard");
    await visitor.button("Show password").click();
    assert.equal(await password.getAttribute("type"), "text");
    assert.equal(await password.inputValue(), "words from the clipboard");
    await visitor.button("Hide password").click();
    assert.equal(await password.getAttribute("type"), "password");
    await context.close();
  }
});

test("after an error the summary has the focus and leads to the field", async () => {
  const { context, page } = await openPage(stage);
  const visitor = new Visitor(page);
  await visitor.open("/login");
  await visitor.field("E-mail address").fill("ada@example.org");
  await visitor.button("Sign in").click();
  const summary = page.getByRole("link", { name: "Enter a password." });
  await summary.click();
  assert.equal(await visitor.field("Password").evaluate((field) => field === document.activeElement), true);
  assert.equal(await visitor.field("E-mail address").inputValue(), "ada@example.org");
  await context.close();
});
