import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { folder } from "./support/temporary.ts";

const root = join(import.meta.dirname, "..");

/** What an Express developer writes, in TypeScript's strictest settings. */
const consumer = `
import express from "express";
import session from "express-session";
import { createClient } from "redis";
import { searchItems } from "@esri/arcgis-rest-portal";
import type { ArcGISIdentityManager } from "@esri/arcgis-rest-request";
import { AuthError, type AuthEvent, arcgisAuth, authErrorHandler, requireRole, requireSignIn } from "arcgis-sign-in";
import { fileBackend, legacyFileStore, redisBackend, SealedStore } from "arcgis-sign-in/session-store";

const encryptionKey = ["x".repeat(32)] as const;
const files = new SealedStore({ backend: fileBackend("./sessions"), encryptionKey, legacy: legacyFileStore({ path: "./old" }) });
const store = new SealedStore({ backend: redisBackend(createClient()), encryptionKey });
const auth = arcgisAuth({
  clientId: process.env.CLIENT_ID,
  redirectUri: process.env.REDIRECT_URI,
  sessionSecret: process.env.SECRET,
  encryptionKey,
  store,
  shareSession: true,
  portal: undefined,
  onSignIn: ({ req, user, identity }) => {
    if (req.ip && user.orgId !== "x") throw new AuthError("organization_not_allowed", { cause: identity.username });
  },
  onEvent: ({ type, username }: AuthEvent) => console.log(type, username),
});
const app = express();
app.get("/", auth.readOnly, (req, res) => void res.send(req.arcgis.user?.fullName ?? req.arcgis.signInUrl()));
app.use(session(auth.sessionOptions));
app.use(auth);
app.get("/reports", requireSignIn(), requireRole("org_admin"), async (req, res) => {
  const identity: ArcGISIdentityManager = await req.arcgis.identity();
  const { results } = await searchItems({ q: \`owner:\${identity.username}\`, authentication: identity, request: req.arcgis.request });
  const name: string | undefined = req.session.arcgis?.username;
  res.json({ results, name });
});
app.use(authErrorHandler());
app.listen(3000).on("upgrade", async (req) => console.log((await auth.identityOf(req))?.username));
const info = await files.admin.inspect("name");
if (info && "data" in info) console.log(info.data.arcgis?.username, info.endsAt);
// @ts-expect-error: a misspelled option
arcgisAuth({ clientID: "x" });
// @ts-expect-error: there may be no user
export const user: string = ({} as express.Request).arcgis.user.username;
`;

/** What uses the store alone. */
const storeConsumer = `
import type { Request } from "express";
import { SealedStore } from "arcgis-sign-in/session-store";
export const open = (options: ConstructorParameters<typeof SealedStore>[0]) => new SealedStore(options);
export const nameOf = (req: Request): string | undefined => req.session.arcgis?.username;
`;

test("a consumer compiles against the declarations, under strict nodenext", (t) => {
  const dir = folder(t);
  mkdirSync(join(dir, "node_modules/arcgis-sign-in"), { recursive: true });
  const entry = (name: string) => ({ types: `./dist/${name}.d.ts`, default: `./dist/${name}.js` });
  const exports = { ".": entry("index"), "./session-store": entry("session-store") };
  writeFileSync(
    join(dir, "node_modules/arcgis-sign-in/package.json"),
    JSON.stringify({ name: "arcgis-sign-in", type: "module", exports }),
  );
  symlinkSync(join(root, "dist"), join(dir, "node_modules/arcgis-sign-in/dist"));
  for (const name of ["express", "express-session", "redis", "@esri", "@types", "@redis"])
    symlinkSync(join(root, "node_modules", name), join(dir, "node_modules", name));
  writeFileSync(join(dir, "package.json"), '{"type":"module"}');
  writeFileSync(join(dir, "app.ts"), consumer);
  const compilerOptions = {
    target: "es2022",
    module: "nodenext",
    types: ["node"],
    strict: true,
    noEmit: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    noImplicitOverride: true,
    verbatimModuleSyntax: true,
    // The declarations of @esri/arcgis-rest-request do not compile without it.
    skipLibCheck: true,
  };
  writeFileSync(join(dir, "store.ts"), storeConsumer);
  const compiler = join(
    dirname(createRequire(import.meta.url).resolve("typescript/package.json")),
    "bin",
    "tsc",
  );
  // Apart: what one of them imports would also declare types for the other.
  for (const name of ["app.ts", "store.ts"]) {
    writeFileSync(join(dir, "tsconfig.json"), JSON.stringify({ compilerOptions, files: [name] }));
    const { status, stdout } = spawnSync(process.execPath, [compiler, "-p", dir], { encoding: "utf8" });
    assert.equal(stdout, "");
    assert.equal(status, 0);
  }
});
