// Conversion of the samples' filters and colors to and from the URL hash.

import { parseInteger } from "../data/format";
import type { Manifest } from "../data/manifest";
import {
  NO_FILTER,
  type Outcome,
  recordedColors,
  SAMPLE_COLORS,
  type SampleColor,
  type SampleFilter,
} from "../data/samples";

/** Names and values; default values are omitted. */
export function filterToHash({ label, prediction, outcome, color }: SampleFilter): [string, string][] {
  const parts: [string, string | number | null][] = [
    ["label", label],
    ["predicted", prediction],
    ["outcome", outcome],
    ["color", color],
  ];
  return parts.flatMap(([name, value]): [string, string][] =>
    value === null ? [] : [[name, String(value)]],
  );
}

/** Filters of a URL hash; what the run did not record, or does not have, falls back to the defaults. */
export function filterFromHash(parts: URLSearchParams, manifest: Manifest): SampleFilter {
  if (parts.get("show") !== "samples") return NO_FILTER;
  const recorded = recordedColors(manifest);
  const parseClass = (name: string, needs: SampleColor): number | null => {
    const id = parseInteger(parts.get(name));
    return recorded.includes(needs) && manifest.network.classes[id] !== undefined ? id : null;
  };
  const outcome = parts.get("outcome");
  const color = SAMPLE_COLORS.find((each) => each === parts.get("color"));
  const isOutcome = outcome === "right" || outcome === "wrong";
  return {
    label: parseClass("label", "label"),
    prediction: parseClass("predicted", "prediction"),
    outcome: isOutcome && recorded.includes("outcome") ? (outcome satisfies Outcome) : null,
    color: color && recorded.includes(color) ? color : null,
  };
}

/** What the hash names of these and the run does not have, as the page calls it. */
export function missingFilters(parts: URLSearchParams, manifest: Manifest): string[] {
  if (parts.get("show") !== "samples") return [];
  const filter = filterFromHash(parts, manifest);
  const names = [
    ["label", "label", filter.label],
    ["predicted class", "predicted", filter.prediction],
    ["outcome", "outcome", filter.outcome],
    ["color", "color", filter.color],
  ] as const;
  return names.flatMap(([what, key, found]) =>
    parts.get(key) && found === null ? [`${what} “${parts.get(key)}”`] : [],
  );
}
