// Creates elements without markup, so that all names are shown as text.

type Attributes = Readonly<Record<string, string | number | boolean | null>>;
type Child = Node | string | null;

/** A new element; `null` and `false` omit an attribute or child, `true` sets it empty. */
export function el<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== false) element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

/** A button with an accessible name. */
export function createButton(
  label: string,
  content: Node | string,
  action: () => void,
  className = "icon-button",
): HTMLButtonElement {
  const element = el(
    "button",
    { type: "button", class: className, "aria-label": label, title: label },
    content,
  );
  element.addEventListener("click", action);
  return element;
}

const SVG = "http://www.w3.org/2000/svg";

/** Line icon of 20 × 20 units. */
export function createSvgIcon(...paths: readonly string[]): SVGSVGElement {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 20 20");
  svg.setAttribute("aria-hidden", "true");
  svg.classList.add("line-icon");
  for (const data of paths) {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", data);
    svg.append(path);
  }
  return svg;
}

const SPACE = "http://www.w3.org/2000/svg";

/** A new SVG element; strings become text nodes. */
export function createSvg<Tag extends keyof SVGElementTagNameMap>(
  tag: Tag,
  attributes: Readonly<Record<string, string | number>> = {},
  ...children: readonly (Node | string)[]
): SVGElementTagNameMap[Tag] {
  const element = document.createElementNS(SPACE, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...children);
  return element;
}

/** Call back once, when the element becomes visible. */
export function whenVisible(element: Element, action: () => void): void {
  const observer = new IntersectionObserver((entries) => {
    if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
    observer.disconnect();
    action();
  });
  observer.observe(element);
}

/** Button with a cross. */
export function createCloseButton(
  label: string,
  action: () => void,
  className = "icon-button",
): HTMLButtonElement {
  return createButton(label, createSvgIcon("M5 5 15 15", "M15 5 5 15"), action, className);
}
