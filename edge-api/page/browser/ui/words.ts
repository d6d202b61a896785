/** `model/presets.ts`, in words. */
export const PRESET_WORDS = [
  ['auto', 'Detect from the photographs'],
  ['focus', 'Different focus'],
  ['exposure', 'Different exposure'],
  ['focus-exposure', 'Different focus and exposure'],
  ['neucam', 'As published (slow)'],
] as const;

/** Relative to a draft, by the visits that each pixel gets. */
export const QUALITY_WORDS = [
  ['draft', 'Draft', 'quick'],
  ['standard', 'Standard', '4 × as long'],
  ['best', 'Best', '12 × as long'],
] as const;
