/** The version is told by the library's reports too, so it is found there. */
export { programVersion, versions } from '../../develop/versions.js';
