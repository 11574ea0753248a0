// Applications that are not written in JavaScript, each in a process of its own.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const SCRIPT = fileURLToPath(new URL("python/application.py", import.meta.url));

/** Runs the application in Python, which leaves no compiled files behind (-B). */
export const runPythonApplication = (asked, visit) => runProgram("DOORWARD_PYTHON", ["-B", SCRIPT], asked, visit);

/** Runs the application of the crate `openidconnect`. */
export const runRustApplication = (asked, visit) => runProgram("DOORWARD_OPENIDCONNECT", [], asked, visit);

/**
 * Runs the program that the variable names. Wherever it wants a person to go, `visit` leads one there and answers what
 * the program is told, where they came back to; the answer is the last it prints, what it learnt.
 */
async function runProgram(variable, before, asked, visit) {
  const program = process.env[variable];
  if (!program) throw new Error(`${variable} is not set; run the tests with \`cargo xtask test\``);
  const child = spawn(program, [...before, JSON.stringify(asked)]);
  let complaints = "";
  child.stderr.setEncoding("utf8").on("data", (text) => (complaints += text));
  const ended = once(child, "close");
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error(`the application ended:\n${complaints}`);
    return JSON.parse(value);
  };
  try {
    let said = await next();
    while (said.url) {
      child.stdin.write(`${await visit(new URL(said.url))}\n`);
      said = await next();
    }
    return said;
  } finally {
    child.stdin.end();
    await ended;
  }
}
