import { createHash, randomUUID } from "node:crypto";
import { mkdirSync } from "node:fs";
import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import session from "express-session";

/** Keeps each session in a file of its own, sealed for this session only. */
export class SealedFiles extends session.Store {
  #folder;
  #seals;

  constructor(folder, seals) {
    super();
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    this.#folder = folder;
    this.#seals = seals;
  }

  get(id, done) {
    this.#read(id).then((data) => done(null, data), done);
  }

  set(id, data, done = () => {}) {
    this.#write(id, data).then(() => done(), done);
  }

  destroy(id, done = () => {}) {
    rm(this.#fileOf(id), { force: true }).then(() => done(), done);
  }

  async #read(id) {
    const sealed = await readFile(this.#fileOf(id), "utf8").catch(() => "");
    const data = JSON.parse(this.#seals.open(sealed, `session ${id}`) ?? "null");
    return data && Date.now() < Date.parse(data.cookie.expires) ? data : null;
  }

  async #write(id, data) {
    // The rename replaces the old file at once, so half a session is never read.
    const temp = `${this.#fileOf(id)}.${randomUUID()}`;
    const sealed = this.#seals.seal(JSON.stringify(data), `session ${id}`);
    await writeFile(temp, sealed, { mode: 0o600, flush: true });
    await rename(temp, this.#fileOf(id));
  }

  /** A hash: a session id never becomes a path, and a list of the folder reveals no id. */
  #fileOf(id) {
    return join(this.#folder, createHash("sha256").update(id).digest("hex"));
  }
}
