// What the stages measured, as commands gather it; null where a stage has not told.

type Found = number | null | undefined;

export interface Images {
  readonly images: Found;
  readonly rejected: Found;
  readonly classes: Found;
  readonly labelled: Found;
  readonly top1?: Found;
  readonly top5?: Found;
}

export interface Sampled {
  readonly samples: Found;
  readonly channels: Found;
  readonly silent_samples: Found;
  readonly zero_attributions: Found;
}

export interface Layout {
  readonly points: Found;
  readonly outliers: Found;
  readonly filled: Found;
  readonly trustworthiness_10: Found;
  readonly trustworthiness_50: Found;
  readonly continuity_10: Found;
  readonly continuity_50: Found;
  readonly label_hits?: Found;
  readonly label_hits_activations?: Found;
}

export interface Level {
  readonly size: number;
  readonly cells: {
    readonly occupied: Found;
    readonly drawn: Found;
    readonly spread: Found;
    readonly reliability: Found;
  } | null;
  readonly icons: {
    readonly icons: Found;
    readonly fidelity: { readonly median: Found; readonly floor?: Found } | null;
    readonly fidelity_centred: { readonly median: Found; readonly ceiling?: Found } | null;
    readonly retrieval: { readonly exact: Found; readonly near: Found } | null;
  } | null;
}

export interface Measured {
  readonly layout: Layout | null;
  readonly levels: readonly Level[];
}

export interface Contents {
  readonly images: Images | null;
  readonly layers: Readonly<Record<string, Sampled | null>>;
  readonly atlases: Readonly<Record<string, Readonly<Record<string, Measured>>>>;
}
