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
  all: (session: string) => `sessions/${session}/snapshots/`,
  folder: (session: string, step: number) => `sessions/${session}/snapshots/${step}/`,
};

/** Everything that only a training itself needs: gone once it has its model. */
export const trainingFolders = (session: string) => [
  `sessions/${session}/scene/`,
  `sessions/${session}/snapshots/`,
];

/** Says which snapshots are whole. */
export const manifestKey = (session: string) => `sessions/${session}/manifest.json`;

/** SHA-256, hex. */
export const sha256Schema = z.string().regex(/^[0-9a-f]{64}$/);

/** An object of a snapshot, and what its content must be. Shard 0 has one more: what all shards share. */
export const pieceSchema = z.object({
  shard: z.int().min(0),
  key: z.string(),
  sha256: sha256Schema,
  bytes: z.number().min(0),
});

export type StoredPiece = z.output<typeof pieceSchema>;

/** What a scene's head says that this program can read. */
export const SCENE_FORMAT = 'implicam scene 3';

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
  /** The snapshot of step `from`. */
  pieces: z.array(pieceSchema),
});

export type SceneSummary = z.output<typeof sceneSummarySchema>;

/** The whole snapshots of a session: its newest, then the one to fall back to. */
export const manifestSchema = z.object({
  /** Epoch that wrote it: what an older epoch says never replaces it. */
  epoch: z.number().min(0),
  /** Kind of the engine that made them; what goes on must be of that kind too. */
  engine: z.string(),
  snapshots: z.array(z.object({ step: z.int().min(0), pieces: z.array(pieceSchema).readonly() })).readonly(),
});

export type Manifest = z.output<typeof manifestSchema>;

/** Session ids: what is safe in paths, URLs and logs. */
export const SESSION_ID = /^[A-Za-z0-9][\w-]{0,63}$/;

/** Files that a training results in, by the version of its model; previews before there is one have version 0. */
export const outputKey = (session: string, version: number, name: string) =>
  `sessions/${session}/outputs/${version}/${name}`;
