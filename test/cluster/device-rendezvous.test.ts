import { Server } from '@grpc/grpc-js';
import { afterEach, expect, test } from 'vitest';
import { ncclOverSockets } from '../../engine/conformance/nccl/library.js';
import { SAMPLES } from '../../engine/conformance/runs.js';
import type { DeviceLink, LinkedTrainer } from '../../engine/engine.js';
import { describeEmulated } from '../../engine/engines.fixture.js';
import { createCudaEngine } from '../../engine/native/cuda-engine.js';
import { CHANNEL_OPTIONS, listen } from '../../proto/channel.js';
import { wire } from '../../proto/load.js';
import type { HostOrder, Member } from '../../runner/commands.js';
import { joinDevices } from '../../runner/exchange/device-rendezvous.js';
import { PeerLinks } from '../../runner/exchange/peer-links.js';

/** Members that agree on how to exchange, over real streams: all of them, or none. */

const run = SAMPLES[0][1]();
const engineOf = (nccl: string) => createCudaEngine({ library: 'emulated', nccl });

interface OpenMember {
  readonly links: PeerLinks;
  readonly server: Server;
  readonly trainer: LinkedTrainer;
  readonly order: HostOrder;
}

const opened: OpenMember[] = [];
let epoch = 0;

afterEach(() => {
  for (const { links, server, trainer } of opened.splice(0)) {
    trainer.close();
    links.close();
    server.forceShutdown();
  }
});

/** Members with streams between all of them; `able` says whose trainer finds NCCL. */
async function connectMembers(able: readonly boolean[]): Promise<readonly OpenMember[]> {
  const name = (i: number) => `runner-${i}`;
  const runners = await Promise.all(
    able.map(async (_, i) => {
      const links = new PeerLinks(name(i), {});
      const server = new Server(CHANNEL_OPTIONS);
      const refuse = () => undefined;
      server.addService(wire().PeerService.service, {
        Exchange: (call: Parameters<PeerLinks['accept']>[0]) => links.accept(call),
        ...{ KeepSnapshot: refuse, FetchSnapshot: refuse, BakePreview: refuse },
      });
      return { links, server, address: `127.0.0.1:${await listen(server, '127.0.0.1:0', {})}` };
    }),
  );
  const placement: Member[] = runners.map(({ address }, i) => ({
    runner: name(i),
    address,
    shards: { first: i, count: 1 },
  }));
  epoch++;
  for (const [i, { links, server }] of runners.entries()) {
    const engine = engineOf(able[i] ? ncclOverSockets() : 'none');
    const trainer = await engine.open(run.plan, run.data, run.state, { shards: [i] });
    const shards = { first: i, count: 1 };
    const at = { training: 's', epoch, step: 0, sources: [], buddy: undefined, copy: false, devices: true };
    opened.push({ links, server, trainer, order: { ...at, shards, placement } });
  }
  await Promise.all(
    opened.flatMap(({ links }, i) =>
      placement.filter((_, other) => other !== i).map((m) => links.connect(m)),
    ),
  );
  return [...opened];
}

const device = () => engineOf(ncclOverSockets()).link as DeviceLink;
const never = new AbortController().signal;

function joinAll(members: readonly OpenMember[], link = device(), signal = never) {
  return members.map(({ links, order, trainer }) =>
    joinDevices({ links, order, trainer, device: link, signal }),
  );
}

describeEmulated('members', () => {
  test('join when all can', async () => {
    expect(await Promise.all(joinAll(await connectMembers([true, true, true])))).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    for (const { trainer } of opened) await trainer.leave();
  });

  test.each([0, 1, 2])(
    'give it up together when member %i cannot, at once and with its reason',
    async (bad) => {
      const members = await connectMembers([0, 1, 2].map((i) => i !== bad));
      const reasons = await Promise.all(joinAll(members));
      expect(new Set(reasons).size).toBe(1);
      expect(reasons[0]).toMatch(/NCCL was not found/);
      // Nobody is joined: a step goes as bytes.
      for (const { trainer } of members) {
        await trainer.compute(0);
        expect((await trainer.take(trainer.shards[0])).length).toBeGreaterThan(0);
      }
    },
  );

  test('exchange bytes when there is no id', async () => {
    const link = { ...device(), newId: () => Promise.reject(new Error('no identity today')) };
    const reasons = await Promise.all(joinAll(await connectMembers([true, true]), link));
    expect(reasons).toEqual(['no identity today', 'no identity today']);
  });

  test('blame a member that is lost meanwhile, and stop with the signal', async () => {
    const [first, second, third] = (await connectMembers([true, true, true])) as [
      OpenMember,
      OpenMember,
      OpenMember,
    ];
    const stop = new AbortController();
    const [leader, waiting] = joinAll([first, second], device(), stop.signal);
    const blamed = expect(leader).rejects.toMatchObject({ peer: 'runner-2' });
    const stopped = expect(waiting).rejects.toMatchObject({ code: 'aborted' });
    third.links.close();
    await blamed;
    stop.abort();
    await stopped;
  });
});
