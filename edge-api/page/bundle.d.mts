/**
 * Makes the files of the web page: one script, one style sheet, an icon, and index.html.
 *
 * @param folder where they go; what is there is replaced
 */
export function bundleViewer(folder: string): Promise<void>;
