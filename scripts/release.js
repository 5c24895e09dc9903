// `npm run release` makes release/arcgis-sign-in-VERSION.zip, with everything that a server needs but Node.js: for machines
// without a compiler or a registry. The packages are those of package-lock.json, as they are installed here. The same
// files make the same archive, whose SHA-256 is in the file beside it. `node scripts/release.js FOLDER` writes it there.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { crc32, deflateRawSync } from "node:zlib";

const root = join(import.meta.dirname, "..");
const { name, version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const { packages } = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"));

const ownFiles = ["LICENSE", "README.md", "config.example.json", "package.json", "scripts/build.js"];
const ownFolders = ["deploy", "dist", "docs", "views"];
/** Redis is optional for the library, so it is a development package here. The server comes with its client. */
const packageFolders = new Set(Object.keys(packages).filter((path) => path !== "" && !packages[path].dev));
addPackage("node_modules/redis");

function addPackage(path) {
  packageFolders.add(path);
  for (const dependency of Object.keys(packages[path].dependencies ?? {})) {
    const nested = `${path}/node_modules/${dependency}`;
    const folder = nested in packages ? nested : `node_modules/${dependency}`;
    if (!packageFolders.has(folder)) addPackage(folder);
  }
}

/** The files below a folder, without the packages in its own node_modules. */
function filesIn(folder) {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return entry.name === "node_modules" ? [] : filesIn(path);
    return [path];
  });
}

/** The bytes of a zip archive (PKWARE's APPNOTE, 4.3), without dates, in the order of the names. */
function zip(paths) {
  const local = [];
  const central = [];
  let offset = 0;
  for (const path of paths) {
    const content = readFileSync(join(root, path));
    const packed = deflateRawSync(content, { level: 9 });
    const fileName = Buffer.from(`${name}/${path}`);
    // Version 2.0, names in UTF-8, deflated, 1980-01-01.
    const header = fields([2, 20], [2, 0x0800], [2, 8], [2, 0], [2, 0x21], [4, crc32(content)]);
    const sizes = fields([4, packed.length], [4, content.length], [2, fileName.length], [2, 0]);
    local.push(fields([4, 0x04034b50]), header, sizes, fileName, packed);
    // Made by Unix, a regular file that everyone may read.
    const attributes = fields([2, 0], [2, 0], [2, 0], [4, 0o100644 * 0x10000], [4, offset]);
    central.push(fields([4, 0x02014b50], [2, 0x0314]), header, sizes, attributes, fileName);
    offset += 30 + fileName.length + packed.length;
  }
  const directory = Buffer.concat(central);
  const count = paths.length;
  const end = fields(
    [4, 0x06054b50],
    [2, 0],
    [2, 0],
    [2, count],
    [2, count],
    [4, directory.length],
    [4, offset],
    [2, 0],
  );
  return Buffer.concat([...local, directory, end]);
}

/** Little-endian numbers of 2 or 4 bytes. */
function fields(...numbers) {
  return Buffer.concat(
    numbers.map(([size, value]) => {
      const bytes = Buffer.alloc(size);
      bytes.writeUIntLE(value, 0, size);
      return bytes;
    }),
  );
}

const missing = [...ownFiles, ...ownFolders, ...packageFolders].filter(
  (path) => !existsSync(join(root, path)),
);
// A package for another system, such as an optional one, is not installed here.
const isOptional = (path) => packages[path]?.optional;
const lacking = missing.filter((path) => !isOptional(path));
if (lacking.length > 0) {
  console.error(`Run npm ci and npm run build first: ${lacking.join(", ")} is missing.`);
  process.exit(1);
}
const folders = [...ownFolders, ...[...packageFolders].filter((path) => !missing.includes(path))];
const paths = [...ownFiles, ...folders.flatMap(filesIn)].sort();
const native = paths.filter((path) => path.endsWith(".node"));
if (native.length > 0) {
  console.error(`The archive must run on every system, but ${native.join(", ")} does not.`);
  process.exit(1);
}
const target = process.argv[2] ?? join(root, "release");
const file = `${name}-${version}.zip`;
const archive = zip(paths);
const hash = createHash("sha256").update(archive).digest("hex");
mkdirSync(target, { recursive: true });
writeFileSync(join(target, file), archive);
// The form that `sha256sum --check` reads.
writeFileSync(join(target, `${file}.sha256`), `${hash}  ${file}\n`);
console.log(
  `${join(target, file)}: ${paths.length} files, ${Math.round(archive.length / 1e5) / 10} MB\nSHA-256 ${hash}`,
);
