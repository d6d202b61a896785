import { Server } from '@grpc/grpc-js';
import { lanesFor, planReduction, type ReductionOperation } from '../../model/reduction.js';
import { CHANNEL_OPTIONS, listen } from '../../proto/channel.js';
import { wire } from '../../proto/load.js';
import { type Peer, PeerLinks } from '../../runner/exchange/peer-links.js';
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
/** So large that it takes every lane. */
const MOST_BYTES = 2 ** 30;
const nameOf = (index: number) => `runner-${index}`;

class Worker {
  private readonly links: PeerLinks;
  private readonly mesh: BareMesh;
  private readonly self: string;
  private runners: readonly string[] = [];
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
    this.runners = peers.map(({ runner }) => runner);
    const partners = new Set<string>();
    for (const operation of this.plan(MOST_BYTES).flat()) {
      if ('to' in operation) partners.add(operation.to);
      else if (operation.kind === 'receive' || operation.kind === 'receiveRoot') partners.add(operation.from);
    }
    await Promise.all(peers.filter((p) => partners.has(p.runner)).map((p) => this.links.connect(p)));
    await Promise.all(bare.filter((p) => partners.has(p.runner)).map((p) => this.mesh.connect(p)));
  }

  /** Milliseconds of each round. */
  async measure({ over, bytes, rounds, epoch }: Measure): Promise<number[]> {
    const lanes = this.plan(bytes);
    const value = Buffer.alloc(Math.ceil(bytes / lanes.length), 1);
    const transport = (lane: number) => (over === 'tcp' ? this.mesh : this.overStreams(epoch, lane));
    const times: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const began = performance.now();
      await Promise.all(
        lanes.map((operations, lane) => this.reduce(operations, transport(lane), round, value)),
      );
      times.push(performance.now() - began);
    }
    return times;
  }

  /** What a runner with one shard does, lane by lane, for a value of that many bytes. */
  private plan(bytes: number): ReductionOperation<string>[][] {
    const { length } = this.runners;
    const count = lanesFor(bytes / 4, length);
    const holderOf = (shard: number) => this.runners[shard];
    return Array.from({ length: count }, (_, index) =>
      planReduction(length, holderOf, this.self, { index, count }),
    );
  }

  private async reduce(
    operations: readonly ReductionOperation<string>[],
    transport: Transport,
    step: number,
    own: Uint8Array,
  ): Promise<void> {
    let root = own;
    for (const operation of operations) {
      switch (operation.kind) {
        case 'send':
          await transport.send(operation.to, step, false, own);
          break;
        case 'receive': {
          const value = await transport.receive(operation.from, step, false);
          if (value instanceof Buffer) this.links.release(value);
          break;
        }
        case 'receiveRoot':
          root = await transport.receive(operation.from, step, true);
          break;
        case 'sendRoot':
          await transport.send(operation.to, step, true, root);
      }
    }
  }

  private overStreams(epoch: number, lane: number): Transport {
    const name = (sender: string, step: number, root: boolean) => ({
      training: 'bench',
      epoch,
      step,
      // Distinct for each sender, as the nodes of a tree are.
      node: root ? 0 : Number(sender.slice(sender.lastIndexOf('-') + 1)),
      lane,
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
