/** The little XML that S3 speaks. Its elements hold text or elements, never both, and have no attributes that matter. */

const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

const decoded = (text: string): string =>
  text.replace(/&(?:#x([0-9a-f]+)|#(\d+)|(\w+));/gi, (whole, hex, decimal, name) => {
    if (hex) return String.fromCodePoint(Number.parseInt(hex, 16));
    return decimal ? String.fromCodePoint(Number(decimal)) : (ENTITIES[name] ?? whole);
  });

const encoded = (text: string): string =>
  text.replace(/[<>&"']/g, (character) => `&#${character.charCodeAt(0)};`);

/** Texts of all elements of a name, wherever they are. */
export function textsOf(xml: string, name: string): string[] {
  return [...xml.matchAll(new RegExp(`<${name}>([^<]*)</${name}>`, 'g'))].map(([, text]) => decoded(text));
}

/** Text of the first element of a name. */
export const textOf = (xml: string, name: string): string | undefined => textsOf(xml, name)[0];

/** An element around elements, which are XML already. */
export const element = (name: string, ...inner: readonly string[]): string =>
  `<${name}>${inner.join('')}</${name}>`;

/** An element around text. */
export const field = (name: string, text: string | number): string => element(name, encoded(`${text}`));
