import { hostname } from 'node:os';
import type { Command } from 'commander';
import { type Coordinator, type CoordinatorOptions, startCoordinator } from '../coordinator/coordinator.js';
import { FolderLedger } from '../coordinator/ledgers/folder.js';
import { PostgresLedger } from '../coordinator/ledgers/postgres.js';
import { openDatabase } from '../database/connection.js';
import { ImplicamError } from '../model/errors.js';
import { createRegistry, serveMetrics } from '../proto/serve-metrics.js';
import type { ObjectStore } from '../store/objects.js';
import type { StoreFlags } from './shared/folders.js';
import { interruptible } from './shared/interrupt.js';
import { openObjects } from './shared/objects.js';
import { securityOf, storeOption, type TlsFlags, tlsOptions } from './shared/options.js';
import { programVersion } from './shared/version.js';

export function define(command: Command): void {
  command
    .option('--listen <host:port>', 'address for runners and clients', '127.0.0.1:7070')
    .option('--data <dir>', 'folder of everything that is kept (default: IMPLICAM_DATA, else ./data)')
    .addOption(storeOption())
    .option(
      '--database',
      'take sessions from the Postgres that DATABASE_URL names, instead of from the folder',
    )
    .option('--gateway <host:port>', 'serve renders over HTTP there (secret: IMPLICAM_GATEWAY_SECRET)')
    .option('--spread', 'use all runners for each session, also where fewer would be faster')
    .option('--metrics <host:port>', 'serve /metrics and /healthz there');
  for (const option of tlsOptions()) command.addOption(option);
  command.action(async (options) => {
    await runCoordinator(options);
  });
}

export interface CoordinatorCommand extends TlsFlags, StoreFlags {
  readonly listen: string;
  readonly spread?: boolean;
  readonly database?: boolean;
  readonly gateway?: string;
  readonly metrics?: string;
}

/** `implicam coordinator`: has sessions trained by the runners that attach, until it is stopped. */
export async function runCoordinator(command: CoordinatorCommand): Promise<void> {
  const log = (line: string) => process.stderr.write(`${line}\n`);
  const registry = createRegistry();
  const shared = {
    listen: command.listen,
    version: programVersion(),
    security: securityOf(command),
    registry,
    log,
  };
  const store = await openObjects(command);
  const coordinator = command.database
    ? await startOnDatabase(command, store, shared)
    : await startCoordinator({
        ...shared,
        ledger: () => new FolderLedger(store, { spread: command.spread, log }),
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

/** Sessions of the service, which DATABASE_URL names. */
async function startOnDatabase(
  command: CoordinatorCommand,
  store: ObjectStore,
  shared: Omit<CoordinatorOptions, 'ledger'> & { readonly log: (line: string) => void },
): Promise<Coordinator> {
  const { DATABASE_URL: databaseUrl, IMPLICAM_GATEWAY_SECRET: secret } = process.env;
  if (!databaseUrl) {
    throw new ImplicamError(
      'invalid-environment',
      'DATABASE_URL is not set: name the Postgres of the service, or leave out --database',
      { exitCode: 2 },
    );
  }
  if (command.gateway && !secret) {
    throw new ImplicamError(
      'invalid-environment',
      '--gateway needs IMPLICAM_GATEWAY_SECRET: set the secret that edge-api was given',
      { exitCode: 2 },
    );
  }
  const owner = `${hostname()}-${process.pid}`;
  const db = openDatabase(databaseUrl, { name: `implicam coordinator ${owner}` });
  const { log } = shared;
  const coordinator = await startCoordinator({
    ...shared,
    ledger: (calls) => new PostgresLedger({ db, databaseUrl, store, calls, owner, log }),
    ...(command.gateway && secret ? { gateway: { listen: command.gateway, secret } } : {}),
  });
  return {
    ...coordinator,
    async stop() {
      await coordinator.stop();
      await db.destroy();
    },
  };
}
