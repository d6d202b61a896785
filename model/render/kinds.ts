/** What a render can show. How each is drawn: `DRAW` in develop/render/scene-renderer.ts. */
export const RENDER_KINDS = {
  'all-in-focus': { says: 'no camera' },
  refocus: { says: 'through the lens' },
  depth: { says: 'the defocus map' },
  response: { says: 'the curve' },
} as const satisfies Record<string, { readonly says: string }>;

export type RenderKind = keyof typeof RENDER_KINDS;

/** The names, for schemas. */
export const RENDER_KIND_NAMES = Object.keys(RENDER_KINDS) as RenderKind[];

/** "all-in-focus: no camera; refocus: …". */
export const renderKindsInWords = Object.entries(RENDER_KINDS)
  .map(([kind, { says }]) => `${kind}: ${says}`)
  .join('; ');
