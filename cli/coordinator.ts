import { startCoordinator } from '../coordinator/coordinator.js';
import { FolderLedger } from '../coordinator/folder-ledger.js';
import { createRegistry, serveMetrics } from '../proto/metrics.js';
import { createFolderStore } from '../store/folder.js';
import { interruptible } from './interrupt.js';
import { dataFolder, securityOf, type TlsFlags } from './options.js';
import { programVersion } from './version.js';

export interface CoordinatorCommand extends TlsFlags {
  readonly listen: string;
  readonly data?: string;
  readonly spread?: boolean;
  readonly metrics?: string;
}

/** `implicam coordinator`: has sessions trained by the runners that attach, until it is stopped. */
export async function runCoordinator(command: CoordinatorCommand): Promise<void> {
  const log = (line: string) => process.stderr.write(`${line}\n`);
  const registry = createRegistry();
  const coordinator = await startCoordinator({
    listen: command.listen,
    ledger: new FolderLedger(createFolderStore(dataFolder(command)), { spread: command.spread }),
    version: programVersion(),
    security: securityOf(command),
    registry,
    log,
  });
  const metrics = command.metrics ? await serveMetrics(registry, command.metrics) : undefined;
  await new Promise<void>((resolve) => {
    const interrupt = interruptible(() => {
      interrupt.release();
      resolve();
    });
  });
  await coordinator.stop();
  metrics?.close();
}
