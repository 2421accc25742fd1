// Histogram of a unit's activations over all positions of all images.

import { decodeArray } from "../data/data-files";
import { activation, count } from "../data/format";
import { createSvg, el } from "../ui/dom";
import { showFailure } from "../ui/page";
import type { UnitResult } from "./result";

const WIDTH = 640;
const HEIGHT = 140;

/** The histogram, with counts on a logarithmic scale: most positions activate a unit little. */
export function createHistogram({ histogram, channel }: UnitResult): HTMLElement {
  const figure = el("figure", { class: "histogram" });
  decodeArray(histogram.counts)
    .then((counts) => {
      const step = WIDTH / counts.length;
      const highest = Math.log10(1 + Math.max(...counts));
      const bars = Array.from(counts, (value, index) => {
        const height = (Math.log10(1 + value) / highest) * HEIGHT;
        const from = histogram.start + index * histogram.width;
        const bar = createSvg("rect", {
          x: index * step,
          y: HEIGHT - height,
          width: Math.max(1, step - 1),
          height,
        });
        const text = `${activation(from)} to ${activation(from + histogram.width)}: ${count(value, "position")}`;
        bar.append(createSvg("title", {}, text));
        return bar;
      });
      const label = `Histogram of the activations of unit ${channel}`;
      const svg = createSvg(
        "svg",
        { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": label },
        ...bars,
      );
      const end = histogram.start + counts.length * histogram.width;
      figure.append(
        svg,
        el(
          "p",
          { class: "axis" },
          el("span", {}, activation(histogram.start)),
          el("span", {}, activation(end)),
        ),
        el("figcaption", {}, "Activation at all positions of all images; counts on a logarithmic scale."),
      );
    })
    .catch(showFailure);
  return figure;
}
