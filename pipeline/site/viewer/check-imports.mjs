// Checks the imports under src: import_layers.json lists, for each folder, the other folders that it may import from,
// and no file may import itself through other files. Type-only imports count.
// Usage: node check-imports.mjs   (prints every violation, exits with 1 if there is any)

import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";

const here = path.dirname(fileURLToPath(import.meta.url));
const source = path.join(here, "src");
const layers = JSON.parse(await readFile(path.join(here, "import_layers.json"), "utf8"));

const STATEMENT = /^\s*(?:import|export)\b([^;"']*?)\bfrom\s*["'](\.[^"']*)["']/gm;
const SIDE_EFFECT = /^\s*import\s*["'](\.[^"']*)["']/gm;
const DYNAMIC = /\bimport\(\s*["'](\.[^"']*)["']\s*\)/g;

/** The relative imports of a source text: the imported path and the imported names. */
function importsOf(text) {
  const named = [...text.matchAll(STATEMENT)].map(([, names, target]) => ({ names: list(names), target }));
  const bare = [...text.matchAll(SIDE_EFFECT), ...text.matchAll(DYNAMIC)];
  return [...named, ...bare.map(([, target]) => ({ names: "the module", target }))];
}

function list(clause) {
  const entries = clause.replace(/[{}]/g, ",").split(",");
  const names = entries.map(
    (entry) =>
      entry
        .trim()
        .replace(/^type\s+/, "")
        .split(/\s+as\s+/)[0],
  );
  return names.filter((name) => name && name !== "type").join(", ");
}

const folderOf = (file) => file.split("/")[0];

/** file → imports with their resolved files, all relative to src without extension. */
const imports = new Map();
for (const entry of await readdir(source, { recursive: true })) {
  if (!entry.endsWith(".ts")) continue;
  const file = entry.slice(0, -".ts".length).replaceAll(path.sep, "/");
  const text = await readFile(path.join(source, entry), "utf8");
  const found = importsOf(text).map(({ names, target }) => ({
    names,
    target: path.posix.normalize(path.posix.join(path.posix.dirname(file), target)).replace(/\.[jt]s$/, ""),
  }));
  imports.set(file, found);
}

const violations = [];

/** A table whose folders import one another in a circle allows everything, so it is checked like the files. */
function findCircles(graph) {
  const finished = new Set();
  const circles = [];
  const visit = (node, trail) => {
    const at = trail.findIndex((step) => step.node === node);
    if (at >= 0) circles.push([...trail.slice(at), { node }]);
    if (at >= 0 || finished.has(node)) return;
    for (const { target, names } of graph.get(node) ?? []) visit(target, [...trail, { node, names }]);
    finished.add(node);
  };
  for (const node of graph.keys()) visit(node, []);
  return circles;
}

const table = new Map(
  Object.entries(layers).map(([folder, targets]) => [folder, targets.map((target) => ({ target }))]),
);
for (const circle of findCircles(table)) {
  violations.push(`import_layers.json: folders in a circle: ${circle.map(({ node }) => node).join(" → ")}`);
}
for (const [file, found] of imports) {
  const folder = folderOf(file);
  const allowed = layers[folder];
  if (!allowed || file === folder) {
    violations.push(
      `src/${file}.ts: expected a folder of import_layers.json, found ${folder}; add it to the table`,
    );
    continue;
  }
  for (const { target, names } of found) {
    const other = folderOf(target);
    if (other === folder || allowed.includes(other)) continue;
    violations.push(
      `src/${file}.ts imports ${names} from src/${target}.ts: expected an import from ` +
        `${[folder, ...allowed].join(", ")}, found ${other}; move what is shared to a lower folder`,
    );
  }
}
for (const circle of findCircles(imports)) {
  const steps = circle.slice(0, -1).map(({ node, names }, index) => {
    return `src/${node}.ts imports ${names} from src/${circle[index + 1].node}.ts`;
  });
  violations.push(`files import each other: ${steps.join("; ")}`);
}

for (const violation of violations) console.error(violation);
if (violations.length) process.exitCode = 1;
else
  console.log(
    `${imports.size} files in ${Object.keys(layers).length} folders: no upward imports, no circles`,
  );
