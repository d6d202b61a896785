import type { AttachRequest__Output } from '../../proto/types/implicam/v1/AttachRequest.js';
import type { AttachResponse } from '../../proto/types/implicam/v1/AttachResponse.js';
import type { Hello__Output } from '../../proto/types/implicam/v1/Hello.js';
import type { Command, Event, FailureCode, RunnerCommand, RunnerInfo } from '../scheduler/types.js';

/** Translates between messages of the wire and the scheduler's events and commands. */

export function runnerInfo(hello: Hello__Output): RunnerInfo {
  const { runner: id, address, engine, device, memoryBytes, stepRate, draining, deviceLink: link } = hello;
  return { id, address, engine, device, memoryBytes, stepRate, draining, link };
}

export function joinedEvent(hello: Hello__Output): Event {
  return {
    type: 'runnerJoined',
    runner: runnerInfo(hello),
    snapshots: hello.snapshots.flatMap(({ training, step, shards }) =>
      shards ? [{ training, step, shards: { first: shards.first, count: shards.count } }] : [],
    ),
  };
}

const FAILURES: Record<string, FailureCode> = {
  FAILURE_CODE_MEMORY: 'memory',
  FAILURE_CODE_DATA: 'data',
  FAILURE_CODE_STORE: 'store',
};

/** A runner's report as an event; undefined for what this version does not know. */
export function reportEvent(runner: string, message: AttachRequest__Output): Event | undefined {
  const { hosted, progressed, previewed, snapshotTaken, stored, storeFailed, damaged } = message;
  const { peerFailed, failed, draining } = message;
  if (hosted) return { ...hosted, type: 'hosted', runner };
  if (progressed) return { ...progressed, type: 'progressed', runner };
  if (previewed) {
    const { training, epoch, type: mediaType, step, key, width, height } = previewed;
    return { type: 'previewed', runner, training, epoch, picture: { step, key, mediaType, width, height } };
  }
  if (snapshotTaken) return { ...snapshotTaken, type: 'snapshotTaken', runner };
  if (stored) return { ...stored, type: 'stored', runner };
  if (storeFailed) return { ...storeFailed, type: 'storeFailed', runner };
  if (damaged) return { ...damaged, type: 'damaged', runner };
  if (peerFailed) return { ...peerFailed, type: 'peerFailed', runner };
  if (failed) return { ...failed, type: 'failed', runner, code: FAILURES[failed.code] ?? 'engine' };
  if (draining) return { type: 'runnerUpdated', runner, draining: true };
  return undefined;
}

/** The scheduler's command as a message to its runner. */
export function orderMessage(command: RunnerCommand): AttachResponse {
  const { training, epoch } = command;
  const head = { training, epoch };
  switch (command.type) {
    case 'host': {
      const { shards, step, copy, devices, buddy, buddyAddress, placement, sources } = command;
      return {
        host: {
          ...head,
          shards,
          step,
          copy,
          deviceExchange: devices,
          buddy: buddy ?? '',
          buddyAddress: buddyAddress ?? '',
          placement: placement.map((m) => ({ runner: m.runner, address: m.address, shards: m.shards })),
          sources: sources.map((s) => ({
            shards: s.shards,
            holder: s.holder ?? '',
            address: s.address ?? '',
            pieces: [...s.pieces],
          })),
        },
      };
    }
    case 'advance':
      return { advance: { ...head, until: command.until, snapshots: [...command.snapshots] } };
    case 'store':
      return { store: { ...head, step: command.step } };
    case 'discard':
      return { discard: { ...head, below: command.below } };
    case 'park':
      return { park: head };
    case 'release':
      return { release: head };
  }
}

/** A sentence for people about a damaged snapshot. */
export function describeDamage({
  step,
  left,
  message,
}: Pick<Extract<Command, { type: 'damaged' }>, 'step' | 'left' | 'message'>): string {
  const next =
    left === null
      ? 'there is no other'
      : left === 0
        ? 'training starts over'
        : `there is one of step ${left}`;
  return `the stored snapshot of step ${step} is damaged (${message}); ${next}`;
}
