// Every key of the page. Keys typed into a field or pressed on a control stay there.

export interface KeyActions {
  /** Move the cursor to the next drawn cell in a direction. */
  step(rows: number, columns: number): void;
  pan(right: number, down: number): void;
  zoom(steps: number): void;
  home(): void;
  /** With Shift, a region that is being set is added to what is selected. */
  pin(shift: boolean): void;
  back(): void;
  level(step: number): void;
  autoLevel(): void;
  nextLayer(): void;
  selectRegion(): void;
  lasso(): void;
  toggleCell(): void;
  search(): void;
  help(): void;
  atlases(): void;
  sheet(): void;
  uses(): void;
  beside(): void;
  /** Colour the cells by the next measure. */
  measure(): void;
  labels(): void;
  marks(): void;
  places(): void;
}

const ARROWS: Readonly<Record<string, readonly [number, number]>> = {
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
};
const PAN = 0.15;

export function listenToKeys(actions: KeyActions): void {
  const keys: Readonly<Record<string, () => void>> = {
    "+": () => actions.zoom(1),
    "=": () => actions.zoom(1),
    "-": () => actions.zoom(-1),
    "0": actions.home,
    ",": () => actions.level(-1),
    ".": () => actions.level(1),
    a: actions.autoLevel,
    l: actions.nextLayer,
    b: actions.selectRegion,
    f: actions.lasso,
    x: actions.toggleCell,
    "/": actions.search,
    "?": actions.help,
    o: actions.atlases,
    s: actions.sheet,
    u: actions.uses,
    c: actions.beside,
    v: actions.measure,
    n: actions.labels,
    d: actions.marks,
    p: actions.places,
    Escape: actions.back,
  };
  const root = document.documentElement;
  document.addEventListener("pointerdown", () => root.removeAttribute("data-keys"), true);
  document.addEventListener("keydown", (event) => {
    root.setAttribute("data-keys", "");
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    const { target } = event;
    if (target instanceof HTMLInputElement && target.type === "text") return;
    const action = keys[event.key] ?? (onPicture(target) ? pictureKey(event, actions) : null);
    if (!action) return;
    event.preventDefault();
    action();
  });
}

function onPicture(target: EventTarget | null): boolean {
  return (
    target === document.body || (target instanceof Element && target.matches(".pane .openseadragon-canvas"))
  );
}

function pictureKey(event: KeyboardEvent, actions: KeyActions): (() => void) | null {
  if (event.key === "Enter" || event.key === " ") return () => actions.pin(event.shiftKey);
  const arrow = ARROWS[event.key];
  if (!arrow) return null;
  const [rows, columns] = arrow;
  return event.shiftKey ? () => actions.pan(PAN * columns, PAN * rows) : () => actions.step(rows, columns);
}
