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
  ['instant', 'Instant', 'no training'],
  ['draft', 'Draft', 'quick'],
  ['standard', 'Standard', '4 × as long'],
  ['best', 'Best', '12 × as long'],
] as const;

/** What each is for, below the choice. */
export const QUALITY_SENTENCES: Readonly<Record<(typeof QUALITY_WORDS)[number][0], string>> = {
  instant: 'The picture at once: it is made from the photographs, and nothing is trained.',
  draft: 'A quick look at what training makes of it.',
  standard: 'For most photographs.',
  best: 'For pictures to keep, where time does not matter.',
};
