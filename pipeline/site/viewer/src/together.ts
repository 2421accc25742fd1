// Two pictures that move as one: whichever people move takes the other along, frame by frame.

import type { Picture } from "./picture";

/** Bring the second picture to where the first one is and keep both together; call the result to let them go. */
export function moveTogether(first: Picture, second: Picture): () => void {
  let leader = first;
  let following = false;
  const carry = (companion: Picture): void => {
    following = true;
    companion.stand(leader.standing());
    following = false;
  };
  const bind = (picture: Picture, companion: Picture): (() => void) => {
    const { viewer } = picture;
    // every movement begins with one of these; those of a companion that is carried along do not count
    const lead = (): void => {
      if (!following) leader = picture;
    };
    const moved = (): void => {
      if (leader === picture) carry(companion);
    };
    viewer.addHandler("pan", lead);
    viewer.addHandler("zoom", lead);
    viewer.addHandler("viewport-change", moved);
    return () => {
      viewer.removeHandler("pan", lead);
      viewer.removeHandler("zoom", lead);
      viewer.removeHandler("viewport-change", moved);
    };
  };
  carry(second);
  const bonds = [bind(first, second), bind(second, first)];
  return () => {
    for (const loosen of bonds) loosen();
  };
}
