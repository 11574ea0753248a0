// An application in Python, in a process of its own.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const SCRIPT = fileURLToPath(new URL("python/application.py", import.meta.url));

/** Runs the application; `visit` leads a person to an address and answers where they came back to. */
export async function runPythonApplication({ library, issuer, registered }, visit) {
  const python = process.env.DOORWARD_PYTHON;
  if (!python) throw new Error("DOORWARD_PYTHON is not set; run the tests with `cargo xtask test`");
  const child = spawn(python, [SCRIPT, JSON.stringify({ library, issuer, registered })]);
  let complaints = "";
  child.stderr.setEncoding("utf8").on("data", (text) => (complaints += text));
  const ended = once(child, "close");
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error(`${library} ended:\n${complaints}`);
    return JSON.parse(value);
  };
  try {
    const { url } = await next();
    child.stdin.write(`${await visit(new URL(url))}\n`);
    return await next();
  } finally {
    child.stdin.end();
    await ended;
  }
}
