// The kept patches of a group, best first, with their rates and where they were found.

import { choice } from "../ui/controls";
import { el } from "../ui/dom";
import {
  type Example,
  type Found,
  GROUPS,
  type Group,
  interval,
  type Kept,
  pictureAddress,
  type Scene,
  share,
  type Tested,
} from "./result";

/** The patches of one group at a time; the atlas's first. */
export function gallery(scene: Scene<Tested>): HTMLElement[] {
  const { groups } = scene.direction;
  const cards = el("ol", { class: "cards" });
  const show = (name: string): void => {
    const group = groups.find((entry) => entry.name === name);
    if (group) cards.replaceChildren(...group.patches.map((patch) => card(scene, group, patch)));
  };
  const chooser = choice("Patches", show);
  chooser.element.classList.add("groups");
  chooser.offer(groups.map(({ name }) => ({ value: name, face: GROUPS[name].name })));
  chooser.choose("atlas");
  show("atlas");
  return [chooser.element, cards];
}

/** What the atlas proposes where nothing could be tested. */
export function proposals(scene: Scene<unknown>, found: readonly Found[]): HTMLElement {
  const cards = found.map((patch) => el("li", {}, picture(scene, patch, "Candidate"), origin(scene, patch)));
  return el("ol", { class: "cards" }, ...cards);
}

function card(scene: Scene<Tested>, group: Group, patch: Kept): HTMLElement {
  const { becomes } = patch.static;
  const size = Math.round((100 * patch.side) / scene.test.crop);
  return el(
    "li",
    {},
    picture(scene, patch, GROUPS[group.name].name),
    el(
      "p",
      { class: "rate", title: `becomes ${scene.target}, static; 95 % interval ${interval(becomes)}` },
      share(becomes.value),
    ),
    el("p", { class: "fine" }, `dynamic ${share(patch.dynamic.becomes.value)}`),
    el("p", { class: "fine" }, `${size} % of the side, ${patch.corner}`),
    origin(scene, patch),
  );
}

function picture(scene: Scene<unknown>, patch: Found, what: string): HTMLElement {
  if (patch.picture === null) return el("p", { class: "nothing" }, "not stored");
  const alt = `${what}: ${patch.key === null ? "noise" : (patch.label ?? "no label")}`;
  return el("img", { src: pictureAddress(scene, patch.picture), alt, loading: "lazy" });
}

function origin(scene: Scene<unknown>, patch: Found): HTMLElement {
  if (patch.key === null) return el("p", { class: "fine" }, "made, not found");
  const text = el("p", { class: "fine origin" }, el("span", {}, patch.label ?? "no label"), patch.key);
  if (!patch.cell) return text;
  const { size, at } = patch.cell;
  const parts = new URLSearchParams({
    layer: scene.test.layer,
    atlas: scene.test.atlas,
    level: String(size),
    pin: [size, ...at].join("."),
  });
  text.append(" · ", el("a", { href: `index.html#${parts}` }, "its cell"));
  return text;
}

// Pictures before and after, successes and failures alike.

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
