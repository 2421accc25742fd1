// What lies over the icons, as a part of a link has it.

import { measureFrom } from "./measure-kinds";
import type { State } from "./state";

type Over = Pick<State, "measure" | "marks" | "labels">;

/** Names and values; what is as it was at the start is left out. */
export function overInLink({ measure, marks, labels }: Over): [string, string][] {
  return [
    ...(measure ? [["measure", measure] as [string, string]] : []),
    ...(marks ? [["marks", "on"] as [string, string]] : []),
    ...(labels ? [] : [["labels", "off"] as [string, string]]),
  ];
}

/** What a link asks for; anything unknown falls back to the start. */
export function overFrom(parts: URLSearchParams): Over {
  return {
    measure: measureFrom(parts.get("measure")),
    marks: parts.get("marks") === "on",
    labels: parts.get("labels") !== "off",
  };
}
