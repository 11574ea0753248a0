// A person's whole way through the pages: sign up, confirm, sign in, reset, sign out.
// Everything here works with and without JavaScript.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { openPage } from "../support/browser.mjs";
import { inventPerson } from "../support/people.mjs";
import { prepareStage } from "../support/stage.mjs";
import { Visitor } from "../support/visitor.mjs";

const stage = prepareStage();

for (const javaScript of [true, false]) {
  describe(`with JavaScript ${javaScript ? "on" : "off"}`, () => defineTests({ javaScript }));
}

function defineTests(options) {
  /** Opens a browser of its own for a fact, and holds the console to silence. */
  const fact = (name, prove) =>
    test(name, async () => {
      const { context, page, complaints } = await openPage(stage, options);
      try {
        await prove(new Visitor(page));
        assert.deepEqual(complaints, [], "the console complained");
      } finally {
        await context.close();
      }
    });

  fact("a new person signs up, confirms with the code from the mail and signs in", async (visitor) => {
    const person = inventPerson("new");
    await visitor.signUp(person);
    const mail = await stage.server.mails.take(person.email);
    assert.match(mail.code, /^\d{6}$/);
    assert.ok(mail.link.startsWith(`${stage.server.url}/`), mail.link);
    await visitor.confirmByCode(mail.code);
    await visitor.page.getByText("Your e-mail address is confirmed.").waitFor();
    await visitor.signIn(person);
    assert.equal(await visitor.isSignedIn(), true);
    await visitor.page.getByText(person.email).first().waitFor();
  });

  fact("whoever opens the link of the mail chooses the password, not who signed up", async (visitor) => {
    const person = inventPerson("link");
    await visitor.signUp({ ...person, password: "a stranger chose these words" });
    const { link } = await stage.server.mails.take(person.email);
    await visitor.open(link);
    assert.ok(!visitor.page.url().includes("token="), "the token stays in the address bar");
    await visitor.field("Password").or(visitor.field("New password")).fill(person.password);
    await visitor.button("Save password and confirm").click();
    await visitor.page.getByText("Your e-mail address is confirmed.").waitFor();
    await visitor.signIn(person);
  });

  fact("opening the link of a mail twice consumes nothing", async (visitor) => {
    const person = inventPerson("twice");
    await visitor.signUp(person);
    const { link } = await stage.server.mails.take(person.email);
    await visitor.open(link);
    await visitor.open(link);
    await visitor.heading("Choose your password").waitFor();
  });

  fact("a wrong code is refused and says so, the right one still works", async (visitor) => {
    const person = inventPerson("code");
    await visitor.signUp(person);
    const { code } = await stage.server.mails.take(person.email);
    await visitor.confirmByCode(code === "000000" ? "000001" : "000000");
    await visitor.page.getByText("This code is not right or no longer valid.").first().waitFor();
    assert.match(await visitor.page.title(), /^Error:/);
    await visitor.confirmByCode(code);
    await visitor.page.getByText("Your e-mail address is confirmed.").waitFor();
  });

  fact("a weak password is refused beside its field, and the address stays", async (visitor) => {
    const { email } = inventPerson("weak");
    await visitor.open("/signup");
    await visitor.field("E-mail address").fill(email);
    await visitor.field("Password").fill("passwordpassword1");
    await visitor.button("Create account").click();
    await visitor.page.getByRole("heading", { name: "There is a problem" }).waitFor();
    assert.match(await visitor.page.title(), /^Error:/);
    assert.equal(await visitor.field("E-mail address").inputValue(), email);
    assert.equal(await visitor.field("Password").inputValue(), "");
    assert.equal(await visitor.field("Password").getAttribute("aria-invalid"), "true");
  });

  fact("a wrong password and an unknown address are refused in the same words", async (visitor) => {
    const person = inventPerson("wrong");
    await stage.server.createAccount(person);
    const words = [];
    for (const attempt of [{ ...person, password: "not at all the right words" }, inventPerson("nobody")]) {
      await visitor.enterCredentials(attempt);
      await visitor.page.getByText("The e-mail address or the password is not right.").first().waitFor();
      words.push((await visitor.page.getByRole("main").innerText()).replaceAll(attempt.email, "ADDRESS"));
      assert.equal(await visitor.field("E-mail address").inputValue(), attempt.email);
      assert.equal(await visitor.field("Password").inputValue(), "");
      assert.equal(await visitor.isSignedIn(), false);
    }
    assert.equal(words[0], words[1]);
  });

  // Proves: V6.2.2, V7.4.3
  fact("a signed-in person changes the password, and other devices are signed out", async (visitor) => {
    const person = inventPerson("change");
    await stage.server.createAccount(person);
    const other = await openPage(stage, options);
    await new Visitor(other.page).signIn(person);
    await visitor.signIn(person);
    await visitor.open("/account/password");
    const password = "entirely different lantern words";
    await visitor.field("Current password").fill(person.password);
    await visitor.field("New password").fill(password);
    await visitor.button("Save new password").click();
    await visitor.page.getByText("Your new password is saved.").waitFor();
    assert.equal(await visitor.isSignedIn(), true);
    assert.equal(await new Visitor(other.page).isSignedIn(), false);
    await other.context.close();
    await visitor.signOut();
    await visitor.signIn({ ...person, password });
  });

  // Proves: S-170
  fact("one device signs out another", async (visitor) => {
    const person = inventPerson("devices");
    await stage.server.createAccount(person);
    const other = await openPage(stage, options);
    const elsewhere = new Visitor(other.page);
    await elsewhere.signIn(person);
    await visitor.signIn(person);
    await visitor.open("/account/sessions");
    await visitor.page.getByText("This device").first().waitFor();
    await visitor.page.getByRole("button", { name: /^Sign out .+, signed in / }).click();
    await visitor.page.getByText("The device is signed out.").waitFor();
    assert.equal(await visitor.isSignedIn(), true);
    assert.equal(await elsewhere.isSignedIn(), false);
    await elsewhere.open("/account");
    await elsewhere.heading("Sign in").waitFor();
    await other.context.close();
  });

  fact("who forgot the password chooses a new one by the link from the mail", async (visitor) => {
    const person = inventPerson("forgot");
    await stage.server.createAccount(person);
    await visitor.askForReset(person.email);
    await visitor.heading("Look in your mailbox").waitFor();
    const { link } = await stage.server.mails.take(person.email);
    await visitor.open(link);
    assert.ok(!visitor.page.url().includes("token="), "the token stays in the address bar");
    const password = "remembered umbrella sentences";
    await visitor.field("New password").fill(password);
    await visitor.button("Save new password").click();
    await visitor.page.getByText("Your new password is saved").waitFor();
    assert.equal(await visitor.isSignedIn(), false, "a reset signs nobody in");
    await visitor.enterCredentials(person);
    await visitor.page.getByText("The e-mail address or the password is not right.").first().waitFor();
    await visitor.signIn({ ...person, password });
    await visitor.open(link);
    await visitor.heading("This link no longer works").waitFor();
  });

  // Proves: V14.3.2
  fact("signing out ends the session, and Back shows nothing of the account", async (visitor) => {
    const person = inventPerson("out");
    await stage.server.createAccount(person);
    await visitor.signIn(person);
    const { cookies } = await visitor.page.context().storageState();
    await visitor.signOut();
    await visitor.page.getByText("signed out").first().waitFor();
    assert.equal(await visitor.isSignedIn(), false);
    await visitor.page.goBack();
    assert.equal(await visitor.page.getByText(person.email).count(), 0);
    await visitor.page.context().addCookies(cookies);
    assert.equal(await visitor.isSignedIn(), false, "the old cookie still works");
  });

  fact("the account page is only for people who are signed in", async (visitor) => {
    for (const path of ["/account", "/account/password", "/account/sessions"]) {
      await visitor.open(path);
      await visitor.heading("Sign in").waitFor();
    }
  });
}
