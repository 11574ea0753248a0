// Chromium, and people who use it.

import { mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";

import { chromium } from "playwright-core";

const ARTIFACTS = fileURLToPath(new URL("../../../../artifacts/pages", import.meta.url));
const PATIENCE_MS = 15_000;
const IS_ROOT = process.getuid?.() === 0;

/** Starts Chromium without its own conversations with the outside. */
export function launchBrowser() {
  return chromium.launch({
    executablePath: process.env.DOORWARD_CHROMIUM ?? "/usr/bin/chromium",
    headless: true,
    args: [
      // Chromium's sandbox does not work for root.
      ...(IS_ROOT ? ["--no-sandbox"] : []),
      ...["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"],
      ...["--disable-component-update", "--disable-sync", "--force-color-profile=srgb"],
    ],
  });
}

/** Opens a page in a profile of its own; what the page's console complains about is kept in `complaints`. */
export async function openPage({ browser, server }, { javaScript = true, locale = "en-GB", viewport, theme } = {}) {
  const context = await browser.newContext({
    baseURL: server.url,
    javaScriptEnabled: javaScript,
    locale,
    colorScheme: theme ?? "light",
    reducedMotion: "reduce",
    viewport: viewport ?? { width: 1280, height: 900 },
  });
  context.setDefaultTimeout(PATIENCE_MS);
  const page = await context.newPage();
  const complaints = [];
  page.on("console", (message) => {
    // A refused form is an answer with status 4xx, which Chromium reports like a broken page.
    const isExpected = message.text().includes("the server responded with a status of 4");
    if (["error", "warning"].includes(message.type()) && !isExpected) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  return { context, page, complaints };
}

/** Takes a picture of the whole page into the ignored folder `artifacts/pages`. */
export async function takePicture(page, name) {
  await mkdir(ARTIFACTS, { recursive: true });
  await page.screenshot({ path: `${ARTIFACTS}/${name}.png`, fullPage: true, animations: "disabled" });
}
