import { Server } from '@grpc/grpc-js';
import { HealthImplementation } from 'grpc-health-check';
import { Registry } from 'prom-client';
import {
  CHANNEL_OPTIONS,
  type ChannelSecurity,
  formatAddress,
  listen,
  parseAddress,
} from '../proto/channel.js';
import { wire } from '../proto/load.js';
import type { CoordinationServiceHandlers } from '../proto/types/implicam/v1/CoordinationService.js';
import { Driver } from './driver.js';
import { FolderLedger } from './ledgers/folder.js';
import type { Ledger } from './ledgers/ledger.js';
import { observeCommands } from './metrics.js';
import type { SchedulerOptions } from './scheduler/options.js';
import type { Command } from './scheduler/types.js';
import { StatusBoard } from './status-board.js';
import { createGateway, listenGateway } from './wire/gateway.js';
import { RunnerCalls } from './wire/runner-calls.js';
import { RunnerStreams } from './wire/runner-streams.js';
import { trainingService } from './wire/training-service.js';

export interface CoordinatorOptions {
  /** host:port for runners and clients. @default 127.0.0.1:7070 */
  readonly listen?: string;
  /** Where trainings come from. A folder ledger also takes them over gRPC (`TrainingService`). */
  readonly ledger: (calls: RunnerCalls) => Ledger;
  /** Serves renders over HTTP too. */
  readonly gateway?: { readonly listen: string; readonly secret: string };
  readonly version: string;
  readonly security?: ChannelSecurity;
  readonly scheduler?: Partial<SchedulerOptions>;
  readonly registry?: Registry;
  /** Takes one log line. */
  readonly log?: (line: string) => void;
}

export interface Coordinator {
  /** host:port where it listens. */
  readonly address: string;
  /** Ends: runners park their trainings, leases are given back. */
  stop(): Promise<void>;
}

/** Starts a coordinator: claims trainings and has them trained by the runners that attach. */
export async function startCoordinator(options: CoordinatorOptions): Promise<Coordinator> {
  const { security = {}, log = () => undefined } = options;
  const board = new StatusBoard();
  const driver = new Driver(options.scheduler);
  const streams = new RunnerStreams(options.version, driver);
  const count = observeCommands(options.registry ?? new Registry(), () => streams);
  const calls = new RunnerCalls(security, () => streams.all());
  const ledger = options.ledger(calls);
  const observe = (command: Command) => {
    count(command);
    ledger.onCommand?.(command);
  };
  driver.start({ ledger, board, streams, observe, log });

  const server = new Server(CHANNEL_OPTIONS);
  const coordination: CoordinationServiceHandlers = { Attach: (call) => streams.accept(call) };
  server.addService(wire().CoordinationService.service, coordination);
  if (ledger instanceof FolderLedger) {
    const service = trainingService(ledger, board, (training) => driver.onCancel(training));
    server.addService(wire().TrainingService.service, service);
  }
  new HealthImplementation({ '': 'SERVING' }).addToServer(server);
  const wanted = options.listen ?? '127.0.0.1:7070';
  const port = await listen(server, wanted, security);
  const address = formatAddress({ host: parseAddress(wanted).host, port });
  log(`coordinator on ${address}`);
  const gateway = options.gateway && createGateway({ calls, secret: options.gateway.secret });
  if (gateway) await listenGateway(gateway, options.gateway.listen);
  await ledger.start(driver);
  return {
    address,
    async stop() {
      driver.close();
      streams.close();
      await ledger.close();
      gateway?.close();
      gateway?.closeAllConnections();
      calls.close();
      server.forceShutdown();
    },
  };
}
