import assert from "node:assert/strict";
import { createDecipheriv, hkdfSync, randomBytes, randomInt } from "node:crypto";
import { test } from "node:test";
import { keyRing, type Purpose } from "#src/auth/session/seal.ts";
import { secret } from "./support/site.ts";

const text = JSON.stringify({ token: "a".repeat(200), name: "Zoë 日本 <b>" });

test("a sealed text opens again: a long one, an empty one, any script", () => {
  const ring = keyRing([secret()]);
  for (const each of [text, "", "0", "Zoë 日本 \u{1f600}\0\r\n", "x".repeat(300_000)]) {
    assert.equal(ring.open(ring.seal(each, "session", "a"), "session", "a"), each);
  }
});

test("ST-2 a seal shows nothing of its text, its context or its key", () => {
  const key = secret();
  const sealed = keyRing([key]).seal(text, "session", "the-context");
  const bytes = Buffer.from(sealed, "base64url");
  assert.match(sealed, /^[\w-]+$/);
  for (const needle of [
    '"token"',
    "a".repeat(20),
    "Zoë",
    "the-context",
    key,
    Buffer.from(key, "base64url"),
  ]) {
    assert.equal(sealed.includes(String(needle)), false, String(needle));
    assert.equal(bytes.includes(needle), false, String(needle));
  }
});

test("ST-3 a seal opens for its own purpose and context alone", () => {
  const ring = keyRing([secret()]);
  const purposes: Purpose[] = ["session", "transaction", "revocation"];
  const contexts = ["", "a", "b", "a|b", "session", "transaction"];
  for (const purpose of purposes) {
    for (const context of contexts) {
      const sealed = ring.seal(text, purpose, context);
      for (const otherPurpose of purposes) {
        for (const otherContext of contexts) {
          const own = otherPurpose === purpose && otherContext === context;
          assert.equal(ring.open(sealed, otherPurpose, otherContext), own ? text : undefined);
        }
      }
    }
  }
});

test("ST-3 version and key id are under the seal: neither can be exchanged for another one", () => {
  const [older, newer] = [secret(), secret()];
  const ring = keyRing([newer, older]);
  const byNewer = Buffer.from(ring.seal(text, "session", "a"), "base64url");
  const byOlder = Buffer.from(keyRing([older]).seal(text, "session", "a"), "base64url");
  const crossed = Buffer.concat([byOlder.subarray(0, 9), byNewer.subarray(9)]);
  assert.equal(ring.open(crossed.toString("base64url"), "session", "a"), undefined);
  for (const version of [0, 2, 255]) {
    const marked = Buffer.concat([Buffer.of(version), byNewer.subarray(1)]);
    assert.equal(ring.open(marked.toString("base64url"), "session", "a"), undefined);
  }
});

test("ST-4 no truncation, no extension, no flipped byte and none of 64 flipped bits opens", () => {
  const ring = keyRing([secret()]);
  const sealed = ring.seal(text, "session", "a");
  const bytes = Buffer.from(sealed, "base64url");
  for (let length = 0; length < sealed.length; length++) {
    assert.equal(ring.open(sealed.slice(0, length), "session", "a"), undefined, `cut to ${length}`);
    assert.equal(ring.open(sealed.slice(-length), "session", "a"), length === 0 ? text : undefined);
  }
  for (let at = 0; at < bytes.length; at++) {
    const changed = Buffer.from(bytes);
    changed[at] = (changed[at] as number) ^ 0xff;
    assert.equal(ring.open(changed.toString("base64url"), "session", "a"), undefined, `byte ${at}`);
  }
  for (let round = 0; round < 64; round++) {
    const changed = Buffer.from(bytes);
    const bit = randomInt(bytes.length * 8);
    changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7));
    assert.equal(ring.open(changed.toString("base64url"), "session", "a"), undefined, `bit ${bit}`);
  }
  for (const more of ["A", "=", "==", "\n", " ", "\0", sealed]) {
    assert.equal(ring.open(sealed + more, "session", "a"), undefined, JSON.stringify(more));
    assert.equal(ring.open(more + sealed, "session", "a"), undefined, JSON.stringify(more));
  }
});

