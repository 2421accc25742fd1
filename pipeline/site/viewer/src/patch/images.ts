// Selected patches of a group, best first, with their rates and origin.

import { createRadioGroup } from "../ui/controls";
import { el } from "../ui/dom";
import {
  type Example,
  type FoundPatch,
  formatInterval,
  formatShare,
  GROUP_NAMES,
  type Group,
  imageUrl,
  type PatchContext,
  type SelectedPatch,
  type Tested,
} from "./result";

/** Patches of one group at a time, the atlas's first. */
export function createPatchCards(context: PatchContext<Tested>): HTMLElement[] {
  const { groups } = context.direction;
  const cards = el("ol", { class: "cards" });
  const show = (name: string): void => {
    const group = groups.find((entry) => entry.name === name);
    if (group) cards.replaceChildren(...group.patches.map((patch) => createCard(context, group, patch)));
  };
  const chooser = createRadioGroup("Patches", show);
  chooser.element.classList.add("groups");
  chooser.setOptions(groups.map(({ name }) => ({ value: name, label: GROUP_NAMES[name].name })));
  chooser.choose("atlas");
  show("atlas");
  return [chooser.element, cards];
}

/** Candidates of the atlas if no test was possible. */
export function createCandidateCards(
  context: PatchContext<unknown>,
  found: readonly FoundPatch[],
): HTMLElement {
  const cards = found.map((patch) =>
    el("li", {}, createPatchImage(context, patch, "Candidate"), createOrigin(context, patch)),
  );
  return el("ol", { class: "cards" }, ...cards);
}

function createCard(context: PatchContext<Tested>, group: Group, patch: SelectedPatch): HTMLElement {
  const { targeted } = patch.static;
  const size = Math.round((100 * patch.side) / context.test.crop);
  return el(
    "li",
    {},
    createPatchImage(context, patch, GROUP_NAMES[group.name].name),
    el(
      "p",
      {
        class: "rate",
        title: `predicted as ${context.target}, static; 95 % confidence interval ${formatInterval(targeted)}`,
      },
      formatShare(targeted.value),
    ),
    el("p", { class: "secondary" }, `dynamic ${formatShare(patch.dynamic.targeted.value)}`),
    el("p", { class: "secondary" }, `${size} % of the side, ${patch.corner}`),
    createOrigin(context, patch),
  );
}

function createPatchImage(context: PatchContext<unknown>, patch: FoundPatch, what: string): HTMLElement {
  if (patch.file === null) return el("p", { class: "empty" }, "not stored");
  const alt = `${what}: ${patch.key === null ? "noise" : (patch.label ?? "no label")}`;
  return el("img", { src: imageUrl(context, patch.file), alt, loading: "lazy" });
}

function createOrigin(context: PatchContext<unknown>, patch: FoundPatch): HTMLElement {
  if (patch.key === null) return el("p", { class: "secondary" }, "generated");
  const text = el("p", { class: "secondary origin" }, el("span", {}, patch.label ?? "no label"), patch.key);
  if (!patch.cell) return text;
  const { size, at } = patch.cell;
  const parts = new URLSearchParams({
    layer: context.test.layer,
    atlas: context.test.atlas,
    level: String(size),
    pin: [size, ...at].join("."),
  });
  text.append(" · ", el("a", { href: `index.html#${parts}` }, "its cell"));
  return text;
}

// Images before and after pasting, successes and failures.

export function createMontage(context: PatchContext<Tested>): HTMLElement {
  return el(
    "ol",
    { class: "montage" },
    ...context.direction.examples.map((example) => createPair(context, example)),
  );
}

function createPair(context: PatchContext<Tested>, example: Example): HTMLElement {
  const { source, target } = context;
  const verdict = example.targeted
    ? `predicted as ${target}`
    : example.untargeted
      ? `no longer ${source}`
      : `stays ${source}`;
  const kind = example.targeted ? "targeted" : example.untargeted ? "untargeted" : "unchanged";
  return el(
    "li",
    { class: kind },
    el("div", { class: "pair" }, createSide(context, example, 0), createSide(context, example, 1)),
    el("p", { class: "verdict" }, verdict),
    el("p", { class: "secondary" }, `${example.key}, patch ${example.patch + 1}`),
  );
}

function createSide(context: PatchContext<Tested>, example: Example, when: 0 | 1): HTMLElement {
  const name = when ? example.after : example.before;
  const alt = `${example.label ?? example.key} ${when ? "with the patch" : "without the patch"}`;
  const image = name === null ? null : el("img", { src: imageUrl(context, name), alt, loading: "lazy" });
  return el(
    "figure",
    {},
    image,
    el(
      "figcaption",
      {},
      createSoftmaxBar("source", context.source, example.softmax.source[when]),
      createSoftmaxBar("target", context.target, example.softmax.target[when]),
    ),
  );
}

function createSoftmaxBar(line: string, name: string, value: number): HTMLElement {
  const bar = el("span", { class: `bar ${line}` });
  bar.style.width = `${100 * value}%`;
  return el(
    "span",
    { class: "softmax", title: `softmax of ${name}` },
    el("span", { class: "track", "aria-hidden": "true" }, bar),
    el("span", { class: "number" }, el("span", { class: "visually-hidden" }, `${name} `), formatShare(value)),
  );
}
