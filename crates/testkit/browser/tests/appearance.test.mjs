// Every page in light and dark, narrow and wide: accessible, not overflowing, light in weight. Takes the pictures too.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";

import { assertAccessible } from "../support/accessibility.mjs";
import { openPage, takePicture } from "../support/browser.mjs";
import { inventPerson } from "../support/people.mjs";
import { prepareStage } from "../support/stage.mjs";
import { Visitor } from "../support/visitor.mjs";

const THEMES = ["light", "dark"];
const WIDTHS = [360, 1280];
const MAX_PAGE_BYTES = 60 * 1024;

const stage = prepareStage();

/** How to get in front of each page; the name is the picture's. */
const ANONYMOUS_PAGES = {
  "signup": (visitor) => visitor.open("/signup"),
  "signup-problems": async (visitor) => {
    await visitor.open("/signup");
    await visitor.field("E-mail address").fill("ada@example.org");
    await visitor.field("Password").fill("too short");
    await visitor.button("Create account").click();
    await visitor.page.getByRole("heading", { name: "There is a problem" }).waitFor();
  },
  "verify": (visitor) => visitor.signUp(inventPerson("verify")),
  "verify-link": async (visitor) => {
    const person = inventPerson("verify-link");
    await visitor.signUp(person);
    await visitor.open((await stage.server.mails.take(person.email)).link);
  },
  "verify-link-ended": (visitor) => visitor.open("/verify?token=dwo_nothing"),
  "login": (visitor) => visitor.open("/login"),
  "login-problems": async (visitor) => {
    await visitor.enterCredentials(inventPerson("nobody"));
    await visitor.page.getByText("The e-mail address or the password is not right.").first().waitFor();
  },
  "forgot": (visitor) => visitor.open("/forgot"),
  "forgot-sent": (visitor) => visitor.askForReset("ada@example.org"),
  "reset": async (visitor) => {
    const person = inventPerson("reset");
    await stage.server.createAccount(person);
    await visitor.askForReset(person.email);
    await visitor.open((await stage.server.mails.take(person.email)).link);
  },
  "verify-problems": async (visitor) => {
    await visitor.signUp(inventPerson("verify-problems"));
    await visitor.confirmByCode("000000");
    await visitor.page.getByText("This code is not right").first().waitFor();
  },
  "first-administrator": async (visitor) => {
    await visitor.open(await stage.server.readAdministratorLink());
    await visitor.button("Create administrator").waitFor();
  },
  "first-administrator-ended": (visitor) => visitor.open("/setup?token=dwo_nothing"),
  "signed-out": async (visitor) => {
    const person = inventPerson("signed-out");
    await stage.server.createAccount(person);
    await visitor.signIn(person);
    await visitor.signOut();
    await visitor.page.getByText("You are signed out.").waitFor();
  },
  "already-signed-in": async (visitor) => {
    const person = inventPerson("twice");
    await stage.server.createAccount(person);
    await visitor.signIn(person);
    await visitor.open("/login");
  },
  "form-expired": async (visitor) => {
    await visitor.open("/login");
    await visitor.page.context().clearCookies();
    await visitor.field("E-mail address").fill("ada@example.org");
    await visitor.field("Password").fill("words of a form that is old");
    await visitor.button("Sign in").click();
    await visitor.heading("This form has expired").waitFor();
  },
  "not-found": (visitor) => visitor.open("/no-such-page"),
};

/** The same for pages of somebody who is signed in. */
const ACCOUNT_PAGES = {
  "account": (visitor) => visitor.open("/account"),
  "account-saved": async (visitor) => {
    await visitor.open("/account");
    await visitor.field("Name (optional)").fill("Ada Lovelace");
    await visitor.button("Save").click();
    await visitor.page.getByText("Your changes are saved.").waitFor();
  },
  "account-password": (visitor) => visitor.open("/account/password"),
  "account-password-problems": async (visitor, person) => {
    await visitor.open("/account/password");
    await visitor.field("Current password").fill("not my current password");
    await visitor.field("New password").fill(`${person.password} anew`);
    await visitor.button("Save new password").click();
    await visitor.page.getByText("This is not your current password.").first().waitFor();
  },
  "account-sessions": async (visitor, person) => {
    const other = await openPage(stage);
    await new Visitor(other.page).signIn(person);
    await other.context.close();
    await visitor.open("/account/sessions");
    await visitor.button("Sign out all other devices").waitFor();
  },
  "account-applications-none": (visitor) => visitor.open("/account/applications"),
  "account-applications": async (visitor) => {
    for (const scope of ["openid", "openid profile email orders:read"]) {
      await visitor.page.route(`${CALLBACK}**`, (route) => route.fulfill({ body: "arrived" }));
      await visitor.open(await askFor(scope));
      await visitor.button("Allow").click();
      await visitor.page.getByText("arrived").waitFor();
    }
    await visitor.open("/account/applications");
    await visitor.button("Take access away from Shop").first().waitFor();
  },
  "account-appearance": (visitor) => visitor.open("/account/appearance"),
  "confirm-logout": async (visitor) => {
    await visitor.open("/oauth2/logout");
    await visitor.button("Stay signed in").waitFor();
  },
  "choose-account": async (visitor) => {
    await visitor.open(`${await askFor("openid")}&prompt=select_account`);
    await visitor.button("Go on with this account").waitFor();
  },
  "consent": async (visitor) => {
    await visitor.open(await askFor("openid"));
    await visitor.button("Allow").waitFor();
  },
  "consent-much": async (visitor) => {
    await visitor.open(await askFor("openid profile email orders:read"));
    await visitor.button("Allow").waitFor();
  },
};

