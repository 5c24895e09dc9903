import { rmSync } from "node:fs";
import { build } from "esbuild";

// `npm run build`: two pages, their scripts and their style into dist/, cut into pieces that are loaded when they are needed.

rmSync("dist", { recursive: true, force: true });
const { metafile } = await build({
  entryPoints: ["src/hand-over.js", "src/hand-over.html", "src/proxy.js", "src/proxy.html", "src/map.css"],
  outdir: "dist",
  bundle: true,
  splitting: true,
  format: "esm",
  target: "es2023",
  minify: true,
  metafile: true,
  logLevel: "warning",
  loader: {
    ".html": "copy",
    ".gif": "file",
    ".png": "file",
    ".svg": "file",
    ".ttf": "file",
    ".woff": "file",
    ".woff2": "file",
  },
});
console.log(`${Object.keys(metafile.outputs).length} files in dist`);
