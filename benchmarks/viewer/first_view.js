// When a part of the atlas is painted for the first time, and when the last new part of the first view is.
// `shown.first` and `shown.last` are ms since the navigation began, taken at the frame after the drawing.
(() => {
  const shown = { first: null, last: null };
  globalThis.shown = shown;
  const known = new WeakSet();
  const draw = CanvasRenderingContext2D.prototype.drawImage;
  CanvasRenderingContext2D.prototype.drawImage = function (source, ...rest) {
    draw.call(this, source, ...rest);
    const picture = this.canvas.width > 400 && this.canvas.isConnected && !this.canvas.classList.contains("overlay");
    if (!picture || known.has(source)) return;
    known.add(source);
    requestAnimationFrame(() => {
      shown.first ??= performance.now();
      shown.last = performance.now();
    });
  };
})();
