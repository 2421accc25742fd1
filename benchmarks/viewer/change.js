// Time from Enter until the page with another class has been painted: `changed` in ms, or null.
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
  const onChange = () => {
    if (began === null) return;
    const from = began;
    began = null;
    // the task after the frame's callbacks runs once the frame has been painted
    requestAnimationFrame(() => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => {
        globalThis.changed = performance.now() - from;
      };
      port2.postMessage(null);
    });
  };
  new MutationObserver(onChange).observe(document, {
    subtree: true,
    attributes: true,
    attributeFilter: ["data-ready"],
  });
})();
