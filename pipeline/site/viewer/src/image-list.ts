// Images with their pictures and names, those with the most samples first.

import type { About } from "./about";
import { el } from "./dom";
import { count } from "./format";
import type { ImageSource } from "./image-source";
import type { Tally } from "./members";

const FIRST = 24;
const MORE = 48;

/** How many images there are, and the first of them; a button shows more. */
export function imageList(
  source: ImageSource,
  tallies: readonly Tally[],
  report: (error: unknown) => void,
): HTMLElement {
  if (!tallies.length) return el("p", { class: "nothing" }, "None of its samples lie here.");
  const list = el("ol", { class: "images" });
  const more = el("button", { type: "button", class: "more" });
  const samples = tallies.reduce((sum, tally) => sum + tally.samples, 0);
  const summary = `${count(tallies.length, "different image")}, ${count(samples, "sample")}`;
  const extend = async (step: number): Promise<void> => {
    const shown = list.children.length;
    const next = tallies.slice(shown, shown + step);
    const about = await source.about(next.map(({ image }) => image));
    if (list.children.length !== shown) return;
    list.append(...next.map((tally, index) => row(about[index], tally)));
    const left = tallies.length - list.children.length;
    more.hidden = left === 0;
    more.textContent = left > MORE ? `Show ${MORE} more of ${left}` : `Show ${left} more`;
  };
  more.hidden = true;
  more.addEventListener("click", () => extend(MORE).catch(report));
  extend(FIRST).catch(report);
  return el("div", { class: "image-list" }, el("p", { class: "fine" }, summary), list, more);
}

function row(about: About | undefined, tally: Tally): HTMLElement {
  const { key = "", label = null, address = null } = about ?? {};
  const picture = el("span", { class: "thumbnail" });
  if (address) picture.append(el("img", { src: address, alt: "", loading: "lazy", draggable: "false" }));
  const text = el("span", { class: "text" });
  if (label !== null) text.append(el("span", { class: "label" }, label));
  text.append(el("span", { class: "key" }, key));
  const face = [picture, text, el("span", { class: "value" }, count(tally.samples, "sample"))];
  const title = label === null ? key : `${label}, ${key}`;
  if (!address) return el("li", {}, el("span", { class: "image", title }, ...face));
  return el(
    "li",
    {},
    el("a", { class: "image", title, href: address, target: "_blank", rel: "noopener" }, ...face),
  );
}
