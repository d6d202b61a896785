import { writeFileWhole } from '../imaging/write.js';
import { commandLinePage } from './docs.js';

await writeFileWhole('docs/CLI.md', await commandLinePage());
