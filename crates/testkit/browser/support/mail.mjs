// The mails that Doorward wrote as files, read as their recipient would.

import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

import { eventually } from "./eventually.mjs";

/** The folder into which the server under test puts its mails. */
export class MailFolder {
  #folder;
  #taken = new Set();

  constructor(folder) {
    this.#folder = folder;
  }

  /** Waits for the oldest mail to this address that was not taken before. */
  async take(address) {
    return eventually(`a mail to ${address}`, () => this.#findUntaken(address));
  }

  async #findUntaken(address) {
    for (const name of await this.#listNames()) {
      if (this.#taken.has(name)) continue;
      const mail = parseMail(await readFile(join(this.#folder, name), "utf8"));
      if (!mail.to.toLowerCase().includes(address.toLowerCase())) continue;
      this.#taken.add(name);
      return mail;
    }
    return undefined;
  }

  async #listNames() {
    try {
      return (await readdir(this.#folder)).filter((name) => name.endsWith(".eml")).sort();
    } catch (error) {
      if (error.code === "ENOENT") return [];
      throw error;
    }
  }
}

/** Reads one mail: recipient, subject, plain text, and in it the link and the 6-digit code, where there are any. */
export function parseMail(source) {
  const { headers, body } = splitPart(source);
  const text = findPlainText(headers, body);
  if (text === undefined) throw new Error(`the mail has no plain-text part:\n${source}`);
  return {
    to: headers.get("to") ?? "",
    subject: decodeWords(headers.get("subject") ?? ""),
    text,
    link: text.match(/https?:\/\/\S+[?&]token=[^\s&>]+/)?.[0],
    code: text.match(/(?<![\w-])(\d{3}) ?(\d{3})(?![\w-])/)?.slice(1).join(""),
  };
}

function splitPart(source) {
  const text = source.replaceAll("\r\n", "\n");
  const end = text.indexOf("\n\n");
  const head = end < 0 ? text : text.slice(0, end);
  const headers = new Map();
  for (const line of head.replace(/\n[ \t]+/g, " ").split("\n")) {
    const colon = line.indexOf(":");
    if (colon > 0) headers.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
  }
  return { headers, body: end < 0 ? "" : text.slice(end + 2) };
}

function findPlainText(headers, body) {
  const type = headers.get("content-type") ?? "text/plain";
  const boundary = type.match(/^multipart\/.*boundary="?([^";]+)"?/i)?.[1];
  if (boundary === undefined) {
    return /^text\/plain/i.test(type) ? decodeBody(headers, body) : undefined;
  }
  for (const part of `\n${body}`.split(`\n--${boundary}`).slice(1)) {
    if (part.startsWith("--")) break;
    const inner = splitPart(part.replace(/^[ \t]*\n/, ""));
    const text = findPlainText(inner.headers, inner.body);
    if (text !== undefined) return text;
  }
  return undefined;
}

function decodeBody(headers, body) {
  switch ((headers.get("content-transfer-encoding") ?? "7bit").toLowerCase()) {
    case "base64":
      return Buffer.from(body, "base64").toString("utf8");
    case "quoted-printable":
      return decodeQuotedPrintable(body.replace(/[ \t]*=\n/g, ""));
    default:
      return body;
  }
}

function decodeWords(text) {
  return text
    .replace(/\?=\s+=\?/g, "?==?")
    .replace(/=\?utf-8\?(b|q)\?([^?]*)\?=/gi, (_, encoding, word) =>
      encoding.toLowerCase() === "b"
        ? Buffer.from(word, "base64").toString("utf8")
        : decodeQuotedPrintable(word.replaceAll("_", " ")),
    );
}

function decodeQuotedPrintable(text) {
  const bytes = Buffer.from(text, "utf8").toString("latin1");
  const plain = bytes.replace(/=([0-9A-F]{2})/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(plain, "latin1").toString("utf8");
}
