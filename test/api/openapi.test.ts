import { readFile } from 'node:fs/promises';
import openapiTS, { astToString, COMMENT_HEADER } from 'openapi-typescript';
import { describe, expect, test } from 'vitest';
import { programVersion } from '../../cli/shared/version.js';
import { docsPage, type OpenApiDocument } from '../../edge-api/service/docs-page.js';
import { apiDocument } from '../../edge-api/service/openapi.js';

const document = apiDocument(programVersion()) as OpenApiDocument;
const operations = Object.entries(document.paths).flatMap(([path, item]) =>
  Object.entries(item).map(([method, operation]) => ({ path, method, operation })),
);

describe('the OpenAPI document', () => {
  test('is what docs/reference/openapi.json says, and valid, and so are the types made from it (npm run docs)', async () => {
    expect(await readFile('docs/reference/openapi.json', 'utf8')).toBe(
      `${JSON.stringify(document, null, 1)}\n`,
    );
    // Validates against OpenAPI 3.1, and throws where it does not hold.
    const tree = await openapiTS(structuredClone(document) as never, { defaultNonNullable: false });
    const types = COMMENT_HEADER + astToString(tree);
    expect(await readFile('test/api/openapi-types.d.ts', 'utf8')).toBe(types);
  });

  test('would not pass as valid with a fault in it', async () => {
    const broken = structuredClone(document) as unknown as {
      paths: Record<string, { get: { responses: unknown } }>;
    };
    broken.paths['/healthz'].get.responses = 'none';
    await expect(openapiTS(broken as never)).rejects.toThrow();
  });

  test('names every operation once, in words that become methods', () => {
    const ids = operations.map(({ operation }) => operation.operationId);
    expect(ids.filter((id) => !/^[a-z][A-Za-z]+$/.test(id))).toEqual([]);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test('says of every route what a refusal looks like, and what its parameters are', () => {
    for (const { path, operation } of operations) {
      if (path.startsWith('/v1/')) expect(operation.responses, path).toHaveProperty('default');
      const declared = (operation.parameters ?? []).filter((p) => p.in === 'path').map((p) => p.name);
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      expect(declared.sort(), path).toEqual(inPath.sort());
    }
  });

  test('as a page names every operation and fetches nothing', () => {
    const page = docsPage(document);
    for (const { operation } of operations) expect(page).toContain(`id="${operation.operationId}"`);
    expect(page).not.toMatch(/<script|<link|src=|https?:\/\/(?!www\.apache\.org)/);
  });
});
