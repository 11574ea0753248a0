// The manual's examples, as somebody copies them, against the running server.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, rm, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { test } from "node:test";

import { openPage } from "../support/browser.mjs";
import { eventually } from "../support/eventually.mjs";
import { inventPerson } from "../support/people.mjs";
import { findFreePorts } from "../support/server.mjs";
import { prepareStage } from "../support/stage.mjs";
import { Visitor } from "../support/visitor.mjs";

const stage = prepareStage();
const MANUAL = fileURLToPath(new URL("../../../../docs/applications.md", import.meta.url));
// Beside the packages that it imports.
const folder = fileURLToPath(new URL("../", import.meta.url));

/** The one example in a language, for this server, application and port. */
async function readExample(language, { client_id, client_secret }, port) {
  const text = await readFile(MANUAL, "utf8");
  const [, example] = text.split(`\`\`\`${language}\n`).map((part) => part.split("```")[0]);
  return example
    .replaceAll("http://localhost:8080", stage.server.url)
    .replaceAll("CLIENT_ID", client_id)
    .replaceAll("CLIENT_SECRET", client_secret)
    .replaceAll("3000", String(port));
}

const RUNS = {
  js: { name: "example.mjs", program: process.execPath, before: 'import "./support/web_crypto.mjs";\n' },
  python: { name: "example.py", program: process.env.DOORWARD_PYTHON, before: "" },
};

for (const [language, { name, program, before }] of Object.entries(RUNS)) {
  test(`the example in ${language} signs somebody in`, async () => {
    assert.ok(program, "DOORWARD_PYTHON is not set; run the tests with `cargo xtask test`");
    const [port] = await findFreePorts(1);
    const start = `http://127.0.0.1:${port}/`;
    const client = await stage.server.registerApplication(`${start}callback`);
    const file = `${folder}${name}`;
    await writeFile(file, before + (await readExample(language, client, port)));
    const example = spawn(program, [file], { stdio: ["ignore", "ignore", "pipe"] });
    let complaints = "";
    example.stderr.setEncoding("utf8").on("data", (words) => (complaints += words));
    const ended = once(example, "close");
    const { context, page } = await openPage(stage);
    const owner = inventPerson("owner");
    try {
      await stage.server.createAccount(owner);
      await eventually("the example to be there", async () => {
        assert.equal(example.exitCode, null, complaints);
        return fetch(start, { redirect: "manual" }).then(
          (answer) => answer.headers.get("location")?.startsWith(`${stage.server.url}/oauth2/authorize?`),
          () => false,
        );
      });
      // What browsers ask for of themselves ends nobody's application.
      assert.equal((await fetch(`${start}favicon.ico`)).status, 404);
      await page.goto(start);
      const visitor = new Visitor(page);
      await visitor.field("E-mail address").fill(owner.email);
      await visitor.field("Password").fill(owner.password);
      await visitor.button("Sign in").click();
      await page.getByText(`Hello, ${owner.email}`).waitFor();
      assert.equal(example.exitCode, null, complaints);
    } catch (error) {
      throw new Error(`the example (exit code ${example.exitCode}) complained: ${complaints}`, { cause: error });
    } finally {
      await context.close();
      example.kill();
      await ended;
      await rm(file);
    }
  });
}
