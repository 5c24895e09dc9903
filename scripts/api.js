// `npm run api` writes the reference of the library, as pages, to dist-api/ from the comments in src. It fails for an
// export, a method or an option without a comment, for a link that leads nowhere, and for a type that users meet but
// cannot import.
import { readFileSync } from "node:fs";
import module from "node:module";

// TypeDoc needs the JavaScript API of TypeScript, which version 7 does not have.
const resolve = (name, context, next) => next(name === "typescript" ? "typescript6" : name, context);
if (module.registerHooks) module.registerHooks({ resolve });
else module.register(`data:text/javascript,export const resolve = ${encodeURIComponent(resolve)}`);
const { Application, ReflectionKind } = await import("typedoc");

const { exports } = JSON.parse(readFileSync("package.json", "utf8"));
const entries = Object.values(exports).flatMap(({ types }) => types ?? []);

const app = await Application.bootstrap({
  entryPoints: entries.map((path) => path.replace("./dist/", "src/").replace(".d.ts", ".ts")),
  out: "dist-api",
  name: "ArcGIS Sign-In",
  readme: "none",
  disableSources: true,
  excludeExternals: true,
  // `npm run build` checks the types.
  skipErrorChecking: true,
  validation: { notExported: true, invalidLink: true, notDocumented: true },
  requiredToBeDocumented: [
    "Module",
    "Variable",
    "Function",
    "Class",
    "TypeAlias",
    "CallSignature",
    "Accessor",
  ],
  // Of others, or named by what is around them.
  intentionallyNotDocumented: [
    ...["eval", "nodeClient"].map((name) => `arcgis-sign-in/session-store.RedisClient.${name}`),
    ...["organizations", "roles", "privileges", "groups"].map(
      (name) => `arcgis-sign-in.userHas.__type.${name}`,
    ),
    "arcgis-sign-in/session-store.SessionBackend.lock.__type.unlock",
    "arcgis-sign-in/session-store.SealedStore.admin.__type.reap",
  ],
  intentionallyNotExported: ["Done", "Parts", "Value"],
});

const project = await app.convert();
if (project) {
  const find = (name) => project.getChildByName(["arcgis-sign-in", ...name.split(".")]);
  // Those are the same functions, taken out of an object.
  for (const { name, comment } of find("Guards").children) find(name).comment = comment;
  // A destructured parameter has no name of its own.
  for (const parameter of project.getReflectionsByKind(ReflectionKind.Parameter))
    if (parameter.name === "__namedParameters")
      parameter.name = { URL: "url", UserProfile: "user" }[parameter.type.name] ?? "options";
  for (const one of project.getReflectionsByKind(ReflectionKind.Interface))
    for (const part of one.name.endsWith("Options") ? one.children : [one])
      if (!part.hasComment() && !part.type?.declaration?.signatures?.[0].hasComment())
        app.logger.warn(`${part.getFullName()} has no comment`);
  app.validate(project);
  await app.generateOutputs(project);
}
process.exitCode = app.logger.hasErrors() || app.logger.hasWarnings() ? 1 : 0;
