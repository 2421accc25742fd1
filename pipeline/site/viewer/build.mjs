// Bundles each page of the viewer into one classic script and one style sheet, which also work from file://.
// Usage: node build.mjs [FOLDER]   (by default ../static)

import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = path.dirname(fileURLToPath(import.meta.url));
const target = path.resolve(process.argv[2] ?? path.join(here, "../static"));

await mkdir(target, { recursive: true });
await build({
  absWorkingDir: here,
  entryPoints: [
    { in: "src/app/main.ts", out: "atlas" },
    { in: "src/css/index.css", out: "atlas" },
    { in: "src/patch/main.ts", out: "patch" },
    { in: "src/patch/page.css", out: "patch" },
    { in: "src/evidence/main.ts", out: "evidence" },
    { in: "src/evidence/page.css", out: "evidence" },
    { in: "src/contents/main.ts", out: "contents" },
    { in: "src/contents/page.css", out: "contents" },
    { in: "src/units/main.ts", out: "units" },
    { in: "src/units/page.css", out: "units" },
    { in: "src/explain/main.ts", out: "explain" },
    { in: "src/explain/page.css", out: "explain" },
    { in: "src/synthesize/main.ts", out: "synthesize" },
    { in: "src/synthesize/page.css", out: "synthesize" },
  ],
  outdir: target,
  bundle: true,
  format: "iife",
  target: ["es2022"],
  minify: true,
  charset: "utf8",
  legalComments: "none",
  banner: { js: "/* Activation Atlas viewer; see THIRD-PARTY.txt */" },
  entryNames: "[name]",
  logLevel: "warning",
});

const module = path.join(here, "node_modules/openseadragon");
const { version } = JSON.parse(await readFile(path.join(module, "package.json"), "utf8"));
const licenseText = await readFile(path.join(module, "LICENSE.txt"), "utf8");
await writeFile(
  path.join(target, "THIRD-PARTY.txt"),
  `atlas.js contains OpenSeadragon ${version} (https://openseadragon.github.io):\n\n${licenseText}`,
);
