// Work that waits until somebody looks.

/** Act once, as soon as the element comes into sight. */
export function whenSeen(element: Element, action: () => void): void {
  const observer = new IntersectionObserver((entries) => {
    if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
    observer.disconnect();
    action();
  });
  observer.observe(element);
}