const CALLBACK = "https://shop.example.com/callback";

/** A request of somebody else's application. */
async function askFor(scope) {
  const [site, service] = ["https://shop.example.com", "https://api.shop.example.com/orders"];
  const metadata = {
    resources: [service],
    client_uri: `${site}/`,
    policy_uri: `${site}/privacy`,
    tos_uri: `${site}/terms`,
  };
  const client = await stage.server.registerApplication(CALLBACK, { isOwn: false, scope, metadata });
  const query = new URLSearchParams({
    response_type: "code",
    client_id: client.client_id,
    redirect_uri: CALLBACK,
    scope,
    code_challenge: createHash("sha256").update("verifier").digest("base64url"),
    code_challenge_method: "S256",
  });
  if (scope !== "openid") query.set("resource", service);
  return `/oauth2/authorize?${query}`;
}

for (const [name, goThere] of Object.entries(ANONYMOUS_PAGES)) {
  test(`${name}: accessible in light and dark, narrow and wide`, () => lookAt(name, goThere));
}

for (const [name, goThere] of Object.entries(ACCOUNT_PAGES)) {
  test(`${name}: accessible in light and dark, narrow and wide`, async () => {
    const person = inventPerson("ada");
    await stage.server.createAccount(person);
    await lookAt(name, async (visitor) => {
      await visitor.signIn(person);
      await goThere(visitor, person);
    });
  });
}

/** Goes there once, then changes the colours and the width of what is already on the screen. */
async function lookAt(name, goThere) {
  const { context, page, complaints } = await openPage(stage);
  try {
    await goThere(new Visitor(page));
    for (const theme of THEMES) {
      await page.emulateMedia({ colorScheme: theme });
      for (const width of WIDTHS) {
        await page.setViewportSize({ width, height: 800 });
        await takePicture(page, `${name}-${theme}-${width}`);
        await assertAccessible(page, `${name}, ${theme}, ${width} px`);
        const overflow = await page.evaluate("document.documentElement.scrollWidth - window.innerWidth");
        assert.ok(overflow <= 0, `${name} is ${overflow} px wider than a window of ${width} px`);
      }
    }
    assert.deepEqual(complaints, [], "the console complained");
  } finally {
    await context.close();
  }
}

test("a page weighs less than 60 KiB with everything it loads", async () => {
  for (const path of ["/signup", "/login", "/forgot"]) {
    const { context, page } = await openPage(stage);
    const sizes = [];
    page.on("response", async (response) => sizes.push(response.body().then((body) => body.length)));
    await page.goto(path, { waitUntil: "networkidle" });
    const total = (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
    assert.ok(total > 0 && total < MAX_PAGE_BYTES, `${path} weighs ${total} bytes`);
    await context.close();
  }
});

test("a person signs in by keyboard alone", async () => {
  const person = inventPerson("keys");
  await stage.server.createAccount(person);
  const { context, page } = await openPage(stage);
  await page.goto("/login");
  await pressTabUntil(page, "E-mail address");
  await page.keyboard.type(person.email);
  await pressTabUntil(page, "Password");
  await page.keyboard.type(person.password);
  await page.keyboard.press("Enter");
  await page.waitForURL("**/account");
  await context.close();
});

async function pressTabUntil(page, label) {
  const wanted = page.getByLabel(label, { exact: true });
  for (let presses = 0; presses < 20; presses += 1) {
    if (await wanted.evaluate((element) => element === document.activeElement)) return;
    await page.keyboard.press("Tab");
  }
  assert.fail(`the Tab key does not reach ${label}`);
}
