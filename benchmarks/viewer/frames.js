// Times of all frames between `watchedFrames.start()` and `.stop()`, ms.
(() => {
  let times = null;
  const note = (time) => {
    if (!times) return;
    times.push(time);
    requestAnimationFrame(note);
  };
  globalThis.watchedFrames = {
    start() {
      times = [];
      requestAnimationFrame(note);
    },
    stop() {
      const found = times;
      times = null;
      return found;
    },
  };
})();
