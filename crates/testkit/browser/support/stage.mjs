// What every test of the pages needs: a running server and a browser, for all tests of a file.

import { after, before } from "node:test";

import { launchBrowser } from "./browser.mjs";
import { startServer } from "./server.mjs";

/** Registers start and end with the test runner; `server` and `browser` are there once the first test runs. */
export function prepareStage(settings) {
  const stage = {};
  before(async () => {
    stage.server = await startServer(settings);
    stage.browser = await launchBrowser();
  });
  after(async () => {
    await stage.browser?.close();
    await stage.server?.stop();
  });
  return stage;
}

/** The same without a browser, for tests of what other programs see. */
export function prepareServer() {
  const stage = {};
  before(async () => {
    stage.server = await startServer();
  });
  after(() => stage.server?.stop());
  return stage;
}
