import { writeFileWhole } from '../../imaging/write.js';
import { constantsHeader } from './constants.js';

await writeFileWhole('engine/native/start/constants.h', constantsHeader());
