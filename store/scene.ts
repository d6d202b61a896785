import { z } from 'zod';

// Where the parts of a session lie in the object store: all of them under `sessions/ID/`.

/** A prepared scene: what runners train from. Written once, before training; never changed. */
export const sceneKeys = {
  head: (session: string) => `sessions/${session}/scene/head.json`,
  frame: (session: string, index: number) => `sessions/${session}/scene/frame-${index}.raw`,
  mask: (session: string, index: number) => `sessions/${session}/scene/mask-${index}.raw`,
  start: (session: string, plane: 'radiance' | 'defocus') => `sessions/${session}/scene/start-${plane}.raw`,
};

/** Part of a snapshot: what all shards share, or one shard's own. */
export type SnapshotPartName = 'shared' | `shard-${number}`;

export function partName(shard: number | undefined): SnapshotPartName {
  return shard === undefined ? 'shared' : `shard-${shard}`;
}

/** Snapshots by step. The parameters before the first step are the snapshot of step 0. */
export const snapshotKeys = {
  part: (session: string, step: number, part: SnapshotPartName) =>
    `sessions/${session}/snapshots/${step}/${part}.raw`,
  folder: (session: string, step: number) => `sessions/${session}/snapshots/${step}/`,
};

/** Says which snapshot is whole and newest. */
export const manifestKey = (session: string) => `sessions/${session}/manifest.json`;

/** What the coordinator needs to know of a scene; it never looks at pixels or parameters. */
export const sceneSummarySchema = z.object({
  /** Steps of the whole training, and the step that the scene's first snapshot stands at. */
  steps: z.int().min(0),
  from: z.int().min(0),
  shards: z
    .array(
      z.object({
        /** Memory that a runner needs to hold this shard, in bytes. */
        memoryBytes: z.number().min(0),
        /** Work of a step, in steps of the reference workload by which runners measure their speed. */
        cost: z.number().min(0),
      }),
    )
    .min(1)
    .max(65_536),
  /** Memory that every runner needs whatever it holds, in bytes. */
  memoryBytes: z.number().min(0),
  /** Bytes that shards exchange in a step: what each of them would send up the tree. */
  exchangeBytes: z.number().min(0),
});

export type SceneSummary = z.output<typeof sceneSummarySchema>;

/** The newest whole snapshot of a session. */
export const manifestSchema = z.object({
  session: z.string(),
  step: z.int().min(0),
  /** Epoch that wrote it: an older epoch never replaces a newer one's. */
  epoch: z.number().min(0),
  pieces: z.array(z.object({ key: z.string(), sha256: z.string(), bytes: z.number().min(0) })),
});

export type Manifest = z.output<typeof manifestSchema>;

/** Session ids: what is safe in paths, URLs and logs. */
export const SESSION_ID = /^[A-Za-z0-9][\w-]{0,63}$/;

/** Files that a training results in, by the version of its model; previews before there is one have version 0. */
export const outputKey = (session: string, version: number, name: string) =>
  `sessions/${session}/outputs/${version}/${name}`;
