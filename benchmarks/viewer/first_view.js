// Times at which the first and the last new part of the first view are painted:
// `shown.first` and `shown.last`, ms since the start of the navigation, taken at the frame after the drawing.
(() => {
  const shown = { first: null, last: null };
  globalThis.shown = shown;
  const known = new WeakSet();
  const draw = CanvasRenderingContext2D.prototype.drawImage;
  CanvasRenderingContext2D.prototype.drawImage = function (source, ...rest) {
    draw.call(this, source, ...rest);
    const isMap = this.canvas.width > 400 && this.canvas.isConnected && !this.canvas.classList.contains("overlay");
    if (!isMap || known.has(source)) return;
    known.add(source);
    requestAnimationFrame(() => {
      shown.first ??= performance.now();
      shown.last = performance.now();
    });
  };
})();
