/** The OpenAPI document as a page for people: one file, no script, nothing from elsewhere. */

interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly description?: string;
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly format?: string;
}

interface Content {
  readonly [type: string]: { readonly schema?: Schema };
}

interface Operation {
  readonly operationId: string;
  readonly summary?: string;
  readonly description?: string;
  readonly tags?: readonly string[];
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: string;
    readonly required?: boolean;
    readonly description?: string;
    readonly schema?: Schema;
  }[];
  readonly requestBody?: { readonly content: Content };
  readonly responses: Readonly<Record<string, { readonly description: string; readonly content?: Content }>>;
}

export interface OpenApiDocument {
  readonly info: { readonly title: string; readonly version: string; readonly description?: string };
  readonly tags?: readonly { readonly name: string; readonly description?: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components?: { readonly schemas?: Readonly<Record<string, Schema>> };
}

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const text = (value: string) => value.replace(/[&<>"]/g, (c) => ESCAPES[c]);
/** Text with `code` and lists, as descriptions use them. */
const prose = (value = '') =>
  text(value)
    .split(/\n\n/)
    .map((part) => (part.startsWith('- ') ? list(part) : `<p>${part}</p>`))
    .join('')
    .replace(/`([^`]+)`/g, '<code>$1</code>');
const list = (part: string) =>
  `<ul>${part
    .split('\n')
    .map((line) => `<li>${line.slice(2)}</li>`)
    .join('')}</ul>`;

const STYLE = `:root{color-scheme:light dark;--line:#8884}
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:0 auto;padding:1rem}
code{font:.9em ui-monospace,monospace;overflow-wrap:anywhere}
details{border:1px solid var(--line);border-radius:.5rem;margin:.5rem 0;padding:.5rem .75rem}
summary{cursor:pointer;overflow-wrap:anywhere}summary b{display:inline-block;min-width:4rem}
table{border-collapse:collapse;width:100%;font-size:.9rem}
td,th{text-align:left;vertical-align:top;border-top:1px solid var(--line);padding:.25rem .5rem .25rem 0}
h2{margin-top:2rem}nav a{margin-right:1rem}`;

export function docsPage(document: OpenApiDocument): string {
  const { info, tags = [], paths, components } = document;
  const operations = Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({ path, method, operation })),
  );
  const sections = tags.map(({ name, description }) => {
    const own = operations.filter(({ operation }) => operation.tags?.includes(name));
    return `<h2 id="${text(name)}">${text(name)}</h2>${prose(description)}${own.map(operationBlock).join('')}`;
  });
  const schemas = Object.entries(components?.schemas ?? {}).map(
    ([name, schema]) =>
      `<details id="schema-${text(name)}"><summary><code>${text(name)}</code></summary>${properties(schema)}</details>`,
  );
  const links = tags.map(({ name }) => `<a href="#${text(name)}">${text(name)}</a>`).join('');
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${text(info.title)} API</title>
<meta name="viewport" content="width=device-width"><style>${STYLE}</style></head><body>
<h1>${text(info.title)} API <small>${text(info.version)}</small></h1>${prose(info.description)}
<p>For programs: <a href="/openapi.json">openapi.json</a>. Every request but those under Service carries
<code>Authorization: Bearer KEY</code>.</p><nav>${links}<a href="#schemas">Schemas</a></nav>
<main>${sections.join('')}<h2 id="schemas">Schemas</h2>${schemas.join('')}</main></body></html>`;
}

function operationBlock(entry: { path: string; method: string; operation: Operation }): string {
  const { path, method, operation } = entry;
  const { operationId, summary, description, parameters = [], requestBody, responses } = operation;
  const rows = parameters.map(
    (p) =>
      `<tr><td><code>${text(p.name)}</code>${p.required ? '' : '?'}</td><td>${text(p.in)}</td>` +
      `<td>${typeName(p.schema ?? {})}</td><td>${prose(p.description ?? p.schema?.description)}</td></tr>`,
  );
  const answers = Object.entries(responses).map(
    ([status, { description: what, content }]) =>
      `<tr><td><code>${text(status)}</code></td><td>${prose(what)}</td><td>${contentNames(content)}</td></tr>`,
  );
  return `<details id="${text(operationId)}"><summary><b>${method.toUpperCase()}</b> <code>${text(path)}</code>
${text(summary ?? '')}</summary>${prose(description)}
${rows.length > 0 ? `<table><tr><th>Parameter</th><th>In</th><th>Type</th><th></th></tr>${rows.join('')}</table>` : ''}
${requestBody ? `<p>Body: ${contentNames(requestBody.content)}</p>` : ''}
<table><tr><th>Status</th><th></th><th>Answer</th></tr>${answers.join('')}</table></details>`;
}

const contentNames = (content: Content = {}) =>
  Object.entries(content)
    .map(([type, { schema }]) => `<code>${text(type)}</code> ${schema ? typeName(schema) : ''}`)
    .join('<br>');

function properties(schema: Schema): string {
  const rows = Object.entries(schema.properties ?? {}).map(([name, property]) => {
    const optional = schema.required?.includes(name) ? '' : '?';
    const fallback =
      property.default === undefined ? '' : ` default ${text(JSON.stringify(property.default))}`;
    return `<tr><td><code>${text(name)}</code>${optional}</td><td>${typeName(property)}${fallback}</td><td>${prose(property.description)}</td></tr>`;
  });
  return `<table>${rows.join('')}</table>`;
}

function typeName(schema: Schema): string {
  if (schema.$ref) {
    const name = text(schema.$ref.split('/').at(-1)!);
    return `<a href="#schema-${name}">${name}</a>`;
  }
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices) return choices.map(typeName).join(' | ');
  if (schema.enum) return schema.enum.map((v) => `<code>${text(String(v))}</code>`).join(' | ');
  if (schema.const !== undefined) return `<code>${text(String(schema.const))}</code>`;
  if (schema.items) return `${typeName(schema.items)}[]`;
  const type = [schema.type ?? 'any'].flat().join(' | ');
  const bounds = [schema.minimum, schema.maximum].map((v) => (v === undefined ? '' : String(v)));
  const range = bounds.join('') === '' ? '' : ` ${bounds.join(' … ')}`;
  return text(`${type}${schema.format ? ` (${schema.format})` : ''}${range}`);
}
