import type { Command } from 'commander';
import { createProgram } from '../program.js';

/**
 * docs/reference/CLI.md, printed from the declarations of the commands: `npm run docs`. A test compares the page with this, so
 * that it cannot fall behind.
 */
export async function commandLinePage(): Promise<string> {
  const program = await createProgram(() => true);
  const sections = program.commands.flatMap((command) => (command.name() === 'help' ? [] : section(command)));
  return `${[HEAD, fenced(helpOf(program)), ...sections, TAIL].join('\n\n')}\n`;
}

const HEAD = `# Command line

Printed from the program itself (\`npm run docs\`).`;

const TAIL = `## Conventions

- Results for programs go to standard output, everything for people to standard error. \`--json\` prints exactly one line;
  its keys are stable.
- Exit codes: 0 done, 1 failed, 2 wrong usage. An error names the file and says what to do; \`IMPLICAM_DEBUG=1\` adds where
  it came from.
- The first Ctrl-C (or SIGTERM) of \`develop\` finishes the step in progress and writes \`snapshot.safetensors\`; \`--resume\`
  continues from it to the same bits as a run that was never interrupted. The second ends the program at once.
- The result depends on photographs, options, seed and engine, not on the number of threads.
- The object store is a folder, or a bucket of any S3-compatible store (\`--store\`, \`IMPLICAM_STORE\`); all processes of a
  service are given the same. Its credentials are in \`AWS_ACCESS_KEY_ID\`, \`AWS_SECRET_ACCESS_KEY\` and, for passing ones,
  \`AWS_SESSION_TOKEN\`; they must allow to list, read, write and delete. \`AWS_REGION\` and \`AWS_ENDPOINT_URL_S3\` say what
  the location leaves out. Give the bucket a rule that removes incomplete multipart uploads.
- \`IMPLICAM_DEVICE\`: the device of the cuda engine, by number or UUID, where \`--device\` names none.

## Machine-readable lines

\`\`\`
develop      {"out","engine","device","preset","frames":[{"file","ev","focus"}],"steps","seconds":{"decode","register","train","render"},"loss","framePsnr","parametersSha256"}
sample       {"out","scene","seed","width","height","frames":[file]}
evaluate     {"muPsnr","muPsnrPerChannel","channelGains":[r,g,b],"srgbPsnr","deltaE":{"median","p95"},"ssim","depthCorrelation","baselines":{"bestFrame":{…},"classical":{…}}}
bench step   {"workload","engine","isa","threads","secondsPerStep","gflops","peakGflops","ratioToPeak","gigabytes"?,"peakGigabytes"?,"ratioToCopies"?,"phases":{…},"pytorch":{"version","device","secondsPerStep"}|{"skipped"}}
bench train  {"curve":[{"seconds","step","muPsnr"}],"secondsToWithinHalfDb"}
bench render {"megapixels","firstMs","warmMs"}
bench api    {"rows":[{"route","requestsPerSecond","p50Ms","p99Ms"}],"megapixels","firstRenderMs","renderMs","training":{"alone","loaded","share"},"load"}
doctor       {"versions":{…},"machine":{"processor","threads","gigabytes"},"engines":{"native":{…},"cuda":{…},"tfjs":{…}},"defaultEngine":{"engine","why"}|{"missing"}}
\`\`\``;

function section(command: Command, depth = 2): string[] {
  const path = pathOf(command).slice(1).join(' ');
  const own = `${'#'.repeat(depth)} ${path}\n\n${fenced(helpOf(command))}`;
  const inner = command.commands.filter((c) => c.name() !== 'help');
  return [own, ...inner.flatMap((c) => section(c, depth + 1))];
}

function pathOf(command: Command): string[] {
  return command.parent ? [...pathOf(command.parent), command.name()] : [command.name()];
}

/** Help as wide as the page, whatever the terminal. */
function helpOf(command: Command): string {
  command.configureHelp({ ...command.configureHelp(), helpWidth: 100 });
  let text = '';
  command.configureOutput({
    writeOut: (piece) => {
      text += piece;
    },
  });
  command.outputHelp();
  return text.trim();
}

const fenced = (text: string) => `\`\`\`\n${text}\n\`\`\``;
