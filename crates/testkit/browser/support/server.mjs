// The real server, started as a person would start it, on ports and in a folder of its own.

import { execFile, spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import { eventually } from "./eventually.mjs";
import { MailFolder } from "./mail.mjs";

const run = promisify(execFile);

const START_PATIENCE_MS = 60_000;

/** Starts the `doorward` binary named by DOORWARD_BINARY, with further settings, and waits until it is ready. */
export async function startServer(settings = {}) {
  const binary = process.env.DOORWARD_BINARY;
  if (!binary) throw new Error("DOORWARD_BINARY is not set; run the tests with `cargo xtask test`");
  const folder = await mkdtemp(join(tmpdir(), "doorward-browser-"));
  const [port, operationsPort] = await findFreePorts(2);
  const server = new Server(folder, `http://localhost:${port}`, `http://127.0.0.1:${operationsPort}`);
  await server.start(binary, settings, [
    ...["serve", "--data-dir", join(folder, "data"), "--public-url", server.url],
    ...["--listen", `127.0.0.1:${port}`, "--ops-listen", `127.0.0.1:${operationsPort}`],
  ]);
  return server;
}

class Server {
  #binary;
  #folder;
  #operationsUrl;
  #process;
  #output = "";

  constructor(folder, url, operationsUrl) {
    this.#folder = folder;
    this.#operationsUrl = operationsUrl;
    this.url = url;
    this.mails = new MailFolder(join(folder, "data", "mail"));
  }

  async start(binary, settings, args) {
    this.#binary = binary;
    // Nothing of the developer's own environment reaches the server. Tests come faster than people do, from one
    // address: only the limit on requests is raised, never the throttle on sign-ins.
    const env = { PATH: process.env.PATH, HOME: this.#folder, DOORWARD_LIMITS__SCALE: "100", ...settings };
    this.#process = spawn(binary, args, { cwd: this.#folder, env, stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      stream.setEncoding("utf8").on("data", (text) => (this.#output += text));
    }
    const failed = once(this.#process, "error").then(([error]) => Promise.reject(error));
    const ready = eventually("the server to be ready", () => this.#isReady(), START_PATIENCE_MS);
    try {
      await Promise.race([failed, ready]);
    } catch (error) {
      this.#process.kill("SIGKILL");
      await rm(this.#folder, { recursive: true, force: true });
      throw error;
    }
  }

  async #isReady() {
    if (this.#process.exitCode !== null) {
      throw new Error(`the server ended with ${this.#process.exitCode}:\n${this.#output}`);
    }
    try {
      return (await fetch(`${this.#operationsUrl}/readyz`)).ok;
    } catch {
      return false;
    }
  }

  /** Everything the server wrote to its terminal so far. */
  get output() {
    return this.#output;
  }

  /** The one-time link to the first administrator's page, as whoever started the server without a terminal finds it. */
  async readAdministratorLink() {
    return (await readFile(join(this.#folder, "data", "admin-link"), "utf8")).trim();
  }

  /** A token with which one application may register itself. */
  async createRegistrationToken() {
    const folder = ["--data-dir", join(this.#folder, "data"), "--public-url", this.url];
    const { stdout } = await run(this.#binary, ["client", "create-token", ...folder, "--json"], {
      cwd: this.#folder,
      env: { PATH: process.env.PATH, HOME: this.#folder },
    });
    return JSON.parse(stdout).initial_access_token;
  }

  /** Registers an application as an operator does, one of their own unless said otherwise; returns what is printed. */
  async registerApplication(callback, { isOwn = true, scope = "openid email", metadata = {} } = {}) {
    const file = join(this.#folder, "application.json");
    await writeFile(file, JSON.stringify(metadata));
    const { stdout } = await run(
      this.#binary,
      [
        ...["client", "create", "--data-dir", join(this.#folder, "data"), "--public-url", this.url, "--json"],
        ...["--name", "Shop", "--redirect-uri", callback, "--scope", scope, "--metadata", file],
        ...(isOwn ? ["--first-party"] : []),
      ],
      { cwd: this.#folder, env: { PATH: process.env.PATH, HOME: this.#folder } },
    );
    return JSON.parse(stdout);
  }

  /** Ends the server as an operator would; a server that does not end well fails the test. */
  async stop() {
    const ended = this.#process.exitCode === null ? once(this.#process, "exit") : [this.#process.exitCode];
    this.#process.kill("SIGTERM");
    const [code] = await ended;
    await rm(this.#folder, { recursive: true, force: true });
    if (code !== 0) throw new Error(`the server ended with ${code}:\n${this.#output}`);
  }

  /** Makes an account by the public API: sign up, then confirm with the link from the mail. */
  async createAccount({ email, password }) {
    await this.#post("/api/v1/signup", { email, password }, 202);
    const { link } = await this.mails.take(email);
    const token = new URL(link).searchParams.get("token");
    await this.#post("/api/v1/email-verifications/confirm", { token, password }, 200);
  }

  async #post(path, body, expected) {
    const response = await fetch(this.url + path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    if (response.status !== expected) {
      throw new Error(`POST ${path} answered ${response.status}: ${await response.text()}`);
    }
  }
}

// Below the ports that systems give to outgoing connections: one of those can be taken by a connection of a browser, or
// by the very poll that waits for a server at it, before the server listens.
const PORTS = { first: 20_000, count: 12_000 };

/** Ports that nobody listens at on the loopback address. */
export async function findFreePorts(count) {
  const listeners = [];
  while (listeners.length < count) {
    const listener = createServer();
    const listening = once(listener, "listening");
    listener.listen(PORTS.first + randomInt(PORTS.count), "127.0.0.1");
    try {
      await listening;
      listeners.push(listener);
    } catch (error) {
      if (error.code !== "EADDRINUSE") throw error;
    }
  }
  const ports = listeners.map((listener) => listener.address().port);
  await Promise.all(listeners.map((listener) => once(listener.close(), "close")));
  return ports;
}
