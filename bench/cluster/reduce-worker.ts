import { Server } from '@grpc/grpc-js';
import { planReduction, type ReductionOperation } from '../../model/reduction.js';
import { CHANNEL_OPTIONS, listen } from '../../proto/channel.js';
import { wire } from '../../proto/load.js';
import { type Peer, PeerLinks } from '../../runner/host/peer-links.js';
import { BareMesh, type Transport } from './bare-mesh.js';

/**
 * One process of `bench reduce`: sums nothing, but sends and receives what a runner with one shard would, up and down the
 * reduction tree, over the runners' own streams or over bare TCP. Driven by messages of its parent.
 */

export interface Start {
  readonly type: 'start';
  readonly index: number;
  readonly peers: readonly Peer[];
  readonly bare: readonly Peer[];
}

export interface Measure {
  readonly type: 'measure';
  readonly over: 'streams' | 'tcp';
  readonly bytes: number;
  readonly rounds: number;
  /** Names this measurement: its values are told from those of the others by it. */
  readonly epoch: number;
}

export type Ask = { readonly type: 'listen'; readonly index: number } | Start | Measure;

const PATIENCE = 60_000;
const nameOf = (index: number) => `runner-${index}`;

class Worker {
  private readonly links: PeerLinks;
  private readonly mesh: BareMesh;
  private readonly self: string;
  private operations: readonly ReductionOperation<string>[] = [];
  private readonly never = new AbortController().signal;

  constructor(index: number) {
    this.self = nameOf(index);
    this.links = new PeerLinks(this.self, {});
    this.mesh = new BareMesh(this.self);
  }

  async listen() {
    const server = new Server(CHANNEL_OPTIONS);
    server.addService(wire().PeerService.service, {
      Exchange: (call: Parameters<PeerLinks['accept']>[0]) => this.links.accept(call),
      KeepSnapshot: () => undefined,
      FetchSnapshot: () => undefined,
    });
    const port = await listen(server, '127.0.0.1:0', {});
    return { streams: `127.0.0.1:${port}`, tcp: `127.0.0.1:${await this.mesh.listen()}` };
  }

  async start({ peers, bare }: Start): Promise<void> {
    this.operations = planReduction(peers.length, (shard) => peers[shard]!.runner, this.self);
    const partners = new Set(
      this.operations.flatMap((o) =>
        'to' in o ? [o.to] : 'from' in o && typeof o.from === 'string' ? [o.from] : [],
      ),
    );
    await Promise.all(peers.filter((p) => partners.has(p.runner)).map((p) => this.links.connect(p)));
    await Promise.all(bare.filter((p) => partners.has(p.runner)).map((p) => this.mesh.connect(p)));
  }

  /** Milliseconds of each round. */
  async measure({ over, bytes, rounds, epoch }: Measure): Promise<number[]> {
    const value = Buffer.alloc(bytes, 1);
    const transport = over === 'tcp' ? this.mesh : this.overStreams(epoch);
    const times: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const began = performance.now();
      await this.reduce(transport, round, value);
      times.push(performance.now() - began);
    }
    return times;
  }

  private async reduce(transport: Transport, step: number, own: Uint8Array): Promise<void> {
    let root = own;
    for (const operation of this.operations) {
      switch (operation.kind) {
        case 'send':
          await transport.send(operation.to, step, false, own);
          break;
        case 'receive':
          await transport.receive(operation.from, step, false);
          break;
        case 'receiveRoot':
          root = await transport.receive(operation.from, step, true);
          break;
        case 'sendRoot':
          await transport.send(operation.to, step, true, root);
      }
    }
  }

  private overStreams(epoch: number): Transport {
    const name = (sender: string, step: number, root: boolean) => ({
      session: 'bench',
      epoch,
      step,
      // Distinct for each sender, as the nodes of a tree are.
      node: root ? 0 : Number(sender.slice(sender.lastIndexOf('-') + 1)),
      root,
    });
    return {
      send: (to, step, root, bytes) => this.links.send(to, name(this.self, step, root), bytes),
      receive: (from, step, root) => this.links.receive(from, name(from, step, root), PATIENCE, this.never),
    };
  }
}

let worker: Worker | undefined;

async function answer(ask: Ask): Promise<unknown> {
  if (ask.type === 'listen') {
    worker = new Worker(ask.index);
    return worker.listen();
  }
  if (ask.type === 'start') return worker!.start(ask);
  return worker!.measure(ask);
}

process.on('message', (ask: Ask) => {
  answer(ask).then(
    (value) => process.send!({ value: value ?? null }),
    (error) => process.send!({ error: String(error) }),
  );
});
process.on('disconnect', () => process.exit());
