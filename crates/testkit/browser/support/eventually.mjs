// Waiting for what another process will do.

import { setTimeout as pause } from "node:timers/promises";

const PATIENCE_MS = 20_000;
const INTERVAL_MS = 25;

/** Asks again and again until there is an answer; says what it waited for when none comes. */
export async function eventually(what, find, patience = PATIENCE_MS) {
  const deadline = Date.now() + patience;
  for (;;) {
    const found = await find();
    if (found !== undefined && found !== null && found !== false) return found;
    if (Date.now() > deadline) throw new Error(`waited ${patience} ms in vain for ${what}`);
    await pause(INTERVAL_MS);
  }
}
