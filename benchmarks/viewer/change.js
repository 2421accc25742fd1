// How long it takes from Enter until the page that shows another class has been painted: `changed` in ms, or null.
(() => {
  let began = null;
  globalThis.changed = null;
  addEventListener(
    "keydown",
    (event) => {
      if (event.key !== "Enter") return;
      began = event.timeStamp;
      globalThis.changed = null;
    },
    true,
  );
  const heard = () => {
    if (began === null) return;
    const from = began;
    began = null;
    // the frame's callbacks run, it is painted, and then comes the next task
    requestAnimationFrame(() => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => {
        globalThis.changed = performance.now() - from;
      };
      port2.postMessage(null);
    });
  };
  new MutationObserver(heard).observe(document, {
    subtree: true,
    attributes: true,
    attributeFilter: ["data-ready"],
  });
})();
