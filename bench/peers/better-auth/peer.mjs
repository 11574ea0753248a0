// better-auth with SQLite, as its documentation sets it up, for comparison on the same cores.
//
//   node peer.mjs seed FILE USERS SESSIONS   makes the database, prints the cookies of SESSIONS people, one a line
//   node peer.mjs serve FILE PORT            serves it on loopback
//   node peer.mjs hash COUNT                 prints the processor time of one password check, in microseconds

import { createServer } from "node:http";
import { betterAuth } from "better-auth";
import { hashPassword, verifyPassword } from "better-auth/crypto";
import { getMigrations } from "better-auth/db/migration";
import { toNodeHandler } from "better-auth/node";
import Database from "better-sqlite3";

const PASSWORD = "a right horse eats no battery";
// Limits that only measure one client's patience are out of the way; they are still counted, as on the other side.
const NEVER_REACHED = { window: 10, max: 1_000_000_000 };

function configure(file, port) {
  const database = new Database(file);
  // The same durability as the other side: an answer comes after its commit has reached the disk.
  database.pragma("journal_mode = WAL");
  database.pragma("synchronous = FULL");
  return {
    database,
    baseURL: `http://localhost:${port}`,
    secret: "only for measuring, on this machine",
    emailAndPassword: { enabled: true },
    telemetry: { enabled: false },
    rateLimit: { enabled: true, ...NEVER_REACHED, customRules: { "/sign-in/*": NEVER_REACHED } },
    advanced: { ipAddress: { ipAddressHeaders: ["x-forwarded-for"] } },
  };
}

async function seed(file, users, sessions) {
  const options = configure(file, 80);
  await (await getMigrations(options)).runMigrations();
  const auth = betterAuth(options);
  const context = await auth.$context;
  const password = await hashPassword(PASSWORD);
  for (let number = 0; number < users; number += 1) {
    const email = `person${number}@example.com`;
    const user = await context.internalAdapter.createUser({ email, name: `Person ${number}`, emailVerified: true });
    await context.internalAdapter.linkAccount({
      userId: user.id,
      providerId: "credential",
      accountId: user.id,
      password,
    });
  }
  for (let number = 0; number < sessions; number += 1) {
    const body = { email: `person${number}@example.com`, password: PASSWORD };
    const { headers } = await auth.api.signInEmail({ body, returnHeaders: true });
    console.log(headers.getSetCookie().map((cookie) => cookie.split(";")[0]).join("; "));
  }
  options.database.close();
}

function serve(file, port) {
  const handle = toNodeHandler(betterAuth(configure(file, port)));
  createServer((request, response) => {
    handle(request, response).catch((error) => {
      console.error(error);
      response.destroy();
    });
  }).listen(port, "127.0.0.1");
}

async function measureHash(count) {
  const hash = await hashPassword(PASSWORD);
  await verifyPassword({ hash, password: PASSWORD });
  const before = process.cpuUsage();
  for (let number = 0; number < count; number += 1) {
    if (!(await verifyPassword({ hash, password: PASSWORD }))) throw new Error("the password is right");
  }
  const { user, system } = process.cpuUsage(before);
  console.log((user + system) / count);
}

const [command, ...rest] = process.argv.slice(2);
if (command === "seed") await seed(rest[0], Number(rest[1]), Number(rest[2]));
else if (command === "serve") serve(rest[0], Number(rest[1]));
else if (command === "hash") await measureHash(Number(rest[0]));
else throw new Error(`unknown command ${command}`);
