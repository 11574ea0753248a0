// Changing the language in the middle of something, and times in the device's own time zone.

import assert from "node:assert/strict";
import { test } from "node:test";

import { openPage } from "../support/browser.mjs";
import { inventPerson } from "../support/people.mjs";
import { prepareStage } from "../support/stage.mjs";
import { Visitor } from "../support/visitor.mjs";

const stage = prepareStage();

for (const javaScript of [true, false]) {
  test(`a sign-up goes on in another language, with JavaScript ${javaScript ? "on" : "off"}`, async () => {
    const person = inventPerson("polyglot");
    const { context, page, complaints } = await openPage(stage, { javaScript });
    const visitor = new Visitor(page);
    await visitor.signUp(person);
    const before = page.url();
    await visitor.button("Deutsch").click();
    await page.locator("html[lang=de]").waitFor();
    assert.equal(page.url(), before, "the page is the same");
    await page.getByLabel("6-stelliger Code").fill((await stage.server.mails.take(person.email)).code);
    await page.getByRole("button", { name: "Bestätigen" }).click();
    await page.waitForURL("**/login?notice=email-confirmed");
    assert.deepEqual(complaints, []);
    await context.close();
  });
}

test("exact times are the device's with JavaScript, and UTC's without", async () => {
  const person = inventPerson("traveller");
  await stage.server.createAccount(person);
  for (const javaScript of [true, false]) {
    const context = await stage.browser.newContext({
      baseURL: stage.server.url,
      javaScriptEnabled: javaScript,
      locale: "en-GB",
      timezoneId: "Asia/Kolkata",
    });
    const page = await context.newPage();
    const visitor = new Visitor(page);
    await visitor.signIn(person);
    await visitor.open("/account/sessions");
    const exact = page.locator("time.exact").first();
    const at = new Date(await exact.getAttribute("datetime"));
    const shown = await exact.textContent();
    const minutes = (time) => `:${String(time.getUTCMinutes()).padStart(2, "0")}`;
    if (javaScript) {
      // Half an hour off every full one.
      const there = new Date(at.getTime() + 5.5 * 3600 * 1000);
      assert.ok(shown.includes(minutes(there)) && !shown.includes("UTC"), shown);
      assert.match(await exact.getAttribute("title"), / UTC$/u);
    } else {
      assert.ok(shown.includes(minutes(at)) && shown.endsWith(" UTC"), shown);
    }
    await page.getByText("just now").first().waitFor();
    await context.close();
  }
});
