#!/usr/bin/env node
import { runCommandLine } from './program.js';

// A child of this program does not outlive its parent, however that ended.
if (process.channel) {
  process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
  process.channel.unref();
}

process.exitCode = await runCommandLine(process.argv.slice(2));
