// Node.js 18 has what browsers call `crypto`, under another name.

import { webcrypto } from "node:crypto";

globalThis.crypto ??= webcrypto;
