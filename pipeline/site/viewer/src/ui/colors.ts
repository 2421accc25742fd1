// Color scale of measures: a path through Oklab, so that equal steps look equal; lightness is monotonic, so that it is
// readable without distinguishing hues.

export type Color = readonly [number, number, number];

type Oklab = readonly [number, number, number];

/** Equidistant colors along the path through `stops`. */
export function colorRamp(stops: readonly Color[], count: number): Color[] {
  const path = stops.map(toOklab);
  return Array.from({ length: count }, (_, index) => {
    const at = (index / Math.max(count - 1, 1)) * (path.length - 1);
    const before = Math.min(Math.floor(at), path.length - 2);
    const [from, to] = [path[before] ?? [0, 0, 0], path[before + 1] ?? [0, 0, 0]];
    const mix = (axis: 0 | 1 | 2): number => from[axis] + (to[axis] - from[axis]) * (at - before);
    return fromOklab([mix(0), mix(1), mix(2)]);
  });
}

/** Björn Ottosson 2020, "A perceptual color space for image processing". */
function toOklab(color: Color): Oklab {
  const [red, green, blue] = color.map((value) => toLinear(value / 255)) as unknown as Oklab;
  const long = Math.cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue);
  const medium = Math.cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue);
  const short = Math.cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue);
  return [
    0.2104542553 * long + 0.793617785 * medium - 0.0040720468 * short,
    1.9779984951 * long - 2.428592205 * medium + 0.4505937099 * short,
    0.0259040371 * long + 0.7827717662 * medium - 0.808675766 * short,
  ];
}

function fromOklab([light, greenRed, blueYellow]: Oklab): Color {
  const long = (light + 0.3963377774 * greenRed + 0.2158037573 * blueYellow) ** 3;
  const medium = (light - 0.1055613458 * greenRed - 0.0638541728 * blueYellow) ** 3;
  const short = (light - 0.0894841775 * greenRed - 1.291485548 * blueYellow) ** 3;
  return [
    toByte(4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short),
    toByte(-1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short),
    toByte(-0.0041960863 * long - 0.7034186147 * medium + 1.707614701 * short),
  ];
}

function toLinear(value: number): number {
  return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
}

function toByte(value: number): number {
  const shown = value <= 0.0031308 ? 12.92 * value : 1.055 * value ** (1 / 2.4) - 0.055;
  return Math.round(255 * Math.min(Math.max(shown, 0), 1));
}
