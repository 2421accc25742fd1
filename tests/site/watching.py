"""What a reader sees in every frame while the page changes: title, names, mask and picture of the first map."""

from typing import Any

from playwright.sync_api import Page

# the probe's size changes in every frame, so that its observer runs after all drawing of a frame, before it is seen
WATCH = """(cells) => {
    const probe = document.body.appendChild(document.createElement("i"));
    Object.assign(probe.style, { position: "fixed", display: "block", height: "1px", opacity: 0 });
    const read = (selector) => cells.map(([row, column]) => {
        const canvas = document.querySelector(`.pane ${selector}`);
        const { left, top } = canvas.getBoundingClientRect();
        const { x, y } = atlas.cellToPoint(row, column);
        const [at, under] = [(x - left) * devicePixelRatio, (y - top) * devicePixelRatio];
        return Array.from(canvas.getContext("2d").getImageData(at, under, 1, 1).data).join();
    });
    self.frames = [];
    self.watching = true;
    new ResizeObserver(() => {
        if (!self.watching) return;
        const seen = {
            title: document.querySelector(".caption").innerText.split("\\n")[0],
            names: atlas.labels().map(({ text }) => text).sort().join(),
            mask: read("canvas.overlay").join(";"),
            picture: read("canvas:not(.overlay, .crossfade)").join(";"),
        };
        if (JSON.stringify(seen) !== JSON.stringify(self.frames.at(-1))) self.frames.push(seen);
    }).observe(probe);
    let wide = false;
    const tick = () => {
        wide = !wide;
        probe.style.width = wide ? "2px" : "1px";
        if (self.watching) requestAnimationFrame(tick);
    };
    tick();
}"""


def watch(page: Page, cells: list[list[int]]) -> None:
    """Begin to note what is seen, with colors in the middle of these cells (row, column)."""
    page.evaluate(WATCH, cells)


def seen(page: Page) -> list[dict[str, Any]]:
    """The different frames since then, in order."""
    found: list[dict[str, Any]] = page.evaluate("() => { self.watching = false; return self.frames; }")
    return found
