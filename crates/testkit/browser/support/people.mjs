// Invented people, each with an address and a password of their own.

import { randomBytes } from "node:crypto";

/** A new person nobody has heard of. */
export function inventPerson(name = "person") {
  const number = randomBytes(6).toString("hex");
  return { email: `${name}.${number}@example.org`, password: `kettle marble ${number} harbour` };
}