test("ST-4 a seal has one spelling: other base64 of the same bytes does not open", () => {
  const ring = keyRing([secret()]);
  for (let round = 0; round < 20; round++) {
    const sealed = ring.seal("x".repeat(round), "session", "a");
    const bytes = Buffer.from(sealed, "base64url");
    const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const spellings = [
      bytes.toString("base64"),
      bytes.toString("hex"),
      `${sealed.slice(0, 9)} ${sealed.slice(9)}`,
    ];
    // The last character has bits to spare, which Node's decoder ignores.
    for (const last of alphabet) spellings.push(sealed.slice(0, -1) + last);
    for (const spelling of spellings.filter((each) => each !== sealed)) {
      assert.equal(ring.open(spelling, "session", "a"), undefined, spelling);
    }
  }
});

test("ST-4 nothing that is thrown at it makes the ring throw", () => {
  const ring = keyRing([secret()]);
  const header = Buffer.from(ring.seal("", "session"), "base64url").subarray(0, 9);
  for (let round = 0; round < 2_000; round++) {
    const rubbish = randomBytes(randomInt(80));
    for (const each of [rubbish, Buffer.concat([header, rubbish])]) {
      for (const encoding of ["base64url", "latin1", "utf8"] as const) {
        assert.equal(ring.open(each.toString(encoding), "session"), undefined);
        ring.keyOf(each.toString(encoding));
      }
    }
  }
});

test("ST-5 the first key seals, every key opens, and a key that is not on the ring is told from damage", () => {
  const [a, b, c] = [secret(), secret(), secret()];
  const [old, rotated, back, foreign] = [keyRing([a]), keyRing([b, a]), keyRing([a, b]), keyRing([c])];
  const byA = old.seal(text, "session", "x");
  const byB = rotated.seal(text, "session", "x");

  assert.equal(rotated.open(byA, "session", "x"), text);
  assert.equal(
    back.open(byB, "session", "x"),
    text,
    "a server with the old order of keys opens the new seals",
  );
  assert.equal(old.open(byB, "session", "x"), undefined, "the new key seals, not the old one");
  assert.equal(keyRing([b]).open(byB, "session", "x"), text);
  assert.equal(foreign.open(byA, "session", "x"), undefined);
  assert.deepEqual(
    [old, rotated, back].map((ring) => ring.keyOf(byA)),
    ["newest", "older", "newest"],
  );
  assert.deepEqual([rotated.keyOf(byB), back.keyOf(byB)], ["newest", "older"]);
  for (const unknown of [old.keyOf(byB), foreign.keyOf(byA), old.keyOf(""), old.keyOf("{}")])
    assert.equal(unknown, undefined);
});

test("ST-5 a ring without a key is refused", () => {
  assert.throws(() => keyRing([]), new TypeError("a key ring needs at least one secret"));
});

test("ST-10 seals of one text have a nonce each, and nothing in common but their key", () => {
  const ring = keyRing([secret()]);
  const nonces = new Set<string>();
  const tails = new Set<string>();
  for (let round = 0; round < 1_000; round++) {
    const bytes = Buffer.from(ring.seal("1", "session", "a"), "base64url");
    nonces.add(bytes.subarray(9, 21).toString("hex"));
    tails.add(bytes.subarray(21).toString("hex"));
  }
  assert.equal(nonces.size, 1_000);
  assert.equal(tails.size, 1_000);
  for (const nonce of nonces) assert.equal(nonce.length, 24, "96 bits");
});

test("ST-10 the format of the seal and its keys stay: AES-256-GCM, HKDF-SHA256 (RFC 5869) by purpose and context", () => {
  const key = "a secret that was written down for this test, in 2026";
  const sealed = "AT027NXhUDyW69GZ0G2MPPdWJajZxsZ87y9woz2K2epnQ-NzikkUF8826qu4_mco5X47xw";
  assert.equal(keyRing([key]).open(sealed, "session", "some-record"), "kept since then");

  const bytes = Buffer.from(sealed, "base64url");
  const derived = Buffer.from(hkdfSync("sha256", key, "", "session/v1|some-record", 32));
  const keyId = Buffer.from(hkdfSync("sha256", key, "", "key id", 8));
  assert.deepEqual(bytes.subarray(0, 9), Buffer.concat([Buffer.of(1), keyId]));
  const decipher = createDecipheriv("aes-256-gcm", derived, bytes.subarray(9, 21), { authTagLength: 16 });
  decipher.setAAD(Buffer.concat([bytes.subarray(0, 9), Buffer.from("|session|some-record")]));
  decipher.setAuthTag(bytes.subarray(-16));
  const opened = Buffer.concat([decipher.update(bytes.subarray(21, -16)), decipher.final()]);
  assert.equal(opened.toString(), "kept since then");
});
