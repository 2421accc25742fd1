// Pictures before and after, successes and failures alike.

import { el } from "../dom";
import type { Example, Tested } from "./content";
import { pictureAddress, type Scene, share } from "./words";

export function montage(scene: Scene<Tested>): HTMLElement {
  return el("ol", { class: "montage" }, ...scene.direction.examples.map((example) => pair(scene, example)));
}

function pair(scene: Scene<Tested>, example: Example): HTMLElement {
  const { source, target } = scene;
  const verdict = example.becomes
    ? `becomes ${target}`
    : example.leaves
      ? `no longer ${source}`
      : `stays ${source}`;
  const kind = example.becomes ? "becomes" : example.leaves ? "leaves" : "stays";
  return el(
    "li",
    { class: kind },
    el("div", { class: "pair" }, side(scene, example, 0), side(scene, example, 1)),
    el("p", { class: "verdict" }, verdict),
    el("p", { class: "fine" }, `${example.key}, patch ${example.patch + 1}`),
  );
}

function side(scene: Scene<Tested>, example: Example, when: 0 | 1): HTMLElement {
  const name = when ? example.after : example.before;
  const alt = `${example.label ?? example.key} ${when ? "with the patch" : "as it is"}`;
  const picture =
    name === null ? null : el("img", { src: pictureAddress(scene, name), alt, loading: "lazy" });
  return el(
    "figure",
    {},
    picture,
    el(
      "figcaption",
      {},
      softmax("source", scene.source, example.softmax.source[when]),
      softmax("target", scene.target, example.softmax.target[when]),
    ),
  );
}

function softmax(line: string, name: string, value: number): HTMLElement {
  const bar = el("span", { class: `bar ${line}` });
  bar.style.width = `${100 * value}%`;
  return el(
    "span",
    { class: "softmax", title: `softmax of ${name}` },
    el("span", { class: "track", "aria-hidden": "true" }, bar),
    el("span", { class: "number" }, el("span", { class: "unseen" }, `${name} `), share(value)),
  );
}
