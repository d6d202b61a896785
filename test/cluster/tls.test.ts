import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hashOfStored, hashOfTraining, makeScenario, putScenario } from '../../bench/trials/cluster/scene.js';
import { TrainingClient } from '../../bench/trials/cluster/training-client.js';
import { type Coordinator, startCoordinator } from '../../coordinator/coordinator.js';
import { FolderLedger } from '../../coordinator/ledgers/folder.js';
import { describeNative, testNative, unless } from '../../engine/engines.fixture.js';
import { createNativeEngine } from '../../engine/native/native-engine.js';
import type { ChannelSecurity, TlsFiles } from '../../proto/channel.js';
import { type Runner, startRunner } from '../../runner/runner.js';
import { createFolderStore } from '../../store/folder.js';

/** Certificates on every connection, and no plaintext where others listen. */

const hasOpenssl = spawnSync('openssl', ['version']).status === 0;
const VERSION = 'test';

const folder = mkdtempSync(join(tmpdir(), 'implicam-tls-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const objects = join(folder, 'objects');
const store = createFolderStore(objects);
const at = (name: string) => join(folder, name);

const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'pipe' });
const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];

function makeAuthority(name: string): void {
  const files = ['-keyout', at(`${name}.key`), '-out', at(`${name}.pem`)];
  openssl('req', '-x509', ...newKey, '-subj', `/CN=${name}`, ...files);
}

/** A certificate for this machine, good for both ends of a connection. */
function makeCertificate(name: string, authority: string): TlsFiles {
  openssl('req', ...newKey, '-subj', `/CN=${name}`, '-keyout', at(`${name}.key`), '-out', at(`${name}.csr`));
  writeFileSync(at('extensions'), 'subjectAltName=IP:127.0.0.1,DNS:localhost\n');
  const signer = ['-CA', at(`${authority}.pem`), '-CAkey', at(`${authority}.key`), '-CAcreateserial'];
  const out = ['-days', '2', '-extfile', at('extensions'), '-out', at(`${name}.pem`)];
  openssl('x509', '-req', '-in', at(`${name}.csr`), ...signer, ...out);
  return { cert: at(`${name}.pem`), key: at(`${name}.key`), ca: at(`${authority}.pem`) };
}

const coordinatorOn = (listen: string, security: ChannelSecurity) =>
  startCoordinator({
    listen,
    ledger: () => new FolderLedger(store, { spread: true }),
    version: VERSION,
    security,
  });

const runnerOf = (coordinator: string, security: ChannelSecurity, listen?: string) => {
  const engine = createNativeEngine({ threads: 1 });
  const memoryBytes = 2 ** 30;
  return startRunner({
    ...{
      coordinator,
      security,
      engine,
      store: objects,
      memoryBytes,
      version: VERSION,
      stepRate: 100,
    },
    ...(listen ? { listen } : {}),
  });
};

unless(hasOpenssl ? undefined : 'no openssl', describeNative)('mutual TLS', () => {
  let tls: TlsFiles;
  let stranger: TlsFiles;
  let coordinator: Coordinator;
  const runners: Runner[] = [];

  beforeAll(async () => {
    for (const authority of ['house', 'elsewhere']) makeAuthority(authority);
    tls = makeCertificate('member', 'house');
    stranger = { ...makeCertificate('stranger', 'elsewhere'), ca: at('house.pem') };
    coordinator = await coordinatorOn('127.0.0.1:0', { tls });
    for (let i = 0; i < 2; i++) runners.push(await runnerOf(coordinator.address, { tls }));
  });
  afterAll(async () => {
    await Promise.all(runners.map((runner) => runner.stop()));
    await coordinator?.stop();
  });

  test('runners with certificates train together', async () => {
    const scenario = makeScenario({ steps: 10, tilePixels: 1500 });
    const client = new TrainingClient(coordinator.address, { tls });
    try {
      await putScenario(store, 'secure', scenario);
      await client.submit('secure');
      const seen = new Set<string>();
      const last = await client.follow('secure', 30_000, (status) => {
        for (const runner of status.runners) seen.add(runner);
      });
      expect(last).toMatchObject({ phase: 'TRAINING_PHASE_FINISHED' });
      expect(seen.size).toBe(2);
      const alone = await hashOfTraining(createNativeEngine(), scenario);
      expect(await hashOfStored(store, 'secure', scenario.plan)).toBe(alone);
    } finally {
      client.close();
    }
  });

  test.each([
    ['a certificate of another authority', () => ({ tls: stranger })],
    ['plaintext', () => ({})],
  ])('nobody gets in with %s', async (_, security) => {
    for (const address of [coordinator.address, runners[0].address]) {
      const client = new TrainingClient(address, security());
      await expect(client.submit('secure')).rejects.toMatchObject({ code: 14 });
      client.close();
    }
    // With the certificate a runner is reached; it only has no such service.
    const member = new TrainingClient(runners[0].address, { tls });
    await expect(member.submit('secure')).rejects.toMatchObject({ code: 12 });
    member.close();
  });

  test('a server of another authority is not trusted', async () => {
    const impostor = await coordinatorOn('127.0.0.1:0', {
      tls: { ...makeCertificate('impostor', 'elsewhere'), ca: at('house.pem') },
    });
    const client = new TrainingClient(impostor.address, { tls });
    await expect(client.submit('secure')).rejects.toMatchObject({ code: 14 });
    client.close();
    await impostor.stop();
  });
});

describe('plaintext', () => {
  const refused = expect.objectContaining({
    name: 'ImplicamError',
    code: 'insecure-address',
    exitCode: 2,
    message: expect.stringMatching(/0\.0\.0\.0:0 can be reached from other machines: give --tls-cert/),
  });

  testNative('is refused beyond loopback', async () => {
    await expect(coordinatorOn('0.0.0.0:0', {})).rejects.toEqual(refused);
    await expect(runnerOf('127.0.0.1:1', {}, '0.0.0.0:0')).rejects.toEqual(refused);
  });

  test('is there for those who ask for it', async () => {
    const coordinator = await coordinatorOn('0.0.0.0:0', { insecure: true });
    expect(coordinator.address).toMatch(/^0\.0\.0\.0:\d+$/);
    await coordinator.stop();
  });
});
