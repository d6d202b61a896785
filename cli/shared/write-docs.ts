import { apiDocument } from '../../edge-api/service/openapi.js';
import { writeFileWhole } from '../../imaging/write.js';
import { commandLinePage } from './docs.js';
import { programVersion } from './version.js';

await writeFileWhole('docs/reference/CLI.md', await commandLinePage());
await writeFileWhole(
  'docs/reference/openapi.json',
  `${JSON.stringify(apiDocument(programVersion()), null, 1)}\n`,
);
