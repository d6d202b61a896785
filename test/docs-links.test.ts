import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';

/** What pages point at is there: files and headings of links, and every path of this repository in backticks. */

const tracked = (...patterns: string[]) =>
  execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '--', ...patterns])
    .toString()
    .split('\n')
    .filter((file) => file !== '' && existsSync(file));

const files = tracked('.');
const rooms = new Set(files.filter((file) => file.includes('/')).map((file) => file.split('/')[0]));
const pages = files.filter((file) => file.endsWith('.md'));

/** Built by a command, or the reader's own. */
const MADE = /^(build|dist|data|out|demo)\//;

/** A heading as GitHub names it in links. */
const anchorOf = (heading: string) =>
  heading
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .replace(/\s/g, '-');

function anchorsOf(text: string): Set<string> {
  return new Set([...withoutCode(text).matchAll(/^#+ (.*)$/gm)].map(([, heading]) => anchorOf(heading)));
}

const withoutCode = (text: string) => text.replace(/^ *```[\s\S]*?^ *```/gm, '');

/** What is wrong with a page: its links, pictures and paths that lead nowhere. */
function faultsOf(page: string, text: string): string[] {
  const prose = withoutCode(text);
  const faults: string[] = [];
  for (const [, target] of prose.matchAll(/\]\(([^)\s]+)\)/g)) {
    if (/^[a-z]+:/.test(target)) continue;
    const [path, anchor] = target.split('#') as [string, string | undefined];
    const file = path === '' ? page : normalize(join(dirname(page), path));
    if (file !== page && !existsSync(file)) faults.push(`link to ${target}`);
    else if (anchor && !anchorsOf(file === page ? text : readFileSync(file, 'utf8')).has(anchor)) {
      faults.push(`heading ${target}`);
    }
  }
  for (const [, alt] of prose.matchAll(/!\[([^\]]*)\]/g))
    if (alt.trim() === '') faults.push('picture without words');
  for (const [, code] of prose.matchAll(/`([^`\n]+)`/g)) {
    if (looksLikePath(code) && !leadsSomewhere(code)) faults.push(`path ${code}`);
  }
  return faults;
}

/** A path of this repository: its first part is one of the rooms, or it is a file name with an ending that code has. */
function looksLikePath(code: string): boolean {
  if (!/^[\w.@*{},/-]+$/.test(code) || MADE.test(code)) return false;
  if (code.includes('/')) return rooms.has(code.split('/')[0]);
  return /^[\w.*-]+\.(ts|mjs|cjs|h|cpp|cu|proto)$/.test(code);
}

/** A whole path must be there; a bare file name anywhere; `*` stands for anything within one name. */
function leadsSomewhere(code: string): boolean {
  if (code.includes('*')) {
    const pattern = new RegExp(`(^|/)${code.replace(/[.]/g, '\\.').replace(/\*/g, '[^/]*')}$`);
    return files.some((file) => pattern.test(file));
  }
  if (!code.includes('/')) return files.some((file) => file === code || file.endsWith(`/${code}`));
  return existsSync(code) && (!code.endsWith('/') || statSync(code).isDirectory());
}

describe('what pages point at is there', () => {
  it.each(pages)('%s', (page) => {
    expect(faultsOf(page, readFileSync(page, 'utf8'))).toEqual([]);
  });

  it('every page and picture of docs/ is pointed at by another page', () => {
    const targets = new Set(
      pages.flatMap((page) =>
        [...withoutCode(readFileSync(page, 'utf8')).matchAll(/\]\(([^)\s#]+)/g)].map(([, target]) =>
          normalize(join(dirname(page), target)),
        ),
      ),
    );
    const alone = tracked('docs').filter((file) => !targets.has(file) && file !== 'docs/README.md');
    expect(alone).toEqual([]);
  });

  it('would be seen if it were not', () => {
    const page = 'docs/x.md';
    const wrong = [
      'See [it](nowhere.md), [that](GLOSSARY.md#no-such-word) and [this](#none).',
      '![](images/study.png)',
      '`model/nothing.ts`, `no-such-file.cu`, `engine/nowhere/`, `tests*.cu`',
    ];
    expect(wrong.map((text) => faultsOf(page, text).length)).toEqual([3, 1, 4]);
    const right =
      '## A word\n[it](GLOSSARY.md#what-is-learned) [w](#a-word) `model/plan.ts` `plan.ts` `taps*.cu` `build/native/x.so` `npm run docs`';
    expect(faultsOf(page, right)).toEqual([]);
  });
});
