// The tests' own mail reader reads what mail libraries write.

import assert from "node:assert/strict";
import { test } from "node:test";

import { parseMail } from "../support/mail.mjs";

const MULTIPART = [
  "To: Ada <ada@example.org>",
  "Subject: =?utf-8?b?QmVzdMOkdGlnZW4=?=",
  "Content-Type: multipart/alternative;",
  ' boundary="edge"',
  "",
  "--edge",
  "Content-Type: text/plain; charset=utf-8",
  "Content-Transfer-Encoding: quoted-printable",
  "",
  "Your code is 123 456, gr=C3=BC=C3=9Fe.",
  "http://localhost:8080/verify?token=3Ddwo_abc=",
  "def",
  "--edge",
  "Content-Type: text/html; charset=utf-8",
  "",
  "<p>http://localhost:8080/wrong?token=html</p>",
  "--edge--",
  "",
].join("\r\n");

test("the plain part of a multipart mail gives code and link", () => {
  const mail = parseMail(MULTIPART);
  assert.equal(mail.to, "Ada <ada@example.org>");
  assert.equal(mail.subject, "Bestätigen");
  assert.equal(mail.code, "123456");
  assert.equal(mail.link, "http://localhost:8080/verify?token=dwo_abcdef");
  assert.match(mail.text, /grüße/);
});

test("a simple base64 mail without a code has none", () => {
  const body = Buffer.from("See https://a.example/reset?token=dwo_x1234567\n").toString("base64");
  const mail = parseMail(`To: a@b.c\nContent-Transfer-Encoding: base64\n\n${body}`);
  assert.equal(mail.link, "https://a.example/reset?token=dwo_x1234567");
  assert.equal(mail.code, undefined);
});

test("a mail without plain text is refused", () => {
  assert.throws(() => parseMail("Content-Type: text/html\n\n<p>x</p>"), /no plain-text part/);
});
